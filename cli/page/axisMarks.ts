import { clockChanges } from '../../shared/time/zone.ts';
import {
  dayPx,
  hourMarks,
  hourStep,
  isShort,
  laneWidth,
  phoneWidth,
  type Tick,
  ticks,
  type Zoom,
  zooms,
} from './axis.ts';
import { minuteOf } from './draw.ts';
import { type Html, markup } from './markup.ts';
import type { PageModel } from './model.ts';

/** The labels over the lanes: each day, and hours where there is room for them. */
export function axis(model: PageModel): Html {
  const all = ticks(model.zone, model);
  const changes = clockChanges(model.zone, model.from, model.to - 1);
  const second = ((all[1]?.at ?? model.to) - model.from) / (model.to - model.from);
  const short = isShort(model);
  // A first day that is nearly over has no room for its label: it stands over that of the second.
  const crowded = second * laneWidth(model.zone, model) < dayPx;
  const close = crowded || second * phoneWidth(model.zone, model) < dayPx;
  const days = all.map((tick, i) => {
    const changed = changes.some(({ at }) => at >= tick.at && at < (all[i + 1]?.at ?? model.to));
    if (crowded && i === 0) return at(tick.at, oneLine(tick), model);
    const beside = crowded && i === 1;
    const above = beside ? short && yielding(tick) : upper(tick, close && i === 1 && short);
    const label = markup`${above}<text x="4" y="30">${tick.day}</text>${changed && clock(beside && short ? 48 : 25)}`;
    return at(tick.at, label, model);
  });
  return markup`${days}${hours(model)}`;
}

const at = (instant: number, content: Html, model: PageModel): Html =>
  markup`<svg x="${((100 * minuteOf(instant, model)) / minuteOf(model.to, model)).toFixed(2)}%">${content}</svg>`;

/** `Mon` over `30`, or the month where it begins: two short lines find room in a lane of a month. */
const upper = ({ weekday, month }: Tick, yields: boolean): Html =>
  markup`<text x="4" y="14" class="${month ? 'month' : 'weekday'}${yields && ' yield'}">${month ?? weekday}</text>`;

const oneLine = ({ month, day }: Tick): Html => markup`<text x="1" y="11" class="tight">${month} ${day}</text>`;

/** Not on a phone. */
const yielding = ({ weekday }: Tick): Html => markup`<text x="21" y="30" class="weekday yield">${weekday}</text>`;

/** The clock changes on this day. */
const clock = (x: number): Html => markup`<use href="#m-clock" transform="translate(${x} 26) scale(0.75)" />`;

/** Each with the zooms at which it has room: `z4`; `f4` where it has none on a phone. */
function hours(model: PageModel): Html[] {
  const shown = new Map<number, { text: string; classes: string }>();
  const [width, phone] = [laneWidth(model.zone, model), phoneWidth(model.zone, model)];
  for (const zoom of zooms) {
    const step = hourStep(model, width, zoom);
    const phoneStep = hourStep(model, phone, zoom) ?? 24;
    for (const { at: instant, text } of step === undefined ? [] : hourMarks(model.zone, model, step)) {
      const fine = Number(text) % phoneStep === 0 ? '' : ` f${zoom}`;
      const known = shown.get(instant)?.classes ?? 'hour';
      shown.set(instant, { text, classes: `${known} z${zoom}${fine}` });
    }
  }
  return [...shown].map(([instant, { text, classes }]) =>
    at(instant, markup`<text y="45" class="${classes}">${text}</text>`, model),
  );
}

/** Whether hours stand below the days at this zoom: the head is taller then. */
export const hasHours = (model: PageModel, zoom: Zoom): boolean =>
  hourStep(model, laneWidth(model.zone, model), zoom) !== undefined;
