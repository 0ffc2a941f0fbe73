import { ticks } from './axis.ts';
import { rowHeight } from './draw.ts';
import { differences, legend, schedules, times } from './lists.ts';
import { type Html, markup } from './markup.ts';
import type { PageModel } from './model.ts';
import { part, shell } from './shell.ts';
import { heading, summary, tiles, titleOf } from './summary.ts';
import { idsOf, symbols, timeline } from './timeline.ts';
import { longTime } from './words.ts';

/**
 * The whole page in one file. It fetches nothing, and its policy forbids it to: style and script are named by their
 * hashes, all else but pictures within the page is refused.
 */
export function renderPage(model: PageModel): string {
  const style = `${part('page.css')}\n${measures(model)}`;
  const ids = idsOf(model);
  const from = longTime(model.zone, model.from).replace(/,.*/, '');
  const title = `${titleOf(model)}, from ${from}`;
  const body = markup`${symbols(model, ids)}
    <a class="skip" href="#timeline">To the timeline</a>
    ${heading(model)}
    <main>
      ${messages(model)} ${tiles(model)}
      <section aria-labelledby="h-timeline">
        <h2 id="h-timeline">Timeline</h2>
        ${legend(model)} ${tools(model)} ${timeline(model, ids)}
        <p class="readout" id="readout" role="status"></p>
      </section>
      ${model.kind === 'report' && differences(model)} ${summary(model)} ${schedules(model)} ${times(model, ids)}
    </main>`;
  return shell({ title, style, script: part('page.js'), body });
}

/** What depends on the period: how wide a lane must be to be read, and how tall a block is before it is drawn. */
function measures(model: PageModel): string {
  const days = (model.to - model.from) / 86_400_000;
  const labels = ticks(model.zone, model).length;
  const width = Math.round(days <= 10 ? Math.max(320, days * 80) : Math.max(640, labels * 28));
  const blocks = Array.from({ length: 25 }, (_, i) => `.b${i + 1}{contain-intrinsic-height:${(i + 1) * rowHeight}px}`);
  return `:root{--width:${width}px;--row:${rowHeight}px}${blocks.join('')}`;
}

function messages({ problems, notes }: PageModel): Html {
  const list = (kind: string, title: string, lines: string[]) =>
    lines.length > 0 &&
    markup`<section class="${kind}" aria-labelledby="h-${kind}">
      <h2 id="h-${kind}">${title}</h2>
      <ul>
        ${lines.slice(0, 50).map((line) => markup`<li>${line}</li>`)}${lines.length > 50 && markup`<li>and ${lines.length - 50} more</li>`}
      </ul>
    </section>`;
  return markup`${list('problems', 'Could not be read', problems)}${list('notes', 'Good to know', notes)}`;
}

/** Shown by the script, as nothing of it works without. */
const tools = ({ kind, groups }: PageModel): Html =>
  markup`<form class="tools" id="tools" hidden>
    <label
      >Find <input type="search" id="find" autocomplete="off" spellcheck="false" placeholder="namespace/name"
    /></label>
    ${kind === 'report' && markup`<label><input type="checkbox" id="differing" /> Only what differed</label>`}
    <fieldset>
      <legend class="sr">Width</legend>
      ${[1, 2, 4].map((zoom) => markup`<label><input type="radio" name="zoom" value="${zoom}" ${zoom === 1 && markup` checked`} /><span>${zoom === 1 ? 'Fit' : `${zoom}×`}</span></label>`)}
    </fieldset>
    <p class="quiet" id="keys">
      ${groups.length > 0 && 'Arrow keys: up and down from line to line, left and right from switch to switch, Enter for all times.'}
    </p>
  </form>`;
