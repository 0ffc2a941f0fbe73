import { instantText } from '../../shared/domain/instant.ts';
import { tzVersion } from '../../shared/time/tzData.ts';
import type { Zone } from '../../shared/time/zone.ts';
import type { Course } from './course.ts';
import { type Html, markup, name } from './markup.ts';
import type { PageModel, Row } from './model.ts';
import { whyText } from './reasons.ts';
import type { Ids } from './timeline.ts';
import { count, shortTime } from './words.ts';

/** Every switch of every course as a table: what the timeline shows, to be read. */
export function times(model: PageModel, ids: Ids): Html {
  const users = new Map<Course, string[]>();
  const rowsOf = new Map<Course, Row>();
  for (const { namespace, rows } of model.groups)
    for (const row of rows) {
      const all = users.get(row.course) ?? [];
      all.push(namespace ? `${namespace}/${row.name}` : row.name);
      users.set(row.course, all);
      rowsOf.set(row.course, row);
    }
  return markup`<section aria-labelledby="h-times">
    <h2 id="h-times">All times${model.kind === 'report' && ', as planned'}</h2>
    <p class="quiet">Time zones as in the tz database ${tzVersion}.</p>
    ${[...ids].map(([course, id]) => courseTable(id, course, users.get(course)!, rowsOf.get(course)!))}
  </section>`;
}

const mostNames = 12;
/** A schedule of every minute has more than anybody reads. */
const mostSwitches = 1_000;

function switchLine(one: Course['switches'][number], zone: Zone): Html {
  const iso = instantText(one.at);
  const what = one.happens ? one.action : `no ${one.action}`;
  const quiet = one.happens && !one.same ? '' : markup` class="quiet"`;
  return markup`<tr${quiet}><th scope="row"><time datetime="${iso}">${shortTime(zone, one.at)}</time></th><td>${what}</td><td>${one.boundary.schedule.name}</td><td>${whyText(one, zone)}</td></tr>`;
}

function courseTable(id: string, course: Course, who: string[], { zone, schedules: own }: Row): Html {
  const [first = '', ...rest] = who;
  const keys = own.map(({ key }) => key).join(', ') || 'no schedule';
  const left = course.switches.length - mostSwitches;
  const rows = course.switches.slice(0, mostSwitches).map((one) => switchLine(one, zone));
  const names =
    rest.length > 0 &&
    markup`<p class="quiet">
      ${who.slice(0, mostNames).join(', ')}${who.length > mostNames && ` and ${count(who.length - mostNames, 'other')}`}
    </p>`;
  return markup`<details>
    <summary id="t-${id}">${name(first)}${rest.length > 0 && ` and ${count(rest.length, 'other')}`} <small>${keys}</small></summary>
    ${names}
    ${
      rows.length === 0
        ? markup`<p>Nothing is planned.</p>`
        : markup`<table class="text">
            <caption>
              Times in ${zone.name}
            </caption>
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">What</th>
                <th scope="col">Schedule</th>
                <th scope="col">Why</th>
              </tr>
            </thead>
            <tbody>
              ${rows}
            </tbody>
          </table>`
    }
    ${left > 0 && markup`<p class="quiet">${count(left, 'later switch', 'later switches')} left out.</p>`}
  </details>`;
}
