import { didYouMean } from '../shared/domain/suggest.ts';

/** What a command is given of the world outside. */
export interface Io {
  out: (text: string) => void;
  err: (text: string) => void;
  /** What moves the cursor, for tables that are drawn over: `out` and `err` let only lines and colours through. */
  draw?: { out: (text: string) => void; err: (text: string) => void };
  /** Instant. */
  now: number;
  /** Whether standard output may be coloured. */
  colour: boolean;
  /** Environment variables. */
  env?: Record<string, string | undefined>;
  /** Where standard error is a terminal: its size, so that lines can be drawn over. */
  screen?: () => { columns: number; rows: number };
  /** Whether standard output is a terminal. */
  terminal?: boolean;
  /** Asks somebody a question; absent where nobody can be asked. */
  ask?: (question: string) => Promise<boolean>;
  /** From the first call on, Ctrl-C aborts this signal; a second one ends the process at once. */
  interrupt?: () => AbortSignal;
}

export interface Option {
  type: 'string' | 'boolean';
  short?: string;
  multiple?: boolean;
  default?: string | boolean;
  /** A line for the help; a command that lays its help out by itself needs none. */
  about?: string;
  /** What stands for the value in the help: `DURATION`. */
  value?: string;
  /** The only values there are. */
  choices?: readonly string[];
  /** Of a boolean: a number is true too. */
  level?: boolean;
}
export type Options = Record<string, Option>;

export type Values = Record<string, string | boolean | (string | boolean)[] | undefined>;

/** Among what a command completes: the names of Wukongs, which are asked of the cluster. */
export const wukongNames = '<wukongs>';

/** One command of `wukong`: a file each, in the table of commands.ts. */
export interface CliCommand {
  /** A line for the list of commands. */
  summary: string;
  /** The whole help text. */
  help: string;
  options: Options;
  positionals?: boolean;
  /** What positionals may be, for completion: names of Wukongs, or one of these words. */
  completes?: readonly string[];
  /** Answers the exit code: one of exitCodes. */
  run: (values: Values, io: Io, positionals: string[]) => Promise<number>;
}

/** What was typed cannot be understood: exit code 2. The message says what was expected. */
export class UsageError extends Error {}

export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  inProgress: 3,
  left: 4,
  interrupted: 130,
} as const;

/** Every command has these. */
export const commonOptions: Options = {
  debug: { type: 'boolean', about: 'shows where an error came from' },
  help: { type: 'boolean', short: 'h', about: 'shows this' },
};

/** A choice that ends with `=` is any text that begins with it. @throws UsageError */
export function checkChoice(what: string, value: string, choices: readonly string[]): void {
  const fits = (choice: string) =>
    choice.endsWith('=') ? value.startsWith(choice) && value !== choice : value === choice;
  if (choices.some(fits)) return;
  throw new UsageError(`${what} ${value}: expected ${oneOf(choices)}${didYouMean(value, choices)}`);
}

export const oneOf = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
