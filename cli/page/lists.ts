import { tzVersion } from '../../shared/time/tzData.ts';
import type { Course } from './course.ts';
import { type Glyph, glyphWords, icon, markGlyph, verdictGlyph } from './glyphs.ts';
import { type Html, markup, name } from './markup.ts';
import type { PageModel, Row, ScheduleView } from './model.ts';
import { extraText, verdictText, whyText } from './reasons.ts';
import type { Ids } from './timeline.ts';
import { count, cronText, dateText, durationText, longTime, offsetText, shortTime } from './words.ts';

/** What the shapes mean: those that this page has, and no more. */
export function legend(model: PageModel): Html {
  const used = new Set<Glyph>();
  for (const { rows } of model.groups)
    for (const { course, happened } of rows) {
      for (const one of course.switches)
        if (model.kind === 'plan' || !one.happens)
          for (const mark of one.marks) if (mark !== 'gap' && mark !== 'overlap') used.add(markGlyph[mark]);
      for (const { verdict } of happened?.judged ?? []) if (verdictGlyph[verdict]) used.add(verdictGlyph[verdict]);
      if (happened && happened.extra.length > 0) used.add('extra');
    }
  if (model.schedules.some(({ changes }) => changes.length > 0)) used.add('clock');
  const held = model.groups.some(({ rows }) => rows.some(({ overrides }) => overrides.some(({ until }) => until)));
  const shapes: Record<string, string> = { on: 'M1 2h28v14h-28z', present: 'M15 1v16' };
  const sample = (kind: string, words: string) =>
    markup`<li>
      <svg class="sample" viewBox="0 0 30 18" aria-hidden="true">
        <path class="${kind}" d="${shapes[kind] ?? 'M1 9h28'}" /></svg
      >${words}
    </li>`;
  const present = model.now > model.from && model.now < model.to;
  return markup`<ul class="legend" aria-label="What the shapes mean">
    ${sample('on', 'On')}${sample('off', 'Off')}${sample('unknown', 'Not known')}${present && sample('present', 'Now')}${
      held && sample('hold', 'An override holds')
    }${Object.entries(glyphWords)
      .filter(([glyph]) => used.has(glyph as Glyph))
      .map(([glyph, words]) => markup`<li>${icon(glyph as Glyph)}${words}</li>`)}${
      model.kind === 'report' && markup`<li class="quiet">Above, hollow: planned. Below, solid: as it was.</li>`
    }
  </ul>`;
}

/** Every switch that was not as planned, and everything that nobody had planned. */
export function differences(model: PageModel): Html {
  const found = model.groups
    .flatMap(({ namespace, rows }) => rows.flatMap((row) => differencesOf(row, namespace)))
    .sort((a, b) => b.at - a.at);
  const shown = found.slice(0, 1_000);
  const left = found.length - shown.length;
  const line = ({ at, who, what, glyph, text, message, row }: (typeof found)[number]) =>
    markup`<tr>
      <td>
        <time datetime="${new Date(at).toISOString()}">${shortTime(row.zone, at)}</time
        >${row.zone !== model.zone && markup` <small>${row.zone.name}</small>`}
      </td>
      <th scope="row">${name(who)}</th>
      <td>${what}</td>
      <td class="verdict">${icon(glyph)} ${text}</td>
      <td>${message}</td>
    </tr>`;
  return markup`<section aria-labelledby="h-differs">
    <h2 id="h-differs">What was not as planned</h2>
    ${
      found.length === 0
        ? markup`<p>Nothing that is recorded differs from the plan.</p>`
        : markup`<div class="wide tall" role="region" aria-label="Each of them" tabindex="0">
            <table class="text">
              <thead>
                <tr>
                  <th scope="col">When</th>
                  <th scope="col">VM</th>
                  <th scope="col">Planned</th>
                  <th scope="col">What came of it</th>
                  <th scope="col">In its own words</th>
                </tr>
              </thead>
              <tbody>
                ${shown.map(line)}
              </tbody>
            </table>
          </div>`
    }${left > 0 && markup`<p class="quiet">${count(left, 'older line')} left out.</p>`}
  </section>`;
}

const unseen = 'Nothing tells that it was done, and it was not so before.';

function differencesOf(row: Row, namespace: string) {
  const who = `${namespace}/${row.name}`;
  const judged = (row.happened?.judged ?? []).flatMap((one) => {
    const glyph = verdictGlyph[one.verdict];
    if (!glyph || one.verdict === 'unrecorded') return [];
    const { at, action } = one.planned;
    const message = one.happening?.message ?? (one.verdict === 'missed' ? unseen : '');
    return [{ at, who, row, glyph, what: action as string, text: verdictText(one), message }];
  });
  const extra = (row.happened?.extra ?? []).map((one) => ({
    at: one.finishedAt,
    who,
    row,
    glyph: 'extra' as Glyph,
    what: 'nothing',
    text: extraText(one),
    message: one.message,
  }));
  return [...judged, ...extra];
}

/** Each schedule in words. */
export function schedules(model: PageModel): Html {
  return markup`<section aria-labelledby="h-schedules">
    <h2 id="h-schedules">Schedules</h2>
    ${model.schedules.length === 0 ? markup`<p>There are none.</p>` : markup`<div class="cards">${model.schedules.map(card)}</div>`}
  </section>`;
}

function card({ schedule, matched, holidays, changes }: ScheduleView): Html {
  const { key, zone, start, stop, suspended, policy, waves, jitterSeconds, startingDeadlineMs } = schedule;
  const offset = (at: number) => offsetText(zone, at);
  const facts: [string, string][] = [
    ['Start', start ? cronText(start) : 'never'],
    ['Stop', stop ? cronText(stop) : 'never'],
    ['Zone', zone.name],
    ...(holidays.length > 0 ? [['Holidays', holidays.map(dateText).join(', ')] as [string, string]] : []),
    ...changes.map(({ at }): [string, string] => [
      'Clock change',
      `${longTime(zone, at)}: from ${offset(at - 1)} to ${offset(at)}`,
    ]),
    ['By hand', policy === 'Enforce' ? 'undone' : 'respected until the next switch'],
    ...(waves.delayMs > 0 ? [['Waves', `${durationText(waves.delayMs)} between them`] as [string, string]] : []),
    ...(jitterSeconds > 0
      ? [['Jitter', `starts spread over ${durationText(jitterSeconds * 1000)}`] as [string, string]]
      : []),
    ['Missed after', durationText(startingDeadlineMs)],
  ];
  return markup`<article class="card">
    <h3>${name(key)}</h3>
    <p class="quiet">${suspended ? 'Suspended' : count(matched, 'VM')}</p>
    <dl>
      ${facts.map(
        ([label, value]) =>
          markup`<div>
            <dt>${label}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
  </article>`;
}

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

function courseTable(id: string, course: Course, who: string[], { zone, schedules: own }: Row): Html {
  const [first = '', ...rest] = who;
  const keys = own.map(({ key }) => key).join(', ') || 'no schedule';
  const left = course.switches.length - mostSwitches;
  const rows = course.switches.slice(0, mostSwitches).map((one) => {
    const iso = new Date(one.at).toISOString();
    const what = one.happens ? one.action : `no ${one.action}`;
    const quiet = one.happens && !one.same ? '' : markup` class="quiet"`;
    return markup`<tr${quiet}><th scope="row"><time datetime="${iso}">${shortTime(zone, one.at)}</time></th><td>${what}</td><td>${one.boundary.schedule.name}</td><td>${whyText(one, zone)}</td></tr>`;
  });
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
