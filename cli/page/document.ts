import { isShort, laneWidth, phoneWidth, zooms } from './axis.ts';
import { hasHours } from './axisMarks.ts';
import { rowHeight } from './draw.ts';
import { advice } from './empty.ts';
import { legend } from './legend.ts';
import { type Html, markup } from './markup.ts';
import type { PageModel } from './model.ts';
import { schedules } from './schedules.ts';
import { part, shell } from './shell.ts';
import { heading, summary, tiles, titleOf } from './summary.ts';
import { idsOf, symbols, timeline } from './timeline.ts';
import { times } from './times.ts';
import { linksTo, short } from './told.ts';
import { othersIn, troublesIn } from './troubles.ts';
import { longTime } from './words.ts';
import { others, wrong } from './wrong.ts';

/**
 * The whole page in one file. It fetches nothing, and its policy forbids it to: style and script are named by their
 * hashes, all else but pictures within the page is refused.
 */
export function renderPage(model: PageModel): string {
  const style = [
    ...['page', 'lists', 'shapes', 'tools', 'timeline', 'lanes', 'phone', 'paper'].map((name) => part(`${name}.css`)),
    measures(model),
  ].join('\n');
  const ids = idsOf(model);
  const from = longTime(model.zone, model.from).replace(/,.*/, '');
  const title = `${titleOf(model)}, from ${from}`;
  const [troubles, rest] = [troublesIn(model.groups), othersIn(model.groups)];
  const links = linksTo([...troubles, ...rest]);
  const judged = model.kind === 'report' && model.saved.machines > 0;
  const chart =
    model.groups.length > 0 &&
    markup`<section class="chart" aria-labelledby="h-timeline">
      <h2 id="h-timeline">Timeline</h2>
      ${legend(model)} ${tools(model)} ${timeline(model, ids, links)}
      <p class="readout" id="readout" role="status"></p>
    </section>`;
  const body = markup`${symbols(model, ids)}
    ${chart && markup`<a class="skip" href="#timeline">To the timeline</a>`} ${heading(model)}
    <main>
      ${tiles(model)} ${messages(model)} ${advice(model)} ${judged && wrong(model, troubles, links)} ${chart}
      ${others(model, rest, links)} ${chart && summary(model)} ${schedules(model)} ${chart && times(model, ids)}
    </main>`;
  return shell({ title, style, script: ['moments.js', 'page.js'].map(part).join('\n'), body });
}

/** What depends on the period: how wide a lane must be to be read, and how tall a block is before it is drawn. */
function measures(model: PageModel): string {
  const blocks = Array.from(
    { length: 25 },
    (_, i) => `.b${i + 1}{contain-intrinsic-height:calc(${i + 1} * var(--tall))}`,
  );
  const tall = zooms
    .filter((zoom) => hasHours(model, zoom))
    .map((zoom) => `.timeline[data-zoom='${zoom}']{--head:${rowHeight + 15}px;--z${zoom}:inline}`);
  const lane = `--width:${laneWidth(model.zone, model)}px`;
  const fits = isShort(model) ? `.timeline[data-zoom='1']{overflow:visible}` : '';
  const phone = `@media(max-width:40rem){:root{--width:${phoneWidth(model.zone, model)}px}${fits}}`;
  return `:root{${lane};--row:${rowHeight}px;--head:${rowHeight}px}${phone}${tall.join('')}${blocks.join('')}`;
}

/** Of each kind so many are read before the data; the others are a click away. */
const messagesAtOnce = 2;
const mostMessages = 50;

function messages({ problems, notes }: PageModel): Html {
  const item = (line: string) => markup`<li>${short(line)}</li>`;
  const list = (kind: string, title: string, lines: string[]) => {
    const more = lines.slice(messagesAtOnce, mostMessages);
    const left = lines.length - mostMessages;
    return (
      lines.length > 0 &&
      markup`<section class="${kind}" aria-labelledby="h-${kind}">
        <h2 id="h-${kind}">${title}</h2>
        <ul>
          ${lines.slice(0, messagesAtOnce).map(item)}
        </ul>
        ${
          more.length > 0 &&
          markup`<details>
            <summary>${lines.length - messagesAtOnce} more</summary>
            <ul>
              ${more.map(item)}${left > 0 && markup`<li>and ${left} more</li>`}
            </ul>
          </details>`
        }
      </section>`
    );
  };
  return markup`${list('problems', 'Could not be read', problems)}${list('notes', 'Good to know', notes)}`;
}

/** Shown by the script, as nothing of it works without. */
const tools = ({ kind }: PageModel): Html =>
  markup`<form class="tools" id="tools" hidden>
    <label
      >Find <input type="search" id="find" autocomplete="off" spellcheck="false" placeholder="namespace/name"
    /></label>
    ${kind === 'report' && markup`<label><input type="checkbox" id="wrong" /> Only what went wrong</label>`}
    <fieldset>
      <legend class="sr">Width</legend>
      ${[1, 2, 4].map((zoom) => markup`<label><input type="radio" name="zoom" value="${zoom}" ${zoom === 1 && markup` checked`} /><span>${zoom === 1 ? 'Fit' : `${zoom}×`}</span></label>`)}
    </fieldset>
    <p class="quiet" id="left" role="status"></p>
    <p class="quiet" id="keys">
      Arrow keys: up and down from line to line, left and right from switch to switch, Enter for all times.
    </p>
  </form>`;
