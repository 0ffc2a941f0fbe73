import type { Annotations } from '../domain/model.ts';
import type { Action, SkipReason } from '../domain/outcome.ts';
import { rfc3339 } from '../time/clock.ts';
import { type Boundary, compare, wishAt } from './calendar.ts';
import { type Due, due } from './due.ts';
import { type Hold, type Level, type Override, overrideFor } from './override.ts';
import type { Schedule } from './schedule.ts';
import { jitterMs } from './wave.ts';

/** What a decision needs to know of one Wukong. Instants in milliseconds. */
export interface Facts {
  /** `namespace/name`. */
  name: string;
  createdAt: number;
  wukongAnnotations?: Annotations;
  namespaceAnnotations?: Annotations;
  /** From the freeze ConfigMap. */
  freezeUntil?: number;
  /** What is so; only Enforce asks. `between` is neither on nor off. */
  power?: 'on' | 'off' | 'between';
  /** When the turn of its wave came, where its schedule has waves: a boundary is not late while earlier waves go on. */
  turnAt?: number;
  /** The three that earlier decisions asked to remember. */
  lastHandled?: number;
  withheld?: number;
  skipped?: number;
}

/** Instants to keep with the Wukong; each replaces the one before. */
export interface Remember {
  /** Done with everything up to this boundary. */
  lastHandled?: number;
  /** An override holds this boundary back; it was told, and is done when the override ends. */
  withheld?: number;
  /** This boundary was skipped on purpose: not even Enforce makes up for it. */
  skipped?: number;
}

/**
 * Carry out; remember when it is claimed. `enforced`: not due, but what is so is not what should be. `resumed`: an
 * override that held it back has ended. `expires`: when it is no longer wanted, if it was not begun until then.
 * `keep`: no mark on a schedule says that it was handled, so where it is so already that is to be kept with the Wukong.
 */
export interface Acting {
  do: Action;
  boundary: Boundary;
  because: string;
  enforced: boolean;
  resumed?: boolean;
  expires?: number;
  remember: Remember;
  keep?: true;
}

export type Decision =
  | Acting
  /** Tell that it is not done, and remember. `told`: the same was said before, nothing is to be written. */
  | {
      do: 'skip';
      reason: SkipReason;
      message: string;
      boundary: Boundary;
      told: boolean;
      remember: Remember;
      /** Remove the annotation skip-next there: it is used up. */
      consume?: Level;
      /** As above: `lastHandled` is to be kept with the Wukong. */
      keep?: true | undefined;
    }
  /**
   * `until`: when there may be more to say; Infinity where that is when somebody mends something. `then`: what is to be
   * done at that moment, where that is sure.
   */
  | { do: 'nothing'; because: string; until?: number; then?: Acting };

const nothing = (because: string, until?: number): Decision => ({ do: 'nothing', because, until });
const powerFor = { start: 'on', stop: 'off' } as const;

/**
 * What the schedules that select a Wukong want done with it now. The newest boundary of all counts; where two schedules
 * meet at one instant, start wins. docs/schedules.md tells it at length.
 */
export function decide(schedules: Schedule[], facts: Facts, now: number): Decision {
  const active = schedules.filter(({ suspended }) => !suspended);
  if (active.length === 0)
    return nothing(schedules.length === 0 ? 'no schedule selects it' : 'its schedules are suspended');
  const { wukongAnnotations, namespaceAnnotations } = facts;
  const override = overrideFor({ wukongAnnotations, namespaceAnnotations, now });
  const at: Moment = { facts, override, now };
  const wish = wishAt(active, now);
  const one = occasion(active, wish, at);
  if (facts.freezeUntil !== undefined && now < facts.freezeUntil)
    return nothing(`all schedules are frozen${till(facts.freezeUntil)}`, facts.freezeUntil);
  if (one) return skipOf(one, at) ?? carryOut(one, at);
  return (wish && enforce(wish, facts, override)) ?? nothing('nothing is due');
}

/** What a decision is made from. */
interface Moment {
  facts: Facts;
  override: Override;
  now: number;
}

interface Occasion {
  boundary: Boundary;
  because: string;
  /** The end of an override, not a boundary of the schedule's own. */
  resumed: boolean;
}

/** The newest thing not handled yet: a boundary, or the end of an override that held back what should be so. */
function occasion(active: Schedule[], wish: Boundary | undefined, at: Moment): Occasion | undefined {
  const { facts, now } = at;
  const end = wish && endOf(wish, at);
  if (end) return end;
  let own: Extract<Due, { boundary: Boundary }> | undefined;
  for (const schedule of active) {
    const one = due(schedule, { now, lastHandled: facts.lastHandled, createdAt: facts.createdAt });
    if ('boundary' in one && (!own || compare(own.boundary, one.boundary) <= 0)) own = one;
  }
  return own && { boundary: own.boundary, because: own.because, resumed: false };
}

/** The end of what held the newest boundary back; it is later than that boundary, and so than all others. */
function endOf(wish: Boundary, { facts, override: { ended, holds } }: Moment): Occasion | undefined {
  const end = ended[wish.action];
  if (!end || holds[wish.action] || end.until <= wish.at || wish.at === facts.skipped) return undefined;
  if (end.until <= (facts.lastHandled ?? -Infinity) || end.until < Math.max(facts.createdAt, wish.schedule.createdAt))
    return undefined;
  const because = `${end.key} ended at ${rfc3339(end.until)}, and schedule ${wish.schedule.key} wants ${wish.action} since ${wish.wall}`;
  return { boundary: { ...wish, at: end.until, note: because }, because, resumed: true };
}

type Skip = Extract<Decision, { do: 'skip' }>;

/** Where no mark on a schedule says that it was handled, that is to be kept with the Wukong. */
const keepOf = ({ resumed, boundary: { at } }: Occasion, { withheld }: Facts) =>
  resumed || withheld === at ? ({ keep: true } as const) : {};

/** Why it is not carried out, and what is remembered of that; undefined where it is. */
function skipOf(one: Occasion, { facts, override, now }: Moment): Skip | undefined {
  const { boundary, because, resumed } = one;
  const { action, at, schedule } = boundary;
  const remember: Remember = { lastHandled: at };
  const skip = (reason: SkipReason, message: string, more: Partial<Skip> = {}): Skip => ({
    ...{ do: 'skip', reason, message, boundary, told: false, remember, ...keepOf(one, facts) },
    ...more,
  });
  const turnAt = Math.max(at, facts.turnAt ?? at);
  const late = facts.withheld !== at && now - turnAt > schedule.startingDeadlineMs;
  if (override.skipNext && !resumed && !late) {
    const message = `The ${because}, is skipped once: skip-next on the ${override.skipNext}.`;
    return skip('Override', message, { remember: { ...remember, skipped: at }, consume: override.skipNext });
  }
  if (action === 'stop' && override.protected)
    return skip('Protected', `The ${because}, is not done: protected on the ${override.protected}.`);
  const hold = override.holds[action];
  if (hold) {
    const told = facts.withheld === at;
    return skip('Override', held(because, hold), { told, remember: { withheld: at }, keep: undefined });
  }
  return late && schedule.policy === 'Respect' ? skip('Stale', `Missed: ${because}.`) : undefined;
}

function carryOut(one: Occasion, { facts, now }: Moment): Decision {
  const { boundary, because, resumed } = one;
  const { action, at, schedule } = boundary;
  const startsAt = at + (action === 'start' ? jitterMs(facts.name, at, schedule.jitterSeconds) : 0);
  // What is enforced, held back or resumed does not expire with the boundary, nor what waited for its wave.
  const until = at + schedule.startingDeadlineMs;
  const plain = schedule.policy === 'Respect' && !resumed && now <= until && facts.withheld !== at;
  const expires = plain ? { expires: until } : {};
  const then: Acting = {
    ...{ do: action, boundary, because, enforced: false, resumed, ...expires },
    ...{ remember: { lastHandled: at }, ...keepOf(one, facts) },
  };
  return now < startsAt ? { do: 'nothing', because: `${because}, spread by its jitter`, until: startsAt, then } : then;
}

const held = (because: string, { key, level, until }: Hold): string =>
  `The ${because}, is held back: ${key} on the ${level}${till(until)}.`;
const till = (until: number): string =>
  until === Infinity ? ', whose time cannot be read' : ` until ${rfc3339(until)}`;

/** Under Enforce a change by hand is undone, in the sense of the override that holds, else of the newest boundary. */
function enforce(wish: Boundary, facts: Facts, override: Override): Decision | undefined {
  const { holds } = override;
  if (wish.schedule.policy !== 'Enforce' || (facts.power !== 'on' && facts.power !== 'off')) return undefined;
  if (holds.start && holds.stop) return nothing('overrides hold back both start and stop');
  if (wish.at === facts.skipped && !holds.start && !holds.stop)
    return nothing(`${wish.action} of ${wish.wall} was skipped`);
  const action = holds.stop ? 'start' : holds.start ? 'stop' : wish.action;
  if (facts.power === powerFor[action]) return undefined;
  if (action === 'stop' && override.protected) return nothing(`protected on the ${override.protected}`);
  const hold = holds.stop ?? holds.start;
  const wants = hold ? `${hold.key} on the ${hold.level}` : `schedule ${wish.schedule.key} since ${wish.wall}`;
  const because = `it is ${facts.power}, and should be ${powerFor[action]} by ${wants} (Enforce)`;
  return { do: action, boundary: { ...wish, action }, because, enforced: true, remember: {} };
}
