import { instantText } from '../../shared/domain/instant.ts';
import { type Glyph, icon, verdictGlyph } from './glyphs.ts';
import { type Html, markup, name } from './markup.ts';
import type { Group, PageModel, Row } from './model.ts';
import { verdictWords } from './reasons.ts';
import { costOf } from './saved.ts';
import { gravities, type Gravity, gravityOf, troubleCounts } from './troubles.ts';
import { shownVerdicts, type Verdict, verdicts } from './verdict.ts';
import { count, durationText, figure, longTime, money, offsetText, percent } from './words.ts';

export const titleOf = ({ kind }: PageModel): string =>
  kind === 'plan' ? 'When VMs will be on and off' : 'What was planned, and what happened';

/** What page this is, of what time, in which zone. */
export function heading(model: PageModel): Html {
  const { zone, from, to, now } = model;
  const time = (at: number) => markup`<time datetime="${instantText(at)}">${longTime(zone, at)}</time>`;
  const [first, last] = [offsetText(zone, from), offsetText(zone, to - 1)];
  const offset = first === last ? first : `${first}, later ${last}`;
  return markup`<header>
    <p class="brand">Wukong Lifecycle</p>
    <h1>${titleOf(model)}</h1>
    <p class="period">${time(from)} <span class="dash">to</span> ${time(to)}</p>
    <p class="quiet">
      Times are those of ${zone.name} (${offset}) unless a line names another zone. Made ${time(now)}.
    </p>
  </header>`;
}

/** How planned switches went; what went wrong without a plan is counted with what it is. */
export const verdictCounts = (rows: Row[]): Map<Verdict, number> => {
  const counts = new Map<Verdict, number>(verdicts.map((verdict) => [verdict, 0]));
  const count = (verdict: Verdict) => counts.set(verdict, counts.get(verdict)! + 1);
  for (const { happened } of rows) {
    for (const { verdict } of happened?.judged ?? []) count(verdict);
    for (const gravity of (happened?.extra ?? []).flatMap((one) => gravityOf(one) ?? [])) count(gravity);
  }
  return counts;
};

const hours = (ms: number): string => figure(ms / 3_600_000);

/** One figure of the top. `tone` colours what should be nought. */
export const tile = (value: string, label: string, { small = '', glyph, tone }: Tile = {}): Html =>
  markup`<div class="tile${tone && ` ${tone}`}">
    <dt>${label}</dt>
    <dd>${glyph && icon(glyph)}${value}${small && markup` <small>${small}</small>`}</dd>
  </div>`;

interface Tile {
  small?: string;
  glyph?: Glyph | undefined;
  tone?: 'bad' | 'warn' | undefined;
}

const tones = { failed: 'bad', missed: 'bad', forced: 'warn', unseen: 'warn', late: 'warn' } as const;

/** What went wrong, the gravest first. Nought is said too, of what every night is asked for. */
export const troubleTiles = (counts: Partial<Record<Gravity, number>>): Html[] =>
  gravities
    .filter((gravity) => counts[gravity] !== undefined)
    .filter((gravity) => counts[gravity]! > 0 || gravity === 'failed' || gravity === 'missed' || gravity === 'forced')
    .map((gravity) => {
      const n = counts[gravity]!;
      const some = n > 0;
      const shown = some ? { glyph: verdictGlyph[gravity], tone: tones[gravity] } : {};
      return tile(figure(n), verdictWords[gravity], shown);
    });

/** The figures that most readers came for: what went wrong, beside what was saved. */
export function tiles(model: PageModel): Html {
  const { saved, prices } = model;
  const cost = costOf(saved, prices);
  const known = saved.onMs + saved.offMs;
  const rows = model.groups.flatMap((group) => group.rows);
  if (rows.length === 0) return markup``;
  const off = model.kind === 'plan' ? 'of the time off' : 'of the known time off';
  const judged = model.kind === 'report' && saved.machines > 0;
  return markup`<dl class="tiles">
    ${[
      judged && [...troubleTiles(troubleCounts(rows)), onTime(rows)],
      saved.machines > 0 && tile(figure(saved.machines), saved.machines === 1 ? 'VM' : 'VMs'),
      tile(percent(saved.offMs, known), off),
      saved.machines > 0 && tile(figure(saved.vcpuHours), 'vCPU-hours saved'),
      saved.machines > 0 && tile(figure(saved.gibHours), 'GiB-hours saved'),
      cost !== undefined && prices && tile(money(cost, prices.currency), 'saved'),
    ]}
  </dl>`;
}

/** Of what schedules had planned, and of which something is known. */
function onTime(rows: Row[]): Html {
  const judged = rows.flatMap(({ happened }) => happened?.judged ?? []);
  const kept = judged.filter(({ verdict }) => verdict === 'onTime').length;
  const known = kept + judged.filter(({ verdict }) => gravities.some((gravity) => gravity === verdict)).length;
  return tile(percent(kept, known), 'on time', { small: known === 0 ? 'nothing recorded' : `of ${figure(known)}` });
}

/** Namespaces that find room on the page of the summary; page.css hides the others when it is printed. */
const onPaper = 15;

/** A line a namespace, and their sum. */
export function summary(model: PageModel): Html {
  const columns = columnsOf(model);
  const each = ({ namespace, saved, rows }: Group) =>
    line(name(namespace || '(no namespace)'), columns, { saved, rows });
  const beyond = model.groups.length - onPaper;
  const all = { saved: model.saved, rows: model.groups.flatMap(({ rows }) => rows) };
  return markup`<section class="summary" aria-labelledby="h-summary">
    <h2 id="h-summary">By namespace</h2>
    <div class="wide" role="region" aria-label="Figures" tabindex="0">
      <table class="figures">
        <thead>
          <tr>
            <th scope="col">Namespace</th>
            ${columns.map(({ head }) => markup`<th scope="col">${head}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${model.groups.map(each)}
        </tbody>
        ${
          model.groups.length > 1 &&
          markup`<tfoot>
            ${line(markup`All`, columns, all)}
          </tfoot>`
        }
      </table>
    </div>
    ${beyond > 0 && markup`<p class="paper">${count(beyond, 'further namespace')} on screen; All counts them.</p>`}
    ${remarks(model)}
  </section>`;
}

type Summed = Pick<Group, 'saved' | 'rows'>;

interface Column {
  head: string;
  cell(of: Summed): string;
}

function columnsOf({ kind, saved, prices, groups }: PageModel): Column[] {
  const shown = kind === 'report' ? shownVerdicts(verdictCounts(groups.flatMap(({ rows }) => rows))) : [];
  const isPriced = prices && costOf(saved, prices) !== undefined;
  return [
    {
      head: saved.machines > 0 ? 'VMs' : 'Schedules',
      cell: (of) => figure(of.saved.machines || of.rows.length),
    },
    { head: 'Hours on', cell: (of) => hours(of.saved.onMs) },
    { head: 'Hours off', cell: (of) => hours(of.saved.offMs) },
    ...(saved.unknownMs > 0 ? [{ head: 'Hours not known', cell: (of: Summed) => hours(of.saved.unknownMs) }] : []),
    { head: 'vCPU-hours saved', cell: (of) => figure(of.saved.vcpuHours) },
    { head: 'GiB-hours saved', cell: (of) => figure(of.saved.gibHours) },
    ...(isPriced
      ? [{ head: 'Saved', cell: (of: Summed) => money(costOf(of.saved, prices) ?? 0, prices.currency) }]
      : []),
    ...shown.map((verdict) => ({
      head: capital(verdictWords[verdict]),
      cell: ({ rows }: Summed) => figure(verdictCounts(rows).get(verdict)!),
    })),
  ];
}

const line = (label: Html, columns: Column[], of: Summed): Html =>
  markup`<tr>
      <th scope="row">${label}</th>
      ${columns.map(({ cell }) => markup`<td>${cell(of)}</td>`)}
    </tr>`;

function remarks(model: PageModel): Html {
  const { saved, kind, lateAfterMs } = model;
  const lines = [
    'Saved is what the VMs would have taken, had they been on all the time: hours off times spec.cpu and spec.memory.',
    saved.sizeless > 0 && `One of these, or both, is missing for ${count(saved.sizeless, 'VM')}.`,
    kind === 'report' &&
      `On time is what began within ${durationText(lateAfterMs)}, jitter added, or was so already. No record is no verdict: Events expire, and what was as wanted leaves none.`,
    saved.unknownMs > 0 && 'Hours of which nothing is known saved nothing.',
  ];
  return markup`<p class="quiet">${lines.filter((one) => one !== false).join(' ')}</p>`;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
