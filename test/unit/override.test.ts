import { describe, expect, test } from 'vitest';

import type { Annotations } from '../../shared/domain/model.ts';
import { freezeFrom, overrideFor } from '../../shared/schedule/override.ts';
import { jitterMs, waves } from '../../shared/schedule/wave.ts';
import { at, prefix } from './schedules.ts';

const now = at('2026-03-31T18:00:00Z');
const keep = `${prefix}keep-running-until`;
const lease = `${prefix}lease-until`;
const until = (time: string) => `2026-03-31T${time}Z`;
const over = (wukongAnnotations?: Annotations, namespaceAnnotations?: Annotations) =>
  overrideFor({ wukongAnnotations, namespaceAnnotations, now });

describe('an override', () => {
  test('is none where nobody wrote one', () => {
    expect(over()).toEqual({ holds: {}, ended: {}, problems: [] });
  });
  test('holds where every annotation says something, and where the namespace alone does', () => {
    const [all, hold] = [until('20:00:00'), { key: keep, until: at(until('20:00:00')) }];
    const every = ['keep-running-until', 'keep-stopped-until', 'lease-until'].map((key) => [prefix + key, all]);
    const flags = { [`${prefix}skip-next`]: 'false', [`${prefix}protected`]: 'false' };
    expect(over({ ...Object.fromEntries(every), ...flags }).holds.stop).toMatchObject(hold);
    expect(over(undefined, { [keep]: all }).holds.stop).toMatchObject({ ...hold, level: 'namespace' });
  });
  test('says which annotation holds, where, and until when', () => {
    const hold = (level: string) => ({ stop: { key: keep, level, until: at(until('20:00:00')) } });
    expect(over({ [keep]: until('20:00:00') })).toEqual({ holds: hold('Wukong'), ended: {}, problems: [] });
    expect(over({}, { [keep]: until('20:00:00') }).holds).toEqual(hold('namespace'));
    expect(over({ [keep]: until('20:00:00') }, { [keep]: until('23:00:00') }).holds).toEqual(hold('Wukong'));
  });
  test.each([
    ['20:00:00', '19:00:00', keep],
    ['19:00:00', '20:00:00', lease],
    ['20:00:00', '20:00:00', keep],
  ])('until %s beside a lease until %s: the longer one counts', (kept, leased, key) => {
    expect(over({ [keep]: until(kept), [lease]: until(leased) }).holds.stop?.key).toBe(key);
  });
  test.each([
    ['true', 'Wukong', 0],
    ['false', undefined, 0],
    ['yes', 'Wukong', 1],
  ])('protected %j', (text, level, problems) => {
    const found = over({ [`${prefix}protected`]: text });
    expect([found.protected, found.problems.length]).toEqual([level, problems]);
  });
  test('shows no more than 60 characters of what it could not read', () => {
    expect(over({ [keep]: 'x'.repeat(61) }).problems[0]?.message).toContain(`is "${'x'.repeat(60)}":`);
  });
});

test.each([
  [undefined, {}],
  [{ freezeUntil: ' \n' }, {}],
  [{ freezeUntil: ` ${until('20:00:00')}\n` }, { until: at(until('20:00:00')) }],
  [
    { freezeUntil: 'y'.repeat(61) },
    {
      until: Infinity,
      problem: `ConfigMap wukong-lifecycle, freezeUntil: "${'y'.repeat(60)}" is no RFC 3339 time; schedules stay frozen until it is one`,
    },
  ],
])('a freeze by %j', (data, expected) => expect(freezeFrom(data)).toEqual(expected));

describe('a wave', () => {
  const target = (name: string, wave?: string) => ({
    metadata: { name, ...(wave === undefined ? {} : { annotations: { [`${prefix}wave`]: wave } }) },
  });
  test.each([
    ['start', [-30, -1, 0, 10, 20]],
    ['stop', [20, 10, 0, -1, -30]],
  ] as const)('of a %s has its turn by number', (action, order) => {
    const targets = ['10', '-30', '20', '-0', '+10', '-1'].map((wave, i) => target(`vm-${i}`, wave));
    expect(waves(targets, action).waves.map(({ wave }) => wave)).toEqual(order);
  });
  test('that is no whole number is 0, and is told with its Wukong', () => {
    const odd = target('odd', '1e3');
    expect(waves([odd], 'start')).toEqual({
      waves: [{ wave: 0, targets: [odd] }],
      problems: [{ target: odd, message: `${prefix}wave is "1e3": expected a whole number; taken as 0` }],
    });
    expect(waves([target('long', 'z'.repeat(61))], 'start').problems[0]?.message).toContain(`"${'z'.repeat(60)}"`);
  });
});

// A process of another version has to come to the same instant.
test.each([
  ['dev/db', 0, 0],
  ['dev/db', 1, 874],
  ['dev/db', 600, 408_874],
  ['dev/web', 600, 582_642],
  ['dev/ü', 3_600, 1_860_541],
])('jitter of %s within %d s is always the same', (name, seconds, ms) => {
  expect(jitterMs(name, now, seconds)).toBe(ms);
});
