import { keyOf } from '../../shared/domain/model.ts';
import type { WukongState } from '../../shared/entry/state.ts';
import { nothingFound } from '../page/empty.ts';
import { verdictGlyph } from '../page/glyphs.ts';
import { type Html, markup } from '../page/markup.ts';
import { tile, troubleTiles } from '../page/summary.ts';
import { type Line, lineList } from '../page/told.ts';
import { gravities, type Gravity } from '../page/troubles.ts';
import { count, figure } from '../page/words.ts';
import { gravityNow, gravityText, instantOf, liveTime } from './liveRows.ts';
import { lastRuns, runLine, type RunsSeen } from './liveRuns.ts';

/** What stands around the lines of the VMs, made of the same parts as the pages in files; by the id of its place. */
export type Parts = Record<'advice' | 'figures' | 'wrong' | 'plan' | 'runs' | 'news', string>;

const dayMs = 86_400_000;

/** Where a VM stands on the page. */
export const anchorOf = (key: string): string => `vm/${key}`;

export function partsOf(states: WukongState[], runs: RunsSeen, now: number): Parts {
  const graves = states.flatMap((state) => {
    const gravity = gravityNow(state);
    return gravity ? [{ state, gravity }] : [];
  });
  const counts = { failed: 0, missed: 0, forced: 0, unseen: 0, late: 0 };
  for (const { gravity } of graves) counts[gravity]++;
  const text = (html: Html) => html.text;
  return {
    advice: text(states.length > 0 ? markup`` : nothingFound('No Wukong was found.', 'ui')),
    figures: text(states.length > 0 ? figures(states, counts) : markup``),
    wrong: text(states.length > 0 ? wrong(graves) : markup`<p>There is no VM.</p>`),
    plan: text(plan(states, now)),
    runs: text(lastOnes(runs, now)),
    news: text(markup`${counts.failed > 0 ? `${count(counts.failed, 'VM')} failed.` : 'No VM has failed.'}`),
  };
}

function figures(states: WukongState[], counts: Record<Gravity, number>): Html {
  const of = (...wanted: string[]) => figure(states.filter(({ state }) => wanted.includes(state)).length);
  const { missed: _run, ...told } = counts; // what was missed is a run's: a VM does not know of it
  return markup`<dl class="tiles">
    ${troubleTiles(told)} ${tile(figure(states.filter(({ operation }) => operation).length), 'under way')}
    ${tile(of('Running'), 'running')} ${tile(of('Stopped'), 'stopped')} ${tile(figure(states.length), states.length === 1 ? 'VM' : 'VMs')}
  </dl>`;
}

function wrong(graves: { state: WukongState; gravity: Gravity }[]): Html {
  if (graves.length === 0) return markup`<p>The last start or stop of every VM went well.</p>`;
  const lines = graves.map(({ state, gravity }) => ({ gravity, line: lineOf(state, gravity) }));
  lines.sort(
    (a, b) =>
      gravities.indexOf(a.gravity) - gravities.indexOf(b.gravity) || (a.line.datetime < b.line.datetime ? 1 : -1),
  );
  return lineList(
    lines.map(({ line }) => line),
    'What went wrong, the gravest first',
  );
}

function lineOf(one: WukongState, gravity: Gravity): Line {
  const { last, state } = one;
  const finished = instantOf(last?.finishedAt);
  return {
    datetime: finished === undefined ? '' : new Date(finished).toISOString(),
    time: finished === undefined ? 'now' : liveTime(finished),
    what: last?.lastAction ?? state,
    planned: true,
    who: keyOf(one),
    href: `#${anchorOf(keyOf(one))}`,
    glyph: verdictGlyph[gravity],
    text: gravityText(gravity, last),
    message: last?.message ?? '',
  };
}

/** How many moments are read at a glance. */
const mostMoments = 8;

/** What the next day brings, together where it comes together. */
function plan(states: WukongState[], now: number): Html {
  const moments = new Map<string, { at: number; action: string; vms: number }>();
  for (const { nextAction = '', nextActionTime } of states) {
    const at = instantOf(nextActionTime);
    if (at === undefined || at < now - 60_000 || at >= now + dayMs) continue;
    const known = moments.get(`${at} ${nextAction}`) ?? { at, action: nextAction, vms: 0 };
    known.vms++;
    moments.set(`${at} ${nextAction}`, known);
  }
  const all = [...moments.values()].sort((a, b) => a.at - b.at);
  if (all.length === 0)
    return markup`<p>Nothing is planned within a day. <code>wukong plan</code> shows a week; a WukongSchedule is what plans.</p>`;
  const left = all.length - mostMoments;
  return markup`<ul class="moments">
    ${all
      .slice(0, mostMoments)
      .map(
        ({ at, action, vms }) =>
          markup`<li><time datetime="${new Date(at).toISOString()}">${liveTime(at)}</time>: ${action} ${count(vms, 'VM')}</li>`,
      )}${left > 0 && markup`<li class="quiet">and ${count(left, 'later moment')}</li>`}
  </ul>`;
}

function lastOnes({ runs, problem }: RunsSeen, now: number): Html {
  if (problem !== undefined)
    return markup`<p>Runs cannot be read: ${problem}. They need the rights to list and watch wukongruns (ClusterRole wukong-view).</p>`;
  if (runs.length === 0)
    return markup`<p>
      There is none yet: reconcileState makes one at each start and stop of a WukongSchedule.${' '}<code
        >wukong doctor</code
      >${' '}says whether it runs.
    </p>`;
  return lineList(lastRuns(runs, now).map(runLine), 'The runs of a day, what went wrong first');
}
