import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';
import * as z from 'zod';

import type { Notice } from '../../shared/cluster/world.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import { namespace, type Scene, scene } from './scene.ts';
import { scheduleIn } from './ways.ts';

const minuteMs = 60_000;
const annotated = (key: string, value: string) => ({ annotations: { [`lifecycle.novasphere.dev/${key}`]: value } });

/** At 20:00: VMs that the stop of 20:30 meets, and such as it does not, announced a quarter of an hour before. */
async function evening(spec: object = {}): Promise<{ at: Scene; notices: Notice[] }> {
  const at = await scene();
  const notices: Notice[] = [];
  at.world.webhook = { put: (notice) => void notices.push(notice), flush: () => Promise.resolve() };
  const vms = {
    web: {},
    db: {},
    idle: { runStrategy: 'Halted' as const },
    kept: annotated('keep-running-until', '2026-11-24T06:00:00Z'),
    safe: annotated('protected', 'true'),
    skipped: annotated('skip-next', 'true'),
    short: annotated('keep-running-until', '2026-11-23T20:20:00Z'),
  };
  for (const [name, more] of Object.entries(vms))
    at.sim.createWukong({ namespace, name, runStrategy: 'Always', labels: { env: 'dev' }, ...more });
  scheduleIn(at, namespace, { start: '0 8 * * *', stop: '30 20 * * *', announceBeforeSeconds: 900, ...spec });
  await at.pass(5_000);
  return { at, notices };
}

const tick = (at: Scene) => at.run(reconcile(at.world, { deadline: at.clock.now() + 50_000 }));
const goTo = (at: Scene, clock: string) => at.pass(Date.parse(`2026-11-23T${clock}:00Z`) - at.clock.now());
const announcements = (at: Scene) =>
  at.sim
    .list<{ reason: string; message: string; involvedObject: { name: string } }>('events', namespace)
    .filter(({ reason }) => reason === 'StopAnnounced');

it('a stop is announced once to each VM that it will meet: Event, bus and webhook, with how to keep it on', async () => {
  const { at, notices } = await evening();
  await goTo(at, '20:10');
  await tick(at);
  expect(announcements(at)).toEqual([]);
  for (const clock of ['20:15', '20:16', '20:17']) {
    await goTo(at, clock);
    await tick(at);
  }
  const told = announcements(at);
  expect(told.map(({ involvedObject }) => involvedObject.name).sort()).toEqual(['db', 'short', 'web']);
  expect(told.find(({ involvedObject }) => involvedObject.name === 'web')?.message).toBe(
    'It will be stopped at 2026-11-23T20:30:00Z (2026-11-23 20:30 UTC) by schedule team-a/office. To keep it on: wukong keep web running --for 2h -n team-a, or annotate it with lifecycle.novasphere.dev/keep-running-until.',
  );
  const sent = at.bus.filter(({ type }) => type === 'Wukong VM Stop Announced');
  expect(sent).toHaveLength(3);
  expect(notices.map(({ type, subject }) => `${type} ${subject}`).sort()).toEqual(
    ['db', 'short', 'web'].map((name) => `dev.novasphere.wukong.announcement.v1 ${namespace}/${name}`),
  );
  const schema = z.fromJSONSchema(JSON.parse(readFileSync('infra/events/announcement.schema.json', 'utf8')) as never);
  for (const { detail } of sent) schema.parse(detail);
});

it('announcing costs one Event a VM and one status of the schedule, and later ticks nothing', async () => {
  const { at } = await evening();
  await goTo(at, '20:10');
  await tick(at);
  await goTo(at, '20:15');
  const writes = (from: number) =>
    at.sim.requests.slice(from).filter(({ method, path }) => method !== 'GET' && !path.includes('/wukongs/')).length;
  const before = at.sim.requests.length;
  await tick(at);
  expect(writes(before)).toBe(3 + 1);
  await at.pass(minuteMs);
  const after = at.sim.requests.length;
  await tick(at);
  expect(writes(after)).toBe(0);
});

it('nothing is announced by a schedule that does not ask for it, or is suspended', async () => {
  for (const spec of [{ announceBeforeSeconds: 0 }, { suspend: true }]) {
    const { at } = await evening(spec);
    await goTo(at, '20:20');
    await tick(at);
    expect(announcements(at)).toEqual([]);
  }
});

it('a stop that was moved is announced anew', async () => {
  const { at } = await evening();
  await goTo(at, '20:16');
  await tick(at);
  at.sim.change('wukongschedules', namespace, 'office', (o: { spec: object }) => {
    Object.assign(o.spec, { stop: '40 20 * * *' });
  });
  for (const clock of ['20:20', '20:26', '20:27']) {
    await goTo(at, clock);
    await tick(at);
  }
  const web = announcements(at).filter(({ involvedObject }) => involvedObject.name === 'web');
  expect(web.map(({ message }) => /\S+Z/.exec(message)?.[0]).sort()).toEqual([
    '2026-11-23T20:30:00Z',
    '2026-11-23T20:40:00Z',
  ]);
});

it('a namespace whose Events are refused holds up no announcement of another', async () => {
  const { at } = await evening();
  for (let i = 0; i < 60; i++)
    at.sim.createWukong({ namespace: 'a', name: `vm-${i}`, runStrategy: 'Always', labels: { env: 'dev' } });
  scheduleIn(at, 'a', { start: '0 8 * * *', stop: '30 20 * * *', announceBeforeSeconds: 900 });
  at.sim.faults.add({ when: { path: /\/a\/events/, from: 1 }, times: 10_000, does: { kind: 'status', status: 500 } });
  await goTo(at, '20:15');
  const begun = at.sim.requests.length;
  await tick(at);
  const told = at.sim.requests.slice(begun).filter(({ path }) => path.endsWith(`/${namespace}/events`));
  expect(told).toHaveLength(3);
  for (const { at: when } of told) expect(when - Date.parse('2026-11-23T20:15:00Z')).toBeLessThan(5_000);
});
