import { expect, it } from 'vitest';

import { LifecycleError } from '../../shared/domain/errors.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import type { Tick } from '../../shared/reconcile/reconcile.ts';
import { tickEach } from '../../shared/reconcile/reconcileClusters.ts';

const none: Tick = { wukongs: 0, outcomes: [], repaired: 0, sent: 0, problems: [], schedules: [], undone: 0 };
const down = new LifecycleError('Unreachable', 'nobody answers');
const outcome = (name: string) => ({ name }) as Outcome;
const a: Tick = {
  ...{ wukongs: 5, outcomes: [outcome('web')], repaired: 2, sent: 3, problems: ['db: stuck'], schedules: ['odd'] },
  undone: 1,
};

it('a tick over several clusters is the sum of theirs, with the name of the cluster before what is wrong', async () => {
  const b: Tick = { ...a, wukongs: 7, outcomes: [outcome('db')], repaired: 1, sent: 4, undone: 2 };
  expect(await tickEach(['a', 'b', 'c'], async (cluster) => ({ a, b })[cluster] ?? none)).toEqual({
    ...{ wukongs: 12, outcomes: a.outcomes.concat(b.outcomes), repaired: 3, sent: 7, undone: 3 },
    ...{ problems: ['a: db: stuck', 'b: db: stuck'], schedules: ['a: odd', 'b: odd'] },
  });
});

it('a cluster that cannot be read is a problem, and something undone; the others are done', async () => {
  const tick = (cluster: string) => (cluster === 'b' ? Promise.reject(down) : Promise.resolve(a));
  expect(await tickEach(['a', 'b'], tick)).toEqual({
    ...a,
    ...{ undone: 2 },
    problems: ['b: nobody answers', 'a: db: stuck'].sort(),
    schedules: ['a: odd'],
  });
});

it('a tick that could read no cluster fails, with the reason of the first; one of no cluster does nothing', async () => {
  await expect(tickEach(['a', 'b'], () => Promise.reject(down))).rejects.toBe(down);
  await expect(tickEach(['a'], () => Promise.reject(new TypeError('x')))).rejects.toMatchObject({ code: 'Unknown' });
  expect(await tickEach([], () => Promise.reject(down))).toEqual(none);
});
