import { expect, it } from 'vitest';

import { forgetGuest, hasTried, nothingSeen, seconds } from '../../shared/lifecycle/step.ts';

it('a process that has just begun has seen and done nothing', () => {
  const { died, refusals, ...flags } = nothingSeen();
  expect([died.size, refusals]).toEqual([0, 0]);
  expect(Object.values(flags)).toEqual([false, false, false, false, false]);
});

it('of a guest nothing is known any more once another one is there, but what KubeVirt can and the last request', () => {
  const was = { askedAt: 1, askedFor: 'one', noSubresource: true, clearedQueue: true };
  const seen = { ...nothingSeen(), ...was, invalid: true, forced: true, podDeleted: true };
  forgetGuest(seen);
  expect(seen).toEqual({ ...nothingSeen(), ...was });
});

it.each([
  [0, '0.0 s'],
  [1_250, '1.3 s'],
  [9_999, '10.0 s'],
  [10_000, '10 s'],
  [61_000, '61 s'],
])('%d ms are told as %s', (ms, text) => expect(seconds(ms)).toBe(text));

it.each([
  [{}, false],
  [{ askedAt: 1 }, true],
  [{ refusal: 'no' }, true],
])('a process that has seen %j has tried: %s', (seen, tried) =>
  expect(hasTried({ ...nothingSeen(), ...seen })).toBe(tried),
);
