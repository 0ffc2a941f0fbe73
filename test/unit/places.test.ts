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
    return { seen, left: places.left().map(({ place }) => place.name) };
  };
  return clock.run(work, { sims: [] });
}
const ends = (afterMs: number) => (turn: Turn, clock: VirtualClock) => {
  turn.asked();
  clock.after(afterMs, () => (turn.release(), turn.ended()));
};

describe('whose turn it is', () => {
  it('goes round the namespaces', async () => {
    const { seen } = await turns([...many('a', 30), ...many('b', 2)], ends(10));
    expect(seen.slice(0, 4).map(({ name }) => name)).toEqual(['a-0', 'b-0', 'a-1', 'b-1']);
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

  it('holds back nobody who is under way already', async () => {
    const jobs = [job('a', 'first'), job('a', 'under way', { wave: 1, urgent: true })];
    expect((await turns(jobs, ends(60_000))).seen.map(({ at }) => at)).toEqual([0, 0]);
  });
});

it('who had no turn in time is left', async () => {
  const { left } = await turns([...many('a', 1), job('a', 'later', { wave: 1 })], (turn) => turn.asked(), 1_000);
  expect(left).toEqual(['later']);
});

it('rounds go by namespace, then by group, and forget who leaves', () => {
  const rounds = new Rounds<string>();
  for (const [item, space, asker] of [
    ['a1', 'a', 'x'],
    ['a2', 'a', 'x'],
    ['a3', 'a', 'y'],
    ['b1', 'b', 'x'],
  ] as const)
    rounds.add(item, space, asker);
  expect(rounds.remove('a2')).toBe(true);
  expect(rounds.remove('a2')).toBe(false);
  const order: (string | undefined)[] = [];
  for (let i = 0; i < 4; i++) {
    order.push(rounds.first());
    rounds.shift();
  }
  expect(order).toEqual(['a1', 'b1', 'a3', undefined]);
});
