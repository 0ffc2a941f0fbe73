import { tzVersion } from '../../shared/time/tzData.ts';
import { localMinute, wallDate, wallTime } from '../../shared/time/wallclock.ts';
import { instantToWall } from '../../shared/time/zone.ts';
import { commonZone } from '../page/model.ts';
import { widest } from '../terminal/columns.ts';
import type { Span } from '../terminal/span.ts';
import type { Item } from './foresee.ts';

const paint = { start: '32', stop: '33', skip: '2', heading: '1', note: '2' };

/**
 * A plan for people: a heading a day, and the times of one zone: that which was asked for, else the one of most schedules.
 */
export function table(items: Item[], { from, to, zone: asked }: Span, colour: boolean): string {
  const painted = (text: string, how: keyof typeof paint) => (colour ? `\x1b[${paint[how]}m${text}\x1b[0m` : text);
  const zone = asked ?? commonZone([...new Set(items.map(({ schedule }) => schedule))]);
  const minute = (instant: number) => localMinute(zone, instant);
  const end = `from ${minute(from)} to ${minute(to)}.\nTimes of ${zone.name}, by the tz database ${tzVersion}.\n`;
  if (items.length === 0) return `Nothing is planned ${end}`;
  const rows = items.toSorted((a, b) => a.at - b.at).map((item) => ({ ...item, wall: instantToWall(zone, item.at) }));
  const nameWidth = widest(rows.map(({ schedule }) => schedule.key));
  const lines: string[] = [];
  let day = '';
  for (const { wall, schedule, action, note } of rows) {
    const date = wallDate(wall);
    if (date !== day) lines.push(...(day === '' ? [] : ['']), painted(heading(wall), 'heading'));
    day = date;
    const cells = [wallTime(wall), painted(action.padEnd(5), action), schedule.key.padEnd(nameWidth)];
    const said = note?.replace(utcTime, (text) => minute(Date.parse(text)));
    lines.push(`  ${cells.join('  ')}${said ? `  ${painted(said, 'note')}` : ''}`.trimEnd());
  }
  return `${lines.join('\n')}\n\n${counts(items)} ${end}`;
}

/** Notes are written for whoever reads them elsewhere too: here their times are those of the table. */
const utcTime = /\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z/g;

function counts(items: Item[]): string {
  const count = (action: Item['action']) => items.filter((item) => item.action === action).length;
  const words = [
    [count('start'), 'start'],
    [count('stop'), 'stop'],
    [count('skip'), 'skipped'],
  ] as const;
  return words
    .filter(([n]) => n > 0)
    .map(([n, word]) => `${n} ${word}`)
    .join(', ');
}

const heading = (wall: number): string =>
  new Date(wall).toLocaleDateString('en-GB', {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    timeZone: 'UTC',
  });
