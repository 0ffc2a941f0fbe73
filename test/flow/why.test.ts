import { expect, it } from 'vitest';

import { readKnown } from '../../cli/commands/whyRead.ts';
import { storyOf } from '../../cli/commands/whyStory.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import { namespace, type Scene, scene } from './scene.ts';
import { scheduleIn } from './ways.ts';

const office = { start: '0 8 * * *', stop: '30 20 * * *', timeZone: 'UTC' };
const annotate = (at: Scene, key: string, value: string) =>
  at.sim.change('wukongs', namespace, 'web', (o: { metadata: { annotations?: Record<string, string> } }) => {
    o.metadata.annotations = { ...o.metadata.annotations, [`lifecycle.novasphere.dev/${key}`]: value };
  });

async function evening(more: object = {}, spec: object | null = office): Promise<Scene> {
  const at = await scene();
  delete at.world.bus;
  at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', labels: { env: 'dev' }, ...more });
  if (spec) scheduleIn(at, namespace, spec);
  await at.pass(5_000);
  return at;
}
const story = (at: Scene) =>
  at.run(async () =>
    storyOf(await readKnown(at.world, { namespace, name: 'web' }, { deadline: at.clock.now() + 60_000 })),
  );
const goTo = (at: Scene, clock: string) => at.pass(Date.parse(`2026-11-23T${clock}:00Z`) - at.clock.now());
const tick = (at: Scene, leftMs = 50_000) => at.run(reconcile(at.world, { deadline: at.clock.now() + leftMs }));

it('tells of a VM that runs until its schedule stops it, and of the same once it is off', async () => {
  const at = await evening();
  expect(await story(at)).toEqual([
    'web runs on node node01.',
    'Nothing was done with it that is remembered.',
    'Now nothing is done: nothing is due.',
    'Next: stop at 2026-11-23T20:30:00Z, by schedule team-a/office (2026-11-23 20:30 UTC).',
    'To prevent that: wukong keep web running --until TIME -n team-a, or wukong skip-next web -n team-a',
    'To stop it now: wukong stop web -n team-a',
  ]);
  await goTo(at, '20:30');
  await tick(at);
  expect(await story(at)).toEqual([
    'web is off.',
    expect.stringMatching(
      /^Last: stop by schedule team-a\/office, 2026-11-23T20:30:02Z: Stopped\. The guest shut down/,
    ) as string,
    expect.stringMatching(/^Now nothing is done: /) as string,
    'Next: start at 2026-11-24T08:00:00Z, by schedule team-a/office (2026-11-24 08:00 UTC).',
    'To prevent that: wukong keep web stopped --until TIME -n team-a, or wukong skip-next web -n team-a',
    'To start it now: wukong start web -n team-a',
  ]);
});

it('tells what holds what back, and the command that ends each', async () => {
  const at = await evening();
  annotate(at, 'keep-running-until', '2026-11-24T06:00:00Z');
  annotate(at, 'protected', 'true');
  annotate(at, 'skip-next', 'true');
  const lines = (await story(at)).join('\n');
  expect(lines).toContain(
    'Its stops by schedules are held back until 2026-11-24T06:00:00Z: lifecycle.novasphere.dev/keep-running-until on the Wukong. To end that: wukong keep web --clear -n team-a',
  );
  expect(lines).toContain('Nobody stops it: protected on the Wukong. To end that: wukong protect web --off -n team-a');
  expect(lines).toContain('To end that: wukong skip-next web --off -n team-a');
  at.sim.change('namespaces', '', namespace, (o: { metadata: { annotations?: object } }) => {
    o.metadata.annotations = { 'lifecycle.novasphere.dev/keep-stopped-until': 'friday' };
  });
  expect((await story(at)).join('\n')).toMatch(
    /Its starts by schedules are held back, until its time can be read: .* on the namespace\. To end that: kubectl annotate namespace team-a lifecycle\.novasphere\.dev\/keep-stopped-until-/,
  );
});

it('tells of what is under way, what failed and how to mend it, and what is asked for', async () => {
  const at = await evening({ guest: { hang: 'true' }, terminationGracePeriodSeconds: 20 });
  await goTo(at, '20:30');
  await tick(at, 5_000);
  expect(await story(at)).toContain(
    'It is being stopped since 2026-11-23T20:30:00Z, by schedule team-a/office; its guest is forced at 2026-11-23T20:30:35Z.',
  );
  for (let i = 0; i < 4; i++, await at.pass(60_000)) await tick(at);
  const lines = await story(at);
  expect(lines).toContainEqual(
    expect.stringMatching(/^Last: stop by schedule team-a\/office, .*: Failed \(Stuck\)\. /),
  );
  expect(lines).toContainEqual(expect.stringMatching(/^To mend it: Look at the node/));
  at.sim.change('wukongs', namespace, 'web', (o: { spec: object }) => {
    Object.assign(o.spec, { lifecycleAction: { action: 'start' } });
  });
  expect((await story(at))[1]).toBe(
    'spec.lifecycleAction asks for {"action":"start"}; a tick carries it out within a minute.',
  );
});

it('tells why nothing will happen: no schedule, a suspended one, a bad one, a freeze, no VM', async () => {
  expect(await story(await evening({}, null))).toContain('No schedule selects it.');
  expect((await story(await evening({}, { ...office, suspend: true }))).join('\n')).toContain(
    'Schedule team-a/office is suspended. To resume it: kubectl patch wks office -n team-a',
  );
  expect((await story(await evening({}, { ...office, stop: 'nonsense' }))).join('\n')).toContain(
    'schedule team-a/office: InvalidCron',
  );
  const frozen = await evening();
  const metadata = { namespace: 'wukong-lifecycle', name: 'wukong-lifecycle' };
  frozen.sim.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { freezeUntil: '2026-11-25T00:00:00Z' } });
  expect(await story(frozen)).toContain(
    'All schedules are frozen until 2026-11-25T00:00:00Z. To end that: wukong freeze --off',
  );
  const bare = await evening();
  bare.sim.remove('virtualmachines', namespace, 'web-vm');
  await bare.pass(60_000);
  expect((await story(bare))[0]).toBe('web has no VM: nothing can be switched.');
});

it('shows what others wrote on one line, without escape sequences', async () => {
  const at = await evening();
  annotate(at, 'keep-running-until', '\u001b[2Jsoon\nNext: nothing\u202e');
  for (const line of await story(at)) expect(line).not.toMatch(/[\u0000-\u001f\u202a-\u202e]/);
});
