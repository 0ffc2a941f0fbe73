import { expect, it } from 'vitest';

import { fromRun } from '../../cli/page/fromRun.ts';
import { currentKey, scheduleUidKey, type WukongRun } from '../../shared/domain/run.ts';
import { planRuns } from '../../shared/reconcile/runPlans.ts';
import { checkSchedule, type WukongSchedule } from '../../shared/schedule/schedule.ts';
import type { Timetable } from '../../shared/schedule/timetable.ts';

const at = Date.parse('2026-11-23T20:31:00Z');
const object: WukongSchedule = {
  metadata: { namespace: 'team-a', name: 'office', uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { stop: '30 20 * * *', selector: { matchLabels: { env: 'dev' } } },
  status: { lastHandled: '2026-11-23T20:30:00Z' },
};
const table: Timetable = {
  at,
  selecting: [{ object, checked: checkSchedule(object), matched: [] }],
  ruled: new Map(),
};
const labels = { [currentKey]: 'true', [scheduleUidKey]: 'u' };
const metadata = {
  namespace: 'team-a',
  name: 'x',
  labels,
  ownerReferences: [{ kind: 'WukongSchedule', name: 'office', uid: 'u' }],
};
const spec = { schedule: 'office', action: 'stop', dueAt: '2026-11-23T20:30:00Z' };

it.each([
  { metadata, spec: undefined },
  { metadata, spec: 7 },
  { metadata, spec: { ...spec, dueAt: 7 } },
  { metadata, spec: { ...spec, dueAt: 'soon' } },
  { metadata: { ...metadata, ownerReferences: 'none' }, spec },
  { metadata: { ...metadata, ownerReferences: [null] }, spec },
  { metadata: { ...metadata, labels: { [currentKey]: 'true' } }, spec: { action: 'stop', dueAt: {}, requestId: 'r' } },
  { metadata: { ...metadata, labels: null }, spec: { action: 7, dueAt: '2026-11-23T20:30:00Z', requestId: 'r' } },
])("a run that nobody can read, %j, is somebody else's, and harms no other", (run) => {
  const planned = planRuns({ runs: [run as never], table, wukongs: [], machineOf: () => ({}) });
  expect(planned.forged).toEqual([run]);
  expect(planned.plans.map(({ dueAt }) => dueAt)).toEqual([Date.parse('2026-11-23T20:30:00Z')]);
  expect(fromRun(run as unknown as WukongRun)).toEqual([]);
});
