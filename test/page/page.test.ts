import { createHash } from 'node:crypto';

import { describe, expect, test } from 'vitest';

import { renderPage } from '../../cli/page/document.ts';
import { markup } from '../../cli/page/markup.ts';
import { planPage } from '../../cli/page/pages.ts';
import { cronText, durationText, figure, percent } from '../../cli/page/words.ts';
import { parseCron } from '../../shared/time/cron.ts';
import { tzReleased, tzVersion } from '../../shared/time/tzData.ts';
import { manifestsOf, scheduleOf, wukongOf } from './fleet.ts';
import { planScene, reportScene } from './scenes.ts';

const from = Date.parse('2026-03-23T12:00:00Z');
const asked = { from, to: from + 7 * 86_400_000, now: from, zone: undefined };
const office = scheduleOf('office', 'dev', { timeZone: 'Europe/Berlin', start: '0 8 * * 1-5', stop: '0 20 * * *' });
const text = (page: string) =>
  page
    .replace(/<(style|script)>.*?<\/\1>/gs, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');

describe('the page of a plan', () => {
  const page = planPage(
    manifestsOf([office], [wukongOf('web', 'dev'), wukongOf('db', 'dev', { wave: '10', protected: 'true' })]),
    asked,
  );

  test('says when, in which zone, and what will be', () => {
    expect(text(page)).toContain('Monday 23 March 2026, 13:00 to Monday 30 March 2026, 14:00');
    expect(text(page)).toContain('Times are those of Europe/Berlin (UTC+1, later UTC+2)');
    expect(text(page)).toContain('08:00 Mon–Fri');
    expect(text(page)).toContain('Sunday 29 March 2026, 03:00: from UTC+1 to UTC+2');
    expect(text(page)).toContain('wave 10 · protected');
    expect(text(page)).toContain('Is on at first; stop Mon 23 Mar, 20:00, start Tue 24 Mar, 08:00.');
  });

  test('says which time zones it goes by, and when they are old', () => {
    const at = (now: number) => text(planPage(manifestsOf([office], []), { ...asked, now }));
    expect(at(tzReleased.at)).toContain(`Time zones as in the tz database ${tzVersion}.`);
    expect(at(tzReleased.at)).not.toContain('countries may have changed');
    expect(at(tzReleased.at + 200 * 86_400_000)).toContain('countries may have changed');
  });

  test('counts hours off, and what they save', () => {
    const saved = planPage(manifestsOf([office], [wukongOf('web', 'dev')]), {
      ...asked,
      prices: { currency: 'EUR', vcpuHour: 0.5, gibHour: 0.25 },
    });
    // 7 h, 12 h four times and 6 h of 168 h are on; 4 vCPUs, 8 GiB.
    expect(text(saved)).toMatch(/dev 1 61 107 428 856 €428\.00/);
  });

  test('shows schedules where no machines are known', () => {
    const alone = planPage(manifestsOf([office], []), asked);
    expect(text(alone)).toContain('dev/office');
    expect(alone).toContain('data-find="dev/office"');
    expect(text(planPage(manifestsOf([], []), asked))).toContain('There are none.');
  });

  test('names what could not be read, and shows the rest', () => {
    const bad = scheduleOf('bad', 'dev', { start: '0 8 * *' });
    expect(text(planPage(manifestsOf([bad, office], []), asked))).toContain(
      'Schedule dev/bad: spec.start: &quot;0 8 * *&quot; has 4 fields',
    );
  });
});

describe('a page from hostile names', () => {
  const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)>'\u202e\u0000`;
  const wukong = wukongOf(evil, evil, { 'keep-running-until': evil, wave: evil });
  wukong.metadata.labels = { env: 'dev' };
  const schedule = { ...scheduleOf(evil, evil, { start: '0 8 * * *', stop: evil }), kind: evil };
  const fine = { ...scheduleOf(evil, evil, { start: '0 8 * * *', selector: { matchLabels: { env: 'dev' } } }) };
  const page = planPage(manifestsOf([schedule, fine], [wukong], { problems: [evil], warnings: [evil] }), asked);

  test('has no element and no attribute of theirs', () => {
    expect(page.match(/<script/g)).toHaveLength(1);
    expect(page).not.toMatch(/<img/);
    expect(page.replaceAll(/"[^"]*"/g, '""')).not.toMatch(/<[^>]*\son\w+\s*=/);
    expect(page).not.toContain('\u0000');
    expect(text(page)).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  });

  test('keeps a name’s direction of writing within it', () => {
    const around = page.replace(/<(title|bdi)[^>]*>.*?<\/\1>/gs, '');
    expect(around.match(/<h3>[^<]*\u202e/)).toBeNull();
  });

  test('escapes every value of a template, and joins its lines', () => {
    expect(
      markup`<p
      class="${'"'}"
    >
      ${'<'}${[markup`<b>&amp;</b>`, '&']}${undefined}${false}
    </p>`.text,
    ).toBe('<p class="&quot;">&lt;<b>&amp;</b>&amp;</p>');
  });
});

describe.each([
  ['plan', planScene(500, 31), 600],
  ['report', reportScene(500, 31), 1_400],
] as const)('the %s of 500 VMs for a month', (_kind, model, mostKb) => {
  const page = renderPage(model);

  test('is small, as geometry is shared', () => {
    expect(page.length / 1024).toBeLessThan(mostKb);
    expect(page.match(/class="row" data-find/g)).toHaveLength(500);
    expect(page.match(/<symbol id="c/g)!.length).toBeLessThan(40);
  });

  test('needs nothing but itself', () => {
    const links = [...page.matchAll(/\s(?:href|src|action|xlink:href|srcset|poster|data)="([^"]*)"/g)].map(
      ([, to]) => to!,
    );
    expect(links.filter((to) => !to.startsWith('#') && !to.startsWith('data:'))).toEqual([]);
    expect(page).not.toMatch(/https?:|url\(|@import|\sstyle="|<link rel="(?!icon)|<(iframe|object|embed|base|img)\b/);
    const targets = new Set([...page.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id));
    expect(links.filter((to) => to.startsWith('#') && !targets.has(to.slice(1)))).toEqual([]);
    expect(targets.size).toBe(page.match(/\sid="/g)!.length);
  });

  test('has a policy that allows its own style and script and no other', () => {
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)![1]!.replaceAll('&#39;', "'");
    const hash = (element: string) => {
      const inside = new RegExp(`<${element}>(.*?)</${element}>`, 's').exec(page)![1]!;
      return `'sha256-${createHash('sha256').update(inside).digest('base64')}'`;
    };
    expect(policy).toBe(
      `default-src 'none'; style-src ${hash('style')}; script-src ${hash('script')}; img-src data:; base-uri 'none'; form-action 'none'`,
    );
  });
});

test('the page of a report tells what differed', () => {
  const page = text(renderPage(reportScene(40, 7)));
  for (const told of [
    'late by 23 min',
    'forced off: its grace period was over',
    'failed: Unschedulable',
    'missed',
    'start (direct): Started',
  ])
    expect(page).toContain(told);
});

describe('words', () => {
  test.each([
    ['0 8 * * 1-5', '08:00 Mon–Fri'],
    ['30 22 * * *', '22:30 every day'],
    ['0 8,18 * * 0,6', '08:00, 18:00 Sat, Sun'],
    ['0 8 * * 1,3,5', '08:00 Mon, Wed, Fri'],
    ['0 8 1 * *', 'cron 0 8 1 * *'],
    ['*/5 * * * *', 'cron */5 * * * *'],
  ])('%s reads %s', (cron, words) => expect(cronText(parseCron(cron))).toBe(words));

  test('durations, figures and shares', () => {
    expect([40_000, 720_000, 12_000_000, 172_800_000, 187_200_000].map(durationText)).toEqual([
      '40 s',
      '12 min',
      '3 h 20 min',
      '2 days',
      '2 days 4 h',
    ]);
    expect([7.53, 1204.4].map(figure)).toEqual(['7.5', '1,204']);
    expect([percent(0, 0), percent(1, 1_000), percent(999, 1_000), percent(1, 2)]).toEqual([
      '–',
      '<1 %',
      '>99 %',
      '50 %',
    ]);
  });
});
