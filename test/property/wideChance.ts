import fc from 'fast-check';

import type { Action } from '../../shared/domain/outcome.ts';
import { type Harm, targets } from './history.ts';
import {
  type Fate,
  type ScheduleEdit,
  type Space,
  spaces,
  type WideAct,
  type WideHistory,
  type WideSchedule,
  type WideStep,
  type WideWukong,
} from './wideHistory.ts';

const mostly = <T>(usual: T, seldom: fc.Arbitrary<T>) =>
  fc.oneof({ arbitrary: fc.constant(usual), weight: 5 }, { arbitrary: seldom, weight: 1 });
const action = fc.constantFrom<Action>('start', 'stop');
const of = fc.nat({ max: 5 });
const env = fc.constantFrom('dev' as const, 'dev' as const, 'prod' as const);

const wukong: fc.Arbitrary<WideWukong> = fc.record({
  space: fc.constantFrom(...spaces),
  on: fc.boolean(),
  guest: fc.constantFrom('plain', 'plain', 'plain', 'slow', 'slowBoot', 'deaf', 'hangs', 'crashes', 'unschedulable'),
  env,
  wave: fc.constantFrom(0, 0, 10, 20),
  protected: mostly(false, fc.constant(true)),
});

const quarter = fc.integer({ min: 1, max: 14 }).map((n) => n * 15);
const schedule: fc.Arbitrary<WideSchedule> = fc
  .record({
    space: fc.constantFrom<Space | 'cluster'>(...spaces, ...spaces, 'cluster'),
    over: mostly(false, fc.constant(true)),
    env: fc.constantFrom('dev', 'dev', 'any', 'prod'),
    zone: fc.constantFrom('UTC', 'Europe/Berlin'),
    policy: fc.constantFrom('Respect', 'Respect', 'Respect', 'Enforce'),
    start: fc.option(quarter, { nil: undefined }),
    stop: fc.option(quarter, { nil: undefined, freq: 4 }),
    suspend: mostly(false, fc.constant(true)),
    waves: fc.option(
      fc.record({ maxInFlight: fc.integer({ min: 1, max: 3 }), delaySeconds: fc.constantFrom(0, 0, 90) }),
      { nil: undefined, freq: 1 },
    ),
    jitterSeconds: mostly(0, fc.constantFrom(60, 300)),
    exception: mostly<WideSchedule['exception']>(
      undefined,
      fc.record({
        from: quarter.map((minute) => minute + 7),
        minutes: fc.constantFrom(20, 60),
        state: fc.constantFrom('Running' as const, 'Stopped' as const),
      }),
    ),
  } satisfies { [key in keyof WideSchedule]: fc.Arbitrary<WideSchedule[key]> })
  .filter(({ start, stop }) => start !== stop);

const watchHarm = (harm: Harm) => harm.kind === 'expireWatch' || harm.kind === 'cutWatch';
const harm: fc.Arbitrary<Harm> = fc.oneof(
  fc.constantFrom<Harm>(
    ...([{ kind: 'dropBefore' }, { kind: 'dropAfter' }, { kind: 'cutBody' }, { kind: 'stale' }] as const),
    ...([409, 422, 500, 503].map((status) => ({ kind: 'status', status })) as Harm[]),
    { kind: 'status', status: 429, retryAfterSeconds: 2 },
    { kind: 'expireWatch' },
  ),
  fc.record({ kind: fc.constant('delay' as const), ms: fc.integer({ min: 100, max: 40_000 }) }),
  fc.record({ kind: fc.constant('cutWatch' as const), afterEvents: fc.integer({ min: 0, max: 4 }) }),
);
const fault = fc
  .record({
    do: fc.constant('fault' as const),
    target: fc.constantFrom(...(Object.keys(targets) as (keyof typeof targets)[])),
    nth: fc.integer({ min: 1, max: 12 }),
    times: fc.integer({ min: 1, max: 5 }),
    harm,
  })
  .map((one) => (watchHarm(one.harm) ? { ...one, target: 'watch' as const } : one));

/** With more VMs than places, often. */
const maxInFlight = fc.constantFrom(1, 2, 50);
const fleet = fc.record({
  ...{ do: fc.constant('fleet' as const), via: fc.constantFrom('event' as const, 'cli' as const) },
  ...{ action, env, maxInFlight },
});

const acts: [weight: number, fc.Arbitrary<WideAct>][] = [
  [
    6,
    fc.record({
      do: fc.constant('ask' as const),
      via: fc.constantFrom('event', 'cli', 'declare'),
      action,
      of,
      force: mostly(false, fc.constant(true)),
    }),
  ],
  [2, fleet],
  [
    1,
    fc.record({
      do: fc.constant('keep' as const),
      of,
      state: fc.constantFrom('running', 'stopped'),
      minutes: fc.constantFrom(20, 100),
    }),
  ],
  [1, fc.record({ do: fc.constant('skipNext' as const), of })],
  [
    3,
    fc.record({
      do: fc.constant('edit' as const),
      of: fc.nat({ max: 3 }),
      edit: fc.constantFrom<ScheduleEdit>('later', 'suspend', 'resume', 'policy', 'recreate', 'delete'),
    }),
  ],
  [1, fc.record({ do: fc.constant('recreate' as const), of })],
  [1, fc.record({ do: fc.constant('relabel' as const), of })],
  [2, fc.record({ do: fc.constant('hand' as const), of, strategy: fc.constantFrom('Always', 'Halted') })],
  [1, fc.record({ do: fc.constant('guest' as const), of })],
  [3, fault],
  [
    1,
    fc.record({
      do: fc.constant('away' as const),
      seconds: fc.constantFrom(20, 150),
      what: fc.constantFrom('virtApi', 'apiServer'),
    }),
  ],
  [
    2,
    fc.record({
      do: fc.constant('tick' as const),
      dies: fc.record({ nth: fc.integer({ min: 1, max: 40 }), when: fc.constantFrom('before', 'after') }),
    }),
  ],
  [1, fc.constant({ do: 'kill' as const })],
];
const step = fc
  .tuple(
    fc.oneof(...acts.map(([weight, arbitrary]) => ({ weight, arbitrary }))),
    // About the quarters of an hour, where boundaries are.
    fc.oneof(
      fc.integer({ min: 2, max: 240 }),
      fc.tuple(quarter, fc.integer({ min: -2, max: 4 })).map(([at, by]) => at + by),
    ),
  )
  .map(([act, minute]): WideStep => ({ ...act, minute }));

const fate: fc.Arbitrary<Fate> = fc.record({
  times: mostly(1, fc.constantFrom(0, 2, 3)),
  afterSeconds: mostly(1, fc.constantFrom(20, 90, 5_400, 10_800)),
});

/** What may happen to several Wukongs in some hours. */
export const wideHistories: fc.Arbitrary<WideHistory> = fc.record({
  night: mostly<WideHistory['night']>('plain', fc.constantFrom('autumn', 'spring')),
  bus: fc.boolean(),
  tickers: fc.constantFrom('one', 'one', 'two', 'served'),
  fates: fc.oneof(fc.constant([{ times: 1, afterSeconds: 1 }]), fc.array(fate, { minLength: 1, maxLength: 4 })),
  wukongs: fc.array(wukong, { minLength: 2, maxLength: 7, size: 'max' }),
  schedules: fc.array(schedule, { minLength: 1, maxLength: 4, size: 'max' }),
  // Half of them without a fault: what is then late, or fails, has no excuse.
  steps: fc
    .tuple(fc.boolean(), fc.array(step, { maxLength: 9, size: 'max' }))
    .map(([harmed, steps]) =>
      steps
        .filter((one) => harmed || !['fault', 'away', 'tick', 'kill'].includes(one.do))
        .sort((a, b) => a.minute - b.minute),
    ),
}) as fc.Arbitrary<WideHistory>;
