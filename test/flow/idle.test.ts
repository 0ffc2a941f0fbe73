import { expect, it } from 'vitest';

import { reconcile } from '../../shared/reconcile/reconcile.ts';
import { createSchedule } from '../schedule.ts';
import { namespace, scene } from './scene.ts';

it('a tick with nothing to do asks for each kind once a page, and writes nothing', async () => {
  const at = await scene();
  for (let i = 0; i < 1_200; i++)
    at.sim.createWukong({ namespace, name: `vm-${i}`, runStrategy: 'Halted', labels: { env: 'dev' } });
  createSchedule(at.sim, namespace, 'office', { start: '0 8 * * *', stop: '30 20 * * *' });
  await at.pass(60_000);
  const tick = () => at.run(reconcile(at.world, { deadline: at.clock.now() + 50_000 }));
  await tick();
  const from = at.sim.requests.length;
  expect(await tick()).toMatchObject({ wukongs: 1_200, outcomes: [], repaired: 0, problems: [] });
  const asked = at.sim.requests
    .slice(from)
    .map(({ method, path, watch }) => `${watch ? 'WATCH' : method} ${path.split('/').at(-1)}`);
  expect(asked.sort()).toEqual([
    'GET clusterwukongschedules',
    `GET ${namespace}`,
    'GET wukong-lifecycle',
    'GET wukongruns',
    'GET wukongs',
    'GET wukongs',
    'GET wukongs',
    'GET wukongschedules',
    'WATCH virtualmachineinstances',
    'WATCH virtualmachines',
  ]);
});
