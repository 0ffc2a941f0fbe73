import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';

import { ground, served } from './serving.ts';

it('the VM of the quick start runs by day and is off after 20:00 in Berlin', async () => {
  const at = await ground();
  const evening = Date.parse('2026-11-24T19:00:00Z');
  await at.pass(evening - at.clock.now() - 300_000);
  for (const one of parseAllDocuments(readFileSync('infra/examples/quickstart.yaml', 'utf8')))
    at.sim.create(one.toJS() as object);
  await at.pass(10_000);
  expect(at.vmi('web')).toBeDefined();
  const server = await served(at);
  await at.pass(evening - at.clock.now() - 10_000);
  expect(at.vmi('web')).toBeDefined();
  await at.pass(120_000);
  expect(at.vmi('web')).toBeUndefined();
  expect(at.wukong('web').status?.lifecycleState).toMatchObject({
    ...{ state: 'Stopped', outcome: 'Stopped', trigger: 'schedule' },
    ...{ nextAction: 'start', nextActionTime: '2026-11-25T07:00:00Z' },
  });
  await server.end();
});
