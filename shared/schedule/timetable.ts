import { type Command, parseCommand } from '../domain/command.ts';
import { keyOf, type LifecycleState, placeOf, type Wukong } from '../domain/model.ts';
import { isYetToCome, newestDone, operationOf } from '../domain/operation.ts';
import { instantIn } from '../domain/read.ts';
import { isOff, isOn, type Machine } from '../domain/vm.ts';
import { rfc3339 } from '../time/clock.ts';
import { type Boundary, boundaryId, newestBoundary } from './calendar.ts';
import { type Acting, decide, type Decision, type Facts } from './decide.ts';
import { readMemory } from './memory.ts';
import { type NextAction, nextActionFor } from './nextAction.ts';
import { isClusterSchedule } from './ruling.ts';
import type { Schedule, WukongSchedule } from './schedule.ts';
import { countOf, select, type Selecting, type Surroundings } from './selecting.ts';
import { type Readiness, troubleOf } from './trouble.ts';
import { turnsOf } from './wave.ts';

export interface Timetable {
  /** The instant of its decisions: what falls due later, while they are carried out, is for the next one. */
  at: number;
  selecting: Selecting[];
  /** By the Wukong itself: a key is a text that is made anew, and a tick asks for each of twenty thousand many times. */
  ruled: Map<Wukong, Ruled>;
}

/** What is known, and decided, of a Wukong that schedules rule; both are absent where nobody can read it. */
export interface Ruled {
  schedules: Schedule[];
  facts?: Facts | undefined;
  decision?: Decision | undefined;
}

/** A schedule that does not do all that it says. */
export interface Trouble extends Readiness {
  /** `namespace/name`. */
  key: string;
}

/** What a tick, `doctor` and `state` have to say of schedules; nothing where all is well. */
export const troublesOf = ({ selecting }: Pick<Timetable, 'selecting'>): Trouble[] =>
  selecting.flatMap((one) => {
    const trouble = troubleOf(one.checked, countOf(one));
    return trouble ? [{ key: scheduleKeyOf(one.object), ...trouble }] : [];
  });

const scheduleKeyOf = (object: WukongSchedule): string =>
  isClusterSchedule(object) ? object.metadata.name : keyOf(placeOf(object));

export const troubleText = ({ key, reason, message }: Trouble): string =>
  `schedule ${key}: ${reason}: ${message.slice(0, longestTrouble)}`;
const longestTrouble = 500;
const mostTroubles = 100;

/** A line for each, and no more of them than anybody reads: the answer of a function has a limit too. */
export function troubleLines(troubles: Trouble[]): string[] {
  const lines = troubles.slice(0, mostTroubles).map(troubleText);
  return troubles.length > mostTroubles ? [...lines, `and ${troubles.length - mostTroubles} schedules more`] : lines;
}

/**
 * Checks the schedules and decides for every Wukong, without effects. A bad schedule, or a Wukong that nobody can read
 * (`wrong`), harms none but itself.
 */
export function timetable(
  wukongs: Wukong[],
  machineOf: (wukong: Wukong) => Machine,
  around: Surroundings,
  now: number,
  wrong: (wukong: Wukong, thrown: unknown) => void = () => {},
): Timetable {
  const selecting = select(wukongs, around, now);
  const ruled = ruledBy(selecting, now);
  for (const [wukong, rule] of ruled) {
    try {
      rule.facts = factsOf(wukong, machineOf(wukong), around, rule, now);
      rule.decision = unlessDeleted(wukong, decide(rule.schedules, rule.facts, now));
    } catch (thrown) {
      wrong(wukong, thrown);
    }
  }
  return { at: now, selecting, ruled };
}

/** Instants. */
interface Rule extends Ruled {
  /** The newest boundary that one of its schedules is through with. */
  handled?: number;
  /** When its turn came at the newest boundary, where that is late. */
  turn?: { at: number; boundaryAt: number };
}

function ruledBy(selecting: Selecting[], now: number): Map<Wukong, Rule> {
  const all = new Map<Wukong, Rule>();
  for (const { object, checked, matched } of selecting) {
    const { schedule } = checked;
    if (!schedule) continue;
    const mark = instantIn(object.status?.lastHandled);
    for (const wukong of matched) {
      const rule = all.get(wukong) ?? { schedules: [] };
      all.set(wukong, rule);
      rule.schedules.push(schedule);
      if (mark !== undefined) rule.handled = Math.max(rule.handled ?? -Infinity, mark);
    }
    const newest = newestBoundary(schedule, now);
    if (newest && now - newest.at > schedule.startingDeadlineMs && !(mark !== undefined && mark >= newest.at))
      for (const [wukong, at] of turnsOf(matched, newest, now)) {
        const rule = all.get(wukong)!;
        if (newest.at >= (rule.turn?.boundaryAt ?? newest.at)) rule.turn = { at, boundaryAt: newest.at };
      }
  }
  return all;
}

/** A Wukong that is being deleted is not switched on any more. */
function unlessDeleted({ metadata }: Wukong, decision: Decision): Decision {
  const acting = decision.do === 'nothing' ? decision.then : decision;
  const starts = metadata.deletionTimestamp && acting?.do === 'start';
  return starts ? { do: 'nothing', because: 'it is being deleted' } : decision;
}

function factsOf(wukong: Wukong, machine: Machine, around: Surroundings, { handled, turn }: Rule, now: number): Facts {
  const { annotations, creationTimestamp, namespace = '' } = wukong.metadata;
  // Whatever was asked for after a boundary, by whomever, is a newer wish than the boundary.
  const memory = readMemory(wukong, now);
  // A boundary that an override holds back is not done, although its schedule is through with it.
  const through = handled === memory.withheld ? undefined : handled;
  const { handled: kept, ...rest } = memory;
  const asked = [newestDone(wukong, now)?.requestedAt, operationOf(wukong)?.requestedAt];
  let lastHandled = -Infinity;
  for (const instant of [through, kept, memory.skipped, ...asked])
    if (instant !== undefined && !isYetToCome(instant, now)) lastHandled = Math.max(lastHandled, instant);
  return {
    name: keyOf(wukong.metadata),
    createdAt: Date.parse(creationTimestamp ?? '') || 0,
    wukongAnnotations: annotations,
    namespaceAnnotations: around.namespaces.get(namespace),
    freezeUntil: around.freezeUntil,
    power: isOn(machine) ? 'on' : isOff(machine) ? 'off' : 'between',
    ...(lastHandled === -Infinity ? {} : { lastHandled }),
    ...(turn ? { turnAt: turn.at } : {}),
    ...rest,
  };
}

/** What was decided in time may be that long on its way. */
const handingMs = 10 * 60_000;

/** A decision as the Command that carries it out: the same in every tick, so that it is done once. */
export function commandFor({ metadata }: Wukong, decision: Acting, now: number): Command {
  const { boundary, enforced, expires } = decision;
  const at = enforced ? now : boundary.at;
  const { schedule } = boundary;
  const grace = decision.do === 'stop' ? { gracePeriodSeconds: schedule.gracePeriodSeconds } : {};
  const input = {
    target: { namespace: metadata.namespace, name: metadata.name },
    reason: decision.because.slice(0, 1_000),
    ...grace,
  };
  const requestId = enforced ? `${boundaryId(boundary)}/enforced@${rfc3339(now)}` : boundaryId(boundary);
  const command = parseCommand(input, { action: decision.do, trigger: 'schedule', requestId, requestedAt: at });
  return expires === undefined ? command : { ...command, notAfter: Math.max(expires, now + handingMs) };
}

/** The boundary up to which a schedule is through, once none of its Wukongs is pending. */
export const throughUpTo = (schedule: Schedule, now: number): Boundary | undefined => {
  const newest = newestBoundary(schedule, now);
  return newest && newest.at >= schedule.createdAt ? newest : undefined;
};

/** What schedules will do next with a Wukong; undefined where nothing, or where none rules it. */
export function nextOf(table: Timetable, wukong: Wukong, now = table.at): NextAction | undefined {
  const rule = table.ruled.get(wukong);
  return rule?.facts && nextActionFor(rule.schedules, rule.facts, now);
}

/** The same, for the status of a Wukong; where nothing does, that takes the place of what was foreseen before. */
export function nextFor(
  timetable: Timetable,
  wukong: Wukong,
  now: number,
): Pick<LifecycleState, 'nextAction' | 'nextActionTime'> {
  const next = nextOf(timetable, wukong, now);
  return { nextAction: next?.action, nextActionTime: next && rfc3339(next.at) };
}
