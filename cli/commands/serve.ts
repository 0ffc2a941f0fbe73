import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { setFlagsFromString } from 'node:v8';

import { readConfig } from '../../shared/cluster/config.ts';
import { connect } from '../../shared/entry/connect.ts';
import { serve as serveCluster } from '../../shared/entry/serve.ts';
import { jsonLog } from '../../shared/report/log.ts';
import { prometheusMetrics } from '../../shared/report/prometheus.ts';
import { clusterOptions, openCluster } from '../cluster.ts';
import { type CliCommand, exitCodes, type Options, UsageError, type Values } from '../command.ts';
import { helpOf } from '../terminal/help.ts';

const options: Options = {
  port: { type: 'string', value: 'PORT', default: '8080', about: 'where requests are taken; default 8080, 0 for any' },
  host: { type: 'string', value: 'ADDRESS', about: 'default: every address of this machine' },
  'tls-cert': { type: 'string', value: 'FILE', about: 'takes requests over TLS, with this certificate' },
  'tls-key': { type: 'string', value: 'FILE', about: 'and its key' },
  audience: {
    type: 'string',
    value: 'NAME',
    default: 'wukong-lifecycle',
    about: "for whom callers' tokens have to be; default wukong-lifecycle",
  },
  'webhook-secret': { type: 'string', value: 'FILE', about: 'a secret for senders of events without a token' },
  ...clusterOptions,
};
const leastSecret = 16;

export const serve: CliCommand = {
  summary: 'stays, and does at once what reconcile does every minute; an API, events, metrics',
  help: helpOf({
    usage: ['serve [--port PORT]'],
    about:
      'Watches Wukongs and WukongSchedules and carries out what is declared, due or asked for over HTTP. Of several servers one ticks; docs/serve.md. SIGTERM leaves what is under way in progress.',
    options,
    exit: '0 ended by a signal, and all is left in order; 1 the cluster cannot be reached, or a watch is not allowed; 2 wrong usage.',
  }),
  options,
  async run(values, io) {
    // What a tick leaves behind is collected before it doubles the heap: such memory is not given back (decision 130).
    setFlagsFromString('--heap-growing-percent=30');
    const env = io.env ?? {};
    const port = portOf(values['port'] as string);
    const tls = tlsOf(values);
    const secret = secretOf(values);
    const { credentials } = await openCluster(values, io);
    const metrics = prometheusMetrics();
    const log = jsonLog(readConfig(env), 'serve');
    const world = await connect({ env, log, metrics, credentials });
    await serveCluster(world, {
      ...{ port, tls, secret, metrics, audience: values['audience'] as string },
      ...(values['host'] === undefined ? {} : { host: values['host'] as string }),
      signal: io.interrupt?.() ?? new AbortController().signal,
      listening: (at) => log.info(`requests are taken on port ${at}`, { port: at }),
    });
    return exitCodes.done;
  },
};

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (!(port <= 65_535)) throw new UsageError(`--port ${text}: expected a number from 0 to 65535`);
  return port;
}

function fileOf(values: Values, name: string): string | undefined {
  const path = values[name] as string | undefined;
  try {
    return path === undefined ? undefined : readFileSync(path, 'utf8');
  } catch (wrong) {
    throw new UsageError(`--${name} ${path}: ${(wrong as Error).message}`);
  }
}

function tlsOf(values: Values): { cert: string; key: string } | undefined {
  const [cert, key] = [fileOf(values, 'tls-cert'), fileOf(values, 'tls-key')];
  if (cert !== undefined && key !== undefined) return fitting({ cert, key });
  if (cert !== undefined || key !== undefined)
    throw new UsageError('--tls-cert and --tls-key: expected both, or neither');
  return undefined;
}

function fitting(tls: { cert: string; key: string }): { cert: string; key: string } {
  try {
    createSecureContext(tls);
    return tls;
  } catch (wrong) {
    const why = (wrong as Error).message;
    throw new UsageError(`--tls-cert and --tls-key: expected a certificate and the key to it, in PEM (${why})`);
  }
}

function secretOf(values: Values): string | undefined {
  const secret = fileOf(values, 'webhook-secret')?.trim();
  // What cannot be sent as a bearer token proves nobody.
  if (secret !== undefined && (secret.length < leastSecret || !/^[!-~]*$/.test(secret)))
    throw new UsageError(`--webhook-secret: expected at least ${leastSecret} characters of ASCII, no space among them`);
  return secret;
}
