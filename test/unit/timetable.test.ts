import { describe, expect, it } from 'vitest';

import type { Wukong } from '../../shared/domain/model.ts';
import { lastKey, operationKey, settledKey, write } from '../../shared/domain/operation.ts';
import type { Machine } from '../../shared/domain/vm.ts';
import type { Acting } from '../../shared/schedule/decide.ts';
import { memoryKey, writeMemory } from '../../shared/schedule/memory.ts';
import type { WukongSchedule } from '../../shared/schedule/schedule.ts';
import {
  commandFor,
  nextFor,
  nextOf,
  throughUpTo,
  timetable,
  troubleLines,
  troublesOf,
  troubleText,
} from '../../shared/schedule/timetable.ts';
import { machineOf, operation } from './machines.ts';
import { at, never, office, prefix, schedule } from './schedules.ts';

// A Tuesday evening; the schedule stops at 18:00 UTC, and starts at 06:00 UTC of the next day.
const stopAt = at('2026-03-31T18:00:00Z');
const made = '2026-01-01T00:00:00Z';
const minute = 60_000;
const on = machineOf({ adoptedBy: 'db' });
const off = machineOf({ strategy: 'Halted', adoptedBy: 'db' }, null);

const wukong = (annotations: Record<string, string> = {}, more: object = {}): Wukong => ({
  metadata: { namespace: 'dev', name: 'db', creationTimestamp: made, labels: { env: 'dev' }, annotations, ...more },
});
const object = (spec: object = {}, name = 'office', status?: WukongSchedule['status']): WukongSchedule => ({
  metadata: { namespace: 'dev', name, creationTimestamp: made },
  spec: { ...office, ...spec },
  ...(status ? { status } : {}),
});

/** What is known and decided of one Wukong under these schedules. */
function ruled(one: Wukong, schedules: WukongSchedule[], now: number, machine: Machine = on, more: object = {}) {
  const table = timetable([one], () => machine, { schedules, findText: () => '', namespaces: new Map(), ...more }, now);
  return { table, ...table.ruled.get(one) };
}
const done = (requestedAt: number) => {
  const { deadline: _d, ...last } = operation({ requestId: 'r', requestedAt });
  return write({ ...last, outcome: 'Stopped', message: '', finishedAt: requestedAt } as never);
};

describe('what is known of a Wukong', () => {
  const handledBy = (annotations: Record<string, string>, lastHandled?: string, now = stopAt + minute) =>
    ruled(wukong(annotations), [object({}, 'office', lastHandled ? { lastHandled } : undefined)], now).facts;

  it('is its name, when it was made, what its annotations and its namespace say, and whether it is on', () => {
    const [namespaces, freezeUntil] = [new Map([['dev', { [`${prefix}protected`]: 'true' }]]), stopAt + minute];
    const { facts } = ruled(wukong({ a: 'b' }), [object()], stopAt, on, { namespaces, freezeUntil });
    expect(facts).toStrictEqual({
      name: 'dev/db',
      createdAt: at(made),
      wukongAnnotations: { a: 'b' },
      namespaceAnnotations: { [`${prefix}protected`]: 'true' },
      freezeUntil,
      power: 'on',
    });
    const powerOf = (machine: Machine) => ruled(wukong(), [object()], stopAt, machine).facts?.power;
    const going = machineOf({ strategy: 'Halted', adoptedBy: 'db' }, { deletingSince: stopAt });
    expect([powerOf(off), powerOf(going)]).toEqual(['off', 'between']);
    expect(ruled(wukong({}, { creationTimestamp: undefined }), [object()], stopAt).facts?.createdAt).toBe(0);
  });

  it('is the newest thing that was asked for, or that a schedule is through with', () => {
    const text = (instant: number) => new Date(instant).toISOString();
    expect(handledBy({})).not.toHaveProperty('lastHandled');
    expect(handledBy({}, text(stopAt))).toMatchObject({ lastHandled: stopAt });
    expect(handledBy({ [lastKey]: done(stopAt + 1) }, text(stopAt))).toMatchObject({ lastHandled: stopAt + 1 });
    expect(handledBy({ [lastKey]: done(stopAt - 1) }, text(stopAt))).toMatchObject({ lastHandled: stopAt });
    const under = { [operationKey]: write(operation({ requestedAt: stopAt + 2 })) };
    expect(handledBy(under)).toMatchObject({ lastHandled: stopAt + 2 });
    const so = write({ requestId: 's', action: 'stop', outcome: 'AlreadyOff', requestedAt: stopAt + 3, earlier: [] });
    expect(handledBy({ [settledKey]: so })).toMatchObject({ lastHandled: stopAt + 3 });
    // What is yet to come nobody has asked for, and no schedule is through with.
    const ahead = stopAt + 2 * minute + 1;
    const [later, under2] = [handledBy({}, text(ahead)), { [operationKey]: write(operation({ requestedAt: ahead })) }];
    expect([later, handledBy(under2)].map((one) => 'lastHandled' in one!)).toEqual([false, false]);
  });

  it('is what it remembers; what is held back is not done, although its schedule is through with it', () => {
    const kept = (memory: object) => ({ [memoryKey]: writeMemory(memory) });
    const text = '2026-03-31T18:00:00Z';
    expect(handledBy(kept({ withheld: stopAt }), text)).toMatchObject({ withheld: stopAt });
    expect(handledBy(kept({ withheld: stopAt }), text)).not.toHaveProperty('lastHandled');
    expect(handledBy(kept({ withheld: stopAt - 60_000 }), text)).toMatchObject({ lastHandled: stopAt });
    expect(handledBy(kept({ handled: stopAt }))).toMatchObject({ lastHandled: stopAt });
    expect(handledBy(kept({ handled: stopAt }))).not.toHaveProperty('handled');
    expect(handledBy(kept({ skipped: stopAt }))).toMatchObject({ lastHandled: stopAt, skipped: stopAt });
  });

  it('is the newest mark of all its schedules', () => {
    const mark = (name: string, lastHandled?: string) => object({}, name, lastHandled ? { lastHandled } : undefined);
    const marks = [mark('a', '2026-03-30T18:00:00Z'), mark('b', '2026-03-31T06:00:00Z'), mark('c'), mark('d', 'soon')];
    for (const order of [marks, marks.toReversed()]) {
      const { facts, schedules } = ruled(wukong(), order, stopAt);
      expect([facts?.lastHandled, schedules?.length]).toEqual([at('2026-03-31T06:00:00Z'), 4]);
    }
  });

  it('is when the turn of its wave came, once its boundary is late and not handled', () => {
    const turnOf = (now: number, lastHandled?: string) =>
      ruled(wukong({ [lastKey]: done(stopAt) }), [object({}, 'office', lastHandled ? { lastHandled } : undefined)], now)
        .facts?.turnAt;
    expect([turnOf(stopAt + 60 * minute), turnOf(stopAt + 60 * minute + 1)]).toEqual([undefined, stopAt]);
    const late = stopAt + 61 * minute;
    expect([turnOf(late, '2026-03-31T18:00:00Z'), turnOf(late, '2026-03-31T17:59:59Z')]).toEqual([undefined, stopAt]);
  });

  it('is that turn of the newest boundary, whatever another of its schedules is late with', () => {
    const two = [object(), object({ stop: '0 12 * * *' }, 'noon')];
    for (const order of [two, two.toReversed()])
      expect(ruled(wukong(), order, stopAt + 61 * minute).facts?.turnAt).toBe(stopAt);
  });
});

describe('what is decided of a Wukong', () => {
  const morning = at('2026-04-01T06:00:00Z');
  it('is nothing where no schedule rules it, or the only one is wrong', () => {
    for (const schedules of [[], [object({ stop: 'x' })], [object({ selector: { matchLabels: { env: 'prod' } } })]])
      expect(ruled(wukong(), schedules, stopAt).decision).toBeUndefined();
  });

  it('is nothing where every day is a holiday', () => {
    const closed = object({ stop: undefined, holidays: { dates: ['01-01..12-31'] } });
    expect(ruled(wukong(), [closed], stopAt).decision).toMatchObject({ do: 'nothing', because: 'nothing is due' });
  });

  it('is no start while it is being deleted, not even one that is spread; a stop is', () => {
    const deleting = wukong({}, { deletionTimestamp: '2026-03-31T12:00:00Z' });
    const nothing = { do: 'nothing', because: 'it is being deleted' };
    expect(ruled(deleting, [object()], stopAt).decision).toMatchObject({ do: 'stop' });
    expect(ruled(deleting, [object()], morning, off).decision).toEqual(nothing);
    expect(ruled(deleting, [object({ jitterSeconds: 3_000 })], morning, off).decision).toEqual(nothing);
    const started = object({}, 'office', { lastHandled: '2026-03-31T06:00:00Z' });
    expect(ruled(deleting, [started], stopAt - minute).decision).toMatchObject({ because: 'nothing is due' });
    expect(ruled(wukong(), [object()], morning, off).decision).toMatchObject({ do: 'start' });
    expect(ruled(wukong(), [object({ jitterSeconds: 3_000 })], morning, off).decision).toMatchObject({
      do: 'nothing',
      then: { do: 'start' },
    });
  });

  it('harms no other where nobody can read it', () => {
    const [good, bad] = [wukong(), wukong({}, { name: 'bad' })];
    const wrong: unknown[] = [];
    const error = new Error('cannot be read');
    const look = (one: Wukong) => {
      if (one === bad) throw error;
      return on;
    };
    const around = { schedules: [object()], findText: () => '', namespaces: new Map<string, never>() };
    const told = timetable([bad, good], look, around, stopAt, (...given) => void wrong.push(given));
    expect(wrong).toEqual([[bad, error]]);
    expect([told.ruled.get(bad)?.decision, told.ruled.get(good)?.decision?.do]).toEqual([undefined, 'stop']);
    expect(timetable([bad, good], look, around, stopAt).ruled.size).toBe(2);
    expect([nextOf(told, bad), nextOf(told, wukong())]).toEqual([undefined, undefined]);
  });

  it('says what comes next, now or a while later; nothing takes the place of what was foreseen', () => {
    const { table } = ruled(wukong(), [object()], stopAt - minute);
    const [one] = table.ruled.keys();
    expect(nextOf(table, one!)).toMatchObject({ action: 'stop', at: stopAt });
    expect(nextFor(table, one!, stopAt)).toEqual({ nextAction: 'start', nextActionTime: '2026-04-01T06:00:00Z' });
    expect(nextFor(table, wukong(), stopAt)).toStrictEqual({ nextAction: undefined, nextActionTime: undefined });
  });
});

describe('a decision as a command', () => {
  const boundary = { schedule: schedule({ gracePeriodSeconds: 7 }), at: stopAt, action: 'stop', wall: '' } as const;
  const acting: Acting = { do: 'stop', boundary, because: 'w'.repeat(1_001), enforced: false, remember: {} };
  const of = (more: Partial<Acting> = {}, now = stopAt + minute) => commandFor(wukong(), { ...acting, ...more }, now);

  it('is the same at every tick, by the id of its boundary', () => {
    expect(of()).toMatchObject({
      ...{ target: { namespace: 'dev', name: 'db' }, action: 'stop', trigger: 'schedule', requestedAt: stopAt },
      ...{ requestId: 'schedule:dev/office@2026-03-31T18:00:00Z', gracePeriodSeconds: 7, reason: 'w'.repeat(1_000) },
    });
    expect(of().notAfter).toBeUndefined();
    expect(of({ do: 'start' }).gracePeriodSeconds).toBeUndefined();
  });
  it('is one of its own at each moment at which it is enforced', () => {
    expect(of({ enforced: true })).toMatchObject({
      requestId: 'schedule:dev/office@2026-03-31T18:00:00Z/enforced@2026-03-31T18:01:00Z',
      requestedAt: stopAt + minute,
    });
  });
  it('is wanted as long as its decision, and ten minutes at the least', () => {
    const expiring = of({ expires: stopAt + 60 * minute });
    expect(expiring).toEqual({ ...of(), notAfter: stopAt + 60 * minute });
    expect(of({ expires: stopAt + 5 * minute }).notAfter).toBe(stopAt + 11 * minute);
  });
});

it('a schedule is through up to its newest boundary, unless that was before it counted', () => {
  const of = (created?: string) => throughUpTo(schedule({}, 'office', created), stopAt + minute)?.at;
  expect([of(), of('2026-03-31T18:00:00Z'), of('2026-03-31T18:00:01Z')]).toEqual([stopAt, stopAt, undefined]);
  expect(throughUpTo(never(), stopAt)).toBeUndefined();
});

describe('schedules that do not do all that they say', () => {
  it('are told by their key, and those of the cluster by their name', () => {
    const cluster = { ...object({ stop: 'x' }, 'night'), kind: 'ClusterWukongSchedule' };
    const { table } = ruled(wukong(), [object(), object({ stop: 'x' }, 'bad'), cluster], stopAt);
    expect(troublesOf(table).map(({ key, reason }) => [key, reason])).toEqual([
      ['dev/bad', 'InvalidCron'],
      ['night', 'InvalidCron'],
    ]);
  });
  it('are a hundred lines of five hundred characters at the most, and how many are left', () => {
    const trouble = { key: 'dev/a', reason: 'InvalidCron', message: 'm'.repeat(501) } as const;
    expect(troubleText(trouble)).toBe(`schedule dev/a: InvalidCron: ${'m'.repeat(500)}`);
    const lines = (count: number) => troubleLines(Array(count).fill(trouble) as never);
    expect([lines(100).length, lines(102).length, lines(102).at(-1)]).toEqual([100, 101, 'and 2 schedules more']);
  });
});
