import { createInterface } from 'node:readline';

import { printable } from '../../shared/report/plain.ts';
import { systemClock } from '../../shared/time/clock.ts';
import { Interrupted } from '../../shared/time/wait.ts';
import { exitCodes, type Io } from '../command.ts';

/** A wrapper passes on the Ctrl-C that the terminal has sent us too: what comes within this time is one key. */
const sameKeyMs = 500;
/** How long a command may take to leave things in order after a signal: it takes about a second (decision 100). */
const usualPatienceMs = 5_000;

/** This process as commands see it. */
export function processIo(): Io {
  const { stdin, stdout, stderr, env } = process;
  // `wukong plan | head` closes our output early, which is no error.
  stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  const drawable = stderr.isTTY && env['TERM'] !== 'dumb';
  return {
    out: (text) => stdout.write(printable(text)),
    err: (text) => stderr.write(printable(text)),
    draw: { out: (text) => stdout.write(text), err: (text) => stderr.write(text) },
    now: Date.now(),
    colour: Boolean(stdout.isTTY) && !env['NO_COLOR'] && env['TERM'] !== 'dumb',
    env,
    terminal: Boolean(stdout.isTTY) && env['TERM'] !== 'dumb',
    ...(drawable ? { screen: () => ({ columns: stderr.columns || 80, rows: stderr.rows || 24 }) } : {}),
    ...(stdin.isTTY && stderr.isTTY ? { ask } : {}),
    interrupt: () => interrupt(),
  };
}

/** Yes only for a plain yes; the end of the input is none. */
export function ask(question: string): Promise<boolean> {
  process.stderr.write(printable(`${question} [y/N] `));
  const lines = createInterface({ input: process.stdin, terminal: false });
  return new Promise((answer) => {
    lines.once('line', (line) => (answer(/^\s*y(es)?\s*$/i.test(line)), lines.close()));
    lines.once('close', () => answer(false));
  });
}

/**
 * Ends this process with `code` once all that it has printed is written, whatever else is still open. A command that
 * failed half-way has perhaps left a server or a watch behind.
 */
export async function endProcess(code: number): Promise<never> {
  for (const stream of [process.stdout, process.stderr])
    await new Promise<void>((written) => stream.write('', () => written()));
  return process.exit(code);
}

/** Resolves when the signal is aborted, at once where it is already. Without a signal: never. */
export const aborted = (signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    signal?.addEventListener('abort', () => resolve(), { once: true });
  });

let interrupting: AbortController | undefined;

/** Aborted by the first Ctrl-C or the like; the second one ends the process at once. */
export function interrupt(patienceMs = usualPatienceMs): AbortSignal {
  if (interrupting) return interrupting.signal;
  const controller = (interrupting = new AbortController());
  let first: number | undefined;
  const onSignal = () => {
    const now = Date.now();
    if (first === undefined) {
      first = now;
      controller.abort(new Interrupted(systemClock.now()));
      setTimeout(() => process.exit(exitCodes.interrupted), patienceMs).unref();
    } else if (now - first > sameKeyMs) process.exit(exitCodes.interrupted);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return controller.signal;
}
