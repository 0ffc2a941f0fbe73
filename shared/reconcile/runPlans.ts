import { isDeepStrictEqual } from 'node:util';

import type { Wukong } from '../domain/model.ts';
import { isOver, type Member, runNameOf, type RunSpec, scheduleUidKey, type WukongRun } from '../domain/run.ts';
import { mentions } from '../domain/runTrace.ts';
import type { Machine } from '../domain/vm.ts';
import { readLines, runCounts } from '../report/runLines.ts';
import { runStatusOf } from '../report/runStatus.ts';
import { boundaries, type Boundary, boundaryIdOf, newestBoundary } from '../schedule/calendar.ts';
import { isClusterSchedule } from '../schedule/ruling.ts';
import type { WukongSchedule } from '../schedule/schedule.ts';
import type { Selecting, Timetable } from '../schedule/timetable.ts';
import { rfc3339 } from '../time/clock.ts';
import { type Asked, memberFor } from './runMembers.ts';

/** A run that is to be kept true by this tick. */
export interface RunPlan {
  namespace: string;
  name: string;
  spec: RunSpec;
  requestId: string;
  /** Instant. */
  dueAt: number;
  /** Absent for a fleet command. */
  owner?: WukongSchedule;
  /** Of its schedule, or a fleet's that goes on: the next tick looks at it again although it is over. */
  newest: boolean;
  /** So many runs of the schedule are kept. */
  keep: number;
  members: Map<string, Member>;
  /** As it is in the cluster. */
  stored?: WukongRun;
}

export interface Planning {
  runs: WukongRun[];
  table: Timetable;
  wukongs: Wukong[];
  machineOf: (wukong: Wukong) => Machine;
}

export interface Planned {
  plans: RunPlan[];
  /** Runs that say of a schedule what cannot be: somebody else made them. */
  forged: WukongRun[];
}

/** Of boundaries that passed while no tick ran so many are told, the newest, of each schedule. */
const mostMissed = 24;
/** A fleet's VM that shows no sign by then is given up. */
const fleetWaitMs = 3_600_000;

/** Which runs are to be made or looked at, and what their VMs came to before this tick's work. Pure. */
export function planRuns({ runs, table, wukongs, machineOf }: Planning): Planned {
  const near = Map.groupBy(wukongs, ({ metadata }) => metadata.namespace ?? '');
  const bySchedule = Map.groupBy(runs, ({ metadata }) => metadata.labels?.[scheduleUidKey] ?? '');
  const planned: Planned = { plans: [], forged: [] };
  for (const selecting of table.selecting) {
    const { uid } = selecting.object.metadata;
    if (!uid) continue;
    const stored = Map.groupBy(bySchedule.get(uid) ?? [], ({ metadata }) => metadata.namespace ?? '');
    const owned = !isClusterSchedule(selecting.object);
    for (const namespace of spacesOf(selecting, stored.keys())) {
      const mine = new Map<string, WukongRun>();
      for (const run of stored.get(namespace) ?? [])
        if (readable(() => isOf(selecting, run, table.at))) mine.set(run.metadata.name, run);
        else planned.forged.push(run);
      for (const { boundary, newest } of boundariesOf(selecting, [...mine.values()], table.at)) {
        const plan = planOf(selecting, namespace, boundary, { newest, stored: mine });
        plan.members = membersOf(plan, selecting, near.get(namespace) ?? [], { table, machineOf });
        const told = owned && selecting.object.status?.lastHandled;
        if (plan.members.size > 0 || plan.stored || told) planned.plans.push(plan);
      }
    }
  }
  for (const run of bySchedule.get('') ?? []) {
    const plan = readable(() => planOfFleet(run));
    if (plan) plan.members = membersOf(plan, undefined, near.get(plan.namespace) ?? [], { table, machineOf });
    if (plan) planned.plans.push(plan);
    else planned.forged.push(run);
  }
  return planned;
}

/** What nobody can read is nobody's run. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Where its runs are: one of the whole cluster has them in each namespace in which it rules, or did. */
function spacesOf({ object, matched }: Selecting, before: Iterable<string>): Set<string> {
  if (!isClusterSchedule(object)) return new Set([object.metadata.namespace ?? '', ...before]);
  return new Set([...matched.map(({ metadata }) => metadata.namespace ?? ''), ...before]);
}

/** Whether a run can be of this schedule: named by its uid, and at a time that really was a boundary. */
function isOf({ object, checked: { schedule } }: Selecting, { metadata, spec }: WukongRun, now: number): boolean {
  const { uid = '', name, namespace } = object.metadata;
  const owned = metadata.ownerReferences?.some((owner) => owner.uid === uid) === true;
  const at = Date.parse(spec?.dueAt ?? '');
  if (!owned || !(at <= now) || (!isClusterSchedule(object) && metadata.namespace !== namespace)) return false;
  if (spec.schedule !== name || metadata.name !== runNameOf(spec, uid) || rfc3339(at) !== spec.dueAt) return false;
  if (!schedule || at < schedule.createdAt) return true; // as it was before it was changed
  return boundaries(schedule, at - 1, at).some((real) => real.action === spec.action);
}

type Due = Pick<Boundary, 'at' | 'action'>;

/** The newest boundary, those that passed since the schedule was looked at last, and those whose run goes on. */
function boundariesOf(
  { object, checked: { schedule } }: Selecting,
  runs: WukongRun[],
  now: number,
): { boundary: Due; newest: boolean }[] {
  const found: { boundary: Due; newest: boolean }[] = [];
  const newest = schedule && !schedule.suspended ? newestBoundary(schedule, now) : undefined;
  if (schedule && newest && newest.at >= schedule.createdAt) {
    found.push({ boundary: newest, newest: true });
    const since = Math.max(schedule.createdAt - 1, Date.parse(object.status?.lastHandled ?? '') || 0);
    let one = newestBoundary(schedule, newest.at - 1);
    for (; one && one.at > since && found.length <= mostMissed; one = newestBoundary(schedule, one.at - 1))
      found.push({ boundary: one, newest: false });
  }
  const known = new Set(found.map(({ boundary: { at, action } }) => `${at} ${action}`));
  for (const { spec } of runs) {
    const boundary = { at: Date.parse(spec.dueAt), action: spec.action };
    // Of a schedule that is suspended or cannot be read now, the last one is still the newest.
    if (!known.has(`${boundary.at} ${boundary.action}`)) found.push({ boundary, newest: false });
  }
  return found;
}

function planOf(
  { object, checked }: Selecting,
  namespace: string,
  { at, action }: Due,
  { newest, stored }: { newest: boolean; stored: Map<string, WukongRun> },
): RunPlan {
  const { name: schedule, uid } = object.metadata;
  const spec: RunSpec = { schedule, action, dueAt: rfc3339(at) };
  const name = runNameOf(spec, uid);
  const known = stored.get(name);
  const requestId = boundaryIdOf({ key: isClusterSchedule(object) ? schedule : `${namespace}/${schedule}` }, at);
  const keep = checked.schedule?.runsHistoryLimit ?? Infinity; // a schedule that cannot be read takes nothing away
  const plan: RunPlan = {
    namespace,
    name,
    spec,
    requestId,
    dueAt: at,
    owner: object,
    newest,
    keep,
    members: new Map(),
  };
  return known ? { ...plan, stored: known } : plan;
}

/** The run of a fleet command, by which it was made; undefined for one that is not named by its request. */
function planOfFleet(run: WukongRun): RunPlan | undefined {
  const { metadata, spec } = run;
  const dueAt = Date.parse(spec?.dueAt ?? '');
  const { namespace = '', name } = metadata;
  if (!spec?.requestId || spec.schedule !== undefined || name !== runNameOf(spec) || Number.isNaN(dueAt))
    return undefined;
  const { requestId } = spec;
  return { namespace, name, spec, requestId, dueAt, newest: false, keep: Infinity, members: new Map(), stored: run };
}

type Seeing = Pick<Planning, 'table' | 'machineOf'>;

function membersOf(
  plan: RunPlan,
  selecting: Selecting | undefined,
  near: Wukong[],
  { table, machineOf }: Seeing,
): Map<string, Member> {
  const { requestId, dueAt, stored, spec } = plan;
  const before = linesOf(stored, dueAt);
  const handled = Date.parse(selecting?.object.status?.lastHandled ?? '') >= dueAt;
  const asked: Asked = { requestId, action: spec.action, at: dueAt, open: plan.newest, handled, table, machineOf };
  if (!selecting) asked.waitsUntil = dueAt + fleetWaitMs;
  const matched = new Set(selecting?.matched);
  const members = new Map<string, Member>();
  const there = new Set<string>();
  for (const wukong of near) {
    const { name } = wukong.metadata;
    there.add(name);
    const known = before?.get(name);
    // Who got the label, or was made, after the boundary is none of its VMs.
    const isTarget = matched.has(wukong) && !(Date.parse(wukong.metadata.creationTimestamp ?? '') > dueAt);
    const named = mentions(wukong, requestId);
    if (!known && !named && !isTarget) continue;
    const member = memberFor(wukong, asked, known);
    if (known || named || !before || !isOver(member)) members.set(name, member);
  }
  // What came of a VM whose Wukong is gone meanwhile stays told.
  for (const [name, member] of before ?? []) if (!there.has(name) && isOver(member)) members.set(name, member);
  return members;
}

/**
 * What the run itself says of its VMs, where it names them. One whose counts say something else than its lines was
 * written by somebody else: nothing of it is believed.
 */
function linesOf(stored: WukongRun | undefined, dueAt: number): Map<string, Member> | undefined {
  const status = stored?.status;
  if (!status?.vms) return undefined;
  const lines = readLines(status.vms, dueAt);
  for (const { name, message } of runCounts.parse(status).failures) {
    const member = lines.get(name);
    if (member) member.message = message;
  }
  return isDeepStrictEqual(runStatusOf(lines, { dueAt, now: dueAt, before: status }), status) ? lines : undefined;
}
