import { describe, expect, it } from 'vitest';

import type { World } from '../../shared/cluster/world.ts';
import type { Command } from '../../shared/domain/command.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { fleetDetailOf, reportOf, sentence, tellFleet } from '../../shared/report/fleetOutcome.ts';
import { worldOf } from './asked.ts';
import { s, t0 } from './machines.ts';

const command = { action: 'stop', requestId: 'r', trigger: 'cli', dryRun: false } as Command;
const outcome = (name: string, more: object = {}, took = 0) =>
  ({
    ...{ namespace: 'a', name, outcome: 'Stopped', message: 'm', forced: false, startedAt: t0, finishedAt: t0 + took },
    ...more,
  }) as Outcome;
const failed = (name: string, more: object = {}) => outcome(name, { outcome: 'Failed', reason: 'Stuck', ...more });
const skipped = (name: string, reason = 'Protected') => outcome(name, { outcome: 'Skipped', reason });
const report = (...outcomes: Outcome[]) => reportOf(command, outcomes);

describe('what a fleet came to', () => {
  it('is how many came to what, who failed, and how many others there are', () => {
    const all = [
      outcome('web', { observed: false }),
      outcome('db'),
      failed('mail'),
      skipped('x'),
      skipped('y'),
      skipped('z', 'Stale'),
    ];
    expect(reportOf({ ...command, part: '3' }, all, { sent: 2, left: 1 })).toStrictEqual({
      ...{ action: 'stop', requestId: 'r', part: '3', counts: { Stopped: 2, Failed: 1, Skipped: 3 } },
      ...{
        skipped: { Protected: 2, Stale: 1 },
        failed: [{ namespace: 'a', name: 'mail', reason: 'Stuck', message: 'm' }],
      },
      slowest: ['web', 'db'].map((name) => ({ namespace: 'a', name, outcome: 'Stopped', ms: 0 })),
      ...{ unobserved: 1, sent: 2, left: 1, outcomes: all },
    });
    const { part, ...none } = report();
    expect([part, none]).toEqual([undefined, expect.objectContaining({ counts: {}, sent: 0, left: 0, unobserved: 0 })]);
    expect(report()).not.toHaveProperty('part');
    expect(report(failed('web', { reason: undefined })).failed).toMatchObject([{ reason: 'Unknown' }]);
  });

  it('is which five of those that did something took longest', () => {
    const started = outcome('start', { outcome: 'Started' }, 9 * s);
    const forced = outcome('forced', { outcome: 'ForcedOff' }, 8 * s);
    const others = [
      failed('bad', { finishedAt: t0 + 99 * s }),
      skipped('x'),
      outcome('on', { outcome: 'AlreadyOff' }, 99 * s),
    ];
    const { slowest } = report(
      outcome('a', {}, 1),
      ...others,
      forced,
      outcome('b', {}, 2),
      outcome('c', {}, 3),
      outcome('d', {}, 4),
      started,
    );
    expect(slowest.map(({ name, ms }) => [name, ms])).toEqual([
      ['start', 9_000],
      ['forced', 8_000],
      ['d', 4],
      ['c', 3],
      ['b', 2],
    ]);
  });

  it('is said in a sentence', () => {
    expect(sentence(report(outcome('web')))).toBe('1 Wukong: 1 Stopped');
    expect(sentence(report())).toBe('0 Wukongs');
    expect(sentence(reportOf(command, [], { sent: 1, left: 1 }))).toBe('2 Wukongs: 1 sent on, 1 not begun');
    expect(sentence(reportOf(command, [], { sent: 1 }))).toBe('1 Wukong: 1 sent on');
    const all = reportOf(command, [outcome('web', { observed: false }), failed('db')], { sent: 2, left: 1 });
    expect(sentence(all)).toBe('5 Wukongs: 1 Stopped, 1 Failed, of 1 the end was not seen, 2 sent on, 1 not begun');
  });
});

describe('the event of a fleet', () => {
  const detail = (more: Partial<Command> = {}, ...outcomes: Outcome[]) =>
    fleetDetailOf(
      { ...command, ...more },
      { ...reportOf({ ...command, ...more }, outcomes, { sent: 2, left: 3 }) },
      t0,
      t0 + s,
    );

  it('says all that, and when', () => {
    expect(detail({}, outcome('web', {}, 1_250))).toStrictEqual({
      ...{ version: '1', id: 'r', action: 'stop', requestId: 'r', trigger: 'cli', targets: 6, counts: { Stopped: 1 } },
      ...{ skipped: {}, failed: [], failedInAll: 0, unobserved: 0, sent: 2, left: 3 },
      slowest: [{ namespace: 'a', name: 'web', outcome: 'Stopped', seconds: 1.3 }],
      ...{ startedAt: '2026-11-23T20:00:00Z', finishedAt: '2026-11-23T20:00:01Z' },
    });
    expect(detail({ part: '4' })).toMatchObject({ id: 'r/4', part: '4', targets: 5 });
  });

  it('names fifty of those that failed, with what it has room for, and counts all', () => {
    const { failed: named, failedInAll } = detail(
      {},
      ...Array.from({ length: 60 }, (_, i) => failed(`vm-${i}`, { message: 'x'.repeat(400) })),
    );
    expect([named.length, failedInAll, named[0]]).toEqual([
      50,
      60,
      { namespace: 'a', name: 'vm-0', reason: 'Stuck', message: 'x'.repeat(300) },
    ]);
  });
});

describe('a fleet is told', () => {
  async function told(
    outcomes: Outcome[],
    more: { command?: Partial<Command>; left?: number; bus?: World['bus'] | null } = {},
  ) {
    const { world, told } = worldOf(t0 + 5 * s);
    const [counted, logged]: [Record<string, number>, unknown[][]] = [{}, []];
    const line = (level: string) => (message: string, fields?: object) => void logged.push([level, message, fields]);
    world.log = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
    world.metrics = { ...world.metrics, count: (name, value) => void (counted[name] = value) };
    if (more.bus === null) delete world.bus;
    else if (more.bus) world.bus = more.bus;
    const mine = { ...command, ...more.command };
    const heard = await tellFleet(world, mine, reportOf(mine, outcomes, { left: more.left ?? 0 }), t0);
    return { heard, told, counted, logged };
  }

  it('by a line, metrics, and an event', async () => {
    const {
      heard,
      told: sent,
      counted,
      logged,
    } = await told([outcome('web', { forced: true, observed: false }), outcome('db')]);
    expect([heard, logged]).toMatchObject([
      true,
      [['info', 'stop fleet: 2 Wukongs: 2 Stopped, of 1 the end was not seen', { id: 'r' }]],
    ]);
    expect(counted).toEqual({ FleetTargets: 2, FleetFailed: 0, FleetForced: 1, FleetUnobserved: 1, FleetLeft: 0 });
    expect(sent).toMatchObject([
      {
        type: 'Wukong VM Lifecycle Fleet Outcome',
        time: t0 + 5 * s,
        detail: { id: 'r', finishedAt: '2026-11-23T20:00:05Z', startedAt: '2026-11-23T20:00:00Z' },
      },
    ]);
  });

  it('as a warning where some failed, or were not begun', async () => {
    expect((await told([failed('web')])).logged[0]?.[0]).toBe('warn');
    expect((await told([], { left: 1 })).logged[0]?.[0]).toBe('warn');
    const { logged, counted } = await told([outcome('web')], { left: 2 });
    expect([logged[0]?.[0], counted]).toMatchObject(['warn', { FleetLeft: 2, FleetTargets: 3, FleetFailed: 0 }]);
    expect((await told([failed('web')])).counted['FleetFailed']).toBe(1);
  });

  it('on the bus only where something happened, and is well without an event then', async () => {
    const dry = await told([outcome('web')], { command: { dryRun: true } });
    expect([dry.heard, dry.told, dry.logged.length]).toEqual([true, [], 1]);
    const again = await told([skipped('web', 'Duplicate'), skipped('db', 'Duplicate')]);
    expect([again.heard, again.told]).toEqual([true, []]);
    for (const some of [[skipped('web', 'Duplicate'), outcome('db')], [], [skipped('web')]])
      expect((await told(some)).told).toHaveLength(1);
    expect((await told([skipped('web', 'Duplicate')])).told).toEqual([]);
    const none = await told([outcome('web')], { bus: null });
    expect([none.heard, none.logged.length]).toEqual([false, 1]);
  });

  it('to nobody where the bus takes nothing, which is logged', async () => {
    const { heard, logged } = await told([outcome('web')], { bus: { put: () => Promise.reject(new Error('full')) } });
    expect([heard, logged[1]]).toEqual([
      false,
      ['error', 'the event of the fleet could not be sent', { problem: 'full', requestId: 'r' }],
    ]);
  });
});
