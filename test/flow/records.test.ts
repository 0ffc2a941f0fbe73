import { describe, expect, it } from 'vitest';

import { executeHere } from '../../cli/commands/executeHere.ts';
import { lastKey, type Operation, operationKey, write } from '../../shared/domain/operation.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import { outcomeType } from '../../shared/report/report.ts';
import { memoryKey } from '../../shared/schedule/memory.ts';
import { operation } from '../unit/machines.ts';
import { namespace, type Scene, scene } from './scene.ts';

interface Annotated {
  metadata: { annotations?: Record<string, string>; uid: string };
}

const tick = (at: Scene) => at.run(reconcile(at.world, { deadline: at.clock.now() + 50_000 }));
const annotate = (at: Scene, annotations: Record<string, string>, kind = 'wukongs', name = 'web') =>
  at.sim.change<Annotated>(kind, namespace, name, ({ metadata }) => {
    metadata.annotations = { ...metadata.annotations, ...annotations };
  });
const told = (at: Scene) => at.bus.filter(({ type }) => type === outcomeType).map(({ detail }) => detail);
const podDeletions = (at: Scene) => at.sim.requests.filter(({ method }) => method === 'DELETE');

/** A VM that is on, and hangs when it is asked to go. */
async function on(): Promise<Scene> {
  const at = await scene();
  const guest = { hang: 'true' };
  at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', guest, terminationGracePeriodSeconds: 1 });
  await at.pass(5_000);
  return at;
}

/** As somebody writes it by hand who may patch the Wukong. */
function forge(at: Scene, more: Partial<Operation> = {}) {
  const vmiUid = (at.vmi('web') as unknown as Annotated).metadata.uid;
  const times = { startedAt: at.clock.now() - 200_000, stepAt: at.clock.now() - 200_000, requestedAt: at.clock.now() };
  const deadline = at.clock.now() + 3_600_000;
  const op = operation({
    vmiUid,
    deletePodWhenStuck: true,
    force: true,
    ...times,
    deadline,
    holder: 'nobody',
    ...more,
  });
  annotate(at, { [operationKey]: write(op) });
}
const protectedKey = 'lifecycle.novasphere.dev/protected';

describe('an operation that somebody wrote by hand', () => {
  it.each([
    ['protected', 'wukongs', { [protectedKey]: 'true' }, 'Protected'],
    ['protected on its namespace', 'namespaces', { [protectedKey]: 'true' }, 'Protected'],
    [
      'held by an override',
      'wukongs',
      { 'lifecycle.novasphere.dev/keep-running-until': '2027-01-01T00:00:00Z' },
      'Override',
    ],
    [
      'held by one on its namespace',
      'namespaces',
      { 'lifecycle.novasphere.dev/keep-running-until': '2027-01-01T00:00:00Z' },
      'Override',
    ],
  ])('is not carried on where the VM is %s', async (_what, kind, annotations, reason) => {
    for (const step of ['Claimed', 'Forced', 'PodDeleted'] as const) {
      const at = await on();
      forge(at, { step });
      annotate(at, annotations, kind, kind === 'wukongs' ? 'web' : namespace);
      const { outcomes } = await tick(at);
      expect(outcomes).toMatchObject([{ outcome: 'Skipped', reason }]);
      expect([at.calls(), podDeletions(at)]).toEqual([[], []]);
      expect(at.wukong('web').metadata.annotations?.[operationKey]).toBeUndefined();
    }
  });

  it('deletes no pod before the live guest was forced and had its time to go', async () => {
    const at = await on();
    forge(at, { step: 'PodDeleted' });
    const from = at.clock.now();
    for (let minute = 0; minute < 4; minute++) await tick(at);
    const deleted = podDeletions(at)[0];
    expect(at.calls().map(({ verb }) => verb)[0]).toBe('stop');
    expect(deleted === undefined || deleted.at - from >= 60_000).toBe(true);
  });

  it.each(['waitSeconds', 'graceSeconds'])('is taken over by one tick, whatever its %s are', async (key) => {
    const at = await on();
    const action = key === 'waitSeconds' ? 'start' : 'stop';
    forge(at, { action, force: false, deadline: at.clock.now() - 700_000, [key]: 1e300 });
    expect((await tick(at)).outcomes).not.toMatchObject([{ outcome: 'Failed' }]);
    expect((await tick(at)).outcomes, 'nothing is told tick after tick').not.toMatchObject([{ outcome: 'Failed' }]);
  });

  it('of another Wukong, copied with its annotations, is none', async () => {
    const at = await on();
    forge(at, { wukongUid: 'another' });
    expect((await tick(at)).outcomes).toEqual([]);
    expect(at.calls()).toEqual([]);
  });

  it('is not carried on by the CLI either, whose own wish is a duplicate of it', async () => {
    const at = await on();
    forge(at, { requestId: 'cli:1' });
    annotate(at, { [protectedKey]: 'true' });
    const command = at.command('stop', 'web', {}, { requestId: 'cli:1' });
    const how = { interrupted: new AbortController().signal, wait: true, waiting() {}, ended() {} };
    await at.run(executeHere(command, [at.wukong('web')], at.world, { deadline: at.clock.now() + 60_000, ...how }));
    expect(at.calls()).toEqual([]);
  });
});

describe('an end that somebody wrote by hand', () => {
  const last = (at: Scene, more: object) => ({
    [lastKey]: JSON.stringify({
      ...{ requestId: 'direct:x', action: 'stop', outcome: 'Stopped', message: 'off', trigger: 'direct' },
      requestedAt: new Date(at.clock.now() - 30_000).toISOString(),
      startedAt: new Date(at.clock.now() - 30_000).toISOString(),
      finishedAt: new Date(at.clock.now() - 20_000).toISOString(),
      ...more,
    }),
  });

  it.each([
    ['Stopped', 'stop'],
    ['ForcedOff', 'stop'],
    ['AlreadyOff', 'stop'],
    ['Failed', 'start'],
    ['Superseded', 'stop'],
  ] as const)('as %s is not told of a VM that runs: by tick, command or status', async (outcome, action) => {
    const at = await on();
    annotate(at, last(at, { outcome, action, reason: outcome === 'Failed' ? 'Stuck' : undefined }));
    await tick(at);
    await at.perform('start', 'web', {}, { requestId: 'direct:y' });
    await tick(at);
    expect(told(at).filter((detail) => (detail as { requestId: string }).requestId === 'direct:x')).toEqual([]);
    const shown = at.wukong('web').status?.lifecycleState;
    expect([shown?.state, shown?.outcome]).toEqual(['Running', undefined]);
  });

  it('is superseded, and no more, a minute later: the record may be true, and somebody has switched the VM since', async () => {
    const at = await on();
    annotate(at, last(at, {}));
    await tick(at);
    expect(told(at)).toEqual([]);
    await at.pass(41_000);
    await tick(at);
    await tick(at);
    expect(told(at)).toMatchObject([{ requestId: 'direct:x', outcome: 'Superseded', forced: false }]);
    expect(at.wukong('web').status?.lifecycleState).toMatchObject({ state: 'Running', outcome: 'Superseded' });
  });

  it('is superseded before a failure of a Wukong whose VM is gone', async () => {
    const at = await on();
    annotate(at, last(at, {}));
    at.sim.remove('virtualmachines', namespace, 'web-vm');
    await at.pass(60_000);
    await at.perform('stop', 'web');
    expect(told(at)).toMatchObject([{ requestId: 'direct:x', outcome: 'Superseded' }, { outcome: 'Failed' }]);
  });

  it('of a year that no status takes is none: nothing is told, and nothing written tick after tick', async () => {
    const at = await on();
    await tick(at);
    annotate(at, last(at, { outcome: 'Skipped', startedAt: '9999-12-31T23:59:59-23:59' }));
    const writes = at.sim.requests.filter(({ method }) => method !== 'GET').length;
    await tick(at);
    await at.pass(60_000);
    await tick(at);
    expect(told(at)).toEqual([]);
    expect(at.sim.requests.filter(({ method }) => method !== 'GET')).toHaveLength(writes);
  });

  it('in the time to come supersedes nothing', async () => {
    const at = await on();
    annotate(at, last(at, { requestedAt: '2099-01-01T00:00:00Z', finishedAt: '2099-01-01T00:00:00Z' }));
    expect(await at.perform('stop', 'web', { force: true })).toMatchObject({ outcome: 'Failed', reason: 'Stuck' });
    expect(at.calls().length).toBeGreaterThan(0);
  });
});

it('what was skipped or handled in the time to come keeps no schedule from its boundary', async () => {
  for (const key of ['handled', 'skipped', 'withheld']) {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', labels: { env: 'dev' } });
    annotate(at, { [memoryKey]: JSON.stringify({ [key]: '2099-01-01T00:00:00Z' }) });
    at.sim.create({
      apiVersion: 'vm.novasphere.dev/v1alpha1',
      kind: 'WukongSchedule',
      metadata: { namespace, name: 'office' },
      spec: { timeZone: 'UTC', stop: '1 20 * * *', selector: { matchLabels: { env: 'dev' } } },
    });
    delete at.world.bus;
    await at.pass(5_000);
    await tick(at);
    await at.pass(60_000);
    await tick(at);
    expect(at.vmi('web')).toBeUndefined();
  }
});

describe('what stands on a namespace', () => {
  it.each([
    ['stop', { [protectedKey]: 'true' }, 'Protected'],
    ['stop', { 'lifecycle.novasphere.dev/keep-running-until': '2027-01-01T00:00:00Z' }, 'Override'],
    ['start', { 'lifecycle.novasphere.dev/keep-stopped-until': '2027-01-01T00:00:00Z' }, 'Override'],
  ] as const)('holds for a %s of one Wukong by name', async (action, annotations, reason) => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: action === 'stop' ? 'Always' : 'Halted' });
    await at.pass(5_000);
    annotate(at, annotations, 'namespaces', namespace);
    expect(await at.perform(action, 'web')).toMatchObject({ outcome: 'Skipped', reason });
    expect(at.calls()).toEqual([]);
  });

  it('and cannot be read because nobody answers, decides nothing', async () => {
    const at = await on();
    at.sim.faults.add({ when: { path: /\/namespaces\/team-a$/ }, does: { kind: 'status', status: 503 } });
    expect(await at.perform('stop', 'web', {}, { leftMs: 5_000 })).toMatchObject({ reason: 'Unreachable' });
    expect(at.calls()).toEqual([]);
  });
});
