import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';
import * as z from 'zod';

import { type Member, runNameOf } from '../../shared/domain/run.ts';
import { runDetailOf, runSentence } from '../../shared/report/run.ts';
import { lineOf, readLines } from '../../shared/report/runLines.ts';
import { runStatusOf } from '../../shared/report/runStatus.ts';

const dueAt = Date.parse('2026-11-23T20:30:00Z');
const now = dueAt + 600_000;
const of = (members: Record<string, Member>) => runStatusOf(new Map(Object.entries(members)), { dueAt, now });
const stopped: Member = { outcome: 'Stopped', startedAt: dueAt + 2_000, finishedAt: dueAt + 31_900 };
const failed: Member = {
  outcome: 'Failed',
  reason: 'Stuck',
  message: 'Still\nthere.',
  startedAt: dueAt,
  finishedAt: now,
};
const stale: Member = { outcome: 'Skipped', reason: 'Stale' };
const kept: Member = { outcome: 'Skipped', reason: 'Protected' };
const spec = { schedule: 'office', action: 'stop', dueAt: '2026-11-23T20:30:00Z' } as const;

describe('the phase of a run', () => {
  it.each([
    ['Skipped', {}],
    ['Succeeded', { web: stopped, db: kept }],
    ['Succeeded', { web: { outcome: 'AlreadyOff' } }],
    ['Skipped', { web: kept, db: { outcome: 'Superseded' } }],
    ['Incomplete', { web: stopped, db: failed }],
    ['Incomplete', { web: stopped, db: stale }],
    ['Missed', { web: stale, db: { outcome: 'AlreadyOff' } }],
    ['Incomplete', { web: stopped, db: failed, idle: stale }],
    ['Incomplete', { web: stopped, db: { outcome: 'ForcedOff' }, idle: stale }],
    ['Running', { web: failed, db: { outcome: 'Pending' } }],
    ['Running', { web: { outcome: 'InProgress', startedAt: dueAt } }],
  ] as [string, Record<string, Member>][])('is %s for %o', (phase, members) => expect(of(members).phase).toBe(phase));
});

describe('the status of a run', () => {
  it('counts each VM once', () => {
    const status = of({
      web: stopped,
      db: failed,
      idle: { outcome: 'AlreadyOff' },
      old: kept,
      gone: { outcome: 'Pending' },
    });
    expect(status).toMatchObject({
      targets: 5,
      done: 1,
      failed: 1,
      already: 1,
      skipped: { Protected: 1 },
      inProgress: 1,
    });
    expect(status).toMatchObject({
      latestSeconds: 2,
      failures: [{ name: 'db', reason: 'Stuck', message: 'Still there.' }],
    });
  });

  it('stays below 64 KB whatever is in it, and says how many names it left out', () => {
    const name = (i: number) => `${'n'.repeat(240)}-${i}`;
    const long: Member = { ...failed, message: 'm'.repeat(2_000) };
    const members = Object.fromEntries(
      Array.from({ length: 3_000 }, (_, i) => [name(i), i % 2 ? long : { ...stopped, outcome: 'ForcedOff' as const }]),
    );
    const status = of(members);
    expect(Buffer.byteLength(JSON.stringify(status))).toBeLessThan(64_000);
    expect(status).toMatchObject({ targets: 3_000, failed: 1_500, forced: 1_500 });
    expect(status.omitted).toBe(3_000 - status.failures.length - status.forcedNames.length);
  });

  it('has VMs and reasons in the order of their names, and counts what is alike together', () => {
    const status = of({
      b: kept,
      a: { outcome: 'Started' },
      d: kept,
      c: { outcome: 'AlreadyOn' },
      e: { outcome: 'Superseded' },
      f: { outcome: 'Skipped', reason: 'Override' },
      g: { outcome: 'Skipped' },
    });
    expect(status.vms?.map((line) => line[0])).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
    expect(Object.entries(status.skipped)).toEqual([
      ['NotDue', 1],
      ['Override', 1],
      ['Protected', 2],
      ['Superseded', 1],
    ]);
    expect(status).toMatchObject({ targets: 7, done: 1, already: 1, inProgress: 0 });
    expect(of({ a: { outcome: 'InProgress' }, b: { outcome: 'Pending' } })).toMatchObject({ inProgress: 2 });
  });

  it('says when the first began, the last began, and the last ended', () => {
    const early: Member = { outcome: 'Stopped', startedAt: dueAt - 9_000, finishedAt: dueAt + 1_000 };
    const late: Member = { outcome: 'Stopped', startedAt: dueAt + 2_900, finishedAt: dueAt + 5_000 };
    expect(of({ early, late, other: early })).toMatchObject({
      ...{ startedAt: '2026-11-23T20:29:51Z', finishedAt: '2026-11-23T20:30:05Z', latestSeconds: 2 },
    });
    expect(of({ early })).toMatchObject({ latestSeconds: 0, finishedAt: '2026-11-23T20:30:01Z' });
    const going = of({ early, late: { outcome: 'InProgress', startedAt: dueAt } });
    expect(Object.keys(going)).not.toContain('finishedAt');
    expect(of({ kept })).toMatchObject({ finishedAt: '2026-11-23T20:40:00Z' });
    const before = { finishedAt: '2026-11-23T20:31:00Z' };
    expect(runStatusOf(new Map([['kept', kept]]), { dueAt, now, before })).toMatchObject(before);
  });

  it('says why a VM failed in 300 characters, and Unknown where nobody knows', () => {
    const { failures } = of({ a: { outcome: 'Failed', message: 'm'.repeat(301) }, b: { outcome: 'Failed' } });
    expect(failures).toEqual([
      { name: 'a', reason: 'Unknown', message: 'm'.repeat(300) },
      { name: 'b', reason: 'Unknown', message: '' },
    ]);
  });

  describe('of 60,000 bytes', () => {
    const bytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value));
    const messages = (count: number, length: number): [string, Member][] =>
      Array.from({ length: count }, (_, i) => [`vm-${1000 + i}`, { outcome: 'Failed', message: 'm'.repeat(length) }]);
    const withPad = (members: [string, Member][], pad: number) =>
      of(Object.fromEntries([...members, ['pad', { outcome: 'Failed', message: 'p'.repeat(pad) }]]));

    it('is whole; of a byte more it lacks the lines, and says of no name that it is left out', () => {
      let some = messages(400, 150);
      while (!withPad(some, 0).vms) some = some.slice(1);
      const pad = 60_000 - bytes(withPad(some, 0));
      expect(pad).toBeLessThan(300);
      const [whole, more] = [withPad(some, pad), withPad(some, pad + 1)];
      expect([bytes(whole), whole.vms?.length]).toEqual([60_000, some.length + 1]);
      expect([more.vms, more.failures.length, 'omitted' in more]).toEqual([undefined, some.length + 1, false]);
    });

    it('names as many as there is room for, and not one more', () => {
      const forced = Array.from({ length: 900 }, (_, i): [string, Member] => [
        `zz-${'n'.repeat(60)}-${1000 + i}`,
        { outcome: 'ForcedOff' },
      ]);
      // Of both lists together there are two commas fewer than names, and 60 is a digit shorter than 901.
      const loose = withPad(forced, 0);
      const pad = 59_997 - bytes(loose);
      expect([pad >= 0, pad < 80, loose.failures.length]).toEqual([true, true, 1]);
      const [full, fewer] = [withPad(forced, pad), withPad(forced, pad + 1)];
      expect([bytes(full), full.forcedNames.length]).toEqual([59_997, loose.forcedNames.length]);
      expect(fewer.forcedNames).toHaveLength(loose.forcedNames.length - 1);
      for (const { forcedNames, omitted, targets } of [full, fewer])
        expect([targets, omitted]).toEqual([901, 900 - forcedNames.length]);
      const oneLess = withPad(forced.slice(0, full.forcedNames.length + 1), pad);
      expect(oneLess.omitted).toBe(1);
    });
  });

  it('has VMs on lines that say the same when they are read', () => {
    const unseen: Member = { ...stopped, observed: false };
    const forced: Member = { outcome: 'ForcedOff', reason: 'Requested', startedAt: dueAt - 3_000, finishedAt: dueAt };
    const members = {
      web: stopped,
      db: unseen,
      'a.b-c': forced,
      old: kept,
      slow: { outcome: 'InProgress', startedAt: dueAt },
    } as const;
    const read = readLines(of(members).vms, dueAt);
    for (const [name, member] of Object.entries(members))
      expect(lineOf(name, read.get(name)!, dueAt)).toBe(lineOf(name, member, dueAt));
    expect(
      readLines(['', 7, null, 'web', 'web Gone', 'WEB Stopped 1 2', 'web Stopped 1 2 x', '__proto__ Stopped'], dueAt)
        .size,
    ).toBe(0);
    expect(readLines('web Stopped', dueAt).size).toBe(0);
  });
});

it('a run has the same name in every process, and another for each boundary, action and schedule', () => {
  const names = [spec, { ...spec, action: 'start' as const }, { ...spec, dueAt: '2026-11-23T20:30:01Z' }].map((one) =>
    runNameOf(one, 'uid'),
  );
  expect(names[0]).toBe('office-20261123-2030-stop-' + names[0]!.slice(-10));
  expect(new Set([...names, runNameOf(spec, 'other')]).size).toBe(4);
  for (const schedule of ['a'.repeat(253), `${'a'.repeat(199)}.b`])
    expect(runNameOf({ ...spec, schedule }, 'uid')).toMatch(/^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/);
});

describe('the event of a run', () => {
  const schema = JSON.parse(readFileSync('infra/events/run.schema.json', 'utf8')) as {
    examples: unknown[];
    properties: object;
  };
  const told = (members: Record<string, Member>) => runDetailOf({ namespace: 'team-a', spec, status: of(members) });

  it('is as its schema says', () => {
    const check = z.fromJSONSchema(schema as never);
    for (const detail of [told({ web: failed, db: stopped }), told({ web: stale }), ...schema.examples])
      check.parse(detail);
    const known = Object.keys(schema.properties).filter((key) => key !== 'cluster' && key !== 'requestId');
    expect(Object.keys(told({ web: failed })).sort()).toEqual(known.sort());
    expect(() => check.parse({ ...told({ web: stopped }) })).toThrow();
  });

  it('names fifty of each, and counts the others', () => {
    const many = told(Object.fromEntries(Array.from({ length: 80 }, (_, i) => [`vm-${i}`, failed])));
    expect(many).toMatchObject({ failed: 80, omitted: 30 });
    expect(runSentence({ spec, status: of({ web: failed, db: kept }) })).toBe(
      'stop of 2026-11-23T20:30:00Z: 2 VMs: 1 failed, left alone: 1 Protected; failed: web Stuck',
    );
  });
});
