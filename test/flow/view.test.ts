import { describe, expect, it } from 'vitest';

import type { World } from '../../shared/cluster/world.ts';
import type { KubeObject, Wukong } from '../../shared/domain/model.ts';
import { operationKey, write } from '../../shared/domain/operation.ts';
import { currentKey } from '../../shared/domain/run.ts';
import { openView, type View } from '../../shared/entry/serveView.ts';
import type { Ticking } from '../../shared/reconcile/problems.ts';
import { createClusterSchedule, createSchedule } from '../schedule.ts';
import { ground } from '../serve/serving.ts';
import { operation } from '../unit/machines.ts';
import { namespace, type Scene } from './scene.ts';

interface Seeing {
  at: Scene;
  view: View;
  /** What changed: `key`, with `!` in a hurry; `all` for what schedules depend on. */
  told: string[];
  warned: string[];
  /** What a tick of these sees. */
  look(keys?: string[]): Promise<Awaited<ReturnType<ReturnType<View['look']>>> & { problems: Ticking['problems'] }>;
}
async function seeing(furnish: (at: Scene) => void = () => {}, { env = {} } = {}): Promise<Seeing> {
  const at = await ground();
  at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Halted', labels: { env: 'dev' } });
  at.sim.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team-b' } });
  furnish(at);
  await at.pass(1_000);
  const [told, warned]: [string[], string[]] = [[], []];
  const config = { ...at.world.config, ...env };
  const own: World = { ...at.world, config, log: { ...at.world.log, warn: (message) => void warned.push(message) } };
  const limits = { deadline: at.clock.now() + 60_000 };
  const view = await at.run(() =>
    openView(own, (key, hurry) => void told.push(`${key ?? 'all'}${hurry ? '!' : ''}`), limits),
  );
  await at.pass(100);
  told.length = 0;
  const look: Seeing['look'] = async (keys) => {
    const problems: Ticking['problems'] = [];
    const until = { deadline: at.clock.now() + 60_000 };
    return { ...(await at.run(() => view.look(keys)({ world: own, limits: until, problems }))), problems };
  };
  return { at, view, told, warned, look };
}
type Meta = KubeObject['metadata'];
const change = (at: Scene, kind: string, space: string, name: string, by: (metadata: Meta) => void) => {
  at.sim.change<KubeObject>(kind, space, name, ({ metadata }) => by(metadata));
  return at.pass(100);
};
/** What is told while this happens. */
async function during({ told, at }: Seeing, work: () => unknown): Promise<string[]> {
  told.length = 0;
  await work();
  await at.pass(100);
  return [...new Set(told)];
}
const web = `${namespace}/web`;
const run = (name: string, labels?: Record<string, string>) => ({
  apiVersion: 'vm.novasphere.dev/v1alpha1',
  kind: 'WukongRun',
  metadata: { namespace, name, ...(labels ? { labels } : {}) },
  spec: { action: 'stop', dueAt: '2026-11-23T20:00:00Z', requestId: 'r' },
});

/** These are answered so, as if the kind were not there, or not to be read. */
const refusing = (path: RegExp, status: number) => (at: Scene) =>
  at.sim.faults.add({ when: { path }, times: 99, does: { kind: 'status', status } });

describe('what the server is told of', () => {
  it('is each Wukong that changes, in a hurry where something is asked of it, and each whose VM does', async () => {
    const seen = await seeing();
    const { at } = seen;
    const annotate = (annotations: Record<string, string>) =>
      change(
        at,
        'wukongs',
        namespace,
        'web',
        (metadata) => void (metadata.annotations = { ...metadata.annotations, ...annotations }),
      );
    expect(await during(seen, () => annotate({ note: 'x' }))).toEqual([web]);
    expect(
      await during(seen, () =>
        annotate({
          [operationKey]: write(
            operation({
              startedAt: at.clock.now(),
              stepAt: at.clock.now(),
              requestedAt: at.clock.now(),
              deadline: at.clock.now() + 600_000,
            }),
          ),
        }),
      ),
    ).toEqual([`${web}!`]);
    expect(
      await during(seen, () =>
        change(at, 'virtualmachines', namespace, 'web-vm', (metadata) => void (metadata.labels = { a: 'b' })),
      ),
    ).toEqual([web]);
    expect(await during(seen, () => at.sim.createWukong({ namespace, name: 'mail', runStrategy: 'Halted' }))).toContain(
      `${namespace}/mail`,
    );
  });

  it('is one that is gone, and its VM no more', async () => {
    const seen = await seeing();
    const { at } = seen;
    const removed = () =>
      at.sim.change<KubeObject>('wukongs', namespace, 'web', ({ metadata }) => void (metadata.finalizers = []));
    removed();
    await at.pass(100);
    expect(await during(seen, () => at.sim.remove('wukongs', namespace, 'web'))).toContain(web);
    expect(seen.view.wukongs()).toBe(0);
  });

  it('is a watch that failed for good, once, and then nothing more is seen', async () => {
    const { at, view, told, look } = await seeing();
    refusing(/wukongs\?/, 403)(at);
    at.sim.faults.restart(100);
    await at.pass(20_000);
    expect(told).toEqual(['all']);
    expect(() => view.check()).toThrow(expect.objectContaining({ code: 'Denied' }) as Error);
    await expect(look()).rejects.toMatchObject({ code: 'Denied' });
  });

  it('is a VM that belongs to nobody any more by nobody', async () => {
    const seen = await seeing();
    const { at } = seen;
    at.sim.create({
      apiVersion: 'kubevirt.io/v1',
      kind: 'VirtualMachine',
      metadata: { namespace, name: 'plain' },
      spec: {
        runStrategy: 'Halted',
        template: { spec: { domain: { devices: {}, resources: { requests: { memory: '64Mi' } } } } },
      },
    });
    await at.pass(1_000);
    expect(
      await during(seen, () =>
        change(at, 'virtualmachines', namespace, 'plain', (metadata) => void (metadata.labels = { a: 'b' })),
      ),
    ).toEqual([]);
    const adopts = (name: string) => (metadata: Meta) =>
      void (metadata.annotations = { ...metadata.annotations, 'lifecycle.novasphere.dev/adopts': name });
    await change(at, 'wukongs', namespace, 'web', adopts('plain'));
    const switched = (name: string) =>
      during(seen, () =>
        change(at, 'virtualmachines', namespace, name, (metadata) => void (metadata.labels = { c: 'd' })),
      );
    expect([await switched('plain'), await switched('web-vm')]).toEqual([[web], []]);
  });

  it('is what schedules depend on, and not each of our own writes', async () => {
    const seen = await seeing((at) => createSchedule(at.sim, namespace, 'office'));
    const { at } = seen;
    const spec = (stop: string) =>
      at.sim.change<{ spec: { stop: string }; metadata: Meta }>(
        'wukongschedules',
        namespace,
        'office',
        (one) => void (one.spec.stop = stop),
      );
    expect(await during(seen, () => spec('2 20 * * *'))).toEqual(['all']);
    const status = () =>
      at.sim.change<{ status?: object }>(
        'wukongschedules',
        namespace,
        'office',
        (one) => void (one.status = { message: 'x' }),
      );
    expect(await during(seen, status)).toEqual([]);
    expect(await during(seen, () => createClusterSchedule(at.sim, 'wide', { namespaceSelector: {} }))).toEqual(['all']);
    expect(
      await during(seen, () =>
        change(at, 'namespaces', '', 'team-b', (metadata) => void (metadata.annotations = { note: 'x' })),
      ),
    ).toEqual([]);
    const held = { 'lifecycle.novasphere.dev/protected': 'true' };
    expect(
      await during(seen, () =>
        change(at, 'namespaces', '', 'team-b', (metadata) => void (metadata.annotations = held)),
      ),
    ).toEqual(['all']);
    expect(
      await during(seen, () =>
        change(at, 'wukongs', namespace, 'web', (metadata) => void (metadata.labels = { env: 'prod' })),
      ),
    ).toEqual(['all', web]);
    expect(await during(seen, () => at.sim.create(run('newest', { [currentKey]: 'true' })))).toEqual([]);
  });
});

describe('what a tick of the server sees', () => {
  it('is all of them, with their schedules, or those that it asks for, without a request', async () => {
    const { at, view, look } = await seeing((one) => {
      one.sim.createWukong({ namespace: 'team-b', name: 'mail', runStrategy: 'Halted' });
      createSchedule(one.sim, namespace, 'office');
      createClusterSchedule(one.sim, 'wide', { namespaceSelector: {} });
    });
    const names = (wukongs: Wukong[]) => wukongs.map(({ metadata }) => metadata.name).sort();
    const before = at.sim.requests.length;
    const all = await look();
    const read = at.sim.requests.slice(before).map(({ path }) => path.split('?')[0]?.split('/').at(-2));
    expect(new Set(read), 'holidays and the freeze alone').toEqual(new Set(['configmaps']));
    expect([names(all.wukongs), view.wukongs(), all.problems]).toEqual([['mail', 'web'], 2, []]);
    expect(all.around.schedules.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'WukongSchedule office',
      'ClusterWukongSchedule wide',
    ]);
    expect([...all.around.namespaces.keys()]).toContain('team-b');
    const from = at.sim.requests.length;
    const few = await look([web, `${namespace}/gone`]);
    expect([names(few.wukongs), few.around.schedules.length, at.sim.requests.length - from]).toEqual([['web'], 2, 0]);
    for (const { machines } of [all, view]) expect(machines.get(namespace, 'web-vm').vm?.strategy).toBe('Halted');
    expect(all.wukongs.every(({ spec }) => spec?.startStrategy)).toBe(true);
  });

  it('is the schedules as they are now, with the rest as the last tick of all saw it', async () => {
    const { at, look } = await seeing((one) => createSchedule(one.sim, namespace, 'office'));
    const first = await look();
    createSchedule(at.sim, namespace, 'night');
    await at.pass(100);
    const few = await look([web]);
    expect([few.around.schedules.length, few.around.namespaces]).toEqual([2, first.around.namespaces]);
    expect(few.around.findText).toBe(first.around.findText);
    expect((await look()).around.findText).not.toBe(first.around.findText);
  });

  it('is read anew for a few as long as no tick of all has seen it', async () => {
    const { at, look } = await seeing((one) => createSchedule(one.sim, namespace, 'office'));
    const read = async () => {
      const from = at.sim.requests.length;
      const { around } = await look([web]);
      return [typeof around.findText, around.namespaces.size > 0, at.sim.requests.length > from];
    };
    expect([await read(), await read()]).toEqual([
      ['function', true, true],
      ['function', true, true],
    ]);
    const forget = at.sim.faults.add({
      when: { path: /configmaps/ },
      times: 99,
      does: { kind: 'status', status: 503 },
    });
    expect((await look()).blind?.code).toBe('Unreachable');
    forget();
    expect(await read()).toEqual(['function', true, true]);
    await look();
    expect(await read()).toEqual(['function', true, false]);
  });

  it('knows of each schedule of which kind it is, though a list need not say so', async () => {
    const { look } = await seeing((one) => {
      createSchedule(one.sim, namespace, 'office');
      one.sim.change<KubeObject>('wukongschedules', namespace, 'office', (object) => void delete object.kind);
    });
    expect((await look()).around.schedules.map(({ kind }) => kind)).toEqual(['WukongSchedule']);
  });

  it('is its own copy of each, and its watches stay open', async () => {
    const { at, view, look, told } = await seeing();
    const { wukongs, machines } = await look();
    wukongs[0]!.status = undefined;
    wukongs[0]!.metadata.annotations = undefined;
    machines.close();
    expect((await look()).wukongs[0]?.metadata.annotations).toBeDefined();
    await change(at, 'virtualmachines', namespace, 'web-vm', (metadata) => void (metadata.labels = { a: 'b' }));
    expect(told).toEqual([web]);
    view.close();
    told.length = 0;
    await change(at, 'virtualmachines', namespace, 'web-vm', (metadata) => void (metadata.labels = { c: 'd' }));
    await change(at, 'wukongs', namespace, 'web', (metadata) => void (metadata.labels = { c: 'd' }));
    expect(told).toEqual([]);
  });

  it('is of the runs those that go on, and nothing of the others', async () => {
    const { view } = await seeing((at) => {
      at.sim.create(run('newest', { [currentKey]: 'true' }));
      at.sim.create(run('old', {}));
      at.sim.create(run('other', { [currentKey]: 'false' }));
      at.sim.create(run('bare'));
    });
    const { runs, unread } = view.runs();
    expect([runs?.map(({ metadata }) => metadata.name), unread]).toEqual([['newest'], undefined]);
  });
});

describe('a cluster in which not all is there', () => {
  it('has no schedules and no runs where their kinds are not installed, and the log says so', async () => {
    const { view, warned, look } = await seeing(refusing(/(wukongschedules|wukongruns)\?/, 404));
    const none = (kind: string) => `there is no ${kind}, as its CRD is not installed: install it and start again`;
    expect(warned.sort()).toEqual([none('ClusterWukongSchedule'), none('WukongRun'), none('WukongSchedule')]);
    const { wukongs, around } = await look();
    expect([wukongs.length, around.schedules, view.runs()]).toEqual([1, [], { runs: undefined }]);
    view.check();
    view.close();
  });

  it.each([/wukongs\?/, /wukongschedules\?/, /wukongruns\?/, /virtualmachines\?/])(
    'cannot be seen where %s may not be read',
    async (path) => {
      await expect(seeing(refusing(path, 403)).then(() => 'it is seen')).rejects.toMatchObject({ code: 'Denied' });
    },
  );

  it('is seen in the namespaces that are chosen, and without what is of the whole cluster', async () => {
    const env = { watchNamespaces: [namespace, 'team-b'] };
    const furnish = (at: Scene) => {
      createSchedule(at.sim, namespace, 'office');
      createClusterSchedule(at.sim, 'wide', { namespaceSelector: {} });
      at.sim.createWukong({ namespace: 'team-b', name: 'mail', runStrategy: 'Halted' });
      at.sim.create(run('newest', { [currentKey]: 'true' }));
    };
    const whole = await seeing(furnish, { env });
    const { wukongs, around } = await whole.look();
    expect([wukongs.length, around.schedules.map(({ metadata }) => metadata.name)]).toEqual([2, ['office']]);
    const paths = whole.at.sim.requests.map(({ path }) => path.split('?')[0]);
    expect(paths.filter((path) => /clusterwukongschedules|\/namespaces$|v1\/virtualmachine/.test(path ?? ''))).toEqual(
      [],
    );
    const part = await seeing(
      (at) => {
        furnish(at);
        refusing(/team-b\/(wukongs|wukongschedules|wukongruns)\?/, 403)(at);
      },
      { env },
    );
    const seen = await part.look();
    expect([seen.wukongs.map(({ metadata }) => metadata.name), [...seen.unanswered.keys()]]).toEqual([
      ['web'],
      ['team-b'],
    ]);
    expect((await part.look(['team-b/mail', web])).wukongs.map(({ metadata }) => metadata.name)).toEqual(['web']);
    expect([part.view.runs().runs?.length, [...(part.view.runs().unread ?? [])]]).toEqual([1, ['team-b']]);
    const schedules = await seeing((at) => (furnish(at), refusing(/team-b\/wukongschedules\?/, 403)(at)), { env });
    expect([...(await schedules.look()).unanswered.keys()]).toEqual(['team-b']);
  });
});
