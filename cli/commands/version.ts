import { readFileSync } from 'node:fs';

import { tzVersion } from '../../shared/time/tzData.ts';
import { type CliCommand, exitCodes } from '../command.ts';
import { helpOf } from '../terminal/help.ts';

const options = { output: { type: 'string', short: 'o', choices: ['json'], about: 'as JSON' } } as const;

/** Read beside the program, as the package and the container ship it. */
export function ownVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

export const version: CliCommand = {
  summary: 'says which version this is',
  help: helpOf({ usage: ['version [-o json]'], options }),
  options,
  run: async (values, io) => {
    const known = { version: ownVersion(), node: process.version, tzdata: tzVersion };
    io.out(
      values.output === 'json'
        ? `${JSON.stringify(known)}\n`
        : `wukong ${known.version} (Node ${known.node}, time zones ${known.tzdata})\n`,
    );
    return exitCodes.done;
  },
};
