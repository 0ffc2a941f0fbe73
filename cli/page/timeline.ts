import { clockChanges } from '../../shared/time/zone.ts';
import { axis } from './axisMarks.ts';
import type { Course, Switch } from './course.ts';
import { courseSymbol, gridSymbol, lanes, minuteOf, placed, rowHeight, stretched, stretchPaths } from './draw.ts';
import { type Glyph, glyphSymbols, markGlyph, verdictGlyph } from './glyphs.ts';
import { type Html, markup, name } from './markup.ts';
import type { Group, PageModel, Row } from './model.ts';
import { verdictLetter, verdictWords } from './reasons.ts';
import type { Links } from './told.ts';
import { extraGlyph, gravitiesIn, othersIn, type Told, troublesIn } from './troubles.ts';
import { verdicts } from './verdict.ts';
import { count, percent, shortTime } from './words.ts';

/** The id of each course, as it is shared. */
export type Ids = Map<Course, string>;

export const idsOf = ({ groups }: PageModel): Ids => {
  const ids: Ids = new Map();
  for (const { rows } of groups)
    for (const { course } of rows) if (!ids.has(course)) ids.set(course, `c${ids.size + 1}`);
  return ids;
};

/** Rows of one block, which the browser leaves out while it is not in sight. */
const blockRows = 25;

/** Where marks stand, in pixels. */
const markY = { plan: lanes.plan.top + lanes.plan.height / 2, report: lanes.happened.top + lanes.happened.height / 2 };

/** All that is drawn more than once. */
export function symbols(model: PageModel, ids: Ids): Html {
  const zones = new Map(model.groups.flatMap(({ rows }) => rows.map(({ course, zone }) => [course, zone])));
  const marksOf = (course: Course): Html[] => {
    const zone = zones.get(course)!; // the axis shows the changes of its own
    const changes = zone === model.zone ? [] : clockChanges(zone, model.from, model.to - 1);
    const clocks = changes.map(({ at }) => placed('clock', at, 6, model));
    const own = model.kind === 'plan' ? course.switches : course.switches.filter(({ happens }) => !happens);
    return [...clocks, ...own.flatMap((one) => switchMark(one, model))];
  };
  const courses = [...ids].map(([course, id]) => courseSymbol(id, course, marksOf(course), model));
  return markup`<svg class="defs" aria-hidden="true" width="0" height="0">
    <defs>${glyphSymbols()}${gridSymbol(model)}${courses}</defs>
  </svg>`;
}

function switchMark({ at, marks }: Switch, model: PageModel): Html[] {
  const mark = marks.find((one) => one !== 'gap' && one !== 'overlap');
  return mark ? [placed(markGlyph[mark], at, markY.plan, model)] : [];
}

export function timeline(model: PageModel, ids: Ids, links: Links): Html {
  const spelled = verdicts.map((verdict) => `${verdictLetter[verdict]}=${verdictWords[verdict]}`).join(';');
  const label = model.groups.some(({ rows: all }) => all.some(({ wave }) => wave !== undefined)) ? 'VM' : 'Schedule';
  return markup`<div
    class="timeline"
    id="timeline"
    role="region"
    aria-label="Line by line"
    tabindex="0"
    data-zoom="1"
    data-from="${model.from}"
    data-to="${model.to}"
    data-verdicts="${spelled}"
  >
    <div role="table" aria-labelledby="h-timeline" aria-describedby="keys">
      <div role="rowgroup" class="head">
        <div role="row" class="row">
          <div role="columnheader" class="name">${label}</div>
          <div role="columnheader" class="lane">
            <span class="sr">On and off</span><svg class="axis" aria-hidden="true">${axis(model)}</svg>
          </div>
          <div role="columnheader" class="share">Off</div>
        </div>
      </div>
      ${model.groups.map((group) => groupRows(group, model, { ids, links }))}
    </div>
  </div>`;
}

function groupRows({ namespace, rows, saved }: Group, model: PageModel, names: Names): Html {
  const blocks: Row[][] = [];
  for (let i = 0; i < rows.length; i += blockRows) blocks.push(rows.slice(i, i + blockRows));
  const what = rows.some(({ wave }) => wave !== undefined) ? 'VM' : 'schedule';
  return markup`<div role="rowgroup" class="namespace">
      <div role="row" class="row">
        <div role="rowheader" class="name">${name(namespace || '(no namespace)')}</div>
        <div role="cell" class="lane quiet">${count(rows.length, what)}</div>
        <div role="cell" class="share">${percent(saved.offMs, saved.offMs + saved.onMs)}</div>
      </div>
    </div>
    ${blocks.map(
      (block) =>
        markup`<div role="rowgroup" class="block b${block.length}">
          <svg class="grid" aria-hidden="true"><use href="#grid" /></svg
          >${block.map((row) => rowOf(row, namespace, model, names))}
        </div>`,
    )}`;
}

interface Names {
  ids: Ids;
  links: Links;
}

function rowOf(row: Row, namespace: string, model: PageModel, { ids, links }: Names): Html {
  const id = ids.get(row.course)!;
  const anchor = links.get(row);
  const { saved } = row;
  const tags = tagsOf(row, model);
  const zone = row.zone !== model.zone && markup` data-zone="${row.zone.name}"`;
  const bad = gravitiesIn(row).length > 0 ? markup` data-wrong` : '';
  const letters = row.happened && markup` data-v="${lettersOf(row)}"`;
  return markup`<div role="row" class="row" data-find="${`${namespace}/${row.name}`}" ${bad}${letters}${zone}>
    <div role="rowheader" class="name">
      <a href="#t-${id}"${anchor ? markup` id="${anchor}"` : ''} title="${row.name}${tags && `\n${tags}`}"
        >${shortened(row.name)}${tags && markup` <small>${tags}</small>`}</a
      >
    </div>
    <div role="cell" class="lane">
      <svg class="bar" aria-hidden="true">
        <use href="#${id}" />
        ${ownMarks(row, model)}</svg
      ><span class="sr">${spoken(row, model)}</span>
    </div>
    <div role="cell" class="share">${percent(saved.offMs, saved.offMs + saved.onMs)}</div>
  </div>`;
}

/** Long names differ at their ends: where room is short, the middle goes. */
const shortened = (text: string): Html =>
  text.length > 14
    ? markup`<bdi class="long"><span>${text.slice(0, -6)}</span><span>${text.slice(-6)}</span></bdi>`
    : name(text);

/** What holds for this machine beside its schedule. */
function tagsOf({ wave, overrides, schedules, zone }: Row, model: PageModel): string {
  const words: Record<string, string> = {
    'keep-running-until': 'kept running',
    'keep-stopped-until': 'kept stopped',
    'lease-until': 'on demand',
  };
  const said = overrides.map(({ key, level, until }) => {
    const till = until === undefined || until === Infinity ? '' : ` until ${shortTime(model.zone, until)}`;
    return `${words[key] ?? key}${till}${level === 'namespace' ? ' (namespace)' : ''}`;
  });
  const abroad = zone === model.zone ? [] : [zone.name];
  return [
    ...(schedules.length === 0 ? ['no schedule'] : []),
    ...(wave ? [`wave ${wave}`] : []),
    ...said,
    ...abroad,
  ].join(' · ');
}

/** A letter for each of its course's switches; a dash where nothing was to be judged. */
function lettersOf({ course, happened }: Row): string {
  const verdictOf = new Map(happened!.judged.map(({ planned, verdict }) => [planned, verdict]));
  return course.switches.map((one) => (verdictOf.has(one) ? verdictLetter[verdictOf.get(one)!] : '-')).join('');
}

/** What is drawn for this row alone: overrides that hold, and what really happened. */
function ownMarks({ overrides, happened }: Row, model: PageModel): Html {
  const begin = Math.max(model.from, model.now);
  const holds = overrides.flatMap(({ key, until }) => {
    const end = Math.min(until ?? -Infinity, model.to);
    if (end <= begin) return [];
    const y = key === 'keep-stopped-until' ? rowHeight - 4 : 4;
    const d = `M${minuteOf(begin, model)} ${y}h${minuteOf(end, model) - minuteOf(begin, model)}`;
    return [markup`<path class="hold" d="${d}" />`];
  });
  const was = happened && stretchPaths(happened.stretches, lanes.happened, model);
  if (holds.length === 0 && !was) return markup``;
  const marks: [Glyph, number][] = (happened?.judged ?? []).flatMap(({ verdict, planned }) => {
    const glyph = verdictGlyph[verdict];
    return glyph ? [[glyph, planned.at]] : [];
  });
  for (const one of happened?.extra ?? []) marks.push([extraGlyph(one), one.finishedAt]);
  return markup`${stretched(markup`${holds}${was}`, model)}${marks.map(([glyph, at]) => placed(glyph, at, markY.report, model))}`;
}

/** The same for those who do not see it. */
function spoken(row: Row, model: PageModel): string {
  const { course, happened, zone } = row;
  if (happened) {
    const groups = [{ namespace: '', rows: [row], saved: row.saved }];
    const said = ({ at, what, text }: Told) => `${shortTime(zone, at)} ${what}: ${text}`;
    const [bad, rest] = [troublesIn(groups).map(said), othersIn(groups).map(said)];
    const few = (all: string[]) =>
      `${all.slice(0, 5).join('; ')}${all.length > 5 ? `, and ${all.length - 5} more` : ''}`;
    const told =
      bad.length > 0
        ? `Went wrong: ${few(bad)}.`
        : `${count(happened.judged.length, 'switch', 'switches')}, nothing recorded went wrong.`;
    return rest.length > 0 ? `${told} On purpose: ${few(rest)}.` : told;
  }
  const next = course.switches.filter((one) => one.happens && !one.same && one.at >= model.from).slice(0, 2);
  const begins = course.stretches[0]?.power ?? 'unknown';
  const told = next.map(({ at, action }) => `${action} ${shortTime(zone, at)}`).join(', ');
  return `${begins === 'unknown' ? 'Not known' : `Is ${begins}`} at first${told ? `; ${told}` : '; no change'}.`;
}
