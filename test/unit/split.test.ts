import { describe, expect, it } from 'vitest';

import type { World } from '../../shared/cluster/world.ts';
import { asInput, type Command, parseCommand } from '../../shared/domain/command.ts';
import type { Place } from '../../shared/domain/model.ts';
import { parseTrigger } from '../../shared/entry/trigger.ts';
import { capacity, continuation, FanOut, maySplit, parts, partSize } from '../../shared/execute/fanOut.ts';
import { groupOf, type Job } from '../../shared/execute/job.ts';
import { worldOf } from './asked.ts';

const now = Date.parse('2026-11-23T20:00:00Z');
const origin = { action: 'stop', trigger: 'event', requestId: 'evening', requestedAt: now } as const;
const target = { namespaces: ['a', 'b'], selector: 'env=dev,tier notin (db,cache),!x,y' };
const stop = parseCommand(
  { target, gracePeriodSeconds: 60, notAfter: '2026-11-23T21:00:00Z', reason: 'evening' },
  origin,
);
const start = parseCommand({ target, waitSeconds: 120, leaseSeconds: 3_600 }, { ...origin, action: 'start' });
const places = (count: number): Place[] =>
  Array.from({ length: count }, (_, i) => ({ namespace: 'n'.repeat(63), name: `${'w'.repeat(57)}-${i}` }));

describe('a command on the bus', () => {
  it.each([stop, start])('means the same when it is read again: %#', (command) => {
    const sent = JSON.parse(JSON.stringify(asInput(command))) as unknown;
    expect(
      parseCommand(sent, { ...origin, action: command.action, requestId: 'other', requestedAt: now + 60_000 }),
    ).toEqual(command);
  });

  it('names at most a hundred, so that ten of them fit into one call to the bus', () => {
    const entries = parts(stop, places(1_050), partSize(stop, 890_000), { now });
    expect(entries).toHaveLength(11);
    const largest = Math.max(...entries.map(({ detail }) => JSON.stringify(detail).length));
    expect(10 * largest).toBeLessThan(256 * 1024);
  });

  it('is the same request in each part, numbered on', () => {
    const read = parts(stop, places(3), 2, { now, after: 4 }).map(({ detail, type }) =>
      parseTrigger({ 'detail-type': type, detail: JSON.parse(JSON.stringify(detail)) as unknown }, origin),
    );
    expect(read.map(({ part, requestId }) => [part, requestId])).toEqual([
      ['5', 'event:evening'],
      ['6', 'event:evening'],
    ]);
    expect(read[0]?.target).toEqual({ names: places(3).slice(0, 2) });
  });

  it('is numbered from one, and within its own part where it is one', () => {
    const numbers = (part?: string) => parts({ ...stop, part }, places(4), 2, { now }).map(({ detail }) => detail);
    expect([numbers(), numbers('3.1')]).toMatchObject([
      [{ part: '1' }, { part: '2' }],
      [{ part: '3.1.1' }, { part: '3.1.2' }],
    ]);
  });

  it.each([
    [{ names: [] }, 'target.names'],
    [{ names: places(101) }, 'expected at most 100'],
    [{ names: [{ namespace: 'a', name: 'b', uid: 'c' }] }, 'unknown: "uid"'],
    [{ names: [{ namespace: 'a', name: '../b' }] }, 'expected the name of an object'],
    [{ names: places(1), selector: 'env=dev' }, 'expected nothing beside names'],
  ])('with names is read strictly: %j', (wrong, message) =>
    expect(() => parseCommand({ target: wrong }, origin)).toThrow(message),
  );

  it('is not split without end', () => {
    expect(maySplit(stop)).toBe(true);
    expect(maySplit({ ...stop, part: '1.2.3.4' })).toBe(false);
    expect(maySplit({ ...stop, part: '1.2.3' })).toBe(true);
    expect(maySplit({ ...stop, dryRun: true })).toBe(false);
    expect(maySplit({ ...stop, restart: true })).toBe(false);
  });
});

describe('how many VMs one invocation sees through', () => {
  it('leaves time for the slowest of them', () => {
    expect(capacity(stop, 890_000)).toBe(5 * (890 - 60 - 15 - 60));
    expect(capacity(stop, 110_000)).toBe(5 * 55);
  });
  it('counts for starts how long a guest keeps its place', () =>
    expect(capacity(start, 890_000)).toBe(Math.floor((50 / 30) * (890 - 120))));
  it('takes a grace that nobody named for half a minute', () => {
    const { gracePeriodSeconds: _none, ...plain } = stop;
    expect(capacity(plain, 890_000)).toBe(5 * (890 - 30 - 15 - 60));
  });
  it('begins no more starts a second than stops, however many may be in flight', () => {
    expect(capacity({ ...start, maxInFlight: 1_000 }, 890_000)).toBe(5 * (890 - 120));
  });
  it('is for a part of a fleet its share of what may be in flight', () => {
    const small = { ...start, maxInFlight: 49 };
    expect(partSize(small, 300_000)).toBe(Math.floor((4 / 30) * (300 - 120)));
    expect(partSize({ ...start, maxInFlight: 9 }, 300_000)).toBe(Math.floor((1 / 30) * (300 - 120)));
    expect(partSize({ ...small, part: '1', maxInFlight: 12 }, 300_000)).toBe(Math.floor((12 / 30) * (300 - 120)));
    expect(partSize(stop, 890_000)).toBe(100);
  });
  it('is never none', () => expect(capacity(start, 10)).toBe(1));
});

describe('what does not fit into the time', () => {
  const jobsOf = (count: number, wave = (_i: number) => 0): Job[] =>
    places(count).map((place, i): Job => {
      const work = { do: 'command', command: stop } as const;
      return { place, action: 'stop', work, group: groupOf('x'), wave: wave(i), jitterMs: 0 };
    });
  const fanOut = (
    command: Command,
    jobs: Job[],
    wholeMs = 150_000,
    more: (world: World) => Partial<World> = () => ({}),
  ) => {
    const { world, told } = worldOf(now);
    return { out: new FanOut(command, jobs, { ...world, ...more(world) }, wholeMs), told };
  };
  const partsIn = (told: ReturnType<typeof fanOut>['told']) =>
    told.map(({ detail }) => [
      (detail as { part: string }).part,
      (detail as { target: { names: [] } }).target.names?.length,
    ]);

  it('goes over the bus in parts, which are numbered on', async () => {
    const jobs = jobsOf(400);
    const { out, told } = fanOut(stop, jobs);
    expect([out.most, await out.take([]), told]).toEqual([5 * 75, true, []]);
    expect(await out.take(jobs.slice(0, 150))).toBe(true);
    expect(await out.take(jobs.slice(150, 160))).toBe(true);
    expect([partsIn(told), out.sent, out.unsent]).toEqual([
      [
        ['1', 100],
        ['2', 50],
        ['3', 10],
      ],
      160,
      undefined,
    ]);
    expect(told[0]).toMatchObject({ time: now, detail: { target: { names: places(100) }, maxInFlight: 5 } });
  });

  it('goes on as the same command where it has waves, whose order nobody else knows', async () => {
    const jobs = jobsOf(3, (i) => i);
    const { out, told } = fanOut(stop, jobs);
    expect([out.most, await out.take(jobs)]).toEqual([Infinity, true]);
    expect([partsIn(told), out.sent]).toEqual([[['1', undefined]], 3]);
    expect(
      new FanOut(
        stop,
        jobsOf(2, (i) => i),
        worldOf(now).world,
        150_000,
      ).most,
    ).toBe(Infinity);
    expect(told[0]).toMatchObject({ type: 'Wukong VM Stop Requested', time: now });
    const next = (part?: string) => (continuation({ ...stop, part }, now).detail as { part: string }).part;
    expect([next(), next('1'), next('2.7')]).toEqual(['1', '2', '3.7']);
  });

  it.each<[string, Command, boolean]>([
    ['without a bus', stop, false],
    ['of a dry run', { ...stop, dryRun: true }, true],
    ['of a restart', { ...stop, restart: true }, true],
  ])('stays here %s', async (_, command, isBus) => {
    const jobs = jobsOf(2);
    const { out, told } = fanOut(command, jobs, 150_000, () => (isBus ? {} : { bus: undefined }));
    expect([out.most, await out.take(jobs), await out.take([]), told, out.sent]).toEqual([
      Infinity,
      false,
      true,
      [],
      0,
    ]);
  });

  it('stays here where the bus fails, which is in the log, and it is asked no more', async () => {
    let asked = 0;
    const lines: unknown[] = [];
    const jobs = jobsOf(2);
    const { out } = fanOut(stop, jobs, 150_000, ({ log }) => ({
      bus: { put: () => (asked++, Promise.reject(new Error('away'))) },
      log: { ...log, error: (message, fields) => void lines.push([message, fields]) },
    }));
    expect([await out.take(jobs), await out.take(jobs), asked, out.sent]).toEqual([false, false, 1, 0]);
    expect(out.unsent?.message).toContain('away');
    expect(lines).toEqual([['the rest of a fleet could not be handed over', { problem: out.unsent?.message }]]);
  });
});
