import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { type DemoWukong, demoWukongs, vmManifest, wukongManifest } from '../../cli/demo/wukongs.ts';
import type { KubeObject } from '../../shared/domain/model.ts';
import { simulate, type Simulated } from './simulated.ts';

vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 });

let sim: Simulated;
let before: string;

/** Somebody's own demo-a and demo-b, with the very names and labels that the demo has. */
beforeAll(async () => {
  sim = await simulate('--empty');
  for (const namespace of ['demo-a', 'demo-b']) await furnish(namespace);
  before = await atRest();
});
afterAll(() => sim?.close());

const wukongs = 'apis/vm.novasphere.dev/v1alpha1';
const kinds = [
  'api/v1/#/configmaps',
  'api/v1/#/events',
  'api/v1/#/pods',
  `${wukongs}/#/wukongs`,
  'apis/kubevirt.io/v1/#/virtualmachines',
  'apis/kubevirt.io/v1/#/virtualmachineinstances',
];

async function make(path: string, body: object): Promise<KubeObject> {
  const { status, body: made } = await sim.api('POST', path, body);
  expect([path, status]).toEqual([path, 201]);
  return made as KubeObject;
}

async function furnish(namespace: string): Promise<void> {
  await make('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const web = { ...(demoWukongs[0] as DemoWukong), namespace };
  const config = { metadata: { namespace, name: 'web', labels: { demo: 'yes' } }, data: { dear: 'to somebody' } };
  await make(`/api/v1/namespaces/${namespace}/configmaps`, { apiVersion: 'v1', kind: 'ConfigMap', ...config });
  const { metadata } = await make(`/${wukongs}/namespaces/${namespace}/wukongs`, wukongManifest(web));
  await make(`/apis/kubevirt.io/v1/namespaces/${namespace}/virtualmachines`, vmManifest(web, metadata.uid ?? ''));
}

/** All that is in demo-a and demo-b, and they themselves, byte for byte. */
async function strangers(): Promise<string> {
  const found: unknown[] = [];
  for (const namespace of ['demo-a', 'demo-b']) {
    found.push((await sim.api('GET', `/api/v1/namespaces/${namespace}`)).body);
    for (const kind of kinds) {
      const { body } = await sim.api('GET', `/${kind.replace('#', `namespaces/${namespace}`)}`);
      found.push((body as { items: unknown[] }).items);
    }
  }
  return JSON.stringify(found);
}

/** Both VMs are on, and two looks in a row see the same. */
async function atRest(): Promise<string> {
  let last = '';
  const look = async () => {
    const [seen, earlier] = [await strangers(), last];
    last = seen;
    expect(seen.match(/"printableStatus":"Running"/g)).toHaveLength(2);
    expect(seen).toBe(earlier);
  };
  await vi.waitFor(look, { timeout: 20_000, interval: 300 });
  return last;
}

async function namespaces(): Promise<string[]> {
  const { body } = await sim.api('GET', '/api/v1/namespaces');
  return (body as { items: KubeObject[] }).items
    .map(({ metadata }) => metadata.name)
    .filter((name) => /demo/.test(name));
}

interface Demo {
  child: ChildProcess;
  /** What it has said so far, on both streams. */
  said: () => string;
  says: (pattern: RegExp) => Promise<RegExpMatchArray>;
  done: Promise<{ code: number | null; said: string }>;
}

function demo(...args: string[]): Demo {
  const { NO_COLOR: _colour, ...env } = process.env;
  const child = spawn(process.execPath, ['cli/demo/main.ts', ...args], {
    env: { ...env, KUBECONFIG: sim.kubeconfig },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      for (const look of waiting) look();
    });
  const done = once(child, 'close').then(([code]) => ({ code: code as number | null, said: text }));
  const says = (pattern: RegExp) =>
    new Promise<RegExpMatchArray>((found, missing) => {
      const look = () => {
        const match = pattern.exec(text);
        if (match) found(match);
      };
      waiting.add(look);
      look();
      void done.then(() => missing(new Error(`ended without saying ${pattern}: ${text}`)));
    });
  return { child, said: () => text, says, done };
}

/** Its namespaces are gone, and nothing of anybody else was touched. */
async function gone({ said }: { said: string }): Promise<void> {
  const [, run] = /makes the namespaces (wukong-demo-[0-9a-f]{6})-a and /.exec(said) ?? [];
  expect(run).toBeDefined();
  expect((await namespaces()).filter((name) => name.startsWith(run as string))).toEqual([]);
  expect(await strangers()).toBe(before);
}

describe.concurrent('the demo on a cluster of somebody else', () => {
  it('two demos at once say which cluster they use, see all they are to show, and leave nothing behind', async () => {
    const both = await Promise.all([demo('--cluster').done, demo('--cluster', '--json').done]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    const [people, json] = both.map(({ said }) => said) as [string, string];
    for (const said of [people, json])
      expect(said).toMatch(/^Cluster: context sim, server https:\/\/127\.0\.0\.1:\d+\n/);
    const names = [people, json].map((said) => /makes the namespaces (wukong-demo-[0-9a-f]{6}-a) and /.exec(said)?.[1]);
    expect(new Set(names).size).toBe(2);
    expect(people).toMatch(/4\. Force: wukong-demo-\w+-b\/deaf/);
    expect(people).toContain('2 failures were meant to be seen');
    expect(people).toContain('says after scene 4:');
    expect(people).not.toMatch(/Stopped, waiting|Failed, waiting for KubeVirt to begin/);
    const events = people
      .slice(people.indexOf('Events:'))
      .match(/(\d+)s {2,}wukong-lifecycle/g)!
      .map(parseFloat);
    expect(events).toEqual(events.toSorted((a, b) => b - a));
    const lines = json.split('\n').filter((line) => line.startsWith('{'));
    expect(lines.map((line) => (JSON.parse(line) as { outcome: string }).outcome)).toContain('ForcedOff');
    await Promise.all(both.map(gone));
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'a demo that ends by %s takes its namespaces away',
    async (signal) => {
      const running = demo('--cluster');
      const [, first] = await running.says(/makes the namespaces (\S+)/);
      if (signal !== 'SIGTERM') await running.says(/1\. Evening/);
      if (signal === 'SIGTERM')
        await vi.waitFor(async () => expect(await namespaces()).toContain(first), { interval: 5, timeout: 15_000 });
      running.child.kill(signal);
      running.child.kill(signal); // a terminal and npm tell the same key twice
      const { code, said } = await running.done;
      expect([code, said]).toEqual([
        130,
        expect.stringMatching(/Interrupted.*\n.*Taking away .*\nThey are gone\.\n$/s),
      ]);
      await gone({ said });
    },
  );

  it('a demo that fails takes its namespaces away, and one whose reader has gone', async () => {
    const [failing, unread] = [demo('--cluster'), demo('--cluster')];
    const [, second] = await failing.says(/(wukong-demo-\w+-b)\/deaf/);
    await failing.says(/2\. Morning/);
    await sim.api('DELETE', `/${wukongs}/namespaces/${second}/wukongs/deaf`);
    await unread.says(/1\. Evening/);
    unread.child.stdout?.destroy();
    const left = await unread.done;
    expect(left.code).toBe(130);
    await gone(left);
    const { code, said } = await failing.done;
    expect([code, said]).toEqual([1, expect.stringMatching(/deaf.*They are gone\.\n$/s)]);
    await gone({ said });
  });

  it('what a killed demo left is named by the next run with how to remove it, and left alone', async () => {
    const killed = demo('--cluster');
    const [, run] = await killed.says(/makes the namespaces wukong-demo-(\w+)-a/);
    await killed.says(/1\. Evening/);
    const names = [`wukong-demo-${run}-a`, `wukong-demo-${run}-b`];
    const beside = demo('--cluster');
    await beside.says(new RegExp(`${names.join(' and ')}: of a demo\\s+that\\s+process ${killed.child.pid} runs now`));
    killed.child.kill('SIGKILL');
    await killed.done;
    const next = demo('--cluster');
    await next.says(new RegExp(`${names.join(' and ')}: left by a demo`));
    await next.says(new RegExp(`^  kubectl --context sim delete namespace ${names.join(' ')}$`, 'm'));
    await next.says(/1\. Evening/);
    for (const { child } of [beside, next]) child.kill('SIGINT');
    await Promise.all([beside, next].map(async ({ done }) => gone(await done)));
    expect(await namespaces()).toEqual(expect.arrayContaining(names));
    for (const name of names) await sim.api('DELETE', `/api/v1/namespaces/${name}`);
    await vi.waitFor(async () => gone(await killed.done), { timeout: 10_000 });
  });
});
