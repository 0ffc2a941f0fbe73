import { execFile, fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { bundle } from '../infra/aws/bundle/bundle.ts';
import type { Figures, Furnishing, Opened, Order } from './cluster.ts';
import type { Finish, Race } from './contender.ts';

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

export interface ClusterProcess extends Opened {
  furnish(furnishing: Furnishing): Promise<void>;
  /** A WukongSchedule over all of a namespace, in the place of the one before. */
  schedule(namespace: string, spec: object): Promise<void>;
  awaitOn(namespace: string, on: number): Promise<void>;
  /** Resolves when so many Wukongs of the namespace have a status of ours. */
  awaitStates(namespace: string, count: number): Promise<void>;
  /** What is asked from now on counts. */
  begin(): Promise<void>;
  /** Declares a start on so many: milliseconds until each power call, sorted. */
  declare(namespace: string, count: number): Promise<number[]>;
  /** What one contender asked since. */
  figures(user: string): Promise<Figures>;
  end(): Promise<void>;
}

/** The embedded cluster in a process of its own. */
export async function startCluster(mode: 'limited' | 'unlimited'): Promise<ClusterProcess> {
  const child = fork(here('cluster.ts'), [mode], { execArgv: ['--max-old-space-size=8192'] });
  const waiting = new Map<number, (answer: unknown) => void>();
  let next = 0;
  child.on('message', ({ id, answer }: { id: number; answer: unknown }) => {
    waiting.get(id)?.(answer);
    waiting.delete(id);
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const opened = await new Promise<Opened>((resolve, reject) => {
    waiting.set(0, (answer) => resolve(answer as Opened));
    child.once('exit', (code) => reject(new Error(`the embedded cluster ended (${code})`)));
  });
  const ask = <T>(order: Order) =>
    new Promise<T>((resolve) => {
      const id = ++next;
      waiting.set(id, (answer) => resolve(answer as T));
      child.send({ id, order });
    });
  return {
    ...opened,
    furnish: (furnishing) => ask({ do: 'furnish', with: furnishing }),
    schedule: (namespace, spec) => ask({ do: 'schedule', namespace, spec }),
    awaitOn: (namespace, on) => ask({ do: 'await', namespace, on }),
    awaitStates: (namespace, count) => ask({ do: 'awaitStates', namespace, count }),
    begin: () => ask({ do: 'begin' }),
    declare: (namespace, count) => ask({ do: 'declare', namespace, count }),
    figures: (user) => ask({ do: 'figures', user }),
    async end() {
      void ask({ do: 'end' });
      await gone;
    },
  };
}

/** What V8 gives itself in a function of 512 MB (serverless.yml): half of that; the young generation is set there (infra/aws/config.js). Left alone on a large machine it collects later. */
export const heapOfAFunction = ['--max-old-space-size=256', '--max-semi-space-size=16'];

let bundled: Promise<string> | undefined;

/** One contender, once, in a process of its own, bundled as the functions are. */
export async function race(what: Race): Promise<Finish> {
  if (what.contender === 'cli') return commandLine(what);
  const file = await (bundled ??= bundle({ file: 'bench/contender.ts' }));
  return new Promise((resolve, reject) => {
    const child = fork(file, [], { execArgv: ['--expose-gc', ...heapOfAFunction] });
    child.once('message', (finish: Finish) => {
      child.removeAllListeners('exit');
      resolve(finish);
    });
    child.once('exit', (code) => reject(new Error(`${what.contender} ended (${code}) before it was through`)));
    child.send(what);
  });
}

/** `wukong stop -l`, as somebody types it: its whole process counts. */
async function commandLine({ kubeconfig, namespace, action }: Race): Promise<Finish> {
  const folder = mkdtempSync(join(tmpdir(), 'wukong-bench-'));
  const file = join(folder, 'kubeconfig');
  writeFileSync(file, kubeconfig);
  const where = ['-l', 'bench=yes', '-n', namespace, '--yes', '--kubeconfig', file, '-o', 'json'];
  const began = performance.now();
  const out = await new Promise<string>((resolve) => {
    execFile(process.execPath, [here('../cli/wukong.mjs'), action, ...where], { maxBuffer: 2 ** 28 }, (_, text) =>
      resolve(text),
    );
  });
  const ms = performance.now() - began;
  rmSync(folder, { recursive: true });
  const { counts } = JSON.parse(out || '{}') as Pick<Finish, 'counts'>;
  return { ms, cpuMs: NaN, rssMb: NaN, counts };
}
