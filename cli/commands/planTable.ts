import { tzVersion } from '../../shared/time/tzData.ts';
import { wallDate, wallTime } from '../../shared/time/wallclock.ts';
import { instantToWall } from '../../shared/time/zone.ts';
import { widest } from '../terminal/columns.ts';
import type { Span } from '../terminal/span.ts';
import type { Item } from './foresee.ts';

const paint = { start: '32', stop: '33', skip: '2', heading: '1', note: '2' };

/** A plan for people: a heading a day, and local times. */
export function table(items: Item[], { from, to, zone }: Span, colour: boolean): string {
  const painted = (text: string, how: keyof typeof paint) => (colour ? `\x1b[${paint[how]}m${text}\x1b[0m` : text);
  const span = `from ${minute(from)} to ${minute(to)} UTC`;
  const zones = `Time zones: tz database ${tzVersion}.`;
  if (items.length === 0) return `Nothing is planned ${span}.\n${zones}\n`;
  const rows = items.map((item) => {
    const shown = zone ?? item.schedule.zone;
    const wall = instantToWall(shown, item.at);
    return { ...item, wall, zone: shown.name };
  });
  // Zones may be a day apart: each local date has one heading.
  rows.sort((a, b) => Math.floor(a.wall / 86_400_000) - Math.floor(b.wall / 86_400_000) || a.at - b.at);
  const width = (of: (row: (typeof rows)[number]) => string) => widest(rows.map(of));
  const [nameWidth, zoneWidth] = [width(({ schedule }) => schedule.key), width((row) => row.zone)];
  const lines: string[] = [];
  let day = '';
  for (const { wall, schedule, zone: where, action, note } of rows) {
    const date = wallDate(wall);
    if (date !== day) lines.push(...(day === '' ? [] : ['']), painted(heading(wall), 'heading'));
    day = date;
    const cells = [
      wallTime(wall),
      painted(action.padEnd(5), action),
      schedule.key.padEnd(nameWidth),
      where.padEnd(zoneWidth),
    ];
    lines.push(`  ${cells.join('  ')}${note ? `  ${painted(note, 'note')}` : ''}`.trimEnd());
  }
  return `${lines.join('\n')}\n\n${counts(items)} ${span}.\n${zones}\n`;
}

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

const minute = (instant: number): string => new Date(instant).toISOString().slice(0, 16).replace('T', ' ');

const heading = (wall: number): string =>
  new Date(wall).toLocaleDateString('en-GB', {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    timeZone: 'UTC',
  });
