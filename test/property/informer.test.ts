import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { follow } from '../../shared/cluster/informer.ts';
import type { KubeObject } from '../../shared/domain/model.ts';
import { sleep } from '../../shared/time/wait.ts';
import { VirtualClock } from '../../sim/clock.ts';
import { dice } from '../dice.ts';
import { type Plain, type Spoilt, Watched } from './watched.ts';

const names = ['one', 'two', 'three', 'four', 'five'];
/** One more VM that the watch does not want. */
const unwanted = 'unwanted';
/** What is cut again and again is seen again within it; what has fallen silent after a minute and a half. */
const promptMs = 3_000;
const silentMs = 92_000;

type Step =
  | { do: 'put' | 'remove' | 'again'; name: string }
  | { do: 'bookmark' | 'compact' | 'deafen' | 'leave' | 'return' }
  | { do: 'look' }
  | { do: 'cut'; how: 'cut' | 'end' }
  | { do: 'error'; code: number }
  | ({ do: 'spoil' } & Spoilt)
  | { do: 'pass'; ms: number };

interface Story {
  knowsInitialEvents: boolean;
  expiresBy: 'status' | 'event';
  /** What changes between two pages of a list whose rest is forgotten. */
  meanwhile: string | undefined;
  steps: Step[];
}

const name = fc.constantFrom(...names, unwanted);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constantFrom('put' as const, 'remove' as const, 'again' as const), name }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'bookmark' as const,
        'compact' as const,
        'deafen' as const,
        'leave' as const,
        'return' as const,
      ),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ do: 'look' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('cut' as const), how: fc.constantFrom('cut' as const, 'end' as const) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('error' as const), code: fc.constantFrom(410, 500, 504) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('spoil' as const),
      afterLines: fc.integer({ min: 0, max: 4 }),
      how: fc.constantFrom('cut' as const, 'end' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(0, 20, 100, 400, 30_000) }),
  },
);
const story: fc.Arbitrary<Story> = fc.record({
  knowsInitialEvents: fc.boolean(),
  expiresBy: fc.constantFrom('status' as const, 'event' as const),
  meanwhile: fc.option(name, { nil: undefined }),
  steps: fc.array(step, { minLength: 1, maxLength: 30 }),
});

const read = ({ metadata }: KubeObject): Plain => ({
  uid: metadata.uid ?? '',
  version: Number(metadata.resourceVersion),
});

function act(server: Watched, step: Exclude<Step, { do: 'look' } | { do: 'pass' }>): void {
  switch (step.do) {
    case 'put':
      return server.put(step.name);
    case 'remove':
      return server.remove(step.name);
    case 'again':
      server.remove(step.name);
      return server.put(step.name);
    case 'bookmark':
      return server.bookmark();
    case 'compact':
      return server.compact();
    case 'deafen':
      return server.deafen();
    case 'leave':
      server.away = true;
      return server.cut('cut');
    case 'return':
      server.away = false;
      return;
    case 'cut':
      return server.cut(step.how);
    case 'error':
      return server.error(step.code);
    case 'spoil':
      server.spoilt.push(step);
      return;
    default:
      throw new Error(`unknown step ${JSON.stringify(step satisfies never)}`);
  }
}

/** Lives through the story; whenever it looks, what is known is the truth, and everybody was told. */
async function live({ steps, meanwhile, ...server }: Story): Promise<void> {
  const clock = new VirtualClock(0);
  const watched = Object.assign(new Watched(), server);
  for (const each of [...names.slice(0, 3), unwanted]) watched.put(each);
  if (meanwhile !== undefined)
    watched.betweenPages = () => {
      watched.put(meanwhile);
      watched.compact();
    };
  const work = async () => {
    let changes = 0;
    const source = {
      path: '/apis/x/v1/things',
      read,
      wanted: (key: string) => !key.endsWith(`/${unwanted}`),
      changed: () => changes++,
    };
    const cluster = { transport: watched.transport, clock, random: dice() };
    const followed = await follow(cluster, source, { deadline: 60_000 });
    /** As those who wait for one of them see it: only when they are told. */
    const told = new Map(names.map((name) => [name, followed.get('a', name)]));
    for (const name of names) followed.on('a', name, () => told.set(name, followed.get('a', name)));
    const seen = new Map<string, Plain>();

    const look = async () => {
      watched.away = false;
      await sleep(clock, watched.anyDeaf ? silentMs : promptMs * (1 + watched.spoilt.length));
      const truth = Object.fromEntries(names.map((name) => [name, watched.truth.get(name)]));
      expect(Object.fromEntries(names.map((name) => [name, followed.get('a', name)]))).toEqual(truth);
      expect(Object.fromEntries(told)).toEqual(truth);
      expect(followed.all()).toHaveLength(names.filter((name) => watched.truth.has(name)).length);
      expect(followed.get('a', unwanted)).toBeUndefined();
      for (const name of names) {
        const before = seen.get(name);
        const now = followed.get('a', name);
        // Whoever was seen and is there no more has gone; he or one that came after him.
        if (before && before.uid !== now?.uid)
          expect(Number(followed.gone('a', name)?.uid.slice(4))).toBeGreaterThanOrEqual(Number(before.uid.slice(4)));
        if (now) seen.set(name, now);
        else seen.delete(name);
      }
      expect(watched.open).toBe(1);
    };
    for (const step of steps) {
      if (step.do === 'look') await look();
      else if (step.do === 'pass') await sleep(clock, step.ms);
      else act(watched, step);
    }
    await look();
    watched.spoilt = [];
    watched.betweenPages = undefined;
    const before = changes;
    watched.compact();
    watched.cut('end');
    await look();
    expect(changes, 'a reconnect is no change').toBe(before);
    followed.close();
    await sleep(clock, 10);
    expect(watched.open).toBe(0);
  };
  await clock.run(work, { sims: [] });
  expect(clock.pending, 'timers left behind').toBe(0);
}

describe('the informer', () => {
  it('knows the truth after whatever happened to its watch, and tells everybody', { timeout: 60_000 }, () =>
    fc.assert(fc.asyncProperty(story, live), { numRuns: 300, seed: 7 }),
  );
});
