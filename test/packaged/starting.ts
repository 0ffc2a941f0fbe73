import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { inject } from 'vitest';

export interface Started {
  child: ChildProcess;
  /** Everything that was printed. */
  printed: () => string;
  /** Resolves when the process has ended, and all those that it has started. */
  done: Promise<{ code: number | null; signal: string | null }>;
}

const prefix = inject('prefix');
/** The installed command. */
export const installed = join(prefix, 'bin', 'wukong');

/** Starts a program as somebody in a shell would, in a process group of its own. */
export function begin(
  typed: string[],
  { cwd = '.', env = {} }: { cwd?: string; env?: Record<string, string> } = {},
): Started {
  const [program = '', ...args] = typed;
  // What npm has told this process is not for those that people start.
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|KUBECONFIG$|VITEST|NODE_)/i.test(name));
  const child = spawn(program, args, {
    cwd,
    env: { ...Object.fromEntries(own), PATH: `${join(prefix, 'bin')}:${inject('path')}`, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (printed += text));
  const done = once(child, 'close').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as string | null,
  }));
  return { child, printed: () => printed, done };
}

/** Runs it to its end. */
export async function run(
  typed: string[],
  options?: Parameters<typeof begin>[1],
): Promise<{ code: number | null; printed: string }> {
  const { done, printed } = begin(typed, options);
  return { code: (await done).code, printed: printed() };
}
