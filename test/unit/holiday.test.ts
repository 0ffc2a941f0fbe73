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
    expect(read({ action: 'stopped' }).action).toBe('stopped');
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
    [[], 'a list'],
    [{}, 'an object'],
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
