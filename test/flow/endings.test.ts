import { describe, expect, it } from 'vitest';

import type { KubeObject } from '../../shared/domain/model.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import type { GuestAnnotations } from '../../sim/kubevirt/kubevirt.ts';
import type { SimOptions } from '../../sim/sim.ts';
import { namespace, type Scene, scene } from './scene.ts';

interface Left {
  guest?: GuestAnnotations;
  grace?: number;
}

/** A guest whose stop is asked for and left alone, as by `--wait=false`. */
async function left({ guest, grace = 4 }: Left, options: SimOptions): Promise<Scene> {
  const at = await scene(options);
  at.sim.createWukong({ namespace, name: 'deaf', runStrategy: 'Always', guest, terminationGracePeriodSeconds: grace });
  await at.pass(5_000);
  const asked = await at.perform('stop', 'deaf', {}, { leftMs: 100 });
  expect(asked.outcome).toBe('InProgress');
  return at;
}

const look = (at: Scene) => at.run(reconcile(at.world, at.invocation('tick', 50_000).limits));

/** Such a guest that a tick finds off some time later. */
async function leftAlone(one: Left, { awayMs, ...options }: SimOptions & { awayMs: number }): Promise<Scene> {
  const at = await left(one, options);
  await at.pass(awayMs);
  await look(at);
  return at;
}

const shown = (at: Scene) => at.wukong('deaf').status?.lifecycleState;
const deaf = { 'ignore-acpi': 'true' };

describe('the end of a guest that nobody watched', () => {
  it('is not told as seen: the outcome, the status, the Event and the bus say so in a field', async () => {
    const at = await leftAlone({ guest: deaf }, { awayMs: 60_000 });
    expect(shown(at)).toMatchObject({ state: 'Stopped', outcome: 'Stopped', forced: false, observed: false });
    expect(shown(at)?.message).toMatch(/how its guest ended was not seen/);
    expect(at.bus.map(({ detail }) => detail)).toMatchObject([{ outcome: 'Stopped', forced: false, observed: false }]);
    const [told] = at.sim
      .list<KubeObject & { reason: string }>('events', namespace)
      .filter(({ reason }) => reason === 'Stopped');
    expect(told?.metadata.annotations).toEqual({ 'lifecycle.novasphere.dev/observed': 'false' });
  });

  it('is told as forced where KubeVirt’s Events say that it failed when its period was over', async () => {
    const at = await leftAlone({ guest: deaf }, { awayMs: 60_000, guestEvents: true });
    expect(shown(at)).toMatchObject({ outcome: 'ForcedOff', forceReason: 'GracePeriodExceeded', forced: true });
    expect(shown(at)).not.toHaveProperty('observed');
    expect(shown(at)?.message).toBe('The guest did not shut down within 4 s, so KubeVirt ended it.');
  });

  it('is not told as its own where they alone say so, as anybody may write Events', async () => {
    const at = await leftAlone({ grace: 30 }, { awayMs: 60_000, guestEvents: true });
    expect(shown(at)).toMatchObject({ outcome: 'Stopped', forced: false, observed: false });
    expect(shown(at)?.message).not.toMatch(/by itself/);
  });

  it('is not told as seen where the Events may not be read', async () => {
    const at = await left({ guest: deaf }, { guestEvents: true });
    await at.pass(60_000);
    at.sim.faults.add({ when: { method: 'GET', path: /\/events\?/ }, does: { kind: 'status', status: 403 } });
    await look(at);
    expect(shown(at)).toMatchObject({ outcome: 'Stopped', observed: false });
  });

  it('was no force where it was gone before its period was over', async () => {
    const at = await leftAlone({ grace: 600 }, { awayMs: 30_000 });
    expect(shown(at)).toMatchObject({ outcome: 'Stopped', forced: false, observed: false });
    expect(shown(at)?.message).toMatch(/gone before its grace period was over/);
  });

  it('that its command had forced is told as forced, and not as seen', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'deaf', runStrategy: 'Always', guest: deaf });
    await at.pass(5_000);
    expect(await at.perform('stop', 'deaf', { force: true }, { leftMs: 50 })).toMatchObject({ outcome: 'InProgress' });
    await at.pass(60_000);
    await look(at);
    expect(shown(at)).toMatchObject({ outcome: 'ForcedOff', forceReason: 'Requested', forced: true, observed: false });
  });

  it('is read from the VMI where that is still there', async () => {
    const at = await scene();
    at.sim.createWukong({
      namespace,
      name: 'deaf',
      runStrategy: 'Always',
      guest: deaf,
      terminationGracePeriodSeconds: 4,
    });
    await at.pass(5_000);
    at.sim.change<KubeObject>('virtualmachineinstances', namespace, 'deaf-vm', ({ metadata }) =>
      metadata.finalizers?.push('example.com/backup'),
    );
    await at.perform('stop', 'deaf', {}, { leftMs: 100 });
    await at.pass(300_000);
    await at.run(reconcile(at.world, at.invocation('tick').limits));
    expect(shown(at)).toMatchObject({ outcome: 'ForcedOff', forceReason: 'GracePeriodExceeded', forced: true });
    expect(shown(at)).not.toHaveProperty('observed');
  });
});

describe('Events that somebody forged', () => {
  interface Forged extends Record<string, unknown> {
    metadata?: object;
    involvedObject?: object;
  }
  /** Left alone and forced off by KubeVirt when its period was over; somebody who may make Events says otherwise. */
  async function forged(
    make: (at: Scene, uid: string, vmUid: string) => Forged[],
    guestEvents: boolean,
    lateMs = 2_000,
  ) {
    const at = await left({ guest: deaf }, { guestEvents });
    const uids = [at.vmi('deaf')!.metadata.uid, at.vm('deaf').metadata.uid] as [string, string];
    await at.pass(lateMs);
    for (const [i, { metadata, involvedObject, ...event }] of make(at, ...uids).entries())
      at.sim.create({
        ...{ apiVersion: 'v1', kind: 'Event', type: 'Normal' },
        metadata: { namespace, name: `forged-${i}`, ...metadata },
        involvedObject: { kind: 'VirtualMachineInstance', namespace, name: 'deaf-vm', uid: uids[0], ...involvedObject },
        ...event,
      });
    await at.pass(60_000);
    await look(at);
    return shown(at);
  }
  const now = (at: Scene) => ({ lastTimestamp: new Date(at.clock.now()).toISOString().replace(/\.\d+/, '') });
  const handler = { source: { component: 'virt-handler' }, reportingComponent: 'virt-handler' };
  const controller = {
    source: { component: 'virtualmachine-controller' },
    reportingComponent: 'virtualmachine-controller',
  };
  const stopped = (at: Scene, more: object = {}) => ({
    reason: 'Stopped',
    message: 'shut down',
    ...handler,
    ...now(at),
    ...more,
  });
  const deleted = (at: Scene, uid: string, vmUid: string, more: object = {}) => ({
    ...{ reason: 'SuccessfulDelete', message: `deleted ${uid}`, ...controller, ...now(at) },
    involvedObject: { kind: 'VirtualMachine', namespace, name: 'deaf-vm', uid: vmUid },
    ...more,
  });

  it.each<[string, Parameters<typeof forged>[0]]>([
    ['one alone', (at) => [stopped(at)]],
    ['of two components', (at, uid, vm) => [stopped(at), deleted(at, uid, vm)]],
    ['that say it crashed', (at) => [stopped(at, { type: 'Warning' })]],
    ['without a component', (at, uid, vm) => [stopped(at, { source: {} }), deleted(at, uid, vm)]],
    ['reported by another', (at, uid, vm) => [stopped(at, { reportingComponent: 'me' }), deleted(at, uid, vm)]],
    ['of another VMI', (at, uid, vm) => [stopped(at, { involvedObject: { uid: 'x' } }), deleted(at, uid, vm)]],
    ['of another shutdown', (at, _uid, vm) => [stopped(at), deleted(at, 'x', vm)]],
    [
      'that ends before it begins',
      (at, uid, vm) => [stopped(at, { lastTimestamp: '2026-11-23T20:00:01Z' }), deleted(at, uid, vm)],
    ],
    ['of two opinions', (at, uid, vm) => [stopped(at), stopped(at, { type: 'Warning' }), deleted(at, uid, vm)]],
    ['without a time', (at, uid, vm) => [stopped(at, { lastTimestamp: null }), deleted(at, uid, vm)]],
    [
      'more than anybody reads',
      (at, uid, vm) => [
        stopped(at),
        deleted(at, uid, vm),
        ...Array.from({ length: 120 }, () => ({ reason: 'Noise', ...now(at) })),
      ],
    ],
  ])('%s: nothing is told as seen', async (_what, make) =>
    expect(await forged(make, false)).toMatchObject({ outcome: 'Stopped', observed: false }),
  );

  it('written afterwards: nothing is told as seen', async () => {
    const early = { lastTimestamp: '2026-11-23T20:00:07Z' };
    const told = await forged((at, uid, vm) => [stopped(at, early), deleted(at, uid, vm, early)], false, 120_000);
    expect(told).toMatchObject({ observed: false });
  });

  it('beside those of KubeVirt: a guest that was forced is never told as ended by itself', async () => {
    for (const type of ['Normal', 'Warning']) {
      const told = await forged((at) => [stopped(at, { type })], true);
      expect(told).toMatchObject({ observed: false });
      expect(told?.message).not.toMatch(/by itself|crashed/);
    }
  });
});

describe('a guest whose watch broke', () => {
  /** For longer than its grace period and the time after which it is forced, and what was missed is not to be had. */
  async function brokenWatch(guest: GuestAnnotations): Promise<Scene> {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'deaf', runStrategy: 'Always', guest, terminationGracePeriodSeconds: 4 });
    await at.pass(5_000);
    const when = { watch: true, path: /virtualmachineinstances/ };
    const untilInstant = at.clock.now() + 30_000;
    at.sim.faults.add({ when: { ...when, nth: 1 }, does: { kind: 'cutWatch', afterEvents: 3 } });
    at.sim.faults.add({ when: { ...when, from: 2, untilInstant }, does: { kind: 'status', status: 503 } });
    at.clock.after(29_000, () => at.sim.compact());
    return at;
  }

  it('was not forced where force came when it was gone', async () => {
    const at = await brokenWatch({ 'shutdown-seconds': '2' });
    const outcome = await at.perform('stop', 'deaf');
    expect(at.calls()).toHaveLength(1);
    expect(outcome).toMatchObject({ outcome: 'Stopped', forced: false, observed: false });
  });
});

describe('a guest', () => {
  it('that never ran did not shut down by itself', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'deaf', runStrategy: 'Always', guest: { unschedulable: 'true' } });
    await at.pass(5_000);
    const outcome = await at.perform('stop', 'deaf');
    expect(outcome).toMatchObject({ outcome: 'Stopped', message: 'The VM is off; its guest had never come up.' });
  });

  it('that crashed while it was asked did not shut down by itself', async () => {
    const at = await scene();
    const guest = { 'crash-after-seconds': '10', 'shutdown-seconds': '60' };
    at.sim.createWukong({ namespace, name: 'deaf', runStrategy: 'Manual', guest, terminationGracePeriodSeconds: 120 });
    await at.perform('start', 'deaf');
    await at.pass(5_000);
    const outcome = await at.perform('stop', 'deaf');
    expect(outcome).toMatchObject({ outcome: 'Stopped', forced: false });
    expect(outcome.message).toMatch(/^The guest crashed while it shut down/);
  });
});
