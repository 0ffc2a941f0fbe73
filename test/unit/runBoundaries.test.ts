import { describe, expect, it } from 'vitest';

import { runNameOf, type RunSpec, type WukongRun } from '../../shared/domain/run.ts';
import { boundariesOf, isOf } from '../../shared/reconcile/runBoundaries.ts';
import { checkSchedule, type WukongSchedule } from '../../shared/schedule/schedule.ts';
import type { Selecting } from '../../shared/schedule/selecting.ts';
import { at, never } from './schedules.ts';

const now = at('2026-11-23T20:31:00Z');
const dueAt = '2026-11-23T20:30:00Z';
const spec: RunSpec = { schedule: 'office', action: 'stop', dueAt };

/** On at 8, off at half past eight in the evening, made on the 20th. */
function office(more: object = {}, metadata: object = {}, status?: WukongSchedule['status'], kind = 'WukongSchedule') {
  const object = {
    kind,
    metadata: { namespace: 'team-a', name: 'office', uid: 'u', creationTimestamp: '2026-11-20T12:00:00Z', ...metadata },
    spec: { timeZone: 'UTC', start: '0 8 * * *', stop: '30 20 * * *', selector: { matchLabels: { a: 'b' } }, ...more },
    ...(status ? { status } : {}),
  } as unknown as WukongSchedule;
  return { object, checked: checkSchedule(object), matched: [] } satisfies Selecting;
}
const runOf = (given: Partial<RunSpec> = {}, metadata: object = {}, uid = 'u') => {
  const own = { ...spec, ...given };
  const ownerReferences = [
    { kind: 'Other', name: 'office', uid: 'other' },
    { kind: 'x', name: 'office', uid },
  ];
  return {
    metadata: { namespace: 'team-a', name: runNameOf(own, uid), ownerReferences, ...metadata },
    spec: own,
  } as WukongRun;
};

describe('a run is of a schedule', () => {
  const is = (run: WukongRun, schedule = office(), when = now) => isOf(schedule, run, when);

  it('that owns it and has its boundary', () => {
    expect([is(runOf()), is(runOf({ action: 'start', dueAt: '2026-11-23T08:00:00Z' }))]).toEqual([true, true]);
    expect([is(runOf(), office(), at(dueAt)), is(runOf(), office(), at(dueAt) - 1)]).toEqual([true, false]);
  });

  it.each<[string, WukongRun]>([
    ['owned by another', runOf({}, { ownerReferences: [{ uid: 'v' }] })],
    ['owned by nobody', runOf({}, { ownerReferences: undefined })],
    ['in another namespace', runOf({}, { namespace: 'team-b' })],
    ['of another schedule', runOf({ schedule: 'other' })],
    ['with another name', runOf({}, { name: 'office' })],
    ['of no time', runOf({ dueAt: 'tonight' })],
    ['of a time in other words', runOf({ dueAt: '2026-11-23T21:30:00+01:00' })],
    ['of no boundary', runOf({ dueAt: '2026-11-23T20:29:00Z' })],
    ['of the other action', runOf({ action: 'start' })],
    ['without a spec', { ...runOf(), spec: undefined } as unknown as WukongRun],
  ])('and not where it is %s', (_, run) => expect(is(run)).toBe(false));

  it('of the cluster wherever it stands, as nobody but its owner could name it', () => {
    const wide = office({}, { namespace: undefined }, undefined, 'ClusterWukongSchedule');
    expect([is(runOf({}, { namespace: 'team-b' }), wide), is(runOf(), office({}, { uid: undefined }))]).toEqual([
      true,
      false,
    ]);
  });

  it('at that very instant, and not a millisecond after a boundary', () => {
    const closed = { from: '2026-11-23T20:19:59.999Z', to: '2026-11-23T20:25:00Z', state: 'Stopped' };
    expect(is(runOf({ dueAt: '2026-11-23T20:20:00Z' }), office({ exceptions: [closed] }))).toBe(false);
  });

  it('as that was before it was changed, or can be read no more', () => {
    const earlier = runOf({ dueAt: '2026-11-20T11:59:59Z' });
    expect([is(earlier), is(runOf({ dueAt: '2026-11-20T12:00:00Z' }))]).toEqual([true, false]);
    expect(is(runOf({ dueAt: '2026-11-23T20:29:00Z' }), office({ stop: 'tonight' }))).toBe(true);
  });
});

describe('the boundaries that are looked at', () => {
  const looked = (schedule: Selecting, runs: WukongRun[] = [], when = now) =>
    boundariesOf(schedule, runs, when).map(({ boundary, newest, stored }) =>
      [new Date(boundary.at).toISOString().slice(5, 16), boundary.action, newest && 'newest', stored && 'stored']
        .filter(Boolean)
        .join(' '),
    );
  const handled = (lastHandled: string) => office({}, {}, { lastHandled });

  it('are the newest, and those that passed since the schedule was through last', () => {
    expect(looked(handled('2026-11-22T20:30:00Z'))).toEqual(['11-23T20:30 stop newest', '11-23T08:00 start']);
    expect(looked(handled('2026-11-22T20:29:59Z'))).toHaveLength(3);
    expect(looked(handled(dueAt))).toEqual(['11-23T20:30 stop newest']);
  });

  it('are none from before the schedule was made, whatever its status says', () => {
    expect(looked(office()).at(-1)).toBe('11-20T20:30 stop');
    expect(looked(handled('long ago'))).toHaveLength(7);
    expect(looked(office({}, { creationTimestamp: '2026-11-20T20:30:00Z' })).at(-1)).toBe('11-20T20:30 stop');
    expect(looked(office({}, { creationTimestamp: dueAt }))).toEqual(['11-23T20:30 stop newest']);
    expect(looked(office({}, { creationTimestamp: '2026-11-23T20:30:01Z' }))).toEqual([]);
  });

  it('are those of an exception too, to the millisecond', () => {
    const short = { from: '2026-11-23T20:19:59.999Z', to: '2026-11-23T20:20:00Z', state: 'Stopped' };
    const schedule = (creationTimestamp: string) => office({ exceptions: [short] }, { creationTimestamp });
    const all = ['11-23T20:30 stop newest', '11-23T20:20 start', '11-23T20:19 stop', '11-23T08:00 start'];
    expect(looked(schedule('2026-11-23T08:00:00Z'))).toEqual(all);
    expect(looked(schedule('2026-11-23T08:00:00Z'), [], now - 600_000)).toEqual([
      '11-23T20:20 start newest',
      ...all.slice(2),
    ]);
    expect(looked(schedule('2026-11-23T20:20:00Z'))).toEqual(all.slice(0, 2));
  });

  it('are the only one where there was none before', () => {
    const [from, to] = [at('2026-11-23T20:00:00Z'), at('2026-11-23T20:30:00Z')];
    const only = { ...never(), exceptions: [{ from, to, action: 'start' as const }] };
    expect(looked({ ...office(), checked: { schedule: only } })).toEqual(['11-23T20:00 start newest']);
  });

  it('are at most the newest and 24 more, however long nobody ticked', () =>
    expect(looked(office({ start: '*/5 * * * *', stop: '2 * * * *' }))).toHaveLength(25));

  it('are none of its crons where it is suspended, and those of runs that go on, each once', () => {
    const early = runOf({ action: 'start', dueAt: '2026-11-21T08:00:00Z' });
    const other = runOf({ dueAt: '2026-11-21T08:00:00Z' });
    const suspended = office({ suspend: true });
    expect(looked(suspended, [early, runOf(), early, other])).toEqual([
      '11-21T08:00 start stored',
      '11-23T20:30 stop stored',
      '11-21T08:00 stop stored',
    ]);
    expect(looked(office({ stop: 'tonight' }), [runOf()])).toEqual(['11-23T20:30 stop stored']);
    expect(looked(handled(dueAt), [runOf(), early])).toEqual(['11-23T20:30 stop newest', '11-21T08:00 start stored']);
  });
});
