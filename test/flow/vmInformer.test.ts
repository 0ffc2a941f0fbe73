import { describe, expect, it } from 'vitest';

import {
  changedOf,
  machineOf,
  type Machines,
  type Scope,
  scopeOf,
  vmPath,
  watchMachines,
  watchOwn,
} from '../../shared/cluster/vmInformer.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import { machineOf as machine } from '../unit/machines.ts';
import { namespace, type Scene, scene } from './scene.ts';

const s = 1_000;
const whole = 'VM and guest';
const wukong = (name: string, more: { vmName?: string; namespace?: string | undefined } = {}) =>
  ({
    metadata: { name, uid: name, ...('namespace' in more ? {} : { namespace }) },
    ...(more.vmName ? { status: { vmName: more.vmName } } : {}),
  }) as unknown as Wukong;
const limitsOf = (at: Scene, ms = 30 * s) => ({ deadline: at.clock.now() + ms });
const spaces = (count: number) => [namespace, ...Array.from({ length: count - 1 }, (_, i) => `team-${i}`)];

/** Watches the VMs of a scene; which collections were asked for, and which VMs are seen. */
async function watched(at: Scene, scope: Scope) {
  const from = at.sim.requests.length;
  const machines = await at.run(watchMachines(at.world, scope, limitsOf(at)));
  const asked = at.sim.requests.slice(from).map(({ path }) => path.split('?')[0]!.replace(/^.*kubevirt.io\/v1\//, ''));
  /** The VM, its guest, or both. */
  const sees = (space: string, name: string) => {
    const { vm, vmi } = machines.get(space, `${name}-vm`);
    return [vm && 'VM', vmi && 'guest'].filter(Boolean).join(' and ');
  };
  return { machines, asked: [...new Set(asked)].sort(), sees };
}
async function furnished(...names: string[]) {
  const at = await scene();
  for (const name of names) {
    const [space, vm] = name.split('/') as [string, string];
    at.sim.createWukong({ namespace: space, name: vm, runStrategy: 'Always', guest: { 'shutdown-seconds': '2' } });
  }
  await at.pass(5 * s);
  return at;
}

describe('the VM of a Wukong', () => {
  it('is looked for in its namespace, under its names', () => {
    const asked: string[] = [];
    const machines: Machines = {
      get: (space, name) => (
        asked.push(`${space}/${name}`),
        name === 'other' ? machine({ name, owners: ['web'] }) : {}
      ),
      changed: (space, name) => (asked.push(`changed ${space}/${name}`), Promise.resolve(true)),
      close() {},
    };
    expect(machineOf(wukong('web', { vmName: 'other' }), machines).vm?.name).toBe('other');
    expect(machineOf(wukong('web', { namespace: undefined }), machines)).toEqual({});
    void changedOf(wukong('web', { vmName: 'other' }), machines, { deadline: 0 });
    void changedOf(wukong('web', { namespace: undefined }), machines, { deadline: 0 });
    expect(asked).toEqual([
      ...['team-a/other', '/web-vm', 'team-a/other', 'changed team-a/other', '/web-vm', 'changed /web-vm'],
    ]);
    expect(vmPath('virtualmachines', 'a', 'b', 'start')).toBe(
      '/apis/kubevirt.io/v1/namespaces/a/virtualmachines/b/start',
    );
  });

  it('is wanted among all others, by each of its names', () => {
    const scope = scopeOf([wukong('web', { vmName: 'other' }), wukong('db')], ['a']) as Extract<
      Scope,
      { namespaces: unknown }
    >;
    const keys = ['team-a/other', 'team-a/web-vm', 'team-a/db-vm', 'team-a/db', 'team-b/db-vm'];
    expect([scope.namespaces, keys.filter((key) => scope.wanted?.(key, ''))]).toEqual([['a'], keys.slice(0, 3)]);
  });
});

describe('VMs are seen', () => {
  it('with their guests, and with how these ended, as they are by then', async () => {
    const at = await furnished('team-a/web');
    const { machines } = await watched(at, { namespaces: 'all' });
    expect(machines.get(namespace, 'web-vm')).toMatchObject({ vm: { strategy: 'Always' }, vmi: { phase: 'Running' } });
    await at.perform('stop', 'web');
    await at.pass(1 * s);
    expect(machines.get(namespace, 'web-vm')).toMatchObject({ vm: { strategy: 'Halted' }, gone: { name: 'web-vm' } });
    expect(machines.get(namespace, 'web-vm').vmi).toBeUndefined();
    machines.close();
  });

  it.each(['virtualmachines', 'virtualmachineinstances'])('when something changes: %s', async (kind) => {
    const at = await furnished('team-a/web', 'team-a/db');
    const { machines } = await watched(at, { namespaces: 'all' });
    const touch = (name: string) =>
      at.sim.change<Wukong>(kind, namespace, `${name}-vm`, ({ metadata }) => void (metadata.labels = { seen: name }));
    const begun = at.clock.now();
    const heard = machines.changed(namespace, 'web-vm', limitsOf(at, 9 * s));
    at.clock.after(1 * s, () => touch('db'));
    at.clock.after(3 * s, () => touch('web'));
    expect([await at.run(heard), at.clock.now() - begun]).toEqual([true, expect.closeTo(3 * s, -3) as number]);
    expect(await at.run(machines.changed(namespace, 'web-vm', limitsOf(at, 1 * s)))).toBe(false);
    machines.close();
  });

  it('no more where their watches are closed, nor where one of them fails', async () => {
    const at = await furnished('team-a/web');
    const open: AbortSignal[] = [];
    const { stream } = at.world.transport;
    at.world.transport.stream = (path, signal) => (open.push(signal), stream(path, signal));
    const { machines } = await watched(at, { namespaces: ['team-a'] });
    expect(open.map(({ aborted }) => aborted)).toEqual([false, false]);
    machines.close();
    expect(open.map(({ aborted }) => aborted)).toEqual([true, true]);
    for (const kind of ['virtualmachines', 'virtualmachineinstances']) {
      const undo = at.sim.faults.add({
        when: { path: new RegExp(`${kind}\\?`) },
        times: 99,
        does: { kind: 'status', status: 403 },
      });
      await expect(watched(at, { namespaces: ['team-a'] })).rejects.toMatchObject({ code: 'Denied' });
      await expect(watched(at, { namespaces: 'all' })).rejects.toMatchObject({ code: 'Denied' });
      undo();
    }
  });

  it.each(['virtualmachines', 'virtualmachineinstances'])(
    'not, and that is said, where %s of a namespace are refused',
    async (kind) => {
      const at = await furnished('team-a/web', 'team-0/db');
      at.sim.faults.add({
        when: { path: new RegExp(`team-0/${kind}\\?`) },
        times: 99,
        does: { kind: 'status', status: 403 },
      });
      const { machines, sees } = await watched(at, { namespaces: ['team-a', 'team-0'] });
      expect(sees('team-a', 'web')).toBe(whole);
      expect(() => machines.get('team-0', 'db-vm')).toThrow();
      machines.close();
    },
  );
});

describe('VMs are watched', () => {
  const both = (...places: string[]) =>
    ['virtualmachineinstances', 'virtualmachines'].flatMap((kind) => places.map((one) => `${one}${kind}`)).sort();

  it('everywhere at once, and those that nobody wants are forgotten', async () => {
    const at = await furnished('team-a/web', 'team-a/db');
    const changes: (string | undefined)[] = [];
    const { machines, asked, sees } = await watched(at, {
      ...{ namespaces: 'all', wanted: (key) => key === 'team-a/web-vm', changed: (key) => changes.push(key) },
    });
    expect([asked, sees('team-a', 'web'), sees('team-a', 'db')]).toEqual([both(''), whole, '']);
    expect(new Set(changes)).toEqual(new Set(['team-a/web-vm']));
    machines.close();
  });

  it('one by one in eight namespaces', async () => {
    const at = await furnished('team-a/web', 'team-0/db', 'team-b/web');
    const changes: (string | undefined)[] = [];
    const eight = [...spaces(8), namespace];
    const { machines, asked, sees } = await watched(at, {
      ...{ namespaces: eight, wanted: (key) => key !== 'team-0/db-vm', changed: (key) => changes.push(key) },
    });
    expect([asked, sees('team-a', 'web'), sees('team-0', 'db')]).toEqual([
      ...[both(...spaces(8).map((one) => `namespaces/${one}/`)), whole, ''],
    ]);
    expect(new Set(changes)).toEqual(new Set(['team-a/web-vm']));
    machines.close();
  });

  it('by one watch of all in nine, of which others are forgotten', async () => {
    const at = await furnished('team-a/web', 'team-0/db', 'team-b/web');
    const changes: (string | undefined)[] = [];
    const { machines, asked, sees } = await watched(at, { namespaces: spaces(9), changed: (key) => changes.push(key) });
    expect([asked, sees('team-a', 'web'), sees('team-b', 'web')]).toEqual([both(''), whole, '']);
    expect(new Set(changes)).toEqual(new Set(['team-a/web-vm', 'team-0/db-vm']));
    machines.close();
    const some = await watched(at, { namespaces: spaces(9), wanted: (key, space) => key === `${space}/db-vm` });
    expect([some.sees('team-a', 'web'), some.sees('team-0', 'db')]).toEqual(['', whole]);
    some.machines.close();
  });

  it('one by one in nine where nobody may watch all of them', async () => {
    const at = await furnished('team-a/web', 'team-0/db');
    const changes: (string | undefined)[] = [];
    at.sim.faults.add({ when: { path: /v1\/virtual/ }, times: 99, does: { kind: 'status', status: 403 } });
    const { machines, asked, sees } = await watched(at, {
      ...{ namespaces: spaces(9), wanted: (key) => key !== 'team-0/db-vm', changed: (key) => changes.push(key) },
    });
    expect([sees('team-a', 'web'), sees('team-0', 'db'), asked.length]).toEqual([whole, '', 2 + 18]);
    expect(new Set(changes.filter(Boolean))).toEqual(new Set(['team-a/web-vm']));
    machines.close();
    at.sim.faults.clear();
    at.sim.faults.add({ when: { path: /v1\/virtual/ }, times: 99, does: { kind: 'status', status: 400 } });
    await expect(watched(at, { namespaces: spaces(9) })).rejects.toMatchObject({ status: 400 });
  });

  it('alone, where it is about one', async () => {
    const at = await furnished('team-a/web', 'team-a/db');
    const { machines, sees } = await watched(at, { namespace, vmName: 'web-vm' });
    expect([sees('team-a', 'web'), sees('team-a', 'db')]).toEqual([whole, '']);
    machines.close();
  });
});

describe('the VM of one Wukong is watched', () => {
  const own = async (at: Scene, one: Wukong) => {
    const opened: AbortSignal[] = [];
    const places = new Set<string | undefined>();
    const { stream } = at.world.transport;
    at.world.transport.stream = (path, signal) => {
      opened.push(signal);
      places.add(/namespaces\/([^/]+)/.exec(path)?.[1]);
      return stream(path, signal);
    };
    const machines = await at.run(watchOwn(at.world, one, limitsOf(at)));
    at.world.transport.stream = stream;
    const found = machineOf(one, machines);
    const open = opened.filter(({ aborted }) => !aborted).length;
    machines.close();
    expect([[...places], open, opened.every(({ aborted }) => aborted)]).toEqual([[namespace], 2, true]);
    return { found, watches: opened.length };
  };

  it('by its name, whether it is there or not', async () => {
    const at = await furnished('team-a/web', 'team-a/db');
    const web = at.wukong('web');
    const { found, watches } = await own(at, web);
    expect([found.vm?.name, watches]).toEqual(['web-vm', 2]);
    expect((await own(at, { ...web, status: { ...web.status, vmName: 'web-vm' } })).watches).toBe(2);
    expect(await own(at, wukong('mail'))).toEqual({ found: {}, watches: 2 });
  });

  it('by the name of its status, and where that is not its own by the other too', async () => {
    const at = await furnished('team-a/web', 'team-a/db');
    const web = at.wukong('web');
    const wrong = { ...web, status: { ...web.status, vmName: 'db-vm' } };
    expect(await own(at, wrong)).toMatchObject({ found: { vm: { name: 'web-vm' } }, watches: 4 });
    at.sim.change<Wukong>('virtualmachines', namespace, 'db-vm', ({ metadata }) => {
      metadata.annotations = { ...metadata.annotations, 'lifecycle.novasphere.dev/adopted-by': 'web' };
    });
    expect(await own(at, wrong)).toMatchObject({ found: { vm: { name: 'db-vm' } }, watches: 2 });
  });
});
