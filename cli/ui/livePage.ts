import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { glyphSymbols } from '../page/glyphs.ts';
import { type Html, markup } from '../page/markup.ts';
import { part, shell } from '../page/shell.ts';

const own = (file: string): string => readFileSync(join(import.meta.dirname, file), 'utf8');

/** A section that the server fills: cli/ui/liveParts.ts. */
const place = (id: string, title: string): Html =>
  markup`<section aria-labelledby="h-${id}">
    <h2 id="h-${id}">${title}</h2>
    <div id="${id}"></div>
  </section>`;

const headings = ['VM', 'State', 'Last', 'Next'];
const table = markup`<table id="live">
  <thead>
    <tr>
      ${headings.map((heading) => markup`<th scope="col">${heading}</th>`)}
      <th scope="col"><span class="sr">Actions</span></th>
    </tr>
  </thead>
  <tbody id="rows"></tbody>
</table>`;

/** What may be done with one VM. */
function dialog(): Html {
  const durations = ['1h', '2h', '4h', '12h', '1d'];
  return markup`<dialog id="dialog" aria-labelledby="who">
      <h2 id="who" tabindex="-1" autofocus></h2>
      <p>
        <button type="button" data-action="stop">Stop</button> <button type="button" data-action="start">Start</button>
      </p>
      <p>
        <label
          >For <select id="for">
            ${durations.map((each) => markup`<option>${each}</option>`)}
          </select></label
        >
        ${' '}<button type="button" data-action="keep running">Keep running</button>${' '}<button
          type="button"
          data-action="keep stopped"
        >
          Keep stopped</button
        >${' '}<button type="button" data-action="clear">Let schedules rule again</button>
      </p>
      <p><button type="button" id="cancel">Cancel</button></p>
    </dialog>`;
}

/** The page that lives: it has no VM in it, and is told of them by its server. */
export function livePage(cluster: string): string {
  const body = markup`<svg class="defs" aria-hidden="true" width="0" height="0">
      <defs>${glyphSymbols()}</defs>
    </svg>
    <a class="skip" href="#live">To the VMs</a>
    <header>
      <p class="brand">Wukong Lifecycle</p>
      <h1>VMs now</h1>
      <p class="quiet"><bdi>${cluster}</bdi> · <span id="link" role="status">Connecting</span></p>
    </header>
    <main>
      <div id="advice"></div>
      <div id="figures"></div>
      <p class="sr" id="news" role="status"></p>
      ${place('wrong', 'What went wrong')}
      <div class="beside">${place('plan', 'The next 24 hours')} ${place('runs', 'Last runs')}</div>
      <section aria-labelledby="h-live">
        <h2 id="h-live">Every VM, failures first</h2>
        <div class="finder">
          <label>Find <input type="search" id="find" autocomplete="off" spellcheck="false" /></label>
          <p class="quiet" id="count" role="status"></p>
          <p class="quiet" id="keys">Arrow keys go from VM to VM, Enter switches or keeps it.</p>
        </div>
        ${table}
      </section>
      <p id="said" role="status"></p>
    </main>
    ${dialog()}`;
  const style = [...['page.css', 'lists.css', 'shapes.css'].map(part), own('ui.css')].join('\n');
  return shell({ title: 'VMs now', style, script: own('ui.js'), body, asks: true });
}
