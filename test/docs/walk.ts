import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';

import { vi } from 'vitest';

import { main } from '../../cli/main.ts';
import { type Sim, startSim } from '../../sim/sim.ts';
import { launch } from '../cli/simulated.ts';
import { type Block, isCommands, typedLines } from './blocks.ts';
import { kubectlStandIn } from './kubectlStandIn.ts';
import { scenes } from './scenes.ts';
import { type Asked, type Done, runScript } from './shell.ts';

/** A command as a page has it, with what came of it. */
export interface Walked extends Asked, Done {
  block: Block;
}

/** With kubectl and helm themselves, where they are installed; else they are stood in for. */
export const all = process.env['DOCS'] === 'all';

const checkout = resolve('.');

/** Runs the command blocks of one scene, in their order, in one shell and a folder that looks like the checkout. */
export async function walk(blocks: Block[]): Promise<{ done: Done; walked: Walked[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'wukong-docs-'));
  const ended = new AbortController();
  const later: (() => Promise<unknown>)[] = [];
  const walked: Walked[] = [];
  let at = blocks[0]!;
  const sim = await furnished(blocks[0]?.scene, folder);
  process.chdir(prepared(folder));
  const answer = async (asked: Asked): Promise<Done> => {
    if (asked.program === 'next-block') return ((at = blocks[Number(asked.words[0])]!), nothing);
    const plugin = asked.program === 'kubectl' && asked.words[0] === 'wukong';
    if (asked.program === 'npx' && asked.words[0] !== 'wukong') throw new Error('npx: expected wukong');
    const words = plugin || asked.program === 'npx' ? asked.words.slice(1) : asked.words;
    if (!plugin && ['kubectl', 'helm'].includes(asked.program))
      return (await kubectlStandIn(words, asked.input, asked.kubeconfig), nothing);
    const done = await wukong(words, asked.kubeconfig, ended.signal, later);
    walked.push({ ...asked, ...done, words, block: at });
    return done;
  };
  const programs = ['next-block', 'wukong', 'kubectl-wukong', 'npx', ...(all ? [] : ['kubectl', 'helm'])];
  const env: Record<string, string> = sim ? { KUBECONFIG: join(folder, 'kubeconfig') } : {};
  try {
    const done = await runScript(scriptOf(blocks, folder), { folder, programs, env }, answer);
    return { done, walked };
  } finally {
    ended.abort(new Error('the page is over'));
    await Promise.allSettled(later.map((end) => end()));
    await sim?.close();
    process.chdir(checkout);
    rmSync(folder, { recursive: true });
  }
}

const nothing: Done = { code: 0, out: '', err: '' };

async function furnished(scene: string | undefined, folder: string): Promise<Sim | undefined> {
  if (scene === undefined) return undefined;
  if (!scenes[scene]) throw new Error(`scene "${scene}": expected one of ${Object.keys(scenes).join('; ')}`);
  const sim = await startSim();
  scenes[scene](sim);
  await vi.waitUntil(() => sim.list<{ status?: { ready?: boolean } }>('virtualmachines').every(isUp), 20_000);
  writeFileSync(join(folder, 'kubeconfig'), sim.kubeconfig());
  return sim;
}

const isUp = ({ status }: { status?: { ready?: boolean } }): boolean => status?.ready === true;

/** What the commands name of the checkout, as copies: some of them write beside them. */
function prepared(folder: string): string {
  mkdirSync(join(folder, '.bin'));
  for (const part of ['infra', 'docs'])
    cpSync(join(checkout, part), join(folder, part), {
      recursive: true,
      filter: (from) => !['node_modules', 'target', '.bin'].includes(basename(from)),
    });
  return folder;
}

/** `&` and /tmp are for people: here a server answers when it is up, and the folder is the page's own. */
function scriptOf(blocks: Block[], folder: string): string {
  const script = blocks.flatMap((block, index) => {
    if (block.file !== undefined) return [`cat > ${block.file} <<'END'`, ...block.lines, 'END'];
    if (!isCommands(block)) return [];
    const lines = typedLines(block).map((line) =>
      line
        .replace(/ &$/, '')
        .replaceAll('/tmp/', `${folder}/`)
        .replace(/--port \d+/, '--port 0'),
    );
    return [`next-block ${index}`, ...lines];
  });
  return script.join('\n');
}

const lives = (words: string[]): boolean =>
  ['ui', 'sim'].includes(words[0] ?? '') || words.some((word) => ['--watch', '-w', '--follow'].includes(word));

/** In this process; what goes on until Ctrl-C answers when it has said something, and ends with the page. */
async function wukong(
  words: string[],
  kubeconfig: string,
  signal: AbortSignal,
  later: (() => Promise<unknown>)[],
): Promise<Done> {
  const env = { KUBECONFIG: kubeconfig, HOME: process.cwd() };
  if (words[0] === 'serve') {
    // Its log goes past `out` and `err`.
    const server = launch(words, env);
    later.push(() => (server.child.kill('SIGTERM'), server.done));
    return { code: 0, out: `${await server.says(/requests are taken/)}\n`, err: '' };
  }
  let [out, err] = ['', ''];
  let heard = () => {};
  const first = new Promise<undefined>((resolve) => (heard = () => resolve(undefined)));
  const code = main(words, {
    out: (text) => ((out += text), heard()),
    err: (text) => void (err += text),
    now: Date.now(),
    colour: false,
    env,
    interrupt: () => signal,
  });
  if (lives(words)) later.push(() => code);
  const over = await Promise.race(lives(words) ? [code, first] : [code]);
  return { code: over ?? 0, out, err };
}
