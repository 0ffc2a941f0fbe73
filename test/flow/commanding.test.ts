import { describe, expect, it } from 'vitest';

import { type Machines, watchMachines } from '../../shared/cluster/vmInformer.ts';
import type { BusEntry } from '../../shared/cluster/world.ts';
import { type Command, parseCommand } from '../../shared/domain/command.ts';
import { LifecycleError } from '../../shared/domain/errors.ts';
import { operationKey, operationOf, write } from '../../shared/domain/operation.ts';
import type { WukongRun } from '../../shared/domain/run.ts';
import { type Commanding, executeCommand } from '../../shared/execute/command.ts';
import type { Progress } from '../../shared/execute/sink.ts';
import { fleetOutcomeType, type Report } from '../../shared/report/fleetOutcome.ts';
import { operation } from '../unit/machines.ts';
import { namespace, type Scene, scene } from './scene.ts';
import { annotate, s } from './telling.ts';

const prefix = 'lifecycle.novasphere.dev/';
const requested = 'Wukong VM Stop Requested';
interface Asking extends Partial<Commanding> {
  leftMs?: number;
  requestId?: string;
  /** The caller gave the id. */
  source?: string;
}
function commandOf(at: Scene, more: object, { requestId = 'evening', source }: Asking = {}): Command {
  const origin = { action: 'stop', trigger: 'event', requestId, requestedAt: at.clock.now() - s } as const;
  return parseCommand(
    { target: { namespaces: [namespace], selector: 'env=dev' }, ...more },
    { ...origin, ...(source ? { source, given: true } : {}) },
  );
}
/** A command to stop those that have env=dev. */
const stop = (at: Scene, more: object = {}, asking: Asking = {}): Promise<Report> => {
  const { leftMs = 600 * s, requestId: _id, source: _source, ...options } = asking;
  return at.run(async () =>
    executeCommand(commandOf(at, more, asking), at.world, {
      limits: { deadline: at.clock.now() + leftMs },
      ...options,
    }),
  );
};
async function vms(count: number, of: (i: number) => object = () => ({}), env = {}): Promise<Scene> {
  const at = await scene({}, env);
  for (let i = 0; i < count; i++)
    at.sim.createWukong({ namespace, name: `vm-${i}`, runStrategy: 'Always', labels: { env: 'dev' }, ...of(i) });
  await at.pass(5 * s);
  return at;
}
const one = { target: { namespace, name: 'vm-0' } };
const sent = (at: Scene, type: string) =>
  at.bus.filter((entry) => entry.type === type).map(({ detail }) => detail as Record<string, unknown>);
const outcomes = ({ outcomes: all }: Report) => all.map((each) => `${each.name} ${each.outcome}`).sort();
const asked = (at: Scene) => at.calls().length;
const refuse = (at: Scene, path: RegExp, status: number, method = 'POST') =>
  at.sim.faults.add({ when: { path, method }, times: 99, does: { kind: 'status', status } });
const wave = (i: number) => ({ annotations: { [`${prefix}wave`]: `${i}` } });

describe('a command for one VM', () => {
  it('is carried out, and its report is of that one', async () => {
    const at = await vms(1);
    const report = await stop(at, one);
    expect(report).toMatchObject({ action: 'stop', requestId: 'evening', counts: { Stopped: 1 }, sent: 0, left: 0 });
    expect([outcomes(report), sent(at, fleetOutcomeType)]).toEqual([['vm-0 Stopped'], []]);
  });

  it('waits for its turn, as all do that are asked for at once', async () => {
    const at = await vms(4, undefined, { POWER_CALLS_PER_SECOND: '1' });
    const limits = { deadline: at.clock.now() + 600 * s };
    const each = (i: number) =>
      executeCommand(commandOf(at, { target: { namespace, name: `vm-${i}` } }, { requestId: `r-${i}` }), at.world, {
        limits,
      });
    await at.run(() => Promise.all([0, 1, 2, 3].map(each)));
    const times = at.calls().map((call) => call.at);
    expect(times.at(-1)! - times[0]!).toBeGreaterThanOrEqual(2 * s);
  });

  it('with an id that was for another is refused, and nothing is asked', async () => {
    const at = await vms(2);
    await stop(at, { target: { namespace, name: 'vm-1' } }, { source: 'event' });
    const before = asked(at);
    const report = await stop(at, one, { source: 'event' });
    expect(report.failed).toMatchObject([{ name: 'vm-0', reason: 'Refused' }]);
    expect(asked(at)).toBe(before);
  });

  it('is answered soon after its time is up, whatever the API server does', async () => {
    const at = await vms(1);
    at.sim.faults.add({ when: {}, does: { kind: 'delay', ms: 36_000 * s } });
    const begun = at.clock.now();
    expect((await stop(at, one, { leftMs: 3 * s })).failed).toMatchObject([{ reason: 'Unreachable' }]);
    expect(at.clock.now() - begun).toBeLessThan(4_500);
  });
});

describe('a command for a fleet', () => {
  it('is told as a whole, with when it began', async () => {
    const at = await vms(2, (i) => (i === 0 ? { annotations: { [`${prefix}protected`]: 'true' } } : {}));
    const startedAt = new Date(at.clock.now()).toISOString().replace('.000', '');
    expect(outcomes(await stop(at))).toEqual(['vm-0 Skipped', 'vm-1 Stopped']);
    expect(sent(at, fleetOutcomeType)).toMatchObject([
      { targets: 2, counts: { Skipped: 1, Stopped: 1 }, startedAt, sent: 0, left: 0 },
    ]);
    expect(at.sim.list('wukongruns', namespace)).toHaveLength(1);
  });

  it('with an id that was for another is refused as a whole', async () => {
    const at = await vms(1);
    await stop(at, { ...one }, { source: 'event' });
    await expect(stop(at, {}, { source: 'event' })).rejects.toMatchObject({ code: 'Refused' });
  });

  it('that is for nobody comes to nothing, and watches nothing', async () => {
    const at = await vms(0);
    const from = at.sim.requests.length;
    expect(await stop(at)).toMatchObject({ outcomes: [], sent: 0, left: 0 });
    expect(at.sim.requests.slice(from).map(({ path }) => path.split('?')[0])).toEqual([
      expect.stringMatching(/wukongs$/),
    ]);
  });

  it('with a name that is not there fails for that', async () => {
    const at = await vms(1);
    const names = [
      { namespace, name: 'vm-0' },
      { namespace, name: 'gone' },
    ];
    const report = await stop(at, { target: { names } });
    expect([outcomes(report), report.failed]).toEqual([
      ['gone Failed', 'vm-0 Stopped'],
      [expect.objectContaining({ reason: 'NotFound' })],
    ]);
    expect(outcomes(await stop(at, { target: { names: names.slice(1) } }, { requestId: 'two' }))).toEqual([
      'gone Failed',
    ]);
    const runs = at.sim.list<WukongRun>('wukongruns', namespace);
    expect(runs.map(({ status }) => status?.targets).sort()).toEqual([1, 2]);
  });

  it('goes on where its namespace may not be read', async () => {
    const at = await vms(1);
    refuse(at, /namespaces\/team-a$/, 403, 'GET');
    expect(outcomes(await stop(at))).toEqual(['vm-0 Stopped']);
  });

  it('tells of each that is left as it is, and of each that ends', async () => {
    const at = await vms(2, (i) => (i === 0 ? { runStrategy: 'Halted' } : {}));
    const told: Progress[] = [];
    await stop(at, {}, { progress: (now) => void (now.outcome && told.push(now)) });
    expect(told.map(({ targets, inFlight, outcome }) => [targets, inFlight, outcome?.name])).toEqual([
      [2, 0, 'vm-0'],
      [1, 0, 'vm-1'],
    ]);
  });

  it('ends its own watch, and leaves that of its caller', async () => {
    const at = await vms(1);
    const streams: AbortSignal[] = [];
    const { transport } = at.world;
    const stream: typeof transport.stream = (path, signal) => (streams.push(signal), transport.stream(path, signal));
    at.world.transport = { ...transport, stream };
    await stop(at);
    expect(streams.map(({ aborted }) => aborted)).toEqual([true, true]);
    let closed = 0;
    const machines: Machines = await at.run(() =>
      watchMachines(at.world, { namespaces: [namespace] }, { deadline: at.clock.now() + 60 * s }),
    );
    const kept = { ...machines, close: () => void closed++ };
    await stop(at, {}, { machines: kept, requestId: 'two' });
    expect([closed, streams.length]).toEqual([0, 4]);
    machines.close();
  });

  it('that left some as they are has to come again where nobody could be told of these', async () => {
    const safe = () => ({ annotations: { [`${prefix}protected`]: 'true' } });
    const at = await vms(1, safe);
    refuse(at, /wukongruns/, 503);
    expect(outcomes(await stop(at, {}, { leftMs: 5 * s }))).toEqual(['vm-0 Skipped']);
    delete at.world.bus;
    await expect(stop(at, {}, { leftMs: 5 * s })).rejects.toMatchObject({ code: 'Unreachable' });
    at.sim.faults.clear();
    refuse(at, /wukongruns/, 403);
    expect(outcomes(await stop(at, {}, { leftMs: 5 * s }))).toEqual(['vm-0 Skipped']);
  });

  it.each([0, 1])('has failed where a namespace could not be read, beside %i VMs elsewhere', async (count) => {
    const at = await vms(count);
    refuse(at, /namespaces\/team-b\/wukongs/, 403, 'GET');
    const everywhere = { target: { namespaces: [namespace, 'team-b'], selector: 'env=dev' } };
    await expect(stop(at, everywhere)).rejects.toMatchObject({
      code: 'Denied',
      message: expect.stringMatching(/^stop was not done in namespace team-b, elsewhere it was: .+/) as string,
    });
    expect(asked(at)).toBe(count);
  });

  it.each([1, 12])('by names waits for no namespace that is silent, with %i of each', async (each) => {
    const at = await vms(each);
    for (let i = 0; i < each; i++)
      at.sim.createWukong({ namespace: 'a-silent', name: `vm-${i}`, runStrategy: 'Always' });
    at.sim.faults.add({ when: { path: /a-silent\/wukongs/ }, does: { kind: 'delay', ms: 36_000_000 } });
    const begun = at.clock.now();
    const names = ['a-silent', namespace].flatMap((space) =>
      Array.from({ length: each }, (_, i) => ({ namespace: space, name: `vm-${i}` })),
    );
    await expect(stop(at, { target: { names } })).rejects.toMatchObject({
      code: 'Unreachable',
      message: expect.stringMatching(/^stop was not done in namespace a-silent, elsewhere it was: no answer/) as string,
    });
    expect([asked(at), at.clock.now() - begun < 15 * s]).toEqual([each, true]);
  });
});

it('names that are answered one by one are waited for, although another namespace was answered long ago', async () => {
  const at = await vms(1);
  for (let i = 0; i < 3; i++) at.sim.createWukong({ namespace: 'slow', name: `vm-${i}`, runStrategy: 'Always' });
  at.sim.faults.add({
    when: { path: /slow\/wukongs\/[^/]+$/, method: 'GET' },
    times: 3,
    does: { kind: 'delay', ms: 3 * s },
  });
  const names = ['vm-0', 'vm-1', 'vm-2'].map((name) => ({ namespace: 'slow', name }));
  await stop(at, { target: { names: [{ namespace, name: 'vm-0' }, ...names] } });
  expect(asked(at)).toBe(4);
});

/** KubeVirt takes its time with each call. */
async function busy(count: number, ms = 5 * s): Promise<Scene> {
  const at = await vms(count);
  at.sim.faults.add({ when: { path: /\/stop$/ }, times: 99, does: { kind: 'delay', ms } });
  return at;
}
/** So many can be begun in two seconds as they take: of more, some go elsewhere. */
const fitting = 5;
const leftMs = 2 * s;

describe('a fleet that is larger than its time', () => {
  it('is carried out as far as it fits, and the rest goes over the bus', async () => {
    const at = await vms(fitting + 3);
    const report = await stop(at, {}, { leftMs });
    expect([report.sent, report.left, report.outcomes.length]).toEqual([3, 0, fitting]);
    expect(sent(at, requested)).toMatchObject([
      { part: '1', target: { names: [{ name: 'vm-5' }, { name: 'vm-6' }, { name: 'vm-7' }] } },
    ]);
    expect(sent(at, fleetOutcomeType)).toMatchObject([{ targets: fitting + 3, sent: 3 }]);
    expect(at.wukong('vm-7').metadata.annotations?.[`${prefix}operation`]).toBeUndefined();
  });

  it('is all carried out here where the bus does not take the rest, and has failed', async () => {
    const at = await vms(fitting + 3);
    const put = (entries: BusEntry[]) =>
      entries.some(({ type }) => type === requested)
        ? Promise.reject(new LifecycleError('Denied', 'no'))
        : Promise.resolve();
    at.world.bus = { put };
    await expect(stop(at, {}, { leftMs })).rejects.toMatchObject({
      code: 'Unreachable',
      message: expect.stringMatching(
        /^the event bus did not take.*no; what could be done was done, .* \(0\)$/,
      ) as string,
      cause: { code: 'Unreachable' },
    });
    expect(
      Array.from({ length: fitting + 3 }, (_, i) => operationOf(at.wukong(`vm-${i}`)) !== undefined),
    ).not.toContain(false);
    const everywhere = { target: { namespaces: [namespace, 'team-b'], selector: 'env=dev' } };
    refuse(at, /namespaces\/team-b\/wukongs/, 403, 'GET');
    for (let i = 0; i < fitting + 3; i++)
      at.sim.createWukong({ namespace, name: `new-${i}`, runStrategy: 'Always', labels: { env: 'dev' } });
    await at.pass(5 * s);
    await expect(stop(at, everywhere, { leftMs, requestId: 'two' })).rejects.toThrow(/^the event bus did not take/);
  });

  it('is recorded without a bus, so that a tick goes on with it', async () => {
    const at = await busy(fitting + 3);
    delete at.world.bus;
    const begun = at.clock.now();
    const report = await stop(at, { maxInFlight: 2 }, { leftMs });
    expect([report.left, report.counts]).toEqual([0, { InProgress: fitting + 3 }]);
    const writes = at.sim.requests.filter(({ method, path }) => method === 'PATCH' && /wukongs\/vm-\d$/.test(path));
    const claims = Map.groupBy(writes, ({ path }) => path).values();
    expect(new Set(claims.map(([first]) => first!.at - begun))).toEqual(new Set([0, leftMs - leftMs / 10]));
    expect(asked(at)).toBe(2);
  });

  it('keeps five seconds for that, in which it records many at once', async () => {
    const at = await vms(4, () => ({ runStrategy: 'Halted', guest: { 'boot-seconds': '300' } }));
    delete at.world.bus;
    at.sim.faults.add({ when: { method: 'PATCH' }, times: 99, does: { kind: 'delay', ms: 50 } });
    const begun = at.clock.now();
    const start = { ...commandOf(at, { maxInFlight: 1 }), action: 'start' } as const;
    const limits = { deadline: begun + 60 * s };
    const report = await at.run(() => executeCommand(start, at.world, { limits }));
    expect(report.counts).toEqual({ InProgress: 4 });
    const recorded = [1, 2, 3].map((i) => operationOf(at.wukong(`vm-${i}`))?.startedAt);
    expect(recorded).toEqual(recorded.map(() => begun + 55_000));
  });

  it('is recorded, too, where it should have fitted and is slower than it looked', async () => {
    const at = await busy(fitting);
    delete at.world.bus;
    const report = await stop(at, { maxInFlight: 1 }, { leftMs });
    expect([report.counts.InProgress, report.left]).toEqual([fitting, 0]);
  });

  it('is not recorded by a dry run, which says how many it did not come to', async () => {
    const at = await busy(fitting + 3, 900);
    const report = await stop(at, { dryRun: true, maxInFlight: 1 }, { leftMs });
    expect([report.left, report.outcomes.length]).toEqual([6, 2]);
    expect(at.sim.requests.filter(({ method, path }) => method === 'PATCH' && path.includes('wukongs'))).toEqual([]);
  });

  it('stays in one hand where it has waves, and what is left of them goes on as the same command', async () => {
    const at = await vms(3, (i) => ({ ...wave(i), guest: { 'shutdown-seconds': '60' } }));
    const report = await stop(at, {}, { leftMs: 20 * s });
    expect([report.counts, report.sent, report.left]).toEqual([{ InProgress: 1 }, 2, 0]);
    expect(sent(at, requested)).toMatchObject([{ part: '1', target: { selector: 'env=dev' } }]);
  });

  it('in waves that the bus does not take at the end is untouched, counted, and delivered again', async () => {
    const at = await vms(3, (i) => ({ ...wave(i), guest: { 'shutdown-seconds': '60' } }));
    at.world.bus!.put = (entries) =>
      entries.some(({ type }) => type === requested) ? Promise.reject(new Error('no')) : Promise.resolve();
    await expect(stop(at, {}, { leftMs: 20 * s })).rejects.toMatchObject({
      code: 'Unreachable',
      message: expect.stringMatching(/the rest is recorded or untouched \(2\)$/) as string,
    });
  });

  it('is not sent by whoever has begun none of it: it would go round for ever', async () => {
    const at = await vms(3, wave);
    const now = at.clock.now();
    const times = { startedAt: now, stepAt: now, requestedAt: now, deadline: now + 600 * s };
    annotate(at, { [operationKey]: write(operation({ requestId: 'other', ...times })) }, 'vm-2');
    const report = await stop(at, {}, { leftMs: 0 });
    expect(report).toMatchObject({ left: 2, counts: { Skipped: 1 }, sent: 0 });
    expect(sent(at, requested)).toEqual([]);
  });

  it('has those that are not there in the same wave', async () => {
    const at = await vms(1, () => wave(2));
    const gone = Array.from({ length: fitting + 1 }, (_, i) => ({ namespace, name: `gone-${i}` }));
    const report = await stop(at, { target: { names: [...gone, { namespace, name: 'vm-0' }] } }, { leftMs });
    expect([report.sent, report.counts]).toEqual([2, { Failed: fitting }]);
  });
});
