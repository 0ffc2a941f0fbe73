import { describe, expect, test } from 'vitest';

import { hourMarks, hourStep, isShort, laneWidth, phoneWidth, ticks, zooms } from '../../cli/page/axis.ts';
import { renderPage } from '../../cli/page/document.ts';
import { pageModel } from '../../cli/page/model.ts';
import { sourcesOf } from '../../cli/page/sources.ts';
import { parseZone } from '../../shared/time/parseZone.ts';
import { manifestsOf, scheduleOf } from './fleet.ts';

const berlin = parseZone('Europe/Berlin');
const at = (text: string) => Date.parse(text);
const period = (from: string, to: string) => ({ from: at(from), to: at(to) });
const dayMs = 86_400_000;

describe('the days of the axis', () => {
  const days = (from: string, to: string, zone = berlin) => ticks(zone, period(from, to)).map(({ day }) => day);

  test('have a label each, the first and the last that have begun or end within the period too', () => {
    expect(days('2026-03-25T12:00:00Z', '2026-03-29T00:00:00Z')).toEqual(['25', '26', '27', '28', '29']);
    expect(days('2026-03-25T22:59:00Z', '2026-03-27T23:01:00Z')).toEqual(['25', '26', '27', '28']);
    expect(days('2026-03-25T23:00:00Z', '2026-03-26T23:00:00Z')).toEqual(['26']);
  });

  test('have one each in a quarter of a year', () =>
    expect(days('2026-01-01T00:00:00Z', '2026-04-04T00:00:00Z', parseZone('UTC'))).toHaveLength(93));

  test('are counted by the wall clock where one has 23 hours, or 25', () => {
    const starts = (from: string, to: string) => ticks(berlin, period(from, to)).map((tick) => tick.at);
    expect(starts('2026-03-27T23:00:00Z', '2026-03-30T22:00:00Z').map((one) => (one / 3_600_000) % 24)).toEqual([
      23, 23, 22,
    ]);
    expect(starts('2026-10-23T22:00:00Z', '2026-10-26T23:00:00Z').map((one) => (one / 3_600_000) % 24)).toEqual([
      22, 22, 23,
    ]);
  });

  test('name the month where it begins, and on the first', () => {
    const months = ticks(berlin, period('2026-03-30T12:00:00Z', '2026-04-03T00:00:00Z')).map(({ month }) => month);
    expect(months).toEqual(['Mar', undefined, 'Apr', undefined, undefined]);
  });

  test('leave out the day that Samoa left out', () =>
    expect(days('2011-12-29T12:00:00Z', '2011-12-31T20:00:00Z', parseZone('Pacific/Apia'))).toEqual(['29', '31', '1']));
});

describe('the hours of the axis', () => {
  const week = period('2026-03-23T12:00:00Z', '2026-03-30T12:00:00Z');
  const month = { from: week.from, to: week.from + 31 * dayMs };
  const day = { from: week.from, to: week.from + dayMs };
  const stepsOf = (one: typeof week, width = laneWidth(berlin, one)) => zooms.map((zoom) => hourStep(one, width, zoom));

  test('come when a week or a month is made wider, and more of them the wider it is', () => {
    expect(stepsOf(week)).toEqual([undefined, 6, 2]);
    expect(stepsOf(month)).toEqual([undefined, 12, 6]);
    expect(stepsOf(day)).toEqual([2, 1, 1]);
  });

  test('are fewer on a phone, where a week has half the room', () => {
    expect(stepsOf(week, phoneWidth(berlin, week))).toEqual([undefined, 12, 6]);
    expect(isShort(month)).toBe(false);
    expect(phoneWidth(berlin, month)).toBe(laneWidth(berlin, month));
  });

  test('never stand closer than they can be read', () => {
    for (const days of [0.5, 1, 2, 7, 10, 11, 31, 93])
      for (const zoom of zooms) {
        const one = { from: week.from, to: week.from + days * dayMs };
        const width = laneWidth(berlin, one);
        const step = hourStep(one, width, zoom);
        if (step !== undefined) expect((step * 3_600_000 * width * zoom) / (one.to - one.from)).toBeGreaterThan(25);
      }
  });

  test('are those of the wall clock: 02 is not there when it is skipped, and there twice when it comes twice', () => {
    const texts = (from: string, to: string, step: number) =>
      hourMarks(berlin, period(from, to), step).map(({ text }) => text);
    expect(texts('2026-03-28T23:00:00Z', '2026-03-29T04:00:00Z', 1)).toEqual(['01', '03', '04', '05']);
    expect(texts('2026-10-24T22:00:00Z', '2026-10-25T04:00:00Z', 1)).toEqual(['01', '02', '02', '03', '04']);
    expect(texts('2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z', 6)).toEqual(['06', '12', '18']);
  });

  test('are full hours where the offset is none', () => {
    const kathmandu = parseZone('Asia/Kathmandu');
    const marks = hourMarks(kathmandu, day, 12);
    expect(marks.map((one) => new Date(one.at).toISOString())).toEqual(['2026-03-24T06:15:00.000Z']);
  });
});

test.each([
  ['2026-03-23T22:40:00Z', '2026-03-30T22:40:00Z', 9],
  ['2026-03-23T22:40:00Z', '2026-04-23T22:40:00Z', 33],
  ['2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z', 1],
  ['2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z', 1],
  ['2026-01-01T10:00:00Z', '2026-04-03T10:00:00Z', 93],
])('a page from %s to %s labels %d days', (from, to, days) => {
  const schedule = scheduleOf('office', 'dev', { timeZone: 'Europe/Berlin', start: '0 8 * * *' });
  const asked = { ...period(from, to), now: at(from), zone: undefined };
  const page = renderPage(pageModel('plan', sourcesOf(manifestsOf([schedule], [])), asked));
  const axis = /<svg class="axis".*?<\/svg>(?=<\/div>)/s.exec(page)![0];
  const labels = [...axis.matchAll(/<text [^>]*>([^<]*)<\/text>/g)].filter(([all]) => !all.includes('hour'));
  const numbers = labels.map(([, text]) => /\d+$/.exec(text!)?.[0]).filter(Boolean);
  expect(numbers).toEqual(ticks(berlin, period(from, to)).map(({ day }) => day));
  expect(numbers).toHaveLength(days);
});
