import { parseArgs, type ParseArgsConfig } from 'node:util';

/** What a command is given of the world outside. */
export interface Io {
  out: (text: string) => void;
  err: (text: string) => void;
  /** Instant. */
  now: number;
  /** Whether standard output may be coloured. */
  colour: boolean;
}

export type Values = Record<string, string | boolean | (string | boolean)[] | undefined>;

/** One command of `wukong`: a file each, in the table of main.ts. */
export interface CliCommand {
  /** A line for the list of commands. */
  summary: string;
  /** The whole help text. */
  help: string;
  options: NonNullable<ParseArgsConfig['options']>;
  positionals?: boolean;
  /** Answers the exit code: 0 done, 1 something is wrong with what was asked about. */
  run: (values: Values, io: Io, positionals: string[]) => Promise<number>;
}

/** What was typed cannot be understood: exit code 2. The message says what was expected. */
export class UsageError extends Error {}

/** @throws UsageError for an unknown option or a missing value. */
export function readArguments(args: string[], { options, positionals = false }: CliCommand) {
  try {
    return parseArgs({
      args,
      options: { ...options, help: { type: 'boolean', short: 'h' } },
      allowPositionals: positionals,
      strict: true,
    });
  } catch (wrong) {
    throw new UsageError((wrong as Error).message.split('. ')[0], { cause: wrong });
  }
}
