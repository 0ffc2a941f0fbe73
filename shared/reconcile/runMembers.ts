import type { Wukong } from '../domain/model.ts';
import { operationOf } from '../domain/operation.ts';
import type { Action } from '../domain/outcome.ts';
import { isOver, type Member } from '../domain/run.ts';
import { remembers, traceOf, wishAfter } from '../domain/runTrace.ts';
import type { Machine } from '../domain/vm.ts';
import { isThere } from '../execute/follow.ts';
import { type Boundary, boundaryId, newestBoundary } from '../schedule/calendar.ts';
import { readMemory } from '../schedule/memory.ts';
import { overrideFor } from '../schedule/override.ts';
import type { Timetable } from '../schedule/timetable.ts';

/** What is asked of the VMs of one run. */
export interface Asked {
  requestId: string;
  action: Action;
  /** Instant. */
  at: number;
  /** The boundary is its schedule's newest, and counts: it may still begin VMs. */
  open: boolean;
  /** Until then a VM of a fleet that shows no sign may still be begun. */
  waitsUntil?: number;
  /** Whether the schedule has been through with it before. */
  handled: boolean;
  table: Timetable;
  machineOf: (wukong: Wukong) => Machine;
}

/**
 * What one VM came to in a run: what its Wukong says; else what is decided for it now; else what the run said before, as
 * far as the Wukong does not deny it; else what follows from how it is.
 */
export function memberFor(wukong: Wukong, asked: Asked, before: Member | undefined): Member {
  return (
    traceOf(wukong, asked.requestId) ??
    (asked.open ? decided(wukong, asked) : undefined) ??
    (before && isKept(wukong, before, asked) ? before : undefined) ??
    concluded(wukong, asked)
  );
}

const pending: Member = { outcome: 'Pending' };
const there = (action: Action): Member => ({ outcome: action === 'start' ? 'AlreadyOn' : 'AlreadyOff' });

/** What this tick decided for the boundary; undefined where it is over for this VM. */
function decided(wukong: Wukong, { requestId, table, action, at, handled, machineOf }: Asked): Member | undefined {
  const rule = table.ruled.get(wukong);
  const decision = rule?.decision;
  // Of schedules that meet at one instant one is carried out, for all that want the same.
  const mine = (boundary: Boundary) =>
    boundaryId(boundary) === requestId || (boundary.at === at && boundary.action === action);
  if (!decision) return handled || !rule ? undefined : pending;
  if (decision.do === 'skip')
    return mine(decision.boundary) ? { outcome: 'Skipped', reason: decision.reason } : undefined;
  const acting = decision.do === 'nothing' ? decision.then : decision;
  if (acting && !acting.enforced && !acting.resumed && mine(acting.boundary))
    return isThere(action, machineOf(wukong)) && !operationOf(wukong) ? there(action) : pending;
  // Frozen: it is neither done nor given up.
  const waits = decision.do === 'nothing' && decision.until !== undefined && !decision.then;
  return waits && !((rule.facts?.lastHandled ?? -Infinity) >= at) ? pending : undefined;
}

/** What leaves no sign on a Wukong is taken as it was; what does must be known to it. */
function isKept(wukong: Wukong, before: Member, { requestId }: Asked): boolean {
  if (!isOver(before)) return false;
  const { outcome } = before;
  return outcome === 'AlreadyOn' || outcome === 'AlreadyOff' || outcome === 'Skipped' || remembers(wukong, requestId);
}

const done = new Set(['Started', 'Stopped', 'ForcedOff']);

/** Somebody else has asked for the same since: where that was done it was so already, else it is what that came to. */
function byAnother(wukong: Wukong, { requestId, action }: { requestId: string; action: Action }): Member {
  const came = traceOf(wukong, requestId);
  return !came || done.has(came.outcome) ? there(action) : came;
}

/** Without any record: from what was wished since, and from how it is. */
function concluded(wukong: Wukong, asked: Asked): Member {
  const { requestId, action, at, table, machineOf, waitsUntil } = asked;
  const { withheld, skipped } = readMemory(wukong);
  if (withheld === at || skipped === at) return { outcome: 'Skipped', reason: 'Override' };
  if (remembers(wukong, requestId)) return { outcome: action === 'start' ? 'Started' : 'Stopped' };
  const wish = wishAfter(wukong, at);
  if (wish && wish.action !== action) return { outcome: 'Superseded' };
  if (isThere(action, machineOf(wukong))) return there(action);
  if (wish) return byAnother(wukong, wish);
  if (waitsUntil !== undefined && table.at < waitsUntil) return pending;
  const { facts, schedules = [] } = table.ruled.get(wukong) ?? {};
  // Where a stop and a start meet at one instant, the start is carried out.
  const isStart = (one?: Boundary) => one?.at === at && one.action === 'start';
  if (action === 'stop' && schedules.some((one) => !one.suspended && isStart(newestBoundary(one, table.at))))
    return { outcome: 'Superseded' };
  if (facts && action === 'stop' && overrideFor({ ...facts, now: table.at }).protected)
    return { outcome: 'Skipped', reason: 'Protected' };
  return { outcome: 'Skipped', reason: 'Stale' };
}
