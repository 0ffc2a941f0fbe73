import { Logger } from '@aws-lambda-powertools/logger';

import type { Config } from '../cluster/config.ts';
import type { Log } from '../cluster/world.ts';
import { plain, plainFields } from './plain.ts';

const clean = (fields: Record<string, unknown> = {}) => plainFields(fields) as Record<string, unknown>;

/** Which deployment speaks, where there are several in one account; log lines and metrics bear it. */
export const serviceName = (): string => process.env['POWERTOOLS_SERVICE_NAME'] || 'wukong-lifecycle';

/** JSON lines on standard output, by Powertools. Every text, however deep, goes through `plain`. */
export function jsonLog(config: Pick<Config, 'logLevel'>, functionName: string): Log {
  const logger = new Logger({ serviceName: serviceName(), logLevel: config.logLevel });
  logger.appendKeys({ function: functionName });
  return {
    debug: (message, fields) => logger.debug(plain(message), clean(fields)),
    info: (message, fields) => logger.info(plain(message), clean(fields)),
    warn: (message, fields) => logger.warn(plain(message), clean(fields)),
    error: (message, fields) => logger.error(plain(message), clean(fields)),
  };
}

export { silentLog } from './silent.ts';
