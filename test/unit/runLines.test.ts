import { describe, expect, it } from 'vitest';

import type { Member } from '../../shared/domain/run.ts';
import { lineOf, readLines, runCounts } from '../../shared/report/runLines.ts';

/** Boundaries are whole minutes; a process may say when it began to the millisecond. */
const dueAt = Date.parse('2026-11-23T20:30:00Z');

describe('the line of a VM in a run', () => {
  it.each<[string, Member, number?]>([
    ['web Pending', { outcome: 'Pending' }],
    ['web Skipped/Protected', { outcome: 'Skipped', reason: 'Protected' }],
    ['web InProgress 3', { outcome: 'InProgress', startedAt: dueAt + 3_000 }],
    ['web Stopped -2 47', { outcome: 'Stopped', startedAt: dueAt - 2_000, finishedAt: dueAt + 47_000 }],
    [
      'web ForcedOff/Requested 0 1 unseen',
      { outcome: 'ForcedOff', reason: 'Requested', observed: false, startedAt: dueAt, finishedAt: dueAt + 1_000 },
    ],
  ])('is %s, and says the same when it is read', (line, member) => {
    expect(lineOf('web', member, dueAt)).toBe(line);
    expect(readLines([line], dueAt).get('web')).toStrictEqual(member);
  });

  it('counts whole seconds, and no end without a beginning', () => {
    const member: Member = { outcome: 'Stopped', startedAt: dueAt + 1_999, finishedAt: dueAt + 3_001 };
    expect(lineOf('web', member, dueAt)).toBe('web Stopped 1 3');
    expect(lineOf('web', member, dueAt + 999)).toBe('web Stopped 1 3');
    expect(lineOf('web', { outcome: 'Stopped', finishedAt: dueAt }, dueAt)).toBe('web Stopped');
    expect(lineOf('web', { outcome: 'Stopped', observed: undefined as never }, dueAt)).toBe('web Stopped');
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['one line', 'web Stopped'],
    ['a list that is taken for a line', [['web Stopped']]],
    ['an outcome that nobody knows', ['web Exploded']],
    ['no outcome', ['web']],
  ])('is passed over where it is %s', (_what, lines) => expect(readLines(lines, dueAt).size).toBe(0));

  it('is read ten thousand times and no more', () => {
    const lines = Array.from({ length: 10_001 }, (_, i) => `vm-${i} Stopped`);
    expect(readLines(lines, dueAt).size).toBe(10_000);
  });
});

describe('the counts of a run, which anybody may have written', () => {
  const none = { targets: 0, done: 0, already: 0, forced: 0, failed: 0, inProgress: 0, skipped: {}, failures: [] };
  const failure = { name: 'web', reason: 'Stuck', message: 'It is there.' };
  it('are as they stand there where they are counts', () => {
    const all = {
      ...{ targets: 6, done: 1, already: 2, forced: 3, failed: 4, inProgress: 5, skipped: { Stale: 1 } },
      ...{ latestSeconds: 1.5, failures: [failure], forcedNames: ['db'] },
    };
    expect(runCounts.parse(all)).toEqual(all);
    expect(runCounts.parse({ ...all, done: 0 }).done).toBe(0);
  });

  it.each<[string, object, object?]>([
    ['missing', {}],
    ['below nothing', { targets: -1, done: -5 }],
    ['no numbers', { targets: '5', skipped: { Stale: 'many' } }, { skipped: { Stale: 0 } }],
    ['no lists', { failures: { length: 1 }, forcedNames: 'web', skipped: [] }],
    ['nothing at all', { failures: null, skipped: null, done: null }],
    ['a list of something else', { failures: [7], forcedNames: [7] }],
    ['a failure without a name', { failures: [{ reason: 'Stuck' }] }],
    ['a failure without a reason', { failures: [{ name: 'web' }] }],
    ['more failures than there is room for', { failures: Array.from({ length: 2_001 }, () => failure) }],
    ['no time', { latestSeconds: 'soon' }],
    [
      'a failure without a message',
      { failures: [{ name: 'web', reason: 'Stuck' }] },
      { failures: [{ ...failure, message: '' }] },
    ],
  ])('are none where they are %s', (_what, given, expected) => {
    expect(runCounts.parse(given)).toEqual({ ...none, forcedNames: [], ...expected });
  });

  it('have as many failures, names and reasons as there is room for', () => {
    const failures = Array.from({ length: 2_000 }, () => failure);
    expect(runCounts.parse({ failures }).failures).toHaveLength(2_000);
    const names = (length: number) => runCounts.parse({ forcedNames: Array.from({ length }, () => 'web') }).forcedNames;
    expect([names(32_000).length, names(32_001).length]).toEqual([32_000, 0]);
    const reasons = (length: number) =>
      Object.keys(runCounts.parse({ skipped: Object.fromEntries(Array.from({ length }, (_, i) => [i, 1])) }).skipped);
    expect([reasons(100).length, reasons(101).length]).toEqual([100, 0]);
  });

  it('are read no further than to the first VM without a name', () => {
    let read = 0;
    const forcedNames = Object.defineProperty([7, 'web'], 1, { get: () => (read++, 'web') });
    expect([runCounts.parse({ forcedNames }).forcedNames, read]).toEqual([[], 0]);
  });
});
