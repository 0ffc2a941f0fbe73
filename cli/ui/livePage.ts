import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { markup } from '../page/markup.ts';
import { part, shell } from '../page/shell.ts';

const own = (file: string): string => readFileSync(join(import.meta.dirname, file), 'utf8');

/** The page that lives: it has no VM in it, and is told of them by its server. */
export function livePage(cluster: string): string {
  const durations = ['1h', '2h', '4h', '12h', '1d'];
  const body = markup`<a class="skip" href="#live">To the VMs</a>
    <header>
      <p class="brand">Wukong Lifecycle</p>
      <h1>VMs now</h1>
      <p class="quiet"><bdi>${cluster}</bdi> · <span id="link" role="status">Connecting</span></p>
    </header>
    <main>
      <section aria-labelledby="h-plan">
        <h2 id="h-plan">The next 24 hours</h2>
        <ul id="plan"></ul>
      </section>
      <section aria-labelledby="h-live">
        <h2 id="h-live">Every VM, failures first</h2>
        <div class="finder">
          <label>Find <input type="search" id="find" autocomplete="off" spellcheck="false" /></label>
          <p class="quiet" id="count"></p>
          <p class="quiet">Arrow keys go from VM to VM, Enter switches or keeps it.</p>
        </div>
        <table id="live">
          <thead>
            <tr>
              <th scope="col">VM</th>
              <th scope="col">State</th>
              <th scope="col">Last</th>
              <th scope="col">Next</th>
              <th scope="col"><span class="sr">Actions</span></th>
            </tr>
          </thead>
          <tbody id="rows"></tbody>
        </table>
      </section>
      <p id="said" role="status"></p>
    </main>
    <dialog id="dialog" aria-labelledby="who">
      <h2 id="who"></h2>
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
  const style = `${part('page.css')}\n${part('lists.css')}\n${part('shapes.css')}\n${own('ui.css')}`;
  return shell({ title: 'VMs now', style, script: own('ui.js'), body, asks: true });
}
