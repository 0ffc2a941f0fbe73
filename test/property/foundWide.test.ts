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
  [
    'the model did not know that a guest which is started again and again may be up when its turn comes',
    {},
    [vm({ space: 'north', on: true, guest: 'crashes', env: 'prod' }), vm({ space: 'north' })],
    [
      ...[plan({ space: 'north', env: 'prod', zone: 'Europe/Berlin', start: 60, stop: 150, jitterSeconds: 60 })],
      plan({ space: 'cluster', env: 'dev', zone: 'Europe/Berlin', start: 15, stop: 30, suspend: true }),
    ],
    [{ do: 'hand', of: 1, strategy: 'Halted', minute: 92 }],
  ],
  [
    'the model took for rest what came after an override that ended very late',
    { night: 'autumn' },
    [vm({ guest: 'unschedulable' })],
    [
      plan({
        ...{ space: 'cluster', over: true, policy: 'Enforce', start: 90 },
        exception: { from: 202, minutes: 60, state: 'Running' },
      }),
    ],
    [{ do: 'keep', of: 0, state: 'stopped', minutes: 100, minute: 212 }],
  ],
  [
    'the model made a Wukong anew that was gone already, while its VM was still going',
    {},
    [vm({ space: 'north' })],
    [plan({ space: 'north', stop: 15, suspend: true, exception: { from: 22, minutes: 20, state: 'Running' } })],
    [
      { do: 'recreate', of: 0, minute: 2 },
      { do: 'recreate', of: 0, minute: 2 },
    ],
  ],
  [
    'a VM of two schedules, still starting in the first wave of the one, was taken for one of the other at the next tick',
    {},
    [vm({ space: 'north', guest: 'unschedulable', env: 'prod' }), vm({ env: 'prod', wave: 20 }), vm({ env: 'prod' })],
    [
      plan({ space: 'cluster', env: 'prod', zone: 'Europe/Berlin', start: 210 }),
      plan({ space: 'cluster', env: 'prod', start: 150, stop: 75 }),
    ],
    [],
  ],
  [
    'the second wave of a fleet was lost, as the first had failed in the hands of another, which nobody looked for',
    {},
    [vm({ space: 'north', guest: 'unschedulable' }), vm({ space: 'north', wave: 10, protected: true })],
    [],
    [{ do: 'fleet', via: 'event', action: 'start', env: 'dev', maxInFlight: 1, minute: 2 }],
  ],
  [
    'the model took what a Wukong made anew says of a boundary for what its predecessor said',
    { bus: true, fates: [10_800, 1].map((afterSeconds) => ({ times: 1, afterSeconds })) },
    [vm({ space: 'south', wave: 20 }), vm({ space: 'south' })],
    [plan({ space: 'south', env: 'dev', start: 15, stop: 120 })],
    [
      { do: 'edit', of: 0, edit: 'recreate', minute: 4 },
      { do: 'recreate', of: 1, minute: 123 },
    ],
  ],
  [
    'a run said AlreadyOn of a VM that fits nowhere, as another request for the same was newer than its boundary',
    {},
    [vm({ space: 'north', guest: 'unschedulable' }), vm({ space: 'north' })],
    [plan({ space: 'north', env: 'dev', start: 75 }), plan({ space: 'north', env: 'dev', start: 75 })],
    [{ do: 'fleet', via: 'event', action: 'start', env: 'dev', maxInFlight: 1, minute: 70 }],
  ],
  [
    'and so it was where that request had joined a start under way, which failed in the second of the boundary',
    {},
    [vm({ space: 'north' }), vm({ guest: 'unschedulable', env: 'prod', protected: true })],
    [plan({ env: 'prod', start: 45, exception: { from: 22, minutes: 20, state: 'Running' } })],
    [
      { do: 'ask', via: 'event', action: 'start', of: 3, force: false, minute: 40 },
      { do: 'ask', via: 'event', action: 'start', of: 3, force: false, minute: 45 },
    ],
  ],
];

it.each(found)('not any more: %s', async (_what, more, wukongs, schedules, steps) => {
  expect(await wrongWithWide({ ...around, ...more, wukongs, schedules, steps })).toEqual([]);
});
