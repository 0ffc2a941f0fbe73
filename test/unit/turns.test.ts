import { describe, expect, it } from 'vitest';

import type { Action } from '../../shared/domain/outcome.ts';
import { Turns } from '../../shared/execute/turns.ts';
import { VirtualClock } from '../../sim/clock.ts';

/** Turns at a rate, and when each came. */
function turnsAt(perSecond: number) {
  const clock = new VirtualClock(0);
  const turns = new Turns({ clock, random: () => 0.5 }, perSecond);
  const seen: string[] = [];
  const next = async (
    name: string,
    { action = 'stop' as Action, space = 'a', deadline = 60_000, asker = name } = {},
  ) => {
    const came = await turns.next(action, space, asker, { deadline });
    seen.push(`${name} ${came ? clock.now() : 'late'}`);
  };
  const run = (work: () => Promise<unknown>) => clock.run(work, { sims: [] });
  return { clock, turns, seen, next, run };
}

describe('the turn of a power call', () => {
  it('comes at once while some are saved up, then at the rate', async () => {
    const { seen, next, run, clock } = turnsAt(2);
    await run(() => Promise.all(['a', 'b', 'c', 'd'].map((name) => next(name))));
    expect(seen).toEqual(['a 0', 'b 0', 'c 500', 'd 1000']);
    expect(clock.pending).toBe(0);
  });

  it('is two for a start', async () => {
    const { seen, next, run } = turnsAt(2);
    await run(() => Promise.all(['a', 'b'].map((name) => next(name, { action: 'start' }))));
    expect(seen).toEqual(['a 0', 'b 1000']);
  });

  it('goes round the namespaces, and the askers in each', async () => {
    const { seen, next, run } = turnsAt(1);
    const all = ['a1', 'a1', 'a2', 'b1'].map((asker, i) => next(`${asker}.${i}`, { space: asker[0]!, asker }));
    await run(() => Promise.all(all));
    expect(seen).toEqual(['a1.0 0', 'a1.1 1000', 'b1.3 2000', 'a2.2 3000']);
  });

  it('is lost where it comes too late, and is the next one’s', async () => {
    const { seen, next, run, clock } = turnsAt(1);
    await run(() => Promise.all([next('a'), next('late', { deadline: 500 }), next('c')]));
    expect(seen).toEqual(['a 0', 'late late', 'c 1000']);
    expect(clock.pending).toBe(0);
  });

  it('waits on one timer for all, and on another for who asks later', async () => {
    const { seen, next, run, clock } = turnsAt(1);
    const first = ['a', 'b', 'c'].map((name) => next(name));
    // One for each that waits to be too late, and one for the turn.
    expect(clock.pending).toBe(2 + 1);
    await run(() => Promise.all(first));
    await run(() => next('d'));
    expect(seen).toEqual(['a 0', 'b 1000', 'c 2000', 'd 3000']);
  });

  it('is never taken back from who has had it', async () => {
    const { seen, next, run } = turnsAt(1);
    await run(async () => {
      await next('a', { deadline: 500 });
      await next('b');
      await next('c');
    });
    expect(seen).toEqual(['a 0', 'b 1000', 'c 2000']);
  });
});
