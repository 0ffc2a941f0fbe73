import { Cron as Croner } from 'croner';

import { parseCron } from '../../shared/time/cron.ts';
import { parseZone } from '../../shared/time/parseZone.ts';
import { lastAtOrBefore, nextAfter } from '../../shared/time/wallclock.ts';
import { clockOf, type Minute, minutesAround, oracle, type Plain } from './oracle.ts';

const dayMs = 86_400_000;

/** Times of day at which clocks change, patterns that run through the change, and days that are seldom. */
const patterns: Plain[] = [
  { text: '*/15 * * * *', minutes: [0, 15, 30, 45], hours: undefined },
  { text: '0 * * * *', minutes: [0], hours: undefined },
  { text: '*/20 0-3 * * *', minutes: [0, 20, 40], hours: [0, 1, 2, 3] },
  { text: '0 0 * * *', minutes: [0], hours: [0] },
  { text: '30 2 * * *', minutes: [30], hours: [2] },
  { text: '59 23 * * 1-5', minutes: [59], hours: [23], weekdays: [1, 2, 3, 4, 5] },
  { text: '30 0 * * SUN', minutes: [30], hours: [0], weekdays: [0] },
  { text: '15 1 1-7 * 6', minutes: [15], hours: [1], dates: [1, 2, 3, 4, 5, 6, 7], weekdays: [6] },
  { text: '0 3 25-31 3,10 *', minutes: [0], hours: [3], dates: [25, 26, 27, 28, 29, 30, 31], months: [3, 10] },
];

/** Once a day at the very minutes that the change moves: before, after, in the middle, one to each side. */
function patternsAt(minutes: Minute[]): Plain[] {
  const walls = new Set<number>();
  minutes.forEach(({ wall, skipped, again }, i) => {
    const before = minutes[i - 1];
    if (!before || wall === before.wall + 1) return;
    const inside = again ? Math.floor((before.wall + wall) / 2) : skipped[Math.floor(skipped.length / 2)]!;
    for (const each of [before.wall, before.wall + 1, inside, wall - 1, wall, wall + 1]) walls.add(each % 1440);
  });
  return [...walls].map((time) => {
    const [minute, hour] = [time % 60, Math.floor(time / 60)];
    return { text: `${minute} ${hour} * * *`, minutes: [minute], hours: [hour] };
  });
}

export interface Comparison {
  evaluations: number;
  /** Where the implementation is not as the oracle says: must stay empty. */
  wrong: string[];
  /** How often croner differs, by the reason why; those without a reason are listed. */
  croner: Record<keyof typeof reasons, number>;
  unexplained: string[];
  /** Zones whose rules have changed since the data of this Node: croner cannot be held against ours there. */
  newerThanNode: Set<string>;
}

/** Why croner differs, each with what makes a difference one of this kind. */
export const reasons = {
  /** Like Vixie cron, croner takes `*` and lists in the hour for an interval that runs on in both passes of an overlap. */
  runsTwiceInOverlap: ({ extra, minute, pattern }: Difference) => extra && minute.again && severalADay(pattern),
  /** And for the same reason such a pattern makes up for nothing that a gap has swallowed. */
  skipsTheGap: ({ extra, minute, pattern }: Difference) => !extra && minute.skipped.length > 0 && severalADay(pattern),
  /** A time that a gap swallows happens after the gap with croner too, but never when that is on the next date. */
  losesWhatMovesToTheNextDay: ({ extra, minute }: Difference) =>
    !extra && minute.skipped.some((each) => Math.floor(each / 1440) < Math.floor(minute.wall / 1440)),
};

interface Difference {
  pattern: Plain;
  minute: Minute;
  /** croner has an occurrence where our rule has none; else the other way round. */
  extra: boolean;
}

const severalADay = ({ minutes, hours }: Plain) => (minutes?.length ?? 60) * (hours?.length ?? 24) > 1;

export const nothing = (): Comparison => ({
  evaluations: 0,
  wrong: [],
  croner: { runsTwiceInOverlap: 0, skipsTheGap: 0, losesWhatMovesToTheNextDay: 0 },
  unexplained: [],
  newerThanNode: new Set(),
});

/** What the clock shows by the rules that this Node has, in minutes. */
function clockOfNode(timeZone: string): (instant: number) => number {
  const parts = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' } as const;
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, ...parts });
  return (instant) => Date.parse(`${format.format(instant).replace(' ', 'T')}Z`) / 60_000;
}

/** Holds implementation, oracle and croner against each other in the two days around one clock change. */
export function compareAround(name: string, change: number, into: Comparison): void {
  const [clock, node] = [clockOf(name), clockOfNode(name)];
  const differs = [change - dayMs, change + dayMs].some((at) => clock(at) !== node(at));
  if (differs) into.newerThanNode.add(name);
  const minutes = minutesAround(name, change);
  for (const pattern of [...patterns, ...patternsAt(minutes)]) {
    const expected = oracle(pattern, minutes);
    checkOurs(name, pattern, minutes, expected, into);
    if (!differs) checkCroner(name, pattern, minutes, expected, into); // it goes by the rules of Node
  }
}

function checkOurs(name: string, pattern: Plain, minutes: Minute[], expected: number[], into: Comparison) {
  const [cron, zone] = [parseCron(pattern.text), parseZone(name)];
  const middle = minutes.length / 2;
  const fail = (what: string, at: number, found: number | undefined, wanted: number) =>
    into.wrong.push(`${name} "${pattern.text}" ${what} ${iso(at)}: ${iso(found)}, expected ${iso(wanted)}`);
  let next = 0;
  minutes.forEach(({ at }, i) => {
    while (next < expected.length && expected[next]! <= at) next++;
    if (Math.abs(i - middle) > 150 && i % 37 !== 0) return;
    for (const instant of [at, at + 59_999]) {
      const [last, wantedLast, wanted] = [lastAtOrBefore(cron, zone, instant), expected[next - 1], expected[next]];
      if (wantedLast !== undefined && last !== wantedLast) fail('last', instant, last, wantedLast);
      const after = nextAfter(cron, zone, instant);
      if (wanted !== undefined && after !== wanted) fail('next', instant, after, wanted);
      into.evaluations += 2;
    }
  });
}

function checkCroner(name: string, pattern: Plain, minutes: Minute[], expected: number[], into: Comparison) {
  const croner = new Croner(pattern.text, { timezone: name });
  const end = minutes.at(-1)!.at;
  const theirs = new Set<number>();
  let at = croner.nextRun(new Date(end - 2 * dayMs));
  for (; at && at.getTime() <= end; at = croner.nextRun(at)) theirs.add(at.getTime());
  const ours = new Set(expected);
  for (const minute of minutes) {
    const extra = theirs.has(minute.at);
    if (extra === ours.has(minute.at)) continue;
    const difference = { pattern, minute, extra };
    const reason = (Object.keys(reasons) as (keyof typeof reasons)[]).find((key) => reasons[key](difference));
    if (reason) into.croner[reason]++;
    else
      into.unexplained.push(
        `${name} "${pattern.text}": croner has ${extra ? 'one more' : 'none'} at ${iso(minute.at)}`,
      );
  }
}

const iso = (instant: number | undefined) => (instant === undefined ? 'none' : new Date(instant).toISOString());
