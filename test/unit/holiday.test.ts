import { describe, expect, it } from 'vitest';

import { type FindText, readHolidays, type TextRef } from '../../shared/schedule/holiday.ts';
import { parseZone } from '../../shared/time/parseZone.ts';
import { dayMs } from '../../shared/time/zone.ts';

const zone = parseZone('Asia/Tokyo');
const read = (given: unknown, find?: FindText) => readHolidays(given, 'dev', zone, find);
const told = (given: unknown, find?: FindText) =>
  read(given, find).problems.map(({ field, reason, message }) => `${reason} ${field}: ${message}`);
const ofText = (text: ReturnType<FindText>, ref: object = { name: 'days' }) => told({ configMapRef: ref }, () => text);
const bad = 'InvalidHoliday spec.holidays';
const many = <T>(count: number, one: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => one(i));

describe('holidays', () => {
  it('are none, and spare starts alone, where nothing is said', () => {
    const none = { dates: new Set(), rules: [], action: 'skipStart', problems: [] };
    expect([read(undefined), read({})]).toEqual([none, none]);
    for (const action of ['stopped', 'skipStart']) expect(read({ action })).toMatchObject({ action, problems: [] });
    expect(told({ action: 'off' })).toEqual([`${bad}.action: expected skipStart or stopped`]);
  });

  it.each(['dates', 'configMapRef', 'action'])('know what was meant for %s', (key) => {
    expect(told({ [key.toUpperCase()]: 1 })).toEqual([`${bad}.${key.toUpperCase()}: unknown: did you mean ${key}?`]);
  });
  it.each(['name', 'key', 'shared'])('know what was meant for %s of a ConfigMap', (key) => {
    const wrong = told({ configMapRef: { name: 'days', [key.toUpperCase()]: 1 } });
    expect(wrong).toEqual([`${bad}.configMapRef.${key.toUpperCase()}: unknown: did you mean ${key}?`]);
  });

  it('of a ConfigMap are asked for by what names it', () => {
    const asked: TextRef[] = [];
    const find: FindText = (ref) => (asked.push(ref), '');
    read({ configMapRef: { name: 'days' } }, find);
    read({ configMapRef: { name: 'days', key: 'de.ics', shared: true } }, find);
    read({ configMapRef: { name: 'days', shared: false } }, find);
    expect(asked).toStrictEqual([
      { namespace: 'dev', name: 'days', key: 'holidays' },
      { namespace: 'dev', name: 'days', key: 'de.ics', shared: true },
      { namespace: 'dev', name: 'days', key: 'holidays' },
    ]);
    expect(told({ configMapRef: { name: 3 } })).toEqual([`${bad}.configMapRef.name: expected the name of a ConfigMap`]);
    expect(told({ configMapRef: { name: 'days', shared: 'x' } })).toEqual([
      `${bad}.configMapRef.shared: expected true or false`,
    ]);
  });

  it('of a ConfigMap that is not there, or is not for holidays, are told', () => {
    const there = 'ConfigMapMissing spec.holidays.configMapRef: there is no ConfigMap days with';
    expect(ofText(undefined)).toEqual([`${there} the key holidays`]);
    expect(ofText(null)).toEqual([`${there} the label lifecycle.novasphere.dev/holidays=true and the key holidays`]);
    const [name, key] = ['n'.repeat(300), 'k'.repeat(300)];
    const shown = [name.slice(0, 253), key.slice(0, 253)];
    expect(ofText(undefined, { name, key })[0]).toContain(`ConfigMap ${shown[0]} with the key ${shown[1]}`);
    expect(ofText(undefined, { name, key })[0]).not.toContain(`${shown[1]}k`);
    expect(ofText('x', { name, key })).toEqual([
      `${bad}.configMapRef: ConfigMap ${shown[0]}, ${shown[1]}, line 1: expected a date, YYYY-MM-DD`,
    ]);
  });

  it('of a ConfigMap stand on lines, which may be empty, indented, or a remark', () => {
    const text = '# 2026\r\n\r\n  2026-12-25  # Christmas # and more\n\t12-26';
    const found = read({ configMapRef: { name: 'days' } }, () => text);
    expect([[...found.dates], found.rules.length, found.problems]).toEqual([['2026-12-25'], 1, []]);
    expect(told({ dates: [''] })).toEqual([`${bad}.dates[0]: "" is no date: expected YYYY-MM-DD`]);
  });

  it('of a calendar are its dates in the zone of the schedule, and the first ten things that are wrong with it', () => {
    const zones: string[] = [];
    const calendar: FindText = () => (its) => {
      zones.push(its.name);
      return { dates: ['2026-12-25'], problems: many(11, (i) => ({ line: i + 1, message: 'odd' })) };
    };
    const found = read({ configMapRef: { name: 'days', key: 'de.ics' } }, calendar);
    expect([[...found.dates], zones]).toEqual([['2026-12-25'], ['Asia/Tokyo']]);
    expect(found.problems).toEqual(
      many(10, (i) => ({
        field: 'spec.holidays.configMapRef',
        reason: 'InvalidHoliday',
        message: `ConfigMap days, de.ics, line ${i + 1}: odd`,
      })),
    );
  });
});

describe('a holiday that is none', () => {
  it.each<[unknown, string]>([
    [null, 'null'],
    [7, '7'],
    [20261225, '20261225'],
    [undefined, 'undefined'],
    [['2026-12-25'], 'a list'],
    [{ toString: 1 }, 'an object'],
    ['2026-12-25T00', '"2026-12-25T00"'],
    ['x'.repeat(60), `"${'x'.repeat(39)}`],
    [`2026-12-25 ${'x'.repeat(990)}`, '"2026-12-25 xxxxxxxxxxxxxxxxxxxxxxxxxxxx'],
    [`12-25 ${'x'.repeat(995)}`, '"12-25 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'],
  ])('is told by what it begins with: %#', (value, shown) => {
    expect(told({ dates: [value] })).toEqual([`${bad}.dates[0]: ${shown} is no date: expected YYYY-MM-DD`]);
  });
  it('is not one with a thousand characters', () => {
    const found = read({ dates: [`2026-12-25 ${'x'.repeat(989)}`, `12-25 ${'x'.repeat(994)}`] });
    expect([found.dates.size, found.rules.length, found.problems]).toEqual([1, 1, []]);
  });
  it('is told ten times, and then how often', () => {
    const wrong = (count: number) => told({ dates: Array(count).fill('x') });
    expect(wrong(10)).toHaveLength(10);
    expect(wrong(12)).toHaveLength(11);
    expect(wrong(12).at(-1)).toBe(`${bad}.dates: 2 more are no dates`);
  });
});

describe('a list of holidays', () => {
  const range = (first: number, days: number) => {
    const text = (day: number) => new Date(day * dayMs).toISOString().slice(0, 10);
    return `${text(first)}..${text(first + days - 1)}`;
  };
  it('is read up to ten thousand entries', () => {
    const list = (count: number) => [...Array<string>(count - 1).fill('2026-12-25'), '2026-12-26'];
    expect(told({ dates: list(10_000) })).toEqual([]);
    expect(read({ dates: list(10_000) }).dates.size).toBe(2);
    const more = 'has more than 10000 entries: what is behind them is not read';
    expect([told({ dates: list(10_001) }), ofText(list(10_001).join('\n'))]).toEqual([
      [`${bad}.dates: ${more}`],
      [`${bad}.configMapRef: ${more}`],
    ]);
    expect(read({ dates: list(10_001) }).dates.size).toBe(1);
  });
  it('means twenty thousand dates at the most', () => {
    const ranges = many(50, (i) => range(400 * i, 400));
    const most = read({ dates: [...ranges, '2100-01-01'] });
    expect([most.dates.size, most.problems.map(({ message }) => message)]).toEqual([
      20_000,
      ['means more than 20000 dates: what is behind them is not read'],
    ]);
    expect(told({ dates: [...ranges.slice(1), range(0, 399)] })).toEqual([]);
  });
  it('has two hundred rules for every year at the most', () => {
    const rules = (count: number) => read({ dates: Array(count).fill('SUN') });
    expect([rules(200).rules.length, rules(200).problems]).toEqual([200, []]);
    expect([rules(201).rules.length, rules(201).problems.map(({ message }) => message)]).toEqual([
      200,
      ['has more than 200 rules for every year: 1 are not read'],
    ]);
  });
});

describe('a holiday of every year', () => {
  /** The days of two years that a line means. */
  const daysOf = (line: string): string[] => {
    const { dates, rules, problems } = read({ dates: [line] });
    if (problems.length > 0) return ['none'];
    const days = many(730, (i) => new Date(Date.UTC(2026, 0, 1) + i * dayMs));
    const isMeant = (day: Date) => rules.some((rule) => rule(day));
    return [...dates, ...days.filter(isMeant).map((day) => day.toISOString().slice(0, 10))];
  };
  it.each(['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'])('on %s is that day of the week', (name) => {
    const days = daysOf(`11-${name}#4`).map((day) => new Date(day).getUTCDay());
    const index = 'SUN MON TUE WED THU FRI SAT'.split(' ').indexOf(name);
    expect(days).toEqual([index, index]);
  });
  it.each([
    ['06-MON#1', '2026-06-01 2027-06-07'],
    ['08-MON#L', '2026-08-31 2027-08-30'],
    ['02-SUN#L', '2026-02-22 2027-02-28'],
    ['01-FRI#1', '2026-01-02 2027-01-01'],
    ['12-FRI#5', '2027-12-31'],
    ['*-MON#5', '2026-03-30 2026-06-29 2026-08-31 2026-11-30 2027-03-29 2027-05-31 2027-08-30 2027-11-29'],
    ['00-MON', 'none'],
    ['12-24..02-30', 'none'],
    ['02-30..12-24', 'none'],
    ['2026-02-30..2026-03-02', 'none'],
    ['2026-02-27..2026-02-30', 'none'],
    ['2026-02-27..2026-02-27', '2026-02-27'],
  ])('%s is %s', (line, days) => expect(daysOf(line).join(' ')).toBe(days));
  it('is a range of four hundred days at the most', () => {
    expect(daysOf('2026-01-01..2027-02-04')).toHaveLength(400);
    expect(daysOf('2026-01-01..2027-02-05')).toEqual(['none']);
  });
});
