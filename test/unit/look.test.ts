import { describe, expect, it } from 'vitest';

import { readConfig } from '../../shared/cluster/config.ts';
import type { Machines } from '../../shared/cluster/vmInformer.ts';
import { LifecycleError } from '../../shared/domain/errors.ts';
import type { KubeObject, Wukong } from '../../shared/domain/model.ts';
import { operationKey, write } from '../../shared/domain/operation.ts';
import { isAsking, look, lookAround, type Standpoint } from '../../shared/reconcile/look.ts';
import type { Problem } from '../../shared/reconcile/problems.ts';
import type { Surroundings } from '../../shared/schedule/selecting.ts';
import { worldOf } from './asked.ts';
import { machineOf, operation, t0 } from './machines.ts';

type Answer = [status: number, body?: object];
const limits = { deadline: t0 + 50_000 };
const wukongOf = (
  name: string,
  { namespace = 'team-a', ...spec }: { namespace?: string; lifecycleAction?: unknown } = {},
) => ({ metadata: { namespace, name, uid: name, resourceVersion: '1' }, spec }) as unknown as Wukong;
const asking = (name: string, namespace?: string) =>
  wukongOf(name, { lifecycleAction: { action: 'stop' }, ...(namespace ? { namespace } : {}) });
const list = (...items: object[]) => ({ metadata: { resourceVersion: '9' }, items });
const spaceOf = (name: string, annotations = {}): KubeObject => ({ metadata: { name, annotations } }) as KubeObject;

/** A cluster that answers by the path, and 404 for all others. */
function clusterOf(answers: Record<string, Answer>, env: Record<string, string> = {}) {
  const { world } = worldOf(t0);
  const paths: string[] = [];
  const problems: Problem[] = [];
  world.config = readConfig(env);
  world.transport.call = <T>({ path }: { path: string }) => {
    paths.push(path.split('?')[0]!);
    const key = Object.keys(answers).find((one) => path.split('?')[0]!.endsWith(one));
    const [status, body] = key === undefined ? [404, { message: 'none' }] : answers[key]!;
    return Promise.resolve({ status, body: body as T, warnings: [] });
  };
  return { to: { world, limits, problems }, paths, problems };
}
const seenAs = (get: Machines['get']): Machines => ({ get, changed: () => Promise.resolve(true), close() {} });
const machines = seenAs(() => machineOf());
const none: Surroundings = { schedules: [], findText: () => undefined, namespaces: new Map() };
const from = (more: Partial<Standpoint> = {}): Standpoint => ({ wukongs: [], machines, around: none, ...more });

describe('a Wukong', () => {
  it.each([
    [wukongOf('web'), false],
    [wukongOf('web', { lifecycleAction: null }), false],
    [{ metadata: { name: 'web' } } as Wukong, false],
    [asking('web'), true],
    [{ metadata: { name: 'web', annotations: { [operationKey]: write(operation({})) } } } as unknown as Wukong, true],
  ])('asks for something where an action is declared, or one goes on (%#)', (wukong, expected) => {
    expect(isAsking(wukong)).toBe(expected);
  });
});

describe('a tick that looks', () => {
  const nothing: Record<string, Answer> = {
    wukongs: [200, list()],
    wukongschedules: [200, list()],
    clusterwukongschedules: [200, list()],
  };

  it('where there are no Wukongs watches no VM', async () => {
    const { to, paths, problems } = clusterOf(nothing);
    const seen = await look(to);
    expect([seen.wukongs, seen.machines.get('a', 'b'), problems]).toEqual([[], {}, []]);
    expect(await seen.machines.changed('a', 'b', limits)).toBe(false);
    seen.machines.close();
    expect(paths.filter((path) => path.includes('virtualmachine'))).toEqual([]);
    expect(paths.filter((path) => path.endsWith('clusterwukongschedules'))).toHaveLength(1);
  });

  it('into its own namespaces reads no schedules of the whole cluster', async () => {
    const { to, paths } = clusterOf(nothing, { WATCH_NAMESPACES: 'team-a,team-b' });
    expect((await look(to)).unanswered).toEqual(new Map());
    expect(paths.filter((path) => path.includes('clusterwukong'))).toEqual([]);
  });
});

describe('a tick that looks around', () => {
  it('reads the namespaces of those alone who ask for something', async () => {
    const { to, paths } = clusterOf({ 'namespaces/team-a': [200, spaceOf('team-a', { a: 'b' })] });
    const seen = await lookAround(from({ wukongs: [asking('web'), wukongOf('db', { namespace: 'team-b' })] }), to);
    expect(seen.declaring).toEqual(new Map([['team-a', { a: 'b' }]]));
    expect(paths).toEqual(['/api/v1/namespaces/team-a']);
    expect(seen).toMatchObject({ around: none, machines, unanswered: new Map() });
    expect(seen).not.toHaveProperty('blind');
  });

  it('reads none where they are known', async () => {
    const { to, paths } = clusterOf({});
    const seen = await lookAround(from({ wukongs: [asking('web')], namespaces: [spaceOf('team-a', { a: 'c' })] }), to);
    expect([seen.declaring, paths]).toEqual([new Map([['team-a', { a: 'c' }]]), []]);
  });

  it('says once what it may not read, and does without', async () => {
    const { to, problems } = clusterOf({ 'namespaces/team-a': [403, { message: 'no' }] });
    await lookAround(from({ wukongs: [asking('web'), asking('db')] }), to);
    expect(problems).toEqual([
      { message: expect.stringContaining('namespace team-a') as string, reason: 'Denied', minor: true },
    ]);
  });

  it('leaves a namespace to the next tick that does not answer', async () => {
    const { to } = clusterOf({ 'namespaces/team-b': [200, spaceOf('team-b', { a: 'b' })] });
    const answers = to.world.transport.call;
    to.world.transport.call = (call, within) =>
      call.path.endsWith('team-a') ? Promise.reject(new LifecycleError('Unreachable', 'down')) : answers(call, within);
    const seen = await lookAround(from({ wukongs: [asking('web'), asking('db', 'team-b')] }), to);
    expect([[...seen.unanswered.keys()], seen.declaring]).toEqual([['team-a'], new Map([['team-b', { a: 'b' }]])]);
  });

  it('leaves a namespace to the next tick whose VMs cannot be watched', async () => {
    const { to, problems } = clusterOf({});
    const get: Machines['get'] = (namespace, name) => {
      expect(name).toBe('');
      if (namespace === 'team-b') throw new LifecycleError('Unreachable', 'silent');
      return {};
    };
    const wukongs = [wukongOf('web'), wukongOf('db', { namespace: 'team-b' })];
    const seen = await lookAround(from({ wukongs, machines: seenAs(get) }), to);
    expect([...seen.unanswered].map(([name, { message }]) => [name, message])).toEqual([['team-b', 'silent']]);
    expect(problems).toEqual([
      { message: 'namespace team-b is left to the next tick: silent', reason: 'Unreachable', namespace: 'team-b' },
    ]);
  });

  it('is blind, and goes on, where schedules cannot be read', async () => {
    const { to } = clusterOf({ wukongschedules: [500, { message: 'down' }] });
    const seen = await lookAround({ wukongs: [], machines }, to);
    expect(seen.blind).toBeInstanceOf(LifecycleError);
    expect([seen.around.schedules, seen.around.findText({} as never), seen.around.namespaces]).toEqual([
      ...[[], undefined, new Map()],
    ]);
  });

  it('takes the schedules and the namespaces that it knows', async () => {
    const { to, paths } = clusterOf({});
    const seen = await lookAround({ wukongs: [], machines, schedules: [] }, to);
    expect([seen.blind, paths]).toEqual([undefined, []]);
  });

  it('says why nobody knows what namespaces say', async () => {
    const { to } = clusterOf({});
    const spaces = Array.from({ length: 11 }, (_, i) => asking('web', `space-${i}`));
    to.world.transport.call = () => Promise.reject(new LifecycleError('Unreachable', 'down'));
    const seen = await lookAround(from({ wukongs: spaces }), to);
    expect(seen.declaring).toMatchObject({ code: 'Unreachable', message: 'down' });
  });

  it.each(['schedules', 'namespaces'])('ends where nobody wants it any more (%s)', async (what) => {
    const { to } = clusterOf({});
    const wish = new AbortController();
    to.world.transport.call = () => {
      wish.abort(new Error('closed'));
      return Promise.reject(new Error('other'));
    };
    const { around: _around, ...blind } = from();
    const given =
      what === 'schedules' ? blind : from({ wukongs: Array.from({ length: 11 }, (_, i) => asking('web', `s-${i}`)) });
    await expect(lookAround(given, { ...to, limits: { ...limits, signal: wish.signal } })).rejects.toThrow('closed');
  });

  it('fails where VMs can be seen nowhere', async () => {
    const { to } = clusterOf({});
    await expect(lookAround(from({ machines: Promise.reject(new Error('no watch')) }), to)).rejects.toThrow('no watch');
  });
});
