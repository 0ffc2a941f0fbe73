import { Cron as Croner } from 'croner';

import { parseCron } from '../shared/time/cron.ts';
import { parseZone } from '../shared/time/parseZone.ts';
import { nextAfter } from '../shared/time/wallclock.ts';
import { type Row, row } from './row.ts';

const zones = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Africa/Cairo'];
const crons = ['0 8 * * 1-5', '0 20 * * 1-5', '30 2 * * *', '*/15 6-9 1,15 * *'];
const from = Date.parse('2026-01-01T00:00:00Z');
const evaluationsEach = 2_000;

/** Evaluations a second: the next time of each cron in each zone, hour after hour over three months. */
function perSecond(nexts: ((instant: number) => unknown)[]): number {
  const began = performance.now();
  for (const next of nexts) for (let i = 0; i < evaluationsEach; i++) next(from + i * 3_600_000);
  return (nexts.length * evaluationsEach) / ((performance.now() - began) / 1000);
}

const best = (measure: () => number): number => Math.max(measure(), measure(), measure());

/** Against croner, the fastest kept library: both parse once and are asked again and again, as a tick does. */
export async function evaluations(): Promise<Row[]> {
  const pairs = zones.flatMap((zone) => crons.map((cron) => ({ zone, cron })));
  const ours = pairs.map(({ zone, cron }) => {
    const [parsed, place] = [parseCron(cron), parseZone(zone)];
    return (instant: number) => nextAfter(parsed, place, instant);
  });
  const theirs = pairs.map(({ zone, cron }) => {
    const parsed = new Croner(cron, { timezone: zone });
    return (instant: number) => parsed.nextRun(new Date(instant));
  });
  const rivalValue = best(() => perSecond(theirs));
  return Promise.resolve([
    row(
      'schedule/evaluations',
      best(() => perSecond(ours)),
      '1/s',
      { rival: 'croner', rivalValue },
    ),
  ]);
}
