import { clockChanges, instantToWall, type Zone } from '../../shared/time/zone.ts';
import { hourMarks, hourStep, laneWidth, midnights, zooms } from './axis.ts';
import type { Course, Period, Stretch } from './course.ts';
import type { Glyph } from './glyphs.ts';
import { type Html, markup } from './markup.ts';
import type { PageModel } from './model.ts';

/** All geometry is in minutes from the beginning across, and pixels down; the browser stretches it to the lane. */
export const minuteOf = (instant: number, { from }: Period): number => Math.round((instant - from) / 60_000);
const widthOf = (period: Period): number => Math.max(1, minuteOf(period.to, period));

export interface Lane {
  top: number;
  height: number;
}
export const rowHeight = 36;
export const lanes = {
  plan: { top: 9, height: 18 },
  /** Over what happened. */
  planned: { top: 5, height: 7 },
  happened: { top: 15, height: 15 },
} satisfies Record<string, Lane>;

/** On is a block, off is a line, unknown is a dotted line: the three differ in shape, not in colour alone. */
export function stretchPaths(stretches: Stretch[], { top, height }: Lane, period: Period): Html {
  const path = (power: Stretch['power'], draw: (x: number, width: number) => string) =>
    stretches
      .filter((one) => one.power === power)
      .map((one) => draw(minuteOf(one.from, period), minuteOf(one.to, period) - minuteOf(one.from, period)))
      .join('');
  const middle = top + height / 2;
  const line = (x: number, width: number) => `M${x} ${middle}h${width}`;
  const found = [
    ['on', path('on', (x, width) => `M${x} ${top}h${width}v${height}h-${width}z`)],
    ['off', path('off', line)],
    ['unknown', path('unknown', line)],
  ] as const;
  return markup`${found.filter(([, d]) => d !== '').map(([name, d]) => markup`<path class="${name}" d="${d}" />`)}`;
}

/** Stretches with the lane, whatever its width. */
export const stretched = (content: Html, period: Period): Html =>
  markup`<svg viewBox="0 0 ${widthOf(period)} ${rowHeight}" preserveAspectRatio="none">${content}</svg>`;

/** At its instant, in its own shape at any zoom. `y` in pixels. */
export const placed = (glyph: Glyph, instant: number, y: number, period: Period): Html =>
  markup`<svg x="${((100 * minuteOf(instant, period)) / widthOf(period)).toFixed(2)}%" y="${y}">
    <use href="#m-${glyph}" />
  </svg>`;

/** What all rows with one course share. */
export function courseSymbol(id: string, { stretches }: Course, marks: Html[], model: PageModel): Html {
  const lane = model.kind === 'plan' ? lanes.plan : lanes.planned;
  const paths = stretchPaths(stretches, lane, model);
  const drawn = model.kind === 'plan' ? paths : markup`<g class="planned">${paths}</g>`;
  return markup`<symbol id="${id}">${stretched(drawn, model)}${marks}</symbol>`;
}

/** Days, weekends, and the present: once behind each block of rows. */
export function gridSymbol(model: PageModel): Html {
  const starts = midnights(model.zone, model);
  const weekends = starts
    .map((at, i) => ({ at, until: starts[i + 1] ?? model.to }))
    .filter(({ at }) => isWeekend(model.zone, at))
    .map(({ at, until }) => {
      const x = minuteOf(Math.max(at, model.from), model);
      return `M${x} 0h${minuteOf(until, model) - x}v1h-${minuteOf(until, model) - x}z`;
    });
  const lines = starts.filter((at) => at > model.from).map((at) => `M${minuteOf(at, model)} 0v1`);
  const present = model.now > model.from && model.now < model.to;
  const changes = clockChanges(model.zone, model.from, model.to - 1).map(({ at }) => `M${minuteOf(at, model)} 0v1`);
  const width = laneWidth(model.zone, model);
  const hours = zooms.map((zoom) => {
    const step = hourStep(model, width, zoom);
    const marks = step === undefined ? [] : hourMarks(model.zone, model, step);
    const d = marks.map(({ at }) => `M${minuteOf(at, model)} 0v1`).join('');
    return d !== '' && markup`<path class="hours z${zoom}" d="${d}" />`;
  });
  const box = `0 0 ${widthOf(model)} 1`;
  return markup`<symbol id="grid" viewBox="${box}" preserveAspectRatio="none"
    ><path class="weekend" d="${weekends.join('')}" />${hours}<path class="day" d="${lines.join('')}" />${
      changes.length > 0 && markup`<path class="change" d="${changes.join('')}" />`
    }${present && markup`<path class="present" d="M${minuteOf(model.now, model)} 0v1" />`}</symbol
  >`;
}

function isWeekend(zone: Zone, midnight: number): boolean {
  const day = new Date(instantToWall(zone, midnight)).getUTCDay();
  return day === 0 || day === 6;
}
