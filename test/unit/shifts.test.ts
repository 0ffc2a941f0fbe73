import { describe, expect, it } from 'vitest';

import { edgesIn, isHoliday, mayShift, standingAt } from '../../shared/schedule/shifts.ts';
import { parseZone } from '../../shared/time/parseZone.ts';
import { at } from './schedules.ts';

type Held = Parameters<typeof edgesIn>[0];
const held = (more: Partial<Held> = {}): Held => ({
  ...{ zone: parseZone('Asia/Tokyo'), exceptions: [], holidays: new Set<string>(), holidayRules: [] },
  ...{ holidayAction: 'stopped', ...more },
});
const exception = (from: number, to: number, action: 'start' | 'stop' = 'stop') => ({ from, to, action });
const christmas = { holidays: new Set(['2026-12-25']) };
/** Midnight in Tokyo. */
const day = (date: string) => at(`${date}T00:00:00+09:00`);

describe('a holiday', () => {
  it('is a date of the list, or a day of any of its rules', () => {
    const rules = [() => false, (date: Date) => date.getUTCDate() === 24];
    const of = (date: string) => isHoliday({ ...christmas, holidayRules: rules }, date);
    expect([of('2026-12-23'), of('2026-12-24'), of('2026-12-25')]).toEqual([false, true, true]);
  });
  it('on which VMs are stopped holds from midnight on', () => {
    const standing = { action: 'stop', reason: 'holiday 2026-12-25', from: day('2026-12-25') };
    expect(standingAt(held(christmas), day('2026-12-25') + 3)).toEqual(standing);
    expect(standingAt(held(christmas), day('2026-12-26'))).toBeUndefined();
    expect(standingAt(held({ ...christmas, holidayAction: 'skipStart' }), day('2026-12-25'))).toBeUndefined();
  });
  it('begins and ends once, however many days it has', () => {
    const days = { holidays: new Set(['2026-12-25', '2026-12-26']) };
    const edges = [day('2026-12-25'), day('2026-12-27')];
    expect(edgesIn(held(days), day('2026-12-20'), day('2026-12-30'))).toEqual(edges);
    expect(edgesIn(held(days), day('2026-12-25'), day('2026-12-27'))).toEqual(edges.slice(1));
    expect(edgesIn(held(days), day('2026-12-26'), day('2026-12-27') - 1)).toEqual([]);
    expect(edgesIn(held({ ...days, holidayAction: 'skipStart' }), day('2026-12-20'), day('2026-12-30'))).toEqual([]);
  });
});

describe('of several exceptions', () => {
  it('holds the one that began last; of two that begin together the one that is written last', () => {
    const of = (...exceptions: Held['exceptions']) => standingAt(held({ exceptions }), 7)?.action;
    expect(of(exception(5, 10, 'start'), exception(0, 10))).toBe('start');
    expect(of(exception(0, 10), exception(5, 10, 'start'))).toBe('start');
    expect(of(exception(0, 10, 'start'), exception(0, 10))).toBe('stop');
    expect(of(exception(0, 7, 'start'), exception(8, 9))).toBeUndefined();
  });
  it('the edges come in their order, that of the beginning not among them', () => {
    const exceptions = [exception(50, 60), exception(10, 20)];
    expect(edgesIn(held({ exceptions }), 9, 60)).toEqual([10, 20, 50, 60]);
    expect(edgesIn(held({ exceptions }), 10, 59)).toEqual([20, 50]);
  });
});

it('something may stand against a cron where there are exceptions, or holidays on which VMs are stopped', () => {
  const rules = { holidayRules: [() => false] };
  const may = [{ exceptions: [exception(1, 2)] }, christmas, rules];
  expect(may.map((one) => mayShift(held(one)))).toEqual([true, true, true]);
  const not = [{}, { ...christmas, holidayAction: 'skipStart' }, { ...rules, holidayAction: 'skipStart' }] as const;
  expect(not.map((one) => mayShift(held(one)))).toEqual([false, false, false]);
});
