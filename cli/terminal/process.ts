import { createInterface } from 'node:readline';

import { exitCodes, Interrupted, type Io } from '../command.ts';

/** A wrapper passes on the Ctrl-C that the terminal has sent us too: what comes within this time is one key. */
const sameKeyMs = 200;

/** This process as commands see it. */
export function processIo(): Io {
  const { stdin, stdout, stderr, env } = process;
  // `wukong plan | head` closes our output early, which is no error.
  stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  const drawable = stderr.isTTY && env['TERM'] !== 'dumb';
  return {
    out: (text) => stdout.write(text),
    err: (text) => stderr.write(text),
    now: Date.now(),
    colour: Boolean(stdout.isTTY) && !env['NO_COLOR'] && env['TERM'] !== 'dumb',
    env,
    terminal: Boolean(stdout.isTTY) && env['TERM'] !== 'dumb',
    ...(drawable ? { screen: () => ({ columns: stderr.columns || 80, rows: stderr.rows || 24 }) } : {}),
    ...(stdin.isTTY && stderr.isTTY ? { ask } : {}),
    interrupt,
  };
}

/** Yes only for a plain yes; the end of the input is none. */
function ask(question: string): Promise<boolean> {
  process.stderr.write(`${question} [y/N] `);
  const lines = createInterface({ input: process.stdin, terminal: false });
  return new Promise((answer) => {
    lines.once('line', (line) => (answer(/^\s*y(es)?\s*$/i.test(line)), lines.close()));
    lines.once('close', () => answer(false));
  });
}

let interrupting: AbortController | undefined;

function interrupt(): AbortSignal {
  if (interrupting) return interrupting.signal;
  const controller = (interrupting = new AbortController());
  let first: number | undefined;
  const onSignal = () => {
    const now = Date.now();
    if (first === undefined) {
      first = now;
      controller.abort(new Interrupted('interrupted'));
    } else if (now - first > sameKeyMs) process.exit(exitCodes.interrupted);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return controller.signal;
}
