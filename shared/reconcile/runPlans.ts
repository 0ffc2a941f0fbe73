import { isDeepStrictEqual } from 'node:util';

import { keyOf, placeOf, type Wukong } from '../domain/model.ts';
import { isOver, type Member, runNameOf, type RunSpec, scheduleUidKey, type WukongRun } from '../domain/run.ts';
import { mentions } from '../domain/runTrace.ts';
import type { Machine } from '../domain/vm.ts';
import { readLines, runCounts } from '../report/runLines.ts';
import { runStatusOf } from '../report/runStatus.ts';
import { boundaryIdOf } from '../schedule/calendar.ts';
import { isClusterSchedule } from '../schedule/ruling.ts';
import type { WukongSchedule } from '../schedule/schedule.ts';
import type { Selecting } from '../schedule/selecting.ts';
import type { Timetable } from '../schedule/timetable.ts';
import { rfc3339 } from '../time/clock.ts';
import { boundariesOf, isOf, type Looked } from './runBoundaries.ts';
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

/** A fleet's VM that shows no sign by then is given up. */
const fleetWaitMs = 3_600_000;

/** Which runs are to be made or looked at, and what their VMs came to before this tick's work. Pure. */
export function planRuns({ runs, table, wukongs, machineOf }: Planning): Planned {
  const near = Map.groupBy(wukongs, (wukong) => placeOf(wukong).namespace);
  const bySchedule = Map.groupBy(runs, ({ metadata }) => metadata.labels?.[scheduleUidKey] ?? '');
  const planned: Planned = { plans: [], forged: [] };
  for (const selecting of table.selecting) {
    const { uid } = selecting.object.metadata;
    if (!uid) continue;
    const mine = new Map<string, WukongRun>();
    for (const run of bySchedule.get(uid) ?? [])
      if (readable(() => isOf(selecting, run, table.at))) mine.set(keyOf(run.metadata), run);
      else planned.forged.push(run);
    const runs = [...mine.values()];
    const seeing = { table, machineOf, matched: new Set(selecting.matched), object: selecting.object };
    for (const looked of boundariesOf(selecting, runs, table.at))
      for (const namespace of spacesOf(selecting, runs, looked)) {
        const plan = planOf(selecting, namespace, looked, mine);
        plan.members = membersOf(plan, near.get(namespace) ?? [], seeing);
        const isLookedBack = !isClusterSchedule(selecting.object) && selecting.object.status?.lastHandled;
        if (plan.members.size > 0 || plan.stored || isLookedBack) planned.plans.push(plan);
      }
  }
  for (const run of bySchedule.get('') ?? []) {
    const plan = readable(() => planOfFleet(run));
    if (plan) plan.members = membersOf(plan, near.get(plan.namespace) ?? [], { table, machineOf });
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

/** Its own; of a ClusterWukongSchedule each that has VMs of it, or had when a run was made that ticks look at. */
function spacesOf({ object, matched }: Selecting, runs: WukongRun[], { boundary, stored }: Looked): Iterable<string> {
  if (!isClusterSchedule(object)) return [placeOf(object).namespace];
  const dueAt = rfc3339(boundary.at);
  const known = runs.filter(({ spec }) => spec.dueAt === dueAt && spec.action === boundary.action);
  return new Set([...(stored ? [] : matched), ...known].map((one) => placeOf(one).namespace));
}

function planOf(
  { object, checked }: Selecting,
  namespace: string,
  { boundary: { at, action }, newest }: Looked,
  stored: Map<string, WukongRun>,
): RunPlan {
  const { name: schedule, uid } = object.metadata;
  const spec: RunSpec = { schedule, action, dueAt: rfc3339(at) };
  const name = runNameOf(spec, uid);
  const known = stored.get(keyOf({ namespace, name }));
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

/** `matched`, `object`: of a schedule's run. */
type Seeing = Pick<Planning, 'table' | 'machineOf'> & { matched?: Set<Wukong>; object?: WukongSchedule };

function membersOf(plan: RunPlan, near: Wukong[], { table, machineOf, matched, object }: Seeing): Map<string, Member> {
  const { requestId, dueAt, stored, spec } = plan;
  const before = linesOf(stored, dueAt);
  const handled = Date.parse(object?.status?.lastHandled ?? '') >= dueAt;
  const asked: Asked = { requestId, action: spec.action, at: dueAt, open: plan.newest, handled, table, machineOf };
  if (!object) asked.waitsUntil = dueAt + fleetWaitMs;
  const members = new Map<string, Member>();
  const there = new Set<string>();
  for (const wukong of near) {
    const { name } = wukong.metadata;
    there.add(name);
    const known = before?.get(name);
    // Who got the label, or was made, after the boundary is none of its VMs.
    const isTarget = matched?.has(wukong) === true && !(Date.parse(wukong.metadata.creationTimestamp ?? '') > dueAt);
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
