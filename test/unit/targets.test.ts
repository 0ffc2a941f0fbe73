import { describe, expect, it } from 'vitest';

import { readConfig } from '../../shared/cluster/config.ts';
import type { Command } from '../../shared/domain/command.ts';
import { LifecycleError } from '../../shared/domain/errors.ts';
import { parseSelector } from '../../shared/domain/selector.ts';
import { findTargets } from '../../shared/execute/targets.ts';
import { worldOf } from './asked.ts';
import { t0 } from './machines.ts';

const limits = { deadline: t0 + 10_000 };
const wukong = (namespace: string, name: string) => ({
  metadata: { namespace, name, uid: name, resourceVersion: '1', labels: { env: 'dev' }, managedFields: [{}] },
  spec: {},
});
const root = '/apis/vm.novasphere.dev/v1alpha1';
const of = (namespace: string, name = '') => `${root}/namespaces/${namespace}/wukongs${name && `/${name}`}`;
const list = (...items: object[]) => [200, { metadata: {}, items }] as [number, object];

type Answers = Record<string, [status: number, body?: object]>;
/** Whom a command means where the cluster answers so, by the path; anything else is not there. */
async function found(
  target: Command['target'],
  answers: Answers,
  more: { watched?: string; maxTargets?: number } = {},
) {
  const { world } = worldOf(t0);
  world.config = readConfig(more.watched === undefined ? {} : { WATCH_NAMESPACES: more.watched });
  const asked: string[] = [];
  world.transport.call = <T>({ path }: { path: string }, within: unknown) => {
    expect(within).toMatchObject(limits);
    asked.push(path);
    const [status, body] = answers[path.split('?')[0]!] ?? [404, { message: 'none' }];
    if (status === 0) return Promise.reject(new LifecycleError('Unreachable', 'silent'));
    return Promise.resolve({ status, body: body as T, warnings: [] });
  };
  const command = { target, maxTargets: more.maxTargets ?? 100 } as Command;
  const { wukongs, unread, ...others } = await findTargets(command, world, limits);
  const named = wukongs.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
  return { ...others, named, wukongs, asked, unread: [...unread.keys()] };
}
const selector = parseSelector('env=dev');
const places = (count: number, namespace = 'a') =>
  Array.from({ length: count }, (_, i) => ({ namespace, name: `vm-${i}` }));

describe('the VMs that a selector means', () => {
  it('are found in the whole cluster by one LIST, in the order of their names', async () => {
    const items = [wukong('a', 'web'), wukong('b', 'web'), wukong('a', 'db')];
    const { named, namespaces, missing, unread, asked, wukongs } = await found(
      { selector },
      { [`${root}/wukongs`]: list(...items) },
    );
    expect({ named, namespaces, missing, unread }).toEqual({
      ...{ named: ['a/db', 'a/web', 'b/web'], namespaces: 'all', missing: [], unread: [] },
    });
    expect(asked).toEqual([expect.stringContaining('labelSelector=env%3Ddev')]);
    expect(wukongs[0]!.metadata).not.toHaveProperty('managedFields');
  });

  it('are found in the namespaces that it names, each once, else in those that are watched', async () => {
    const answers = { [of('a')]: list(wukong('a', 'web')), [of('b')]: list(wukong('b', 'web')) };
    const own = await found({ selector, namespaces: ['b', 'a', 'b'] } as never, answers, { watched: 'c' });
    expect([own.named, own.asked.length, own.namespaces]).toEqual([['a/web', 'b/web'], 2, ['b', 'a', 'b']]);
    const watched = await found({ selector }, answers, { watched: 'b' });
    expect([watched.named, watched.namespaces]).toEqual([['b/web'], ['b']]);
  });

  it('are not known in a namespace that does not answer, and found in the others', async () => {
    const answers: Answers = { [of('a')]: list(wukong('a', 'web')), [of('b')]: [0] };
    const one = await found({ selector, namespaces: ['a', 'b'] } as never, answers);
    expect([one.named, one.namespaces, one.unread]).toEqual([['a/web'], ['a'], ['b']]);
  });

  it('are no more than may be meant', async () => {
    const answers = { [`${root}/wukongs`]: list(wukong('a', 'web'), wukong('a', 'db')) };
    expect((await found({ selector }, answers, { maxTargets: 2 })).named).toHaveLength(2);
    await expect(found({ selector }, answers, { maxTargets: 1 })).rejects.toMatchObject({
      ...{ code: 'InvalidAction', message: 'target.selector: matches 2 Wukongs, more than maxTargets 1' },
    });
  });
});

describe('the VMs that are named', () => {
  it('are read one by one where they are few, each once, and one that is not there is missing', async () => {
    const answers = { [of('a', 'vm-0')]: [200, wukong('a', 'vm-0')], [of('b', 'vm-0')]: [200, wukong('b', 'vm-0')] };
    const names = [...places(1, 'b'), ...places(2), ...places(1)];
    const { named, missing, namespaces, asked, wukongs } = await found({ names } as never, answers as Answers);
    expect({ named, missing, namespaces, asked }).toEqual({
      ...{ named: ['a/vm-0', 'b/vm-0'], missing: [{ namespace: 'a', name: 'vm-1' }], namespaces: ['b', 'a'] },
      asked: [of('b', 'vm-0'), of('a', 'vm-0'), of('a', 'vm-1')],
    });
    expect(wukongs[0]!.metadata).not.toHaveProperty('managedFields');
  });

  it.each([
    [9, 9],
    [10, 1],
  ])('are %i: %i calls', async (count, calls) => {
    const all = places(count).map(({ namespace, name }) => wukong(namespace, name));
    const alone = Object.fromEntries(all.map((one) => [of('a', one.metadata.name), [200, one] as [number, object]]));
    const answers = { ...alone, [of('a')]: list(...all, wukong('a', 'other')) };
    const { named, asked, missing } = await found({ names: places(count) } as never, answers);
    expect([named.length, asked.length, missing]).toEqual([count, calls, []]);
    expect(named).not.toContain('a/other');
  });

  it.each([403, 404])('and may not be listed, or read, are missing (%i)', async (status) => {
    const many = await found({ names: places(10) } as never, { [of('a')]: [status, { message: 'no' }] });
    expect([many.named, many.missing]).toEqual([[], places(10)]);
    const few = await found({ names: places(1) } as never, { [of('a', 'vm-0')]: [status, { message: 'no' }] });
    expect([few.named, few.missing]).toEqual([[], places(1)]);
  });

  it.each([1, 10])('and that nobody answers for are an error (%i)', async (count) => {
    const answers: Answers = { [of('a')]: [0], [of('a', 'vm-0')]: [0] };
    await expect(found({ names: places(count) } as never, answers)).rejects.toMatchObject({ code: 'Unreachable' });
  });

  it('and that nobody answers for in one namespace are found in the others', async () => {
    const names = [...places(1), ...places(1, 'b')];
    const { named, missing, namespaces, unread } = await found({ names } as never, {
      [of('a', 'vm-0')]: [0],
      [of('b', 'vm-0')]: [200, wukong('b', 'vm-0')],
    });
    expect({ named, missing, namespaces, unread }).toEqual({
      ...{ named: ['b/vm-0'], missing: [], namespaces: ['b'], unread: ['a'] },
    });
  });

  it('count as targets although they are not there', async () => {
    await expect(found({ names: places(3) } as never, {}, { maxTargets: 2 })).rejects.toMatchObject({
      ...{ code: 'InvalidAction', message: 'target.selector: matches 3 Wukongs, more than maxTargets 2' },
    });
    expect((await found({ names: places(2) } as never, {}, { maxTargets: 2 })).missing).toHaveLength(2);
  });
});

it('one VM alone is no fleet', async () => {
  const { named, missing, namespaces, asked } = await found({ namespace: 'a', name: 'web' } as never, {});
  expect([named, missing, namespaces, asked]).toEqual([[], [], [], []]);
});
