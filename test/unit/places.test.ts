import { describe, expect, it } from 'vitest';

import type { Group, Job } from '../../shared/execute/job.ts';
import { Places, type Turn } from '../../shared/execute/places.ts';
import { Rounds } from '../../shared/execute/rounds.ts';
import { VirtualClock } from '../../sim/clock.ts';

const group = (more: Partial<Group> = {}): Group => ({ key: 'g', maxInFlight: 50, delayMs: 0, ...more });
const job = (namespace: string, name: string, more: Partial<Job> = {}): Job => ({
  place: { namespace, name },
  action: 'stop',
  work: { do: 'declared' },
  group: group(),
  wave: 0,
  jitterMs: 0,
  ...more,
});
const many = (namespace: string, count: number, more: Partial<Job> = {}): Job[] =>
  Array.from({ length: count }, (_, i) => job(namespace, `${namespace}-${i}`, more));

const minutes = 60_000;

/** Turns as they come, each handled by `begun`; what is noted is who, and when. */
function turns(jobs: Job[], begun: (turn: Turn, clock: VirtualClock) => void, untilMs = 60 * minutes) {
  const clock = new VirtualClock(0);
  const seen: { name: string; at: number }[] = [];
  const places = new Places(jobs, clock);
  const work = async () => {
    for (let turn = await places.next({ deadline: untilMs }); turn; turn = await places.next({ deadline: untilMs })) {
      seen.push({ name: turn.job.place.name, at: clock.now() });
      begun(turn, clock);
    }
    return { seen, left: places.left().map(({ place }) => place.name), overAt: clock.now() };
  };
  return clock.run(work, { sims: [] });
}
const ends = (afterMs: number) => (turn: Turn, clock: VirtualClock) => {
  turn.asked();
  clock.after(afterMs, () => (turn.release(), turn.ended()));
};

describe('whose turn it is', () => {
  it('is found as fast where each has been asked for on its own', async () => {
    const looks = async (count: number) => {
      let looked = 0;
      const one = (i: number): Job =>
        Object.defineProperty(job('a', `a-${i}`, { group: group({ key: `request ${i}` }) }), 'urgent', {
          get: () => (looked++, false),
        });
      const { seen } = await turns(
        Array.from({ length: count }, (_, i) => one(i)),
        ends(10),
      );
      expect(seen).toHaveLength(count);
      return looked / count;
    };
    expect(await looks(800)).toBeLessThan(2 * (await looks(100)));
  });

  describe('in a namespace where eight are on their way to KubeVirt', () => {
    const full = (more: Partial<Job> = {}) =>
      many('a', 12, more).map((one, i) => ({ ...one, group: group({ key: `g-${i}` }) }));
    const urgent = (count: number): Job[] =>
      many('a', count, { urgent: true, group: group({ key: 'u' }) }).map((one, i) => ({
        ...one,
        place: { namespace: 'a', name: `urgent-${i}` },
      }));
    const silent = () => {};
    const begunBy = (seen: { name: string; at: number }[], at: number) => seen.filter((one) => one.at <= at).length;

    it.each([1, 8])(
      'the next waits for an answer, or for a second; %i that are urgent wait for none',
      async (count) => {
        const { seen } = await turns([...full(), ...urgent(count)], silent);
        expect([begunBy(seen, 0), begunBy(seen, 999)]).toEqual([8 + count, 8 + count]);
        expect(seen.filter(({ at }) => at === 1_000).map(({ name }) => name)).toEqual(['a-8', 'a-9', 'a-10', 'a-11']);
      },
    );

    it('those whose time comes meanwhile wait as all others do, and turn nothing', async () => {
      const later = full({ jitterMs: 50 }).map((one) => ({
        ...one,
        place: { ...one.place, name: `later-${one.place.name}` },
      }));
      const { seen } = await turns([...full(), ...later], silent);
      expect([begunBy(seen, 999), begunBy(seen, 1_000)]).toEqual([8, 16]);
    });

    it('another namespace, whose time has not come, is no reason to wait', async () => {
      const jobs = [...many('a', 2), job('b', 'b-0', { jitterMs: 100, group: group({ key: 'b' }) })];
      const { seen } = await turns(jobs, silent);
      expect(seen).toEqual([
        { name: 'a-0', at: 0 },
        { name: 'a-1', at: 0 },
        { name: 'b-0', at: 100 },
      ]);
    });
  });

  it('goes round the namespaces', async () => {
    const { seen, overAt } = await turns([...many('a', 30), ...many('b', 2)], ends(10));
    expect(seen.slice(0, 4).map(({ name }) => name)).toEqual(['a-0', 'b-0', 'a-1', 'b-1']);
    expect(overAt, 'it is over when the last had its turn').toBe(seen.at(-1)?.at);
  });

  it('goes round the groups of a namespace, where nobody holds a place', async () => {
    const [x, y, z] = ['x', 'y', 'z'].map((key) => ({ group: group({ key }) }));
    const jobs = [job('a', 'x1', x), job('a', 'x2', x), job('a', 'y1', y), job('a', 'y2', y), job('b', 'z1', z)];
    const { seen } = await turns(jobs, (turn) => (turn.release(), turn.ended()));
    expect(seen.map(({ name }) => name)).toEqual(['x1', 'z1', 'y1', 'x2', 'y2']);
  });

  it('is given to eight of a namespace, whatever groups they are of', async () => {
    const jobs = ['x', 'y'].flatMap((key) => many('a', 6, { group: group({ key }) }));
    expect((await turns(jobs, () => {}, 1_500)).seen.map(({ at }) => at)).toEqual([
      ...Array<number>(8).fill(0),
      ...Array<number>(4).fill(1_000),
    ]);
  });

  it('comes at once to who is under way, though all places are taken', async () => {
    const few = { group: group({ maxInFlight: 1 }) };
    const jobs = [job('a', 'first', few), ...many('a', 3, { ...few, urgent: true })];
    const { seen, left } = await turns(jobs, () => {}, 500);
    expect([seen.map(({ at }) => at), left]).toEqual([[0, 0, 0], ['first']]);
  });

  it('is given once for each place that is given back, however often that is said', async () => {
    const begun = (turn: Turn, clock: VirtualClock) => {
      if (turn.job.place.name === 'a-0') for (let i = 0; i < 3; i++) turn.release();
      else ends(1_000)(turn, clock);
    };
    const { seen } = await turns(many('a', 3, { group: group({ maxInFlight: 1 }) }), begun);
    expect(seen.map(({ at }) => at)).toEqual([0, 0, 1_000]);
  });

  it('is given to nobody when it is not wanted any more, nor waited for', async () => {
    const clock = new VirtualClock(0);
    const places = new Places(many('a', 2, { group: group({ maxInFlight: 1 }) }), clock);
    const wish = new AbortController();
    const limits = { deadline: 60_000, signal: wish.signal };
    clock.after(500, () => wish.abort());
    const had = await clock.run(async () => [await places.next(limits), await places.next(limits)], { sims: [] });
    expect([had.map((turn) => turn?.job.place.name), clock.now()]).toEqual([['a-0', undefined], 500]);
    expect(places.left().map(({ place }) => place.name)).toEqual(['a-1']);
    expect(await places.next(limits)).toBeUndefined();
  });

  it('comes sooner to a namespace that holds fewer places, so that one that keeps them cannot have all', async () => {
    const jobs = [...many('stuck', 60), ...many('good', 60)].map((one) => ({
      ...one,
      group: group({ maxInFlight: 10 }),
    }));
    const { seen, left } = await turns(
      jobs,
      (turn, clock) => {
        turn.asked();
        if (turn.job.place.namespace === 'good') clock.after(100, () => (turn.release(), turn.ended()));
      },
      5_000,
    );
    expect(seen.filter(({ name }) => name.startsWith('good'))).toHaveLength(60);
    expect(left.every((name) => name.startsWith('stuck'))).toBe(true);
  });

  it('is given to eight of a namespace that have not asked yet, and to others after a second', async () => {
    const { seen } = await turns(many('a', 20), () => {}, 2_500);
    expect(seen.map(({ at }) => at)).toEqual([
      ...Array<number>(8).fill(0),
      ...Array<number>(8).fill(1_000),
      ...Array<number>(4).fill(2_000),
    ]);
  });

  it('comes at once to those beside many that are under way already', async () => {
    const jobs = [...many('a', 20, { urgent: true }), job('a', 'new')];
    expect((await turns(jobs, () => {}, 2_500)).seen.at(-1)).toEqual({ name: 'new', at: 0 });
  });

  it('is given to no more than maxInFlight of a group', async () => {
    const { seen } = await turns(many('a', 6, { group: group({ maxInFlight: 2 }) }), ends(1_000));
    expect(seen.map(({ at }) => at)).toEqual([0, 0, 1_000, 1_000, 2_000, 2_000]);
  });
});

describe('a wave', () => {
  const two = (more: Partial<Group> = {}) => [
    job('a', 'second', { wave: 1, group: group(more) }),
    job('a', 'first', { wave: 0, group: group(more) }),
  ];

  it('begins when the one before has ended, and its pause is over', async () => {
    expect((await turns(two({ delayMs: 500 }), ends(3_000))).seen).toEqual([
      { name: 'first', at: 0 },
      { name: 'second', at: 3_500 },
    ]);
  });

  it('begins after ten minutes, also when they began in an earlier tick', async () => {
    const never = (turn: Turn) => turn.asked();
    expect((await turns(two(), never)).seen[1]).toEqual({ name: 'second', at: 10 * minutes });
    const known = new Map([[0, { dueAt: -9 * minutes, begunAt: -9 * minutes }]]);
    expect((await turns(two({ known }), never)).seen[1]).toEqual({ name: 'second', at: minutes });
  });

  it('spreads by its jitter, and is over ten minutes after the last of it', async () => {
    const jobs = [job('a', 'late', { jitterMs: 2_000 }), job('a', 'soon', { jitterMs: 1_000 }), ...two().slice(0, 1)];
    expect((await turns(jobs, (turn) => turn.asked())).seen).toEqual([
      { name: 'soon', at: 1_000 },
      { name: 'late', at: 2_000 },
      { name: 'second', at: 2_000 + 10 * minutes },
    ]);
  });

  it.each<[string, [number, { dueAt?: number; begunAt?: number }][], object[]]>([
    [
      'not before it is due',
      [[0, { dueAt: 5 }]],
      [
        { name: 'first', at: 5 },
        { name: 'second', at: 15 },
      ],
    ],
    [
      'at once where it was due already',
      [[0, { dueAt: -5 }]],
      [
        { name: 'first', at: 0 },
        { name: 'second', at: 10 },
      ],
    ],
    [
      'as an earlier tick began it',
      [[0, { begunAt: -8 }]],
      [
        { name: 'first', at: 0 },
        { name: 'second', at: 2 },
      ],
    ],
    [
      'when it is due, though somebody was begun before',
      [[0, { dueAt: 1, begunAt: -8 }]],
      [
        { name: 'first', at: 1 },
        { name: 'second', at: 2 },
      ],
    ],
    [
      'beside the one before where that was begun long ago',
      [
        [0, { begunAt: -60 }],
        [1, { begunAt: -50 }],
      ],
      ['first', 'second', 'third'].map((name) => ({ name, at: 0 })),
    ],
  ])('begins %s', async (_what, known, expected) => {
    const inMinutes = ({ dueAt, begunAt }: { dueAt?: number; begunAt?: number }) => ({
      ...(dueAt === undefined ? {} : { dueAt: dueAt * minutes }),
      ...(begunAt === undefined ? {} : { begunAt: begunAt * minutes }),
    });
    const more = { known: new Map(known.map(([rank, one]) => [rank, inMinutes(one)])) };
    const jobs = known.length > 1 ? [...two(more), job('a', 'third', { wave: 2, group: group(more) })] : two(more);
    const { seen } = await turns(jobs, (turn) => turn.asked());
    expect(seen.map(({ name, at }) => ({ name, at: at / minutes }))).toEqual(expected);
  });

  it('spreads also what an earlier tick began, and not what is under way', async () => {
    const more = { group: group({ known: new Map([[0, { begunAt: -minutes }]]) }) };
    const jobs = [
      job('a', 'late', { ...more, jitterMs: 3 * minutes }),
      job('a', 'soon', { ...more, jitterMs: 2 * minutes }),
      job('a', 'urgent', { ...more, urgent: true, jitterMs: 9 * minutes }),
    ];
    expect((await turns(jobs, (turn) => turn.asked())).seen).toEqual([
      { name: 'urgent', at: 0 },
      { name: 'soon', at: minutes },
      { name: 'late', at: 2 * minutes },
    ]);
  });

  it('that has not begun leaves those who are under way to nobody', async () => {
    const later = [job('a', 'later', { wave: 1 }), job('a', 'under way', { wave: 1, urgent: true })];
    const { seen, left } = await turns([job('a', 'first'), ...later], (turn) => turn.asked(), 1_000);
    expect([seen.map(({ name }) => name), left]).toEqual([['under way', 'first'], ['later']]);
  });

  it('holds back nobody who is under way already', async () => {
    const jobs = [job('a', 'first'), job('a', 'under way', { wave: 1, urgent: true })];
    expect((await turns(jobs, ends(60_000))).seen.map(({ at }) => at)).toEqual([0, 0]);
  });
});

it('who had no turn in time is left', async () => {
  const { left } = await turns([...many('a', 1), job('a', 'later', { wave: 1 })], (turn) => turn.asked(), 1_000);
  expect(left).toEqual(['later']);
});

describe('rounds', () => {
  const rounds = (...items: [item: string, namespace: string, group: string][]) => {
    const all = new Rounds<string>();
    for (const one of items) all.add(...one);
    return all;
  };
  const order = (all: Rounds<string>) => {
    const taken: (string | undefined)[] = [];
    do taken.push(all.first());
    while (taken.at(-1) !== undefined && (all.shift(), true));
    return taken;
  };

  it('go by namespace, then by group, then by who came first', () => {
    const all = rounds(['a1', 'a', 'x'], ['a2', 'a', 'x'], ['a3', 'a', 'y'], ['a4', 'a', 'y'], ['b1', 'b', 'x']);
    expect(order(all)).toEqual(['a1', 'b1', 'a3', 'a2', 'a4', undefined]);
    all.shift();
    all.add('c1', 'c', 'x');
    expect(order(all)).toEqual(['c1', undefined]);
  });

  it('forget who leaves, and whom nobody stands behind', () => {
    const all = rounds(['a1', 'a', 'x'], ['a2', 'a', 'x'], ['a3', 'a', 'y'], ['b1', 'b', 'x']);
    expect([all.remove('a2'), all.remove('a2'), all.remove('a1')]).toEqual([true, false, true]);
    expect(all.first()).toBe('a3');
    expect(all.remove('a3')).toBe(true);
    expect(order(all)).toEqual(['b1', undefined]);
  });
});
