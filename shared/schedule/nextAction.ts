import type { Annotations } from '../domain/model.ts';
import type { Action } from '../domain/outcome.ts';
import { type Boundary, nextBoundary } from './calendar.ts';
import { decide, type Decision, type Facts } from './decide.ts';
import { overrideFor, overrideKeys } from './override.ts';
import type { Schedule } from './schedule.ts';

export interface NextAction {
  action: Action;
  /** Instant. */
  at: number;
  boundary: Boundary;
  because: string;
}

/** Enough for a protected machine whose every stop is skipped, until its next start. */
const mostSteps = 100;

/**
 * What schedules will do next with a Wukong, after what is due at this moment: the same decisions, taken ahead of time.
 * Undefined when nothing is foreseen.
 */
export function nextActionFor(schedules: Schedule[], facts: Facts, now: number): NextAction | undefined {
  const active = schedules.filter(({ suspended }) => !suspended);
  let known: Facts = { ...facts, power: undefined };
  let until = apply(decide(active, known, now));
  for (let steps = 0, at = now; steps < mostSteps; steps++) {
    const next = nextPoint(active, known, at, until);
    if (next === undefined) return undefined;
    at = next;
    const decision = decide(active, known, at);
    if (decision.do === 'start' || decision.do === 'stop')
      return { action: decision.do, at, boundary: decision.boundary, because: decision.because };
    until = apply(decision);
  }
  return undefined;

  function apply(decision: Decision): number | undefined {
    if (decision.do === 'nothing') return decision.until;
    known = { ...known, ...decision.remember };
    if (decision.do !== 'skip' || !decision.consume) return undefined;
    if (decision.consume === 'Wukong') known.wukongAnnotations = without(known.wukongAnnotations);
    else known.namespaceAnnotations = without(known.namespaceAnnotations);
    return undefined;
  }
}

function without(annotations: Annotations | undefined): Annotations {
  const { [overrideKeys.skipNext]: _used, ...rest } = annotations ?? {};
  return rest;
}

/** The next instant at which a decision may be another one. */
function nextPoint(active: Schedule[], facts: Facts, at: number, until: number | undefined): number | undefined {
  const { wukongAnnotations, namespaceAnnotations } = facts;
  const { holds } = overrideFor({ wukongAnnotations, namespaceAnnotations, now: at });
  let first = Infinity;
  const meet = (point: number | undefined) => {
    if (point !== undefined && point > at && point < first) first = point;
  };
  for (const schedule of active) meet(nextBoundary(schedule, at)?.at);
  for (const point of [holds.start?.until, holds.stop?.until, facts.freezeUntil, until]) meet(point);
  return first === Infinity ? undefined : first;
}
