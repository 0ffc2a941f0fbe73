import type { Annotations } from '../../shared/domain/model.ts';
import type { Action } from '../../shared/domain/outcome.ts';
import { boundaries, type Boundary, compare, nextBoundary, wishAt } from '../../shared/schedule/calendar.ts';
import { decide, type Decision, type Facts } from '../../shared/schedule/decide.ts';
import { type Hold, overrideFor, overrideKeys } from '../../shared/schedule/override.ts';
import type { Schedule } from '../../shared/schedule/schedule.ts';

/** `unknown`: nothing says what is so. */
export type Power = 'on' | 'off' | 'unknown';

export interface Stretch {
  /** Instants; `to` is not included. */
  from: number;
  to: number;
  power: Power;
}

/** Why a switch is not the plain one of its schedule. */
export type Mark =
  | 'holiday'
  | 'held'
  | 'protected'
  | 'skip-next'
  | 'frozen'
  | 'stale'
  | 'gap'
  | 'overlap'
  | 'resumed'
  | 'thawed'
  | 'enforced';

export interface Switch {
  at: number;
  action: Action;
  /** False when the schedule wanted it and something keeps it from happening. */
  happens: boolean;
  /** It is so already: nothing has to be done. */
  same: boolean;
  boundary: Boundary;
  marks: Mark[];
  /** Until when the override or the freeze behind a mark holds. */
  until?: number;
}

/** What is foreseen for one machine, or for all that share it. */
export interface Course {
  stretches: Stretch[];
  switches: Switch[];
}

export interface Period {
  /** Instants; `to` is not included. */
  from: number;
  to: number;
}

const powerAfter = { start: 'on', stop: 'off' } as const;

/**
 * What schedules will do with one machine in a period, by the very decisions that reconcileState takes, taken ahead of
 * time. It begins as the schedules want it, unless `facts.power` says how it is.
 */
export function foreseeCourse(schedules: Schedule[], facts: Facts, { from, to }: Period): Course {
  const active = schedules.filter(({ suspended }) => !suspended);
  let power: Power = facts.power === 'on' || facts.power === 'off' ? facts.power : powerAt(active, facts, from - 1);
  let known: Facts = { ...facts, lastHandled: Math.max(facts.lastHandled ?? -Infinity, from - 1) };
  const stretches: Stretch[] = [{ from, to, power }];
  const switches: Switch[] = [];
  for (let at: number | undefined = from; at !== undefined && at < to;) {
    const decision = decide(active, { ...known, power: power === 'unknown' ? 'between' : power }, at);
    const change = switchOf(decision, known, at);
    if (change && change.happens) change.same = powerAfter[change.action] === power;
    if (change) switches.push(change);
    if (change?.happens && !change.same) {
      power = powerAfter[change.action];
      stretches.at(-1)!.to = at;
      stretches.push({ from: at, to, power });
    }
    known = after(decision, known);
    at = nextPoint(active, known, at, decision.do === 'nothing' ? decision.until : undefined);
  }
  const taken = [...onHolidays(active, { from, to }), ...whileFrozen(active, known.freezeUntil, { from, to })];
  const all = switches.concat(taken).sort((a, b) => a.at - b.at);
  return { stretches: stretches.filter((one) => one.to > one.from), switches: all };
}

/** How it should be, as far as schedules and overrides say so. */
function powerAt(active: Schedule[], facts: Facts, at: number): Power {
  const wish = wishAt(active, at);
  if (!wish || wish.at < Math.max(wish.schedule.createdAt, facts.createdAt)) return 'unknown';
  const { holds, protected: kept } = overrideFor({ ...facts, now: at });
  if (wish.action === 'stop') return holds.stop || kept ? 'on' : 'off';
  return holds.start ? 'off' : 'on';
}

function switchOf(decision: Decision, facts: Facts, at: number): Switch | undefined {
  if (decision.do === 'nothing' || (decision.do === 'skip' && decision.told)) return undefined;
  const { boundary } = decision;
  const { action } = boundary;
  const base = { at, action, boundary, same: false };
  const { holds, ended } = overrideFor({ ...facts, now: at });
  if (decision.do === 'skip') {
    const mark = decision.consume
      ? 'skip-next'
      : ({ Protected: 'protected', Override: 'held' } as Record<string, Mark>)[decision.reason];
    const hold: Hold | undefined = mark === 'held' ? holds[action] : undefined;
    return { ...base, happens: false, marks: [mark ?? 'stale'], ...(hold ? { until: hold.until } : {}) };
  }
  const marks: Mark[] = clockMarks(boundary);
  if (decision.enforced) marks.push('enforced');
  else if (ended[action]?.until === boundary.at && boundary.note?.includes('ended at')) marks.push('resumed');
  else if (boundary.at < at && at === facts.freezeUntil) marks.push('thawed');
  return { ...base, happens: true, marks };
}

const clockMarks = ({ note }: Boundary): Mark[] =>
  note?.startsWith('gap:') ? ['gap'] : note?.startsWith('overlap:') ? ['overlap'] : [];

function after(decision: Decision, facts: Facts): Facts {
  if (decision.do === 'nothing') return facts;
  const known = { ...facts, ...decision.remember };
  if (decision.do !== 'skip' || !decision.consume) return known;
  const key = decision.consume === 'Wukong' ? 'wukongAnnotations' : 'namespaceAnnotations';
  return { ...known, [key]: without(facts[key]) };
}

function without(annotations: Annotations | undefined): Annotations {
  const { [overrideKeys.skipNext]: _used, ...rest } = annotations ?? {};
  return rest;
}

/** The next instant at which a decision may be another one. */
function nextPoint(active: Schedule[], facts: Facts, at: number, until: number | undefined): number | undefined {
  const { holds } = overrideFor({ ...facts, now: at });
  const held = [holds.start?.until, holds.stop?.until, facts.freezeUntil, until];
  const points = [...active.map((schedule) => nextBoundary(schedule, at)?.at), ...held].filter(
    (point): point is number => point !== undefined && point > at && point < Infinity,
  );
  return points.length === 0 ? undefined : points.reduce((first, point) => Math.min(first, point));
}

const onHolidays = (active: Schedule[], { from, to }: Period): Switch[] =>
  active
    .flatMap((schedule) => boundaries(schedule, from - 1, to - 1))
    .filter(({ skippedBecause }) => skippedBecause)
    .map((boundary) => notHappening(boundary, 'holiday'));

function whileFrozen(active: Schedule[], until: number | undefined, { from, to }: Period): Switch[] {
  if (until === undefined || until <= from) return [];
  return active
    .flatMap((schedule) => boundaries(schedule, from - 1, Math.min(to, until) - 1))
    .filter(({ skippedBecause }) => !skippedBecause)
    .sort(compare)
    .map((boundary) => ({ ...notHappening(boundary, 'frozen'), until }));
}

const notHappening = (boundary: Boundary, mark: Mark): Switch => ({
  at: boundary.at,
  action: boundary.action,
  happens: false,
  same: false,
  boundary,
  marks: [mark],
});
