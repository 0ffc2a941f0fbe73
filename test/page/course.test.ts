import { describe, expect, test } from 'vitest';

import { type Course, foreseeCourse } from '../../cli/page/course.ts';
import type { Facts } from '../../shared/schedule/decide.ts';
import { checkSchedule } from '../../shared/schedule/schedule.ts';
import { rfc3339 } from '../../shared/time/clock.ts';
import { scheduleOf } from './fleet.ts';

const at = (text: string) => Date.parse(text);
const office = (spec: object = {}) =>
  checkSchedule(
    scheduleOf('office', 'dev', { timeZone: 'Europe/Berlin', start: '0 8 * * 1-5', stop: '0 20 * * *', ...spec }),
  ).schedule!;
const prefix = 'lifecycle.novasphere.dev/';

/** From Wednesday noon, for some days. */
const from = at('2026-03-25T12:00:00Z');
function foresee(schedules = [office()], facts: Partial<Facts> = {}, days = 3): string[] {
  const course = foreseeCourse(
    schedules,
    { name: 'dev/web', createdAt: 0, ...facts },
    { from, to: from + days * 86_400_000 },
  );
  return [course.stretches[0]!.power, ...course.switches.map(told)];
}
const told = ({ at, action, happens, same, marks, until }: Course['switches'][number]) =>
  [
    rfc3339(at).slice(5, 16),
    happens ? (same ? `(${action})` : action) : `no ${action}`,
    ...marks,
    ...(until === undefined ? [] : [until === Infinity ? 'for ever' : rfc3339(until).slice(5, 16)]),
  ].join(' ');

describe('what is foreseen for a machine', () => {
  test('goes from switch to switch of its schedule', () =>
    expect(foresee()).toEqual([
      'on',
      '03-25T19:00 stop',
      '03-26T07:00 start',
      '03-26T19:00 stop',
      '03-27T07:00 start',
      '03-27T19:00 stop',
    ]));

  test('includes its first instant, and not its last', () => {
    const course = foreseeCourse(
      [office()],
      { name: 'dev/web', createdAt: 0 },
      { from: at('2026-03-25T19:00:00Z'), to: at('2026-03-26T07:00:00Z') },
    );
    expect(course.switches.map(told)).toEqual(['03-25T19:00 stop']);
    expect(course.stretches.map(({ power }) => power)).toEqual(['off']);
  });

  test('begins as it is, where that is known', () =>
    expect(foresee([office()], { power: 'off' }, 1)).toEqual(['off', '03-25T19:00 (stop)', '03-26T07:00 start']));

  test('is unknown where no schedule says anything', () => {
    expect(foresee([])).toEqual(['unknown']);
    expect(foresee([office()], { createdAt: at('2026-03-25T10:00:00Z') }, 0.1)).toEqual(['unknown']);
    expect(foresee([{ ...office(), suspended: true }])).toEqual(['unknown']);
  });

  test('leaves the start of a holiday out', () =>
    expect(foresee([office({ holidays: { dates: ['2026-03-26'] } })], {}, 2)).toEqual([
      'on',
      '03-25T19:00 stop',
      '03-26T07:00 no start holiday',
      '03-26T19:00 (stop)',
      '03-27T07:00 start',
    ]));

  test('holds a stop back while keep-running-until holds, and does it then', () =>
    expect(
      foresee([office()], { wukongAnnotations: { [`${prefix}keep-running-until`]: '2026-03-25T22:00:00Z' } }, 1),
    ).toEqual(['on', '03-25T19:00 no stop held 03-25T22:00', '03-25T22:00 stop resumed', '03-26T07:00 start']));

  test('takes the override of a namespace', () =>
    expect(
      foresee([office()], { namespaceAnnotations: { [`${prefix}keep-stopped-until`]: '2026-03-26T09:00:00Z' } }, 1),
    ).toEqual(['off', '03-25T19:00 (stop)', '03-26T07:00 no start held 03-26T09:00', '03-26T09:00 start resumed']));

  test('never stops what is protected', () =>
    expect(foresee([office()], { wukongAnnotations: { [`${prefix}protected`]: 'true' } }, 1)).toEqual([
      'on',
      '03-25T19:00 no stop protected',
      '03-26T07:00 (start)',
    ]));

  test('skips once, and once only', () =>
    expect(foresee([office()], { wukongAnnotations: { [`${prefix}skip-next`]: 'true' } }, 2)).toEqual([
      'on',
      '03-25T19:00 no stop skip-next',
      '03-26T07:00 (start)',
      '03-26T19:00 stop',
      '03-27T07:00 start',
    ]));

  test('does nothing while frozen, and what is still due then', () =>
    expect(foresee([office()], { freezeUntil: at('2026-03-25T19:30:00Z') }, 1)).toEqual([
      'on',
      '03-25T19:00 no stop frozen 03-25T19:30',
      '03-25T19:30 stop thawed',
      '03-26T07:00 start',
    ]));

  test('stays as it is while a freeze cannot be read', () =>
    expect(foresee([office()], { freezeUntil: Infinity }, 0.5)).toEqual(['on', '03-25T19:00 no stop frozen for ever']));

  test('undoes a change by hand under Enforce', () =>
    expect(foresee([office({ policy: 'Enforce' })], { power: 'off' }, 0.1)).toEqual([
      'on', // from its first instant
      '03-25T12:00 start enforced',
    ]));

  test('marks what a clock change moves', () => {
    const early = office({ start: '30 2 * * *', stop: '0 1 * * *' });
    const facts = { name: 'dev/web', createdAt: 0 };
    const course = foreseeCourse([early], facts, { from: at('2026-03-28T12:00:00Z'), to: at('2026-03-29T12:00:00Z') });
    expect(course.switches.map(told)).toEqual(['03-29T00:00 stop', '03-29T01:00 start gap']);
  });
});
