import { expect, it } from 'vitest';

import { namespace, type Scene, scene } from './scene.ts';

const counted = async (at: Scene, work: () => Promise<unknown>): Promise<number> => {
  const from = at.sim.requests.length;
  await work();
  return at.sim.requests.length - from;
};

it('asks the API server no more often than it must', async () => {
  const at = await scene();
  at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always' });
  at.sim.createWukong({ namespace, name: 'once', runStrategy: 'Once' });
  at.sim.createWukong({
    namespace,
    name: 'hung',
    runStrategy: 'Always',
    guest: { hang: 'true' },
    terminationGracePeriodSeconds: 1,
  });
  await at.pass(5_000);
  const figures = {
    stop: await counted(at, () => at.perform('stop', 'web')),
    alreadyOff: await counted(at, () => at.perform('stop', 'web')),
    start: await counted(at, () => at.perform('start', 'web')),
    alreadyOn: await counted(at, () => at.perform('start', 'web')),
    forcedStop: await counted(at, () => at.perform('stop', 'web', { force: true })),
    stopOfOnce: await counted(at, () => at.perform('stop', 'once')),
    startOfOnce: await counted(at, () => at.perform('start', 'once')),
    ladderToStuck: await counted(at, () => at.perform('stop', 'hung')),
  };
  expect(figures).toEqual({
    stop: 9,
    alreadyOff: 5,
    start: 9,
    alreadyOn: 5,
    forcedStop: 9,
    stopOfOnce: 9,
    startOfOnce: 9,
    ladderToStuck: 12,
  });
});
