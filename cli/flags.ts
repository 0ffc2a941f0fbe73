import { didYouMean } from '../shared/domain/suggest.ts';
import {
  checkChoice,
  type CliCommand,
  commonOptions,
  oneOf,
  type Option,
  type Options,
  UsageError,
  type Values,
} from './command.ts';

/** An option as it was found in the arguments; without a text, its value is the next argument, or it needs none. */
interface Found {
  name: string;
  text?: string;
}

/**
 * Reads arguments as kubectl does (spf13/pflag): `--x=y`, `--x y`, `-x=y`, `-x y`, `-xy`, clusters of short options, `--`,
 * options among words. What is stricter, and why, is in decision 40.
 * @throws UsageError for an option that is not known, and for a value that is missing or of the wrong kind.
 */
export function readFlags(args: string[], options: Options): { values: Values; positionals: string[] } {
  const values: Values = {};
  for (const [name, { default: value }] of Object.entries(options)) if (value !== undefined) values[name] = value;
  const positionals: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!;
    if (arg === '--') return { values, positionals: [...positionals, ...args.slice(at + 1)] };
    if (!isFlag(arg)) positionals.push(arg);
    else
      for (const { name, text } of flagsIn(arg, options))
        if (options[name]!.type === 'boolean') values[name] = truthOf(name, text, options[name]!);
        else
          values[name] = kept(
            values[name],
            { name, option: options[name]! },
            text ?? following(args[++at], options),
            arg,
          );
  }
  return { values, positionals };
}

/** @throws UsageError as readFlags does, and for words where a command takes none. */
export function readArguments(args: string[], { options, positionals: taken = false }: CliCommand) {
  const read = readFlags(args, { ...options, ...commonOptions });
  const [word] = read.positionals;
  if (!taken && word !== undefined && read.values.help !== true)
    throw new UsageError(`Unexpected argument '${word}': expected options alone`);
  return read;
}

/**
 * `-n dev stop web` is `stop web -n dev`, as kubectl takes it. An unknown option before the command is thought to have a
 * value, unless a command follows it.
 */
export function commandFirst(args: string[], options: Options, commands: readonly string[]): string[] {
  let at = 0;
  for (; at < args.length && isFlag(args[at]!) && !/^(--|-h|--help|--version)$/.test(args[at]!); at++) {
    const next = args[at + 1];
    const guess =
      next !== undefined && args[at]!.startsWith('--') && !args[at]!.includes('=') && !commands.includes(next);
    if (takesNext(args[at]!, options) ?? guess) at++;
  }
  const [name, ...rest] = args.slice(at);
  return name === undefined || name === '--' ? args : [name, ...args.slice(0, at), ...rest];
}

const isFlag = (arg: string): boolean => arg.startsWith('-') && arg !== '-';

/** Whether the value of what is last in this argument is the next one; undefined where there is no such option. */
export function takesNext(arg: string, options: Options): boolean | undefined {
  try {
    const last = flagsIn(arg, options).at(-1);
    return last && last.text === undefined && options[last.name]?.type === 'string';
  } catch {
    return undefined;
  }
}

/** The options of one argument: one for `--x` and `--x=y`, any number for `-abc`, of which the last may have a value. */
export function flagsIn(arg: string, options: Options): Found[] {
  if (arg.startsWith('--')) return [longFlag(arg, options)];
  const long = `-${arg.split('=')[0]}`;
  if (long.length > 3 && Object.hasOwn(options, long.slice(2)))
    throw new UsageError(`there is no option ${long.slice(1)}; did you mean ${long}?`);
  const found: Found[] = [];
  for (let at = 1; at < arg.length; at++) {
    const letter = arg[at]!;
    const name = Object.keys(options).find((each) => options[each]?.short === letter);
    if (name === undefined) throw unknown(`-${letter}`, arg, options);
    const rest = arg.slice(at + 1);
    if (rest.startsWith('=')) return [...found, { name, text: rest.slice(1) }];
    if (options[name]?.type === 'string') return [...found, rest === '' ? { name } : { name, text: rest }];
    found.push({ name });
  }
  return found;
}

function longFlag(arg: string, options: Options): Found {
  const [, name = '', text] = /^--([^=]*)(?:=(.*))?$/s.exec(arg) ?? [];
  if (Object.hasOwn(options, name)) return text === undefined ? { name } : { name, text };
  const positive = name.replace(/^no-/, '');
  if (positive !== name && text === undefined && options[positive]?.type === 'boolean')
    return { name: positive, text: 'false' };
  throw unknown(`--${name}`, arg, options);
}

function unknown(typed: string, arg: string, options: Options): UsageError {
  const where = arg === typed || arg.startsWith('--') ? '' : ` in ${arg}`;
  const known = Object.keys(options).map((name) => `--${name}`);
  return new UsageError(`there is no option ${typed}${where}${didYouMean(typed, known)}`);
}

/** As Go reads a bool; of a level, such as -v=6, every number. */
function truthOf(name: string, text: string | undefined, { level }: Option): boolean {
  if (text === undefined || /^(1|t|true)$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  if (level && /^\d{1,2}$/.test(text)) return true;
  throw new UsageError(`--${name}=${text}: expected ${level ? 'true, false or a level' : 'true or false'}`);
}

/** The next argument as a value; none where that is itself an option: its value was forgotten. */
function following(arg: string | undefined, options: Options): string | undefined {
  if (arg === undefined || arg === '--') return undefined;
  return isFlag(arg) && takesNext(arg, options) !== undefined ? undefined : arg;
}

/** What is kept of an option once `text` was found for it in `arg`. */
function kept(
  before: Values[string],
  { name, option }: { name: string; option: Option },
  text: string | undefined,
  arg: string,
): Values[string] {
  if (text === undefined || text === '') {
    const found = text === '' || /^-.*=$/s.test(arg) ? ', found nothing' : ' after it';
    throw new UsageError(`--${name}: expected ${expectedOf(option)}${found}`);
  }
  if (option.choices) checkChoice(`--${name}`, text, option.choices);
  return option.multiple ? [...((before as string[] | undefined) ?? []), text] : text;
}

function expectedOf({ choices, value }: Option): string {
  return choices ? oneOf(choices) : (value ?? 'TEXT');
}
