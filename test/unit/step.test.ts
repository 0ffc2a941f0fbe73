import { expect, it } from 'vitest';

import {
  forgetGuest,
  hasTried,
  isOvertaken,
  nothingSeen,
  seconds,
  type Seen,
  without,
} from '../../shared/lifecycle/step.ts';

it('a process that has just begun has seen and done nothing', () => {
  const { died, refusals, ...flags } = nothingSeen();
  expect([died.size, refusals]).toEqual([0, 0]);
  expect(Object.values(flags)).toEqual([false, false, false, false, false]);
});

it('of a guest nothing is known any more once another one is there, but what KubeVirt can and the last request', () => {
  const was = { askedAt: 1, askedFor: 'one', noSubresource: true, clearedQueue: true };
  const ofIt = { invalid: true, forced: true, podDeleted: true, missed: {}, trace: {} } as Partial<Seen>;
  const seen = { ...nothingSeen(), ...was, ...ofIt };
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

it('a VM that is gone, or that another stands in the place of, is told as such', () => {
  expect(without({})).toEqual({ reason: 'NotFound', message: 'The VM was deleted meanwhile.' });
  expect(without({ foreign: 'web-vm' })).toEqual({
    reason: 'NotOwned',
    message: "VM web-vm is not this Wukong's any more; it was left as it is.",
  });
});

it.each([
  ['the same', {}, false],
  ['another spec', { generation: 2 }, true],
  ['another strategy in the same generation', { strategy: 'Always' }, true],
  ['another queue', { queue: [{ action: 'Start' }] }, true],
])('a VM that says %s than when it was asked', (_what, now, overtaken) => {
  const askedOn = { generation: 1, strategy: 'Halted', queue: [] };
  const seen = { ...nothingSeen(), askedOn } as unknown as Seen;
  expect(isOvertaken(seen, { ...askedOn, ...now } as never)).toBe(overtaken);
  expect(isOvertaken({ ...seen, overtaken: 5 }, { ...askedOn, ...now } as never)).toBe(false);
});
