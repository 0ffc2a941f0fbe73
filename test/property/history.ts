import fc from 'fast-check';

import type { Action } from '../../shared/domain/outcome.ts';
import type { Death } from './process.ts';

/** Where faults strike: of the calls that fit, one after the other. */
export const targets = {
  any: /./,
  wukong: /\/wukongs\/[^/?]+$/,
  wukongs: /\/wukongs(\?|$)/,
  status: /\/status$/,
  power: /\/subresources\.kubevirt\.io\//,
  events: /\/events/,
  watch: /watch=true/,
} as const;

export type Harm =
  | { kind: 'dropBefore' | 'dropAfter' | 'cutBody' | 'stale' | 'expireWatch' }
  | { kind: 'status'; status: number; retryAfterSeconds?: number }
  | { kind: 'delay'; ms: number }
  | { kind: 'cutWatch'; afterEvents: number };

export type Step =
  | {
      do: 'command';
      action: Action;
      /** How old the request is when it is first delivered: events overtake each other. */
      ageSeconds: number;
      times: number;
      leftMs: number;
      force: boolean;
      graceSeconds?: number | undefined;
      leaseSeconds?: number | undefined;
      deletePod: boolean;
      notAfterSeconds?: number | undefined;
      dies?: Death | undefined;
      skewMs: number;
    }
  | { do: 'declare'; action: Action; force: boolean }
  | { do: 'tick'; leftMs: number; dies?: Death | undefined; skewMs: number }
  | { do: 'pass'; seconds: number }
  /** The guest's owner at the VM itself. */
  | { do: 'hand'; strategy: 'Always' | 'Halted' }
  /** The guest powers itself off, or dies. */
  | { do: 'guest'; phase: 'Succeeded' | 'Failed' }
  | { do: 'wipeStatus' }
  | { do: 'touch' }
  | { do: 'fault'; target: keyof typeof targets; nth: number; times: number; harm: Harm }
  | { do: 'virtApi'; down: boolean };
export type CommandStep = Extract<Step, { do: 'command' }>;

export interface History {
  strategy: 'Always' | 'Halted' | 'Once' | 'Manual' | 'RerunOnFailure' | 'running' | 'notRunning';
  guest: 'plain' | 'slow' | 'deaf' | 'hangs' | 'slowBoot';
  /** terminationGracePeriodSeconds of the VM's template. */
  grace?: number | undefined;
  operator: boolean;
  /** Requests of schedules go over the bus, or are carried out by the tick itself. */
  bus: boolean;
  schedule?: { policy: 'Respect' | 'Enforce'; startMinute?: number; stopMinute?: number } | undefined;
  protected: boolean;
  keepRunningSeconds?: number | undefined;
  steps: Step[];
  /** Before so many steps the functions are of version 0.1.0; what it has begun then, it goes on with. */
  upgradeAfter?: number;
}

const action = fc.constantFrom<Action>('start', 'stop');
const death = fc.option(
  fc.record({ nth: fc.integer({ min: 1, max: 14 }), when: fc.constantFrom('before' as const, 'after' as const) }),
  { nil: undefined, freq: 3 },
);
const mostly = <T>(usual: T, seldom: fc.Arbitrary<T>) =>
  fc.oneof({ arbitrary: fc.constant(usual), weight: 4 }, { arbitrary: seldom, weight: 1 });
const skewMs = mostly(0, fc.integer({ min: -10_000, max: 10_000 }));

const command: fc.Arbitrary<Step> = fc.record({
  do: fc.constant('command' as const),
  action,
  ageSeconds: mostly(0, fc.integer({ min: 0, max: 120 })),
  times: mostly(1, fc.integer({ min: 2, max: 3 })),
  leftMs: fc.constantFrom(600_000, 600_000, 60_000, 5_000, 500),
  force: mostly(false, fc.constant(true)),
  graceSeconds: mostly(undefined, fc.constantFrom<number | undefined>(3, 15, 50)),
  leaseSeconds: mostly(undefined, fc.constantFrom<number | undefined>(60, 240)),
  deletePod: mostly(false, fc.constant(true)),
  notAfterSeconds: mostly(undefined, fc.constantFrom<number | undefined>(0, 60)),
  dies: death,
  skewMs,
});
const harm: fc.Arbitrary<Harm> = fc.oneof(
  fc.constantFrom<Harm>(
    { kind: 'dropBefore' },
    { kind: 'dropAfter' },
    { kind: 'cutBody' },
    { kind: 'stale' },
    { kind: 'expireWatch' },
    { kind: 'status', status: 429, retryAfterSeconds: 1 },
    { kind: 'status', status: 500 },
    { kind: 'status', status: 503 },
    { kind: 'status', status: 504 },
  ),
  fc.record({ kind: fc.constant('delay' as const), ms: fc.integer({ min: 100, max: 20_000 }) }),
  fc.record({ kind: fc.constant('cutWatch' as const), afterEvents: fc.integer({ min: 0, max: 4 }) }),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: command, weight: 6 },
  { arbitrary: fc.record({ do: fc.constant('pass' as const), seconds: fc.integer({ min: 1, max: 90 }) }), weight: 5 },
  {
    arbitrary: fc.record({
      do: fc.constant('tick' as const),
      leftMs: fc.constantFrom(50_000, 50_000, 3_000),
      dies: death,
      skewMs,
    }),
    weight: 4,
  },
  {
    arbitrary: fc.record({
      do: fc.constant('declare' as const),
      action,
      force: mostly(false, fc.constant(true)),
    }),
    weight: 2,
  },
  {
    arbitrary: fc.record({
      do: fc.constant('fault' as const),
      target: fc.constantFrom(...(Object.keys(targets) as (keyof typeof targets)[])),
      nth: fc.integer({ min: 1, max: 10 }),
      times: fc.integer({ min: 1, max: 3 }),
      harm,
    }),
    weight: 4,
  },
  {
    arbitrary: fc.record({
      do: fc.constant('hand' as const),
      strategy: fc.constantFrom('Always' as const, 'Halted' as const),
    }),
    weight: 1,
  },
  {
    arbitrary: fc.record({
      do: fc.constant('guest' as const),
      phase: fc.constantFrom('Succeeded' as const, 'Failed' as const),
    }),
    weight: 1,
  },
  { arbitrary: fc.constant({ do: 'wipeStatus' as const }), weight: 1 },
  { arbitrary: fc.constant({ do: 'touch' as const }), weight: 1 },
  { arbitrary: fc.record({ do: fc.constant('virtApi' as const), down: fc.boolean() }), weight: 1 },
);

const minute = fc.integer({ min: 1, max: 6 });

/** What may happen to one Wukong in a few minutes. */
export const histories: fc.Arbitrary<History> = fc.record({
  strategy: fc.constantFrom('Always', 'Always', 'Halted', 'Once', 'Manual', 'RerunOnFailure', 'running', 'notRunning'),
  guest: fc.constantFrom('plain', 'plain', 'plain', 'slow', 'deaf', 'hangs', 'slowBoot'),
  grace: fc.constantFrom(undefined, 5, 20),
  operator: mostly(false, fc.constant(true)),
  bus: fc.boolean(),
  schedule: fc.option(
    fc.oneof(
      fc.record({ policy: mostly('Respect' as const, fc.constant('Enforce' as const)), stopMinute: minute }),
      fc.record({ policy: mostly('Respect' as const, fc.constant('Enforce' as const)), startMinute: minute }),
      fc
        .record({ policy: fc.constant('Respect' as const), startMinute: minute, stopMinute: minute })
        .filter(({ startMinute, stopMinute }) => startMinute !== stopMinute),
    ),
    { nil: undefined, freq: 3 },
  ),
  protected: fc.integer({ min: 0, max: 19 }).map((n) => n === 7),
  keepRunningSeconds: mostly(undefined, fc.constantFrom<number | undefined>(30, 200)),
  steps: fc.array(step, { minLength: 1, maxLength: 9, size: 'max' }),
}) as fc.Arbitrary<History>;

/** An upgrade from version 0.1.0 in the middle of it all. */
export const upgrades: fc.Arbitrary<History> = fc
  .tuple(histories, fc.integer({ min: 1, max: 8 }))
  .map(([history, upgradeAfter]) => ({ ...history, upgradeAfter }));
