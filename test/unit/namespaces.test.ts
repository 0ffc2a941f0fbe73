import { describe, expect, it } from 'vitest';

import { readConfig } from '../../shared/cluster/config.ts';
import {
  annotationsOf,
  listEach,
  namespacePath,
  readNamespaces,
  type Unanswered,
} from '../../shared/cluster/namespaces.ts';
import { Patience } from '../../shared/cluster/patience.ts';
import { LifecycleError } from '../../shared/domain/errors.ts';
import type { KubeObject } from '../../shared/domain/model.ts';
import { type Limits, sleep } from '../../shared/time/wait.ts';
import { VirtualClock } from '../../sim/clock.ts';
import { worldOf } from './asked.ts';
import { t0 } from './machines.ts';

const limits = { deadline: t0 + 10_000 };
const space = (name: string, annotations?: object) => ({ metadata: { name, annotations } }) as unknown as KubeObject;
const names = (count: number) => Array.from({ length: count }, (_, i) => `n${i}`);

/** A cluster that answers by the name of the namespace; each that it has no answer for does not answer. */
function clusterOf(answers: Record<string, [status: number, body?: object]>, watched?: string) {
  const { world } = worldOf(t0);
  world.config = readConfig(watched === undefined ? {} : { WATCH_NAMESPACES: watched });
  const paths: string[] = [];
  const state = { now: 0, most: 0 };
  world.transport.call = async <T>(call: { path: string; method: string; safe: boolean }, within: unknown) => {
    const path = call.path.split('?')[0]!;
    paths.push(path);
    expect([call.method, call.safe, within]).toMatchObject(['GET', true, limits]);
    state.most = Math.max(state.most, ++state.now);
    await new Promise((next) => setImmediate(next));
    state.now--;
    const [status, body] = answers[path.split('/').at(-1)!] ?? [];
    if (status === undefined) throw new LifecycleError('Unreachable', 'silent');
    return { status, body: body as T, warnings: [] };
  };
  const problems: string[] = [];
  return { to: { world, limits, problems }, paths, problems, state };
}
const list = (items: object[]) => [200, { metadata: {}, items }] as [number, object];

describe('the annotations of namespaces', () => {
  it('are had of objects that are there', () =>
    expect(annotationsOf([space('a', { b: 'c' }), space('d')])).toEqual(
      new Map([
        ['a', { b: 'c' }],
        ['d', {}],
      ]),
    ));

  it('have one path each, and one for all', () =>
    expect([namespacePath('a'), namespacePath()]).toEqual(['/api/v1/namespaces/a', '/api/v1/namespaces']));

  it('are read once of each', async () => {
    const { to, paths } = clusterOf({ a: [200, space('a', { b: 'c' })], d: [200, space('d')] });
    expect(await readNamespaces(['a', 'd', 'a'], to)).toEqual(
      new Map([
        ['a', { b: 'c' }],
        ['d', {}],
      ]),
    );
    expect(paths).toEqual(['/api/v1/namespaces/a', '/api/v1/namespaces/d']);
  });

  it.each([
    [10, undefined, 10],
    [11, undefined, 1],
    [11, 'n0,n1', 11],
  ])('of %i are read by one LIST where that is less, and allowed (%s)', async (count, watched, calls) => {
    const all = names(count).map((name) => space(name, { name }));
    const alone = Object.fromEntries(all.map((one) => [one.metadata.name, [200, one] as [number, object]]));
    const { to, paths } = clusterOf({ ...alone, namespaces: list(all) }, watched);
    const found = await readNamespaces(names(count), to);
    expect([found.size, found.get('n9'), paths.length]).toEqual([count, { name: 'n9' }, calls]);
  });

  it('are read sixteen at once', async () => {
    const alone = Object.fromEntries(names(40).map((name) => [name, [200, space(name)] as [number, object]]));
    const { to, state } = clusterOf(alone, 'n0');
    await readNamespaces(names(40), to);
    expect(state.most).toBe(16);
  });

  it.each([403, 404])(
    'that may not be read, or are not there, are none, and a sentence says so (%i)',
    async (status) => {
      const { to, problems } = clusterOf({ a: [status, { message: 'no' }], b: [200, space('b', { c: 'd' })] });
      expect(await readNamespaces(['a', 'b'], to)).toEqual(new Map([['b', { c: 'd' }]]));
      const sentence = expect.stringMatching(/^annotations of namespace a are not known: .+/) as string;
      expect(problems).toEqual([sentence]);
      const unanswered: Unanswered = new Map();
      await readNamespaces(['a'], { ...to, unanswered });
      expect([problems, unanswered], 'that is an answer').toEqual([[sentence, sentence], new Map()]);
    },
  );

  it('of all, that may not be read, are none, and a sentence says so', async () => {
    const { to, problems } = clusterOf({ namespaces: [403, { message: 'no' }] });
    expect(await readNamespaces(names(11), to)).toEqual(new Map());
    expect(problems).toEqual([expect.stringMatching(/^annotations of namespaces are not known: .+/)]);
  });

  it('of one that is no object of Kubernetes are none', async () =>
    expect(await readNamespaces(['a'], clusterOf({ a: [200, { metadata: { name: '../a' } }] }).to)).toEqual(new Map()));

  it('that nobody answers for are noted as that one’s trouble, or are an error', async () => {
    const { to, problems } = clusterOf({ b: [200, space('b')] });
    const unanswered: Unanswered = new Map();
    expect([...(await readNamespaces(['a', 'b'], { ...to, unanswered })).keys()]).toEqual(['b']);
    expect([[...unanswered].map(([name, { code }]) => [name, code]), problems]).toEqual([[['a', 'Unreachable']], []]);
    await expect(readNamespaces(['a', 'b'], to)).rejects.toMatchObject({ code: 'Unreachable' });
    await expect(readNamespaces(names(11), { ...to, unanswered })).rejects.toMatchObject({ code: 'Unreachable' });
  });

  it('are not read where nobody wants them any more', async () => {
    const { to } = clusterOf({});
    to.world.transport.call = () => Promise.reject(new LifecycleError('NotFound', 'none'));
    const given = { ...to, limits: { ...limits, signal: AbortSignal.abort(new Error('closed')) } };
    await expect(readNamespaces(['a'], given)).rejects.toThrow('closed');
  });
});

describe('what is listed in each namespace', () => {
  /** Lists in these, each of which has an object of its name, or fails. */
  async function listed(spaces: string[] | undefined, failing: string[], signal?: AbortSignal) {
    const { world } = worldOf(t0);
    const unanswered: Unanswered = new Map();
    const asked: string[] = [];
    world.transport.call = <T>({ path }: { path: string }) => {
      const name = path.split('?')[0]!;
      asked.push(name);
      if (failing.includes(name)) return Promise.reject(new Error(`not ${name}`));
      return Promise.resolve({ status: 200, body: { metadata: {}, items: [space(name)] } as T, warnings: [] });
    };
    const path = (namespace = 'all') => namespace;
    const within = { ...limits, ...(signal ? { signal } : {}) };
    const keep = ({ metadata }: KubeObject) => ({ metadata: { name: `kept ${metadata.name}` } }) as KubeObject;
    const found = await listEach({ world, spaces, path, limits: within, unanswered, keep });
    const failed = [...unanswered].map(([name, { message }]) => `${name}: ${message}`);
    return { asked, found: found.map(({ metadata }) => metadata.name), failed };
  }

  it('is listed in all, at once, where none is named', async () => {
    expect(await listed(undefined, [])).toEqual({ asked: ['all'], found: ['kept all'], failed: [] });
    await expect(listed(undefined, ['all'])).rejects.toThrow('not all');
  });

  it('is none of nobody’s', async () => expect(await listed([], [])).toEqual({ asked: [], found: [], failed: [] }));

  it('fails in one alone, and the others are listed, each once', async () =>
    expect(await listed(['c', 'a', 'b', 'd', 'c'], ['a', 'b'])).toEqual({
      ...{ asked: ['c', 'a', 'b', 'd'], found: ['kept c', 'kept d'], failed: ['a: not a', 'b: not b'] },
    }));

  it('is not listed where nobody answered a moment ago', async () => {
    const { world } = worldOf(t0, [200, { metadata: {}, items: [space('b')] } as unknown as KubeObject]);
    const unanswered: Unanswered = new Map([['a', new LifecycleError('Unreachable', 'silent')]]);
    const path = (namespace = 'all') => namespace;
    const found = await listEach({ world, spaces: ['a', 'b'], path, limits, unanswered });
    expect([found.map(({ metadata }) => metadata.name), [...unanswered.keys()]]).toEqual([['b'], ['a']]);
  });

  it('fails with what the first threw where it can be listed in none, however often that is named', async () => {
    await expect(listed(['a', 'b'], ['a', 'b'])).rejects.toThrow('not a');
    await expect(listed(['a', 'a'], ['a'])).rejects.toThrow('not a');
  });

  it('is not listed where nobody wants it any more', async () => {
    await expect(listed(['a', 'b'], ['a'], AbortSignal.abort(new Error('closed')))).rejects.toThrow('closed');
  });
});

describe('a namespace that gets no answer', () => {
  /** A cluster on a clock, which answers each page after so many milliseconds: by the last part of the path. */
  function slow(answersMs: Record<string, number[]>) {
    const clock = new VirtualClock(t0);
    const { world } = worldOf(t0);
    const pages = new Map(Object.entries(answersMs).map(([name, ms]) => [name, [...ms]]));
    world.clock = clock;
    world.transport.call = async <T>({ path }: { path: string }, { signal }: Partial<Limits> = {}) => {
      const name = path.split('?')[0]!.split('/').at(-1)!;
      const left = pages.get(name)!;
      await sleep(clock, left.shift()!, signal);
      const body = { metadata: { name, ...(left.length > 0 ? { continue: 'more' } : {}) }, items: [space(name)] };
      return { status: 200, body: body as T, warnings: [] };
    };
    const unanswered: Unanswered = new Map();
    const to = { world, limits: { deadline: t0 + 45_000 }, problems: [] };
    const run = async <T>(work: Promise<T>) => {
      const had = await clock.run(work, { sims: [] });
      return { had, ms: clock.now() - t0, unanswered: [...unanswered.keys()] };
    };
    return { to, unanswered, run };
  }

  it('is waited for five seconds, where it is one of several', async () => {
    const { to, unanswered, run } = slow({ a: [0], b: [40_000] });
    const { had, ...rest } = await run(readNamespaces(['a', 'b'], { ...to, unanswered }));
    expect([[...had.keys()], rest]).toEqual([['a'], { ms: 5_000, unanswered: ['b'] }]);
  });

  it('is waited for five seconds, where others that read beside it know that the cluster answers', async () => {
    const { to, unanswered, run } = slow({ b: [40_000] });
    const patience = new Patience(to.world.clock, to.limits);
    patience.answered();
    const { ms } = await run(readNamespaces(['b'], { ...to, unanswered, patience }));
    expect(ms).toBe(5_000);
  });

  it('is waited for where it would be an error', async () => {
    const { to, run } = slow({ a: [0], b: [40_000] });
    const { had, ms } = await run(readNamespaces(['a', 'b'], to));
    expect([[...had.keys()], ms]).toEqual([['a', 'b'], 40_000]);
  });

  it('is waited for page by page where it is listed', async () => {
    const { to, unanswered, run } = slow({ a: [0], b: [4_000, 4_000, 4_000], c: [4_000, 40_000] });
    const path = (namespace = 'all') => namespace;
    const { had, ...rest } = await run(listEach({ ...to, spaces: ['a', 'b', 'c'], path, unanswered }));
    expect(had.map(({ metadata }) => metadata.name)).toEqual(['a', 'b', 'b', 'b']);
    expect(rest).toEqual({ ms: 12_000, unanswered: ['c'] });
  });
});
