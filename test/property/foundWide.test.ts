import { expect, it } from 'vitest';

import { wrongWithWide } from './wide.ts';
import type { WideHistory, WideSchedule, WideStep, WideWukong } from './wideHistory.ts';

/** Wide histories that once contradicted the model, made small: each is named for what went wrong. */
const vm = (more: Partial<WideWukong> = {}): WideWukong => ({
  ...{ space: 'east', on: false, guest: 'plain', env: 'dev', wave: 0, protected: false },
  ...more,
});
const plan = (more: Partial<WideSchedule>): WideSchedule => ({
  ...{ space: 'east', over: false, env: 'any', zone: 'UTC', policy: 'Respect', suspend: false, jitterSeconds: 0 },
  ...more,
});
const around: Pick<WideHistory, 'night' | 'bus' | 'tickers' | 'fates'> = {
  ...{ night: 'plain', bus: false, tickers: 'one' },
  fates: [{ times: 1, afterSeconds: 1 }],
};

const found: [string, Partial<WideHistory>, WideWukong[], WideSchedule[], WideStep[]][] = [
  [
    'the model did not know that a boundary which joins an operation under way comes to what that comes to',
    {},
    [vm({ guest: 'unschedulable' })],
    [plan({ start: 15 })],
    [{ do: 'ask', via: 'event', action: 'start', of: 0, force: false, minute: 13 }],
  ],
  [
    'the model held the Event of one VM against the end of another in the same namespace',
    {},
    [vm({ guest: 'unschedulable' }), vm({ guest: 'unschedulable', wave: 10 })],
    [plan({ start: 15 })],
    [],
  ],
];

it.each(found)('not any more: %s', async (_what, more, wukongs, schedules, steps) => {
  expect(await wrongWithWide({ ...around, ...more, wukongs, schedules, steps })).toEqual([]);
});
