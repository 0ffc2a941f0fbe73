import moment from 'moment-timezone';

/**
 * What must come out, by brute force: minute by minute, from what moment-timezone's own code shows on the clock, as the
 * runtime's rules are older than those that count. Shares the data with the implementation and no code: crons are lists
 * of numbers here, clock changes are found by looking, and there is no stepping.
 */
export interface Plain {
  text: string;
  minutes: number[] | undefined;
  hours: number[] | undefined;
  dates?: number[];
  months?: number[];
  weekdays?: number[];
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** What the clock on the wall shows, as minutes since the epoch of a clock that knows no zone. */
export function clockOf(zone: string): (instant: number) => number {
  const rules = moment.tz.zone(zone);
  if (!rules) throw new Error(`no such zone: ${zone}`);
  return (instant) => instant / minuteMs - Math.round(rules.utcOffset(instant));
}

/** The instants (whole minutes) in the years from 2024 to 2030 at which the clock does not go on by one minute. */
export function changesOf(zone: string): number[] {
  const clock = clockOf(zone);
  const ahead = (instant: number) => clock(instant) - instant / minuteMs;
  const found: number[] = [];
  const stepMs = 12 * hourMs;
  let before = ahead(Date.UTC(2024, 0, 1));
  for (let at = Date.UTC(2024, 0, 1); at < Date.UTC(2031, 0, 1); at += stepMs) {
    const after = ahead(at + stepMs);
    if (after === before) continue;
    let minute = at + minuteMs;
    while (ahead(minute) === before)
      minute += minute % hourMs === 0 && ahead(minute + hourMs) === before ? hourMs : minuteMs;
    found.push(minute);
    before = after;
  }
  return found;
}

export function happensAt(cron: Plain, wallMinute: number): boolean {
  const date = new Date(wallMinute * minuteMs);
  const among = (list: number[] | undefined, value: number) => list === undefined || list.includes(value);
  if (!among(cron.minutes, date.getUTCMinutes()) || !among(cron.hours, date.getUTCHours())) return false;
  if (!among(cron.months, date.getUTCMonth() + 1)) return false;
  if (cron.dates && cron.weekdays)
    return cron.dates.includes(date.getUTCDate()) || cron.weekdays.includes(date.getUTCDay());
  return among(cron.dates, date.getUTCDate()) && among(cron.weekdays, date.getUTCDay());
}

export interface Minute {
  at: number;
  wall: number;
  /** The clock jumped over these wall minutes to get here. */
  skipped: number[];
  /** The clock has shown this minute before. */
  again: boolean;
}

/** The minutes in (change - 1 day, change + 1 day]. */
export function minutesAround(zone: string, change: number): Minute[] {
  const clock = clockOf(zone);
  const minutes: Minute[] = [];
  let highest = clock(change - 24 * hourMs);
  for (let at = change - 24 * hourMs + minuteMs; at <= change + 24 * hourMs; at += minuteMs) {
    const wall = clock(at);
    const skipped: number[] = [];
    for (let missed = highest + 1; missed < wall; missed++) skipped.push(missed);
    minutes.push({ at, wall, skipped, again: wall <= highest });
    highest = Math.max(highest, wall);
  }
  return minutes;
}

/** The rule, once more: a skipped minute happens where the clock goes on, a repeated one only the first time. */
export const oracle = (cron: Plain, minutes: Minute[]): number[] =>
  minutes
    .filter(
      ({ wall, skipped, again }) => (!again && happensAt(cron, wall)) || skipped.some((each) => happensAt(cron, each)),
    )
    .map(({ at }) => at);
