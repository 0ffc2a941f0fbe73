import { describe, expect, it } from 'vitest';

import { fromRun } from '../../cli/page/fromRun.ts';
import { fromDetail } from '../../cli/page/happening.ts';
import { pageModel } from '../../cli/page/model.ts';
import { sourcesOf } from '../../cli/page/sources.ts';
import { verdictCounts } from '../../cli/page/summary.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import type { Member, WukongRun } from '../../shared/domain/run.ts';
import { memberOf } from '../../shared/domain/runTrace.ts';
import { detailOf } from '../../shared/report/report.ts';
import { runObject } from '../../shared/report/runObject.ts';
import { runStatusOf } from '../../shared/report/runStatus.ts';
import { boundaries, type Boundary, boundaryId } from '../../shared/schedule/calendar.ts';
import { checkSchedule } from '../../shared/schedule/schedule.ts';
import { rfc3339 } from '../../shared/time/clock.ts';
import { dice } from '../dice.ts';
import { manifestsOf, scheduleOf, wukongOf } from './fleet.ts';

const from = Date.parse('2026-05-01T00:00:00Z');
const dayMs = 86_400_000;

/** One VM at one boundary, as it may go: most are done, one in fifty goes wrong in some way. */
function play(random: () => number, { schedule, at, action, ...rest }: Boundary, name: string): Outcome {
  const begins = at + Math.floor(random() * 40_000);
  const ends = begins + 1_000 + Math.floor(random() * 90_000);
  const told = {
    ...{ namespace: 'dev', name, action, forced: false, message: 'Seen.', trigger: 'schedule' },
    requestId: boundaryId({ schedule, at, action, ...rest }),
    startedAt: begins,
    finishedAt: ends,
  };
  const done = action === 'start' ? ({ outcome: 'Started' } as const) : ({ outcome: 'Stopped' } as const);
  const fate = Math.floor(random() * 250);
  if (fate === 0) return { ...told, outcome: 'Failed', reason: 'Unschedulable', message: 'No node has room.' };
  if (fate === 1 && action === 'stop')
    return { ...told, outcome: 'ForcedOff', forceReason: 'GracePeriodExceeded', forced: true };
  if (fate === 2 && action === 'stop') return { ...told, outcome: 'Stopped', observed: false };
  if (fate === 3) return { ...told, outcome: 'Skipped', reason: 'Override' };
  if (fate === 4) return { ...told, outcome: 'Skipped', reason: 'Stale' };
  if (fate === 5) return { ...told, ...done, startedAt: begins + 900_000, finishedAt: ends + 900_000 };
  return { ...told, ...done };
}

function month(vms: number, days: number) {
  const random = dice();
  const object = scheduleOf('office', 'dev', { start: '0 8 * * *', stop: '0 20 * * *' });
  object.metadata.uid = 'uid-of-office';
  const { schedule } = checkSchedule(object);
  const names = Array.from({ length: vms }, (_, i) => `machine-${i}`);
  const outcomes: Outcome[] = [];
  const runs: WukongRun[] = [];
  for (const boundary of boundaries(schedule!, from - 1, from + days * dayMs - 1)) {
    const mine = names.map((name) => play(random, boundary, name));
    outcomes.push(...mine);
    const members = new Map(mine.map((one): [string, Member] => [one.name, memberOf(one)]));
    const status = runStatusOf(members, { dueAt: boundary.at, now: boundary.at + 3_600_000 });
    const spec = { schedule: 'office', action: boundary.action, dueAt: rfc3339(boundary.at) };
    runs.push(runObject({ namespace: 'dev', spec, status, owner: object, current: false }));
  }
  const manifests = manifestsOf(
    [object],
    names.map((name) => wukongOf(name, 'dev')),
  );
  const asked = { from, to: from + days * dayMs, now: from + days * dayMs, zone: undefined };
  const figures = (happenings: ReturnType<typeof fromRun>) => {
    const { saved, groups } = pageModel('report', { ...sourcesOf(manifests), happenings }, asked);
    return { saved, counts: Object.fromEntries(verdictCounts(groups.flatMap(({ rows }) => rows))) };
  };
  return { outcomes, runs, figures };
}

describe('a report of a month from runs alone', () => {
  it('gives the figures of the outcome events: 500 VMs for 31 days', { timeout: 60_000 }, () => {
    const { outcomes, runs, figures } = month(500, 31);
    const byRuns = figures(runs.flatMap(fromRun));
    expect(byRuns).toEqual(figures(outcomes.flatMap((one) => fromDetail(detailOf(one)) ?? [])));
    expect(byRuns.counts).toMatchObject({ failed: expect.any(Number) as number, unrecorded: 0 });
    for (const verdict of ['forced', 'failed', 'skipped', 'missed', 'late', 'unseen'])
      expect(byRuns.counts[verdict], verdict).toBeGreaterThan(10);
    for (const run of runs) expect(Buffer.byteLength(JSON.stringify(run))).toBeLessThan(64_000);
  });

  it('is not made from runs that are not named by their schedule', () => {
    const { runs } = month(2, 1);
    const [run] = runs as [WukongRun];
    expect(fromRun(run)).toHaveLength(2);
    for (const metadata of [
      { ...run.metadata, name: 'office' },
      { ...run.metadata, ownerReferences: [] },
      { ...run.metadata, ownerReferences: [{ ...run.metadata.ownerReferences![0]!, uid: 'another' }] },
    ])
      expect(fromRun({ ...run, metadata } as WukongRun)).toEqual([]);
    expect(fromRun({ ...run, spec: undefined } as never)).toEqual([]);
    expect(fromRun({ ...run, status: { vms: [{}, 'machine-0 Stopped'] } } as never)).toHaveLength(1);
  });
});

/** What the API server keeps of who wrote which field, for the two or three writes of a run. */
const managedFields = 900;

it('a year of runs for 1,000 VMs takes less than 50 MB of etcd: 43 MB in twenty schedules, 22 MB in one', () => {
  const { runs } = month(50, 31);
  const bytes =
    runs.reduce((sum, run) => sum + Buffer.byteLength(JSON.stringify(run)) + managedFields, 0) / runs.length;
  expect((20 * 2 * 365 * bytes) / 1e6).toBeLessThan(44);
  const [large] = month(1_000, 1).runs;
  expect((2 * 365 * (Buffer.byteLength(JSON.stringify(large)) + managedFields)) / 1e6).toBeLessThan(23);
});
