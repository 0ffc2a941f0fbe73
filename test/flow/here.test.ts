import { describe, expect, it } from 'vitest';

import { executeHere } from '../../cli/commands/executeHere.ts';
import type { Machines } from '../../shared/cluster/vmInformer.ts';
import { LifecycleError } from '../../shared/domain/errors.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import {
  lastKey,
  type Operation,
  operationKey,
  operationOf,
  settledKey,
  settledOf,
  write,
} from '../../shared/domain/operation.ts';
import type { Machine } from '../../shared/domain/vm.ts';
import { here } from '../../shared/execute/here.ts';
import { groupOf, type Job, type Work } from '../../shared/execute/job.ts';
import type { Execution } from '../../shared/execute/sink.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import { heard, sleep } from '../../shared/time/wait.ts';
import { machineOf, operation } from '../unit/machines.ts';
import { evening, namespace, scene } from './scene.ts';

const s = 1_000;
const place = { namespace, name: 'a' };
const on = machineOf({ adoptedBy: 'a' });
const going = machineOf({ strategy: 'Halted', adoptedBy: 'a' }, { deletingSince: Date.parse(evening) + 60 * s });
const off = machineOf({ strategy: 'Halted', adoptedBy: 'a' }, null);

/** One Wukong, whose VM is seen as it is said, for whatever is to be done with it. */
async function prepared(machine: Machine) {
  const at = await scene();
  at.sim.createWukong({ ...place, runStrategy: 'Always' });
  await at.pass(60 * s);
  const [turns, reports, log]: [unknown[][], unknown[], string[]] = [[], [], []];
  at.world.log = { ...at.world.log, debug: (message) => void log.push(message) };
  const machines: Machines = {
    get: () => (machine === on && at.calls().length > 0 ? going : machine),
    changed: (_namespace, _name, limits) => heard(at.clock, () => () => {}, limits),
    close() {},
  };
  const job = (work: Work, more: Partial<Job> = {}): Job => ({
    ...{ place, wukong: structuredClone(at.wukong('a')), action: 'stop', work },
    ...{ group: groupOf('g'), wave: 0, jitterMs: 0, ...more },
  });
  const stop = (requestId = 'r', more: object = {}): Work => ({
    do: 'command',
    command: at.command('stop', 'a', more, { requestId }),
  });
  const run = async (one: Job, options: Partial<Execution> = {}) => {
    const begun = at.clock.now();
    const read = at.sim.requests.length;
    const to = {
      ...{ world: at.world, machines, deadline: begun + 5 * s, allBegun: new AbortController().signal },
      limiter: { turn: async (...asked: unknown[]) => void turns.push(asked) },
      report: (progress: unknown) => void reports.push(progress),
      ...options,
    } as unknown as Execution;
    const turn = { job: one, asked: () => log.push('asked'), release: () => log.push('released') } as never;
    const outcome = await at.run(here(turn, to));
    const reads = at.sim.requests.slice(read).filter(({ method }) => method === 'GET');
    const asked = reads.map(({ path }) => path.split('?')[0]!.split('/').slice(-2).join('/'));
    return { outcome, tookMs: at.clock.now() - begun, asked };
  };
  /** A record of somebody else stands there. */
  const record = (more: Partial<Operation> = {}) => {
    const now = at.clock.now();
    const op = operation({
      startedAt: now,
      stepAt: now,
      requestedAt: now,
      deadline: now + 600 * s,
      vmiUid: 'one',
      ...more,
    });
    at.sim.change<Wukong>('wukongs', namespace, 'a', ({ metadata }) => {
      metadata.annotations = { ...metadata.annotations, [operationKey]: write(op) };
    });
    return op;
  };
  return { at, job, stop, run, record, turns, reports, log };
}

describe('a command that is carried out in this process', () => {
  it('waits for its turn, asks, and is left in progress when the time is up', async () => {
    const { at, job, stop, run, turns, reports, log } = await prepared(on);
    const { outcome, tookMs } = await run(job(stop()));
    expect([outcome?.outcome, tookMs, at.calls().map(({ verb }) => verb)]).toEqual(['InProgress', 5 * s, ['stop']]);
    expect(turns.map(([action, , space, asker]) => [action, space, asker])).toEqual([['stop', namespace, 'g']]);
    expect(log.filter((line) => line === 'asked')).toEqual(['asked']);
    expect(reports).toContainEqual({ waiting: { place, for: expect.any(String) as string } });
  });

  it('is left as soon as KubeVirt was asked where nobody waits', async () => {
    const { at, job, stop, run } = await prepared(on);
    const { outcome, tookMs } = await run(job(stop()), { wait: false, deadline: at.clock.now() + 60 * s });
    expect([outcome?.outcome, at.calls().length]).toEqual(['InProgress', 1]);
    expect(tookMs).toBeLessThan(10 * s);
    expect(operationOf(at.wukong('a'))?.requestId).toBe('r');
  });

  it('is only recorded where that is what is asked for', async () => {
    const { at, job, stop, run } = await prepared(on);
    const { outcome, tookMs } = await run(job(stop()), { sink: 'record' });
    expect([outcome?.outcome, at.calls(), tookMs < s]).toEqual(['InProgress', [], true]);
    expect(operationOf(at.wukong('a'))?.requestId).toBe('r');
  });

  it('gives its place back once its guest goes', async () => {
    const { job, run, record, log } = await prepared(going);
    const op = record({ step: 'Claimed' });
    await run(job({ do: 'resume', op }));
    expect(log).toContain('released');
  });

  it.each([{ wait: true }, { wait: false }])(
    'is left without a word when it is given up before its claim: %j',
    async (more) => {
      const { at, job, stop, run, log } = await prepared(on);
      const stopping = new AbortController();
      at.world.transport = { ...at.world.transport, call: () => (stopping.abort(), Promise.reject(new Error('gone'))) };
      const { outcome } = await run(job(stop()), { signal: stopping.signal, ...more });
      expect([outcome, log.at(-1)]).toEqual([undefined, `${namespace}/a was left before it was claimed`]);
    },
  );

  it('reads its Wukong where nobody has it at hand, and its namespace', async () => {
    const one = await prepared(off);
    const { wukong: _none, ...unread } = one.job(one.stop());
    expect((await one.run(unread)).asked).toEqual([`namespaces/${namespace}`, 'wukongs/a']);
    const two = await prepared(off);
    expect((await two.run(two.job(two.stop(), { namespaceAnnotations: {} }))).asked).toEqual([]);
    const three = await prepared(on);
    const namespaceAnnotations = { 'lifecycle.novasphere.dev/protected': 'true' };
    const { outcome } = await three.run(three.job(three.stop(), { namespaceAnnotations }));
    expect(outcome).toMatchObject({ outcome: 'Skipped', reason: 'Protected' });
  });

  it('shows what comes next', async () => {
    const { at, job, run, record } = await prepared(off);
    const op = record();
    await run(job({ do: 'resume', op }, { next: { nextAction: 'start', nextActionTime: '2026-11-24T08:00:00Z' } }));
    expect(at.wukong('a').status?.lifecycleState).toMatchObject({ nextActionTime: '2026-11-24T08:00:00Z' });
  });

  it('that somebody else carries out already comes to their end, where that is asked for', async () => {
    const { job, stop, run, record } = await prepared(on);
    record({ requestId: 'r', trigger: 'direct' });
    expect((await run(job(stop()))).outcome).toMatchObject({ outcome: 'Skipped', reason: 'Duplicate' });
    const joined = await run(job(stop()), { joins: true });
    expect([joined.outcome?.outcome, joined.tookMs]).toEqual(['InProgress', 5 * s]);
  });

  it('that has ended is told as it ended, unless its VM says otherwise', async () => {
    const ended = async (machine: Machine) => {
      const { at, job, stop, run } = await prepared(machine);
      const now = at.clock.now();
      const { deadline: _d, ...op } = operation({ requestId: 'r', requestedAt: now, startedAt: now });
      at.sim.change<Wukong>('wukongs', namespace, 'a', ({ metadata }) => {
        metadata.annotations = {
          [lastKey]: write({ ...op, outcome: 'Stopped', message: 'off', finishedAt: now } as never),
        };
      });
      return (await run(job(stop()), { joins: true })).outcome;
    };
    expect(await ended(off)).toMatchObject({ outcome: 'Stopped', message: 'off' });
    expect(await ended(on)).toMatchObject({ outcome: 'Skipped', reason: 'Duplicate' });
  });

  it('is held back with what somebody else carries out for it', async () => {
    const { job, stop, run, record } = await prepared(on);
    record({ requestId: 'r', trigger: 'schedule' });
    const namespaceAnnotations = { 'lifecycle.novasphere.dev/protected': 'true' };
    const { outcome } = await run(job(stop(), { namespaceAnnotations }), { joins: true });
    expect(outcome).toMatchObject({ ...place, requestId: 'r', outcome: 'Skipped', reason: 'Protected', quiet: true });
  });

  it.each([
    ['Unreachable' as const, false, { reason: 'Duplicate' }],
    ['Denied' as const, false, 'gone'],
    ['Unreachable' as const, true, undefined],
  ])('is a duplicate where nobody can say how it goes: %s, given up: %s', async (code, givenUp, expected) => {
    const { at, job, stop, run, record } = await prepared(on);
    record({ requestId: 'r' });
    const stopping = new AbortController();
    const { transport } = at.world;
    const call: typeof transport.call = (asked, limits) => {
      if (asked.method !== 'GET') return transport.call(asked, limits);
      if (givenUp) stopping.abort();
      return Promise.reject(new LifecycleError(code, 'gone'));
    };
    const one = job(stop(), { namespaceAnnotations: {} });
    at.world.transport = { ...transport, call };
    const joined = run(one, { joins: true, ...(givenUp ? { signal: stopping.signal } : {}) });
    if (typeof expected === 'string') await expect(joined).rejects.toThrow(expected);
    else if (expected) expect((await joined).outcome).toMatchObject(expected);
    else expect((await joined).outcome).toBeUndefined();
  });

  it('is a duplicate of what was so already, which has no end', async () => {
    const { at, job, stop, run } = await prepared(on);
    const so = { requestId: 'r', action: 'stop', outcome: 'AlreadyOff', requestedAt: at.clock.now(), earlier: [] };
    at.sim.change<Wukong>('wukongs', namespace, 'a', ({ metadata }) => {
      metadata.annotations = { [settledKey]: write(so as never) };
    });
    expect((await run(job(stop()), { joins: true })).outcome).toMatchObject({ reason: 'Duplicate' });
  });

  it('of a fleet is remembered where it is told to be, though it is so already', async () => {
    const remembered = async (remember?: boolean) => {
      const { at, job, run } = await prepared(off);
      const command = { ...at.command('stop', 'a', {}, { requestId: 'r' }), target: { names: [place] } };
      await run(job({ do: 'command', command, ...(remember ? { remember } : {}) }));
      return settledOf(at.wukong('a'))?.requestId;
    };
    expect([await remembered(), await remembered(true)]).toEqual([undefined, 'r']);
  });

  it('that is skipped for another reason, not over yet, or ends otherwise, is nobody’s to follow', async () => {
    const [mine, joining] = [await prepared(on), await prepared(on)];
    const { asked, ...plain } = await mine.run(mine.job(mine.stop()));
    expect(plain.outcome).toMatchObject({ outcome: 'InProgress' });
    expect((await joining.run(joining.job(joining.stop()), { joins: true })).asked).toEqual(asked);
    const { job, stop, run } = await prepared(off);
    expect((await run(job(stop()), { joins: true })).outcome).toMatchObject({ outcome: 'AlreadyOff' });
    const late = await prepared(on);
    const namespaceAnnotations = { 'lifecycle.novasphere.dev/protected': 'true' };
    const skipped = await late.run(late.job(late.stop(), { namespaceAnnotations }), { joins: true });
    expect([skipped.outcome, skipped.asked]).toMatchObject([{ reason: 'Protected' }, []]);
  });
});

describe('what is there already', () => {
  it('is followed where another process works on it, and holds no place where it has none', async () => {
    const { job, run, log } = await prepared(on);
    const { wukong: _none, ...unread } = job({ do: 'await', placeless: true });
    const { outcome, tookMs, asked } = await run(unread);
    expect([outcome, tookMs, asked, log]).toEqual([undefined, 5 * s, ['wukongs/a'], ['released']]);
    const held = await prepared(on);
    expect([(await held.run(held.job({ do: 'await' }))).asked, held.log]).toEqual([[], []]);
  });

  it('is told again, given up, or gone on from', async () => {
    const one = await prepared(off);
    const op = one.record();
    expect((await one.run(one.job({ do: 'giveUp', op }))).outcome).toMatchObject({ outcome: 'Failed' });
    const two = await prepared(off);
    const { deadline: _d, ...rest } = operation({ requestedAt: two.at.clock.now() });
    const last = { ...rest, outcome: 'Stopped', message: 'off', finishedAt: two.at.clock.now() } as never;
    expect((await two.run(two.job({ do: 'reportAgain', last }))).outcome).toMatchObject({ outcome: 'Stopped' });
    const three = await prepared(off);
    three.record({ step: 'Claimed' });
    const resumed = await three.run(three.job({ do: 'resume', op: operationOf(three.at.wukong('a'))! }));
    expect(resumed.outcome).toMatchObject({ outcome: 'Stopped' });
  });

  it('is what the Wukong itself asks for', async () => {
    const { at, job, run } = await prepared(off);
    at.sim.change<Wukong>('wukongs', namespace, 'a', (one) => {
      (one as { spec: Record<string, unknown> }).spec['lifecycleAction'] = 'Stop';
    });
    expect((await run(job({ do: 'declared' }))).outcome).toMatchObject({ trigger: 'declared' });
  });

  it('is no work that nobody knows', async () => {
    const { job, run } = await prepared(off);
    await expect(run(job({ do: 'dance' } as never))).rejects.toThrow('unknown work {"do":"dance"}');
  });
});

it.each([
  ['start', 'Halted', 5_180, 'Started'],
  ['stop', 'Always', 5_150, 'Stopped'],
] as const)(
  'a %s that a tick takes over as it ends is followed to its end by whoever waits for it',
  async (action, runStrategy, ms, outcome) => {
    const at = await scene();
    at.sim.createWukong({ ...place, runStrategy, guest: { 'boot-seconds': '5', 'shutdown-seconds': '5' } });
    await at.pass(15 * s);
    delete at.world.bus;
    const limits = { deadline: at.clock.now() + 60 * s };
    const how = { ...limits, interrupted: new AbortController().signal, wait: true, waiting() {}, ended() {} };
    const command = at.command(action, 'a', {}, { requestId: 'cli:1' });
    const waiting = executeHere(command, [at.wukong('a')], at.world, how);
    const ticking = sleep(at.clock, ms).then(() => reconcile(at.world, limits)); // between the two looks at the end
    const [outcomes] = await at.run(Promise.all([waiting, ticking]));
    expect(outcomes).toMatchObject([{ outcome, requestId: 'cli:1' }]);
  },
);
