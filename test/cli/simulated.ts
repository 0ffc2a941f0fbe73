import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

import { main } from '../../cli/main.ts';
import type { Answer } from '../../shared/cluster/transport.ts';
import { connect } from '../../shared/entry/connect.ts';
import { silentLog } from '../../shared/report/log.ts';
import { silentMetrics } from '../../shared/report/metrics.ts';

const merge = { contentType: 'application/merge-patch+json' };
const entry = resolve('cli/main.ts');

export interface Done {
  code: number | null;
  out: string;
  err: string;
}

export interface Running {
  child: ChildProcess;
  /** Resolves with the first line of either stream that matches, also one of the past. */
  says(pattern: RegExp): Promise<string>;
  done: Promise<Done>;
}

/** Starts `wukong` as a process of its own, connected by pipes. */
export function launch(args: string[], env: Record<string, string> = {}): Running {
  const { KUBECONFIG: _kubeconfig, NO_COLOR: _colour, ...clean } = process.env;
  const child = spawn(process.execPath, [entry, ...args], {
    env: { ...clean, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end();
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  for (const input of [child.stdout, child.stderr])
    createInterface({ input }).on('line', (line) => {
      lines.push(line);
      for (const look of waiting) look();
    });
  const done = once(child, 'close').then(([code]) => ({ code: code as number | null, out, err }));
  const says = (pattern: RegExp) =>
    new Promise<string>((found, missing) => {
      const look = () => {
        const line = lines.find((each) => pattern.test(each));
        if (line !== undefined) found(line);
      };
      waiting.add(look);
      look();
      void done.then(() => missing(new Error(`ended without saying ${pattern}: ${out}${err}`)));
    });
  return { child, says, done };
}

/** Runs `wukong` as if in a process without a terminal: a second for each start adds up. */
async function here(args: string[], env: Record<string, string>): Promise<Done> {
  let [out, err] = ['', ''];
  const code = await main(args, {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    now: Date.now(),
    colour: false,
    env,
  });
  return { code, out, err };
}

/** Of what `-o name` prints. */
export const namesIn = (out: string): string[] =>
  out
    .split('\n')
    .filter(Boolean)
    .map((line) => line.replace('wukong.vm.novasphere.dev/', ''));

export interface Simulated {
  kubeconfig: string;
  folder: string;
  /** Runs one command to its end, here. Words are separated by blanks, `_` in a word stands for one. */
  wukong(words: string, env?: Record<string, string>): Promise<Done>;
  /** The same in a process of its own, connected by pipes. */
  start(words: string, env?: Record<string, string>): Running;
  /** One request to the cluster, as an administrator. */
  api(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<Answer>;
  /** What `wukong sim` itself says, now or later. */
  says: Running['says'];
  /** Ends the cluster as Ctrl-C does. */
  end(): Promise<Done>;
  close(): Promise<void>;
}

/** `wukong sim` in another process, ready when its kubeconfig is there. */
export async function simulate(...options: string[]): Promise<Simulated> {
  const folder = mkdtempSync(join(tmpdir(), 'wukong-cli-'));
  const kubeconfig = join(folder, 'kubeconfig');
  const watcher = watch(folder);
  const sim = launch(['sim', '--kubeconfig-out', kubeconfig, ...options]);
  const early = sim.done.then(({ err }) => Promise.reject(new Error(`the sim ended: ${err}`)));
  early.catch(() => {});
  while (!existsSync(kubeconfig)) await Promise.race([once(watcher, 'change'), early]);
  await sim.says(/The embedded cluster is at/);
  watcher.close();
  const world = await connect({ env: { KUBECONFIG: kubeconfig }, log: silentLog, metrics: silentMetrics });
  const read = (words: string) => words.split(' ').map((word) => word.replaceAll('_', ' '));
  const start = (words: string, env: Record<string, string> = {}) =>
    launch(read(words), { KUBECONFIG: kubeconfig, ...env });
  const end = () => (sim.child.kill('SIGTERM'), sim.done);
  return {
    kubeconfig,
    folder,
    start,
    wukong: (words, env) => here(read(words), { HOME: folder, KUBECONFIG: kubeconfig, ...env }),
    api: (method, path, body) =>
      world.transport.call({ method, path, body, safe: false, ...(method === 'PATCH' ? merge : {}) }),
    says: sim.says,
    end,
    async close() {
      await end();
      rmSync(folder, { recursive: true });
    },
  };
}
