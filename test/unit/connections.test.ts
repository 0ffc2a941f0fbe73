import { getEventListeners } from 'node:events';

import { expect, it } from 'vitest';

import { Connections, mostCalls, sharerOf } from '../../shared/cluster/connections.ts';

/** Calls that are under way until they are given back, by namespace. */
function opened() {
  const connections = new Connections();
  const held = new Map<string, (() => void)[]>();
  const { signal } = new AbortController();
  const call = (namespace: string, until = signal) => {
    const mine = held.get(namespace) ?? [];
    held.set(namespace, mine);
    return connections.take(namespace, until).then((giveBack) => void mine.push(giveBack));
  };
  const calls = (namespace: string, count: number) => {
    for (let i = 0; i < count; i++) void call(namespace).catch(() => {});
  };
  const count = () => Object.fromEntries([...held].map(([namespace, mine]) => [namespace, mine.length]));
  const giveBack = (namespace: string) => held.get(namespace)!.pop()!();
  return { call, calls, count, giveBack };
}
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

it('a namespace whose calls are not answered leaves half of the connections to others, and so does the next', async () => {
  const { calls, count } = opened();
  for (const namespace of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) {
    calls(namespace, 500);
    await settled();
  }
  expect(count()).toEqual({ a: 32, b: 16, c: 8, d: 4, e: 2, f: 1, g: 1 });
});

it('what is of the whole cluster, as reviews of tokens that hang, comes before no namespace', async () => {
  const { calls, count } = opened();
  calls('', 500);
  await settled();
  calls('a', 1);
  await settled();
  expect(count()).toEqual({ '': mostCalls / 2, a: 1 });
});

it('of more busy namespaces than there are connections each has its turn', async () => {
  const { calls, count, giveBack } = opened();
  const busy = Array.from({ length: mostCalls }, (_, i) => `busy-${i}`);
  for (const namespace of [...busy, ...busy, 'late']) calls(namespace, 1);
  for (const namespace of busy) calls(namespace, 5);
  await settled();
  for (const [first] of [busy, busy]) {
    giveBack(first!);
    await settled();
  }
  expect(count()).toMatchObject({ late: 1 });
});

it.each([
  ['/api/v1/namespaces/a/events', 'a/events'],
  ['/api/v1/namespaces/a/events/web.1?x=y', 'a/events'],
  ['/api/v1/namespaces/a/events?fieldSelector=x', 'a/events'],
  ['/api/v1/namespaces/events/pods', 'events'],
  ['/api/v1/namespaces/events', 'events'],
  ['/apis/vm.novasphere.dev/v1alpha1/namespaces/a/wukongs/events', 'a'],
  ['/apis/vm.novasphere.dev/v1alpha1/wukongs?limit=5', ''],
  ['/apis/vm.novasphere.dev/v1alpha1/namespaces/a/wukongs/web/status', 'a/status'],
  ['/apis/vm.novasphere.dev/v1alpha1/namespaces/a/wukongs/web/status?x=y', 'a/status'],
  ['/apis/vm.novasphere.dev/v1alpha1/namespaces/a/wukongs/status', 'a'],
  ['/apis/vm.novasphere.dev/v1alpha1/namespaces/status/wukongs/web', 'status'],
  ['/apis/subresources.kubevirt.io/v1/namespaces/a/virtualmachines/web/stop', 'a'],
])('%s is of the share %j', (path, sharer) => {
  expect(sharerOf(path)).toBe(sharer);
});

const eventsOf = (namespace: string) => sharerOf(`/api/v1/namespaces/${namespace}/events`);
const statusOf = (namespace: string) => sharerOf(`/apis/x/v1/namespaces/${namespace}/wukongs/web/status`);

it.each([
  ['Events', [eventsOf], 48],
  ['statuses', [statusOf], 48],
  ['Events and statuses', [eventsOf, statusOf], 56],
  ['statuses and Events', [statusOf, eventsOf], 56],
])('%s that are not answered hold up nothing else, of their own namespace or of others', async (_what, told, most) => {
  const { calls, count } = opened();
  const spaces = Array.from({ length: 100 }, (_, i) => `space-${i}`);
  for (const sharer of told) {
    for (const namespace of spaces) calls(sharer(namespace), 5);
    await settled();
  }
  calls('space-0', 1);
  calls('space-99', 1);
  await settled();
  expect(count()).toMatchObject({ 'space-0': 1, 'space-99': 1 });
  expect(Object.values(count()).reduce((sum, one) => sum + one, 0)).toBe(most + 2);
});

it('the namespace that holds the fewest is next, and each call gives back once', async () => {
  const { calls, count, giveBack } = opened();
  for (const namespace of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) {
    calls(namespace, 40);
    await settled();
  }
  calls('late', 1);
  await settled();
  expect(count()).toMatchObject({ late: 0 });
  giveBack('a');
  await settled();
  expect(count()).toMatchObject({ a: 31, late: 1 });
});

it('one that is given up waits no longer', async () => {
  const { call, calls, count, giveBack } = opened();
  calls('a', 32);
  const giving = new AbortController();
  const late = call('a', giving.signal);
  giving.abort(new Error('closed'));
  await expect(late).rejects.toThrow('closed');
  await expect(call('a', giving.signal)).rejects.toThrow('closed');
  giveBack('a');
  await settled();
  expect(count()).toEqual({ a: 31 });
});

it('of several that hold as many, the one that came first is next, and all have their turn in the end', async () => {
  const { calls, count, giveBack } = opened();
  for (const namespace of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) {
    calls(namespace, namespace < 'f' ? 32 : 3);
    await settled();
  }
  expect(count()).toMatchObject({ f: 1, g: 1 });
  giveBack('a');
  giveBack('a');
  await settled();
  expect(count()).toMatchObject({ f: 2, g: 1 });
  for (let i = 0; i < 31; i++) {
    if (count()['a']! > 0) giveBack('a');
    await settled();
  }
  expect(count()).toMatchObject({ f: 3, g: 3 });
});

it('when nobody waits any more what is given back is free', async () => {
  const { calls, count, giveBack } = opened();
  calls('a', 34);
  await settled();
  for (let i = 0; i < 34; i++) {
    giveBack('a');
    await settled();
  }
  expect(count()).toEqual({ a: 0 });
  calls('b', 40);
  await settled();
  expect(count()).toEqual({ a: 0, b: mostCalls / 2 });
});

it('whoever has had his turn listens no longer for being given up', async () => {
  const { call, calls, giveBack } = opened();
  calls('a', 32);
  const giving = new AbortController();
  const late = call('a', giving.signal);
  await settled();
  expect(getEventListeners(giving.signal, 'abort')).toHaveLength(1);
  giveBack('a');
  await late;
  expect(getEventListeners(giving.signal, 'abort')).toEqual([]);
});

it('Events that wait have no more connections than all Events may, whoever else gives one back', async () => {
  const { calls, count, giveBack } = opened();
  for (let i = 0; i < mostCalls; i++) calls(`n-${i}/events`, 1);
  calls('a', 1);
  await settled();
  const told = () => Object.entries(count()).filter(([name, held]) => name !== 'a' && held > 0).length;
  expect([told(), count()['a']]).toEqual([48, 1]);
  giveBack('a');
  await settled();
  expect(told()).toBe(48);
  giveBack('n-0/events');
  await settled();
  expect([told(), count()['n-48/events']]).toEqual([48, 1]);
});
