import { describe, expect, test } from 'vitest';

import { renderPage } from '../../cli/page/document.ts';
import type { Happening } from '../../cli/page/happening.ts';
import { type PageModel, pageModel } from '../../cli/page/model.ts';
import { sourcesOf } from '../../cli/page/sources.ts';
import { verdictCounts } from '../../cli/page/summary.ts';
import { gravities, othersIn, troubleCounts, troublesIn } from '../../cli/page/troubles.ts';
import { manifestsOf, scheduleOf, wukongOf } from './fleet.ts';

const from = Date.parse('2026-05-04T00:00:00Z');
const dayMs = 86_400_000;
const asked = { from, to: from + 2 * dayMs, now: from + 2 * dayMs, zone: undefined };
const office = scheduleOf('office', 'dev', { start: '0 8 * * *', stop: '0 20 * * *' });

const planned = (name: string, action: 'start' | 'stop', day: number, more: Partial<Happening> = {}): Happening => {
  const at = from + (day - 4) * dayMs + (action === 'start' ? 8 : 20) * 3_600_000;
  const outcome = action === 'start' ? ('Started' as const) : ('Stopped' as const);
  const requestId = `dev/office@${new Date(at).toISOString().replace('.000', '')}`;
  return {
    ...{ namespace: 'dev', name, action, outcome, requestId, trigger: 'schedule', message: 'Seen.' },
    ...{ startedAt: at + 5_000, finishedAt: at + 20_000 },
    ...more,
  };
};
const byHand = (name: string, action: 'start' | 'stop', hour: number, more: Partial<Happening> = {}): Happening => ({
  ...planned(name, action, 4),
  ...{ requestId: `cli:${name}${hour}`, trigger: 'direct', startedAt: from + hour * 3_600_000 },
  finishedAt: from + hour * 3_600_000 + 10_000,
  ...more,
});
const wellDone = (name: string): Happening[] =>
  [4, 5].flatMap((day) => [planned(name, 'start', day), planned(name, 'stop', day)]);

function modelOf(happenings: Happening[], names = ['a', 'b', 'c', 'd', 'e', 'f']): PageModel {
  const manifests = manifestsOf(
    [office],
    names.map((name) => wukongOf(name, 'dev')),
  );
  return pageModel('report', { ...sourcesOf(manifests), happenings }, asked);
}
const instead = (all: Happening[], ...others: Happening[]) => [
  ...all.filter(({ requestId, name }) => !others.some((one) => one.requestId === requestId && one.name === name)),
  ...others,
];

const mixed = modelOf(
  instead(
    ['a', 'b', 'c', 'd', 'e', 'f'].flatMap(wellDone),
    planned('a', 'stop', 5, { startedAt: from + 1.9 * dayMs }), // late
    planned('b', 'stop', 5, { outcome: 'Stopped', observed: false }),
    planned('c', 'stop', 5, { outcome: 'ForcedOff', reason: 'GracePeriodExceeded' }),
    planned('d', 'stop', 5, { outcome: 'Skipped', reason: 'Stale' }),
    planned('e', 'start', 4, { outcome: 'Failed', reason: 'Unschedulable', message: 'No <b>node</b> has room.' }),
    planned('f', 'stop', 4, { outcome: 'Failed', reason: 'Stuck' }),
    planned('f', 'stop', 5, { outcome: 'Skipped', reason: 'Override' }),
    byHand('a', 'start', 23),
  ),
);

describe('what went wrong', () => {
  test('stands in the order of gravity, then the newest first', () =>
    expect(troublesIn(mixed.groups).map(({ gravity, row, what }) => `${gravity} ${row.name} ${what}`)).toEqual([
      'failed f stop',
      'failed e start',
      'missed d stop',
      'forced c stop',
      'unseen b stop',
      'late a stop',
    ]));

  test('is no start by hand, and nothing that was left alone on purpose: those are told elsewhere', () => {
    expect(othersIn(mixed.groups).map(({ row, text }) => `${row.name} ${text}`)).toEqual([
      'f skipped: Override',
      'a start (direct): Started',
    ]);
    const fine = modelOf([...wellDone('a'), byHand('a', 'start', 22), byHand('a', 'stop', 23)], ['a']);
    expect(troublesIn(fine.groups)).toEqual([]);
    expect(renderPage(fine)).toContain('Nothing that is recorded went wrong: 4 planned switches on time.');
    expect(renderPage(fine)).not.toMatch(/not as planned/i);
  });

  test.each([
    ['failed', { outcome: 'Failed', reason: 'Stuck' }],
    ['forced', { outcome: 'ForcedOff', reason: 'GracePeriodExceeded' }],
    ['unseen', { outcome: 'Stopped', observed: false }],
    [undefined, { outcome: 'ForcedOff', reason: 'Requested' }],
    [undefined, { outcome: 'AlreadyOff' }],
    [undefined, { outcome: 'Superseded' }],
    [undefined, { outcome: 'InProgress' }],
  ] as const)('by hand is %s after %o', (gravity, more) => {
    const { groups } = modelOf([...wellDone('a'), byHand('a', 'stop', 23, more)], ['a']);
    expect(troublesIn(groups).map((one) => one.gravity)).toEqual(gravity ? [gravity] : []);
    expect(othersIn(groups)).toHaveLength(gravity ? 0 : 1);
  });

  test('is counted on top as it is listed, and in the table of namespaces', () => {
    const failing = modelOf(
      instead(
        wellDone('a'),
        planned('a', 'stop', 5, { outcome: 'Failed', reason: 'Stuck' }),
        byHand('a', 'stop', 23, { outcome: 'Failed', reason: 'Stuck' }),
      ),
      ['a'],
    );
    for (const model of [mixed, failing]) {
      const rows = model.groups.flatMap((group) => group.rows);
      const counts = troubleCounts(rows);
      for (const gravity of gravities) {
        expect(troublesIn(model.groups).filter((one) => one.gravity === gravity)).toHaveLength(counts[gravity]);
        expect(verdictCounts(rows).get(gravity)).toBe(counts[gravity]);
      }
    }
    expect(troubleCounts(failing.groups.flatMap((group) => group.rows)).failed).toBe(2);
  });
});

describe('the page', () => {
  const page = renderPage(mixed);
  const plain = (html: string) => html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');

  test('says failed, missed and forced on top, before what was saved, nought too', () => {
    const tiles = (html: string) => plain(/<dl class="tiles">.*?<\/dl>/s.exec(html)![0]);
    expect(tiles(page)).toMatch(/failed 2 missed 1 forced off 1 end not seen 1 late 1 on time .*VMs 6 .*saved/);
    expect(tiles(renderPage(modelOf(wellDone('a'), ['a'])))).toMatch(
      /failed 0 missed 0 forced off 0 on time 100 % of 4 VM 1/,
    );
  });

  test('begins with what went wrong, and links each to the line of its VM', () => {
    expect(page.indexOf('id="h-wrong"')).toBeLessThan(page.indexOf('id="h-timeline"'));
    const wrong = /aria-labelledby="h-wrong".*?<\/section>/s.exec(page)![0];
    const linked = [...wrong.matchAll(/<a href="#(v\d+)"><bdi>([^<]*)/g)];
    expect(linked.map(([, , who]) => who)).toEqual(['dev/f', 'dev/e', 'dev/d', 'dev/c', 'dev/b', 'dev/a']);
    for (const [, id, who] of linked)
      expect(page).toMatch(new RegExp(`data-find="${who}"[^>]*>.{0,80}<a href="#t-c\\d+" id="${id}"`, 's'));
    expect(wrong).toContain('No &lt;b&gt;node&lt;/b&gt; has room.');
  });

  test('shows ten of 200 failures at once, the others when asked', () => {
    const names = Array.from({ length: 50 }, (_, i) => `vm-${i}`);
    const failed = { outcome: 'Failed', reason: 'Stuck', message: 'x'.repeat(5_000) } as const;
    const all = renderPage(
      modelOf(
        names.flatMap((name) => wellDone(name).map((one) => ({ ...one, ...failed }))),
        names,
      ),
    );
    const wrong = /aria-labelledby="h-wrong".*?<\/section>/s.exec(all)![0];
    expect(wrong).toContain('190 more lines');
    expect(wrong.match(/<li>/g)).toHaveLength(200);
    expect(wrong.split('<details')[0]!.match(/<li>/g)).toHaveLength(10);
    expect(wrong.length / 200).toBeLessThan(900);
  });
});

describe('a page with little to show says what to do', () => {
  const web = wukongOf('web', 'dev');
  const suspended = scheduleOf('office', 'dev', { stop: '0 20 * * *', suspend: true });
  const elsewhere = scheduleOf('office', 'dev', { stop: '0 20 * * *', selector: { matchLabels: { env: 'other' } } });
  test.each([
    ['plan', [], [], /There is nothing to show yet.*wukong plan -A.*wukong adopt/],
    ['report', [], [], /There is nothing to show yet.*wukong report -A/],
    ['plan', [suspended], [], /Every schedule is suspended.*spec\.suspend/],
    ['plan', [office], [], /No Wukong was found.*wukong adopt/],
    ['plan', [], [web], /No schedule rules these VMs.*Nothing switches it\..*wukong plan --schedule FILE/],
    ['plan', [elsewhere], [web], /No schedule selects any of these VMs.*--show-labels/],
    ['report', [office], [web], /Nothing is recorded of this time.*wukong doctor.*--from-file FILE/],
  ] as const)('%s', (kind, schedules, wukongs, words) => {
    const page = renderPage(pageModel(kind, sourcesOf(manifestsOf([...schedules], [...wukongs])), asked));
    expect(/<section class="notes advice".*?<\/section>/s.exec(page)![0].replace(/<[^>]*>/g, '')).toMatch(words);
  });

  test('and says nothing of the kind where there is enough', () => {
    expect(renderPage(mixed)).not.toContain('class="notes advice"');
    const plan = pageModel('plan', sourcesOf(manifestsOf([office], [web])), { ...asked, now: from });
    expect(renderPage(plan)).not.toContain('class="notes advice"');
  });
});
