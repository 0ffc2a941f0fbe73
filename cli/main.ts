import { asLifecycleError, failures, LifecycleError } from '../shared/domain/errors.ts';
import { didYouMean } from '../shared/domain/suggest.ts';
import { plain as plainText } from '../shared/report/plain.ts';
import { Interrupted } from '../shared/time/wait.ts';
import { clusterOptions, scopeOptions } from './cluster.ts';
import { commonOptions, exitCodes, type Io, oneOf, type Options, UsageError } from './command.ts';
import { commands } from './commands.ts';
import { commandFirst, readArguments } from './flags.ts';
import { endProcess, processIo } from './terminal/process.ts';

/** What `wukong help` says. */
export async function overview(): Promise<string> {
  const rows = await Promise.all(
    Object.entries(commands).map(async ([name, load]) => `  ${name.padEnd(12)} ${(await load()).summary}`),
  );
  return `Switches KubeVirt virtual machines on and off, and proves it.

Usage: wukong COMMAND [OPTIONS]     as a kubectl plugin: kubectl wukong COMMAND [OPTIONS]

${rows.join('\n')}
  help         shows this, or what a command does: wukong help COMMAND

Exit codes: 0 all is as wished, 1 something failed or the cluster cannot be reached, 2 wrong usage, 3 some
are still in progress, 4 something was left alone on purpose (skipped or superseded), 130 interrupted.

wukong COMMAND --help tells more. Durations: 90s, 5m, 2h, 1d, 1h30m.
`;
}

/** What may stand before the command, as with kubectl. */
export const leadingOptions: Options = {
  ...commonOptions,
  ...clusterOptions,
  ...scopeOptions,
  output: { type: 'string', short: 'o' },
};

/** Runs one command and answers its exit code. */
export async function main(typed: string[], io: Io): Promise<number> {
  if (typed[0] === '__complete') return completed(typed.slice(1), io);
  const [name, ...rest] = commandFirst(typed, leadingOptions, Object.keys(commands));
  if (name === undefined || name === '--help' || name === '-h' || (name === 'help' && rest.length === 0)) {
    (name === undefined ? io.err : io.out)(await overview());
    return name === undefined ? exitCodes.usage : exitCodes.done;
  }
  if (name === 'help') return main([...rest.slice(0, 1), '--help'], io);
  const load = Object.hasOwn(commands, name) ? commands[name] : name === '--version' ? commands['version'] : undefined;
  if (!load) return unknown(name, typed, io);
  const debug = rest.includes('--debug');
  try {
    const command = await load();
    const before = rest.slice(0, rest.includes('--') ? rest.indexOf('--') : undefined);
    const asked = before.some((arg) => arg === '--help' || arg === '-h');
    const { values, positionals } = asked ? { values: { help: true }, positionals: [] } : readArguments(rest, command);
    if (values.help !== true) return await command.run(values, io, positionals);
    io.out(command.help);
    return exitCodes.done;
  } catch (thrown) {
    return fail(name, thrown, io, debug);
  }
}

/** For shells and for kubectl: what may stand in the place of the last word. */
async function completed(words: string[], io: Io): Promise<number> {
  const { complete } = await import('./terminal/completion.ts');
  const load = async (name: string) => (Object.hasOwn(commands, name) ? commands[name]?.() : undefined);
  const names = () =>
    Promise.all(Object.keys(commands).map(async (value) => ({ value, about: (await load(value))?.summary ?? '' })));
  return complete(words, { load, names, leading: leadingOptions }, io);
}

/** What people type who know other programs. */
const otherNames: Record<string, string> = {
  get: 'state',
  list: 'state',
  ls: 'state',
  describe: 'state',
  status: 'state',
  up: 'start',
  down: 'stop',
  shutdown: 'stop',
  poweroff: 'stop',
  reboot: 'restart',
  diagnose: 'doctor',
  upgrade: 'crd',
};

function unknown(name: string, typed: string[], io: Io): number {
  const known = [...Object.keys(commands), 'help'];
  const meant = Object.hasOwn(otherNames, name) ? `; did you mean ${otherNames[name]}?` : didYouMean(name, known);
  if (name.startsWith('-')) {
    const flag = typed.find((arg) => arg.startsWith('-')) ?? name;
    io.err(`wukong: found ${flag} and no command: expected ${oneOf(known)}\nTry: wukong --help\n`);
  } else io.err(`wukong: "${name}" is no command: expected ${oneOf(known)}${meant}\nTry: wukong --help\n`);
  return exitCodes.usage;
}

/** Says in a sentence what is wrong and what to do about it. */
function fail(name: string, thrown: unknown, io: Io, debug: boolean): number {
  if (thrown instanceof Interrupted) return exitCodes.interrupted;
  if (debug) io.err(`${trail(thrown)}\n`);
  if (thrown instanceof UsageError) {
    io.err(`wukong ${name}: ${thrown.message}\nTry: wukong ${name} --help\n`);
    return exitCodes.usage;
  }
  const { code, message } = asLifecycleError(thrown);
  io.err(`wukong ${name}: ${plainText(message.split('\n')[0] ?? '')}\n`);
  const hint = hintFor(thrown, debug);
  if (hint) io.err(`${hint}\n`);
  return code === 'InvalidAction' ? exitCodes.usage : exitCodes.failed;
}

function hintFor(thrown: unknown, debug: boolean): string | undefined {
  if (!(thrown instanceof LifecycleError)) return debug ? undefined : '--debug shows where this comes from.';
  if (thrown.next !== undefined) return thrown.next;
  if (thrown.code === 'Unreachable')
    return 'Check the server address, its CA and the way to it; wukong doctor looks closer.';
  const plain = thrown.code === 'InvalidAction' || thrown.code === 'Refused' || /did you mean/.test(thrown.message);
  return plain ? undefined : failures[thrown.code].next;
}

function trail(thrown: unknown): string {
  const lines: string[] = [];
  for (let error = thrown; error instanceof Error; error = error.cause)
    lines.push(`${lines.length > 0 ? 'caused by ' : ''}${error.stack ?? error.message}`);
  return lines.join('\n') || String(thrown);
}

/** Runs this process as one command and ends it with the command's exit code. */
export async function runProcess(): Promise<void> {
  await endProcess(await main(process.argv.slice(2), processIo()));
}

if (import.meta.main) await runProcess();
