import { describe, expect, it } from 'vitest';

import { asInput, parseCommand } from '../../shared/domain/command.ts';
import type { Place } from '../../shared/domain/model.ts';
import { parseTrigger } from '../../shared/entry/trigger.ts';
import { capacity, maySplit, parts, partSize } from '../../shared/execute/fanOut.ts';

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
    expect(maySplit({ ...stop, dryRun: true })).toBe(false);
  });
});

describe('how many VMs one invocation sees through', () => {
  it('leaves time for the slowest of them', () => {
    expect(capacity(stop, 890_000)).toBe(5 * (890 - 60 - 15 - 60));
    expect(capacity(stop, 110_000)).toBe(5 * 55);
  });
  it('counts for starts how long a guest keeps its place', () =>
    expect(capacity(start, 890_000)).toBe(Math.floor((50 / 30) * (890 - 120))));
  it('is never none', () => expect(capacity(start, 10)).toBe(1));
});
