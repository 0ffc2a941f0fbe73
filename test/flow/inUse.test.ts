import { describe, expect, it } from 'vitest';

import type { KubeObject } from '../../shared/domain/model.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import { checkSchedule, type WukongSchedule } from '../../shared/schedule/schedule.ts';
import { createSchedule } from '../schedule.ts';
import { office } from '../unit/schedules.ts';
import { namespace, type Scene, scene } from './scene.ts';

const tick = (at: Scene) => at.run(reconcile(at.world, { deadline: at.clock.now() + 50_000 }));
const goTo = (at: Scene, time: string) => at.pass(Date.parse(`2026-11-23T${time}Z`) - at.clock.now());
const status = (at: Scene) => at.sim.get<WukongSchedule>('wukongschedules', namespace, 'office')?.status;
const waits = (at: Scene) =>
  at.sim
    .list<KubeObject & { reason: string; message: string }>('events', namespace)
    .filter(({ reason }) => reason === 'StopWaits');
const use = (at: Scene, value: string | undefined) =>
  at.sim.change<KubeObject>('wukongs', namespace, 'web', ({ metadata }) => {
    const { 'ci.example.com/busy': _old, ...others } = metadata.annotations ?? {};
    metadata.annotations = { ...others, ...(value === undefined ? {} : { 'ci.example.com/busy': value }) };
  });

/** A stop at 20:01 of a VM that is up. */
async function evening(skipWhileInUse: object, guest: object = {}): Promise<Scene> {
  const at = await scene();
  delete at.world.bus;
  at.sim.createWukong({ namespace, name: 'web', labels: { env: 'dev' }, guest });
  createSchedule(at.sim, namespace, 'office', { skipWhileInUse });
  await at.pass(20_000);
  await tick(at);
  return at;
}

describe('a stop of a VM that is in use', () => {
  it('waits while the annotation says so, is told once, and done when that ends', async () => {
    const at = await evening({ annotation: 'ci.example.com/busy' });
    use(at, 'build 7');
    for (const time of ['20:01:10', '20:02:10', '20:10:10']) {
      await goTo(at, time);
      await tick(at);
      expect(at.vmi('web')).toBeDefined();
    }
    expect(waits(at)).toHaveLength(1);
    expect(waits(at)[0]?.message).toMatch(
      /waits: the annotation ci.example.com\/busy says.*at the latest it is carried out at 2026-11-23T20:31:00Z/,
    );
    expect(status(at)?.lastHandled).toBeUndefined();
    use(at, 'false');
    await goTo(at, '20:11:10');
    await tick(at);
    expect(at.vmi('web')).toBeUndefined();
    expect(status(at)?.lastHandled).toBe('2026-11-23T20:01:00Z');
  });

  it('waits no longer than it may', async () => {
    const at = await evening({ annotation: 'ci.example.com/busy', maxDelaySeconds: 600 });
    use(at, 'true');
    await goTo(at, '20:10:50');
    await tick(at);
    expect(at.vmi('web')).toBeDefined();
    await goTo(at, '20:11:10');
    await tick(at);
    expect(at.vmi('web')).toBeUndefined();
  });

  it('waits while the guest agent reports users', async () => {
    const at = await evening({ loggedIn: true }, { users: 'kim,lee', 'agent-after-seconds': '1' });
    await goTo(at, '20:01:10');
    await tick(at);
    expect(at.vmi('web')).toBeDefined();
    expect(waits(at)[0]?.message).toContain('2 users are logged in, as its guest agent reports');
  });

  it('does not wait where nobody is logged in, or no agent is there to say it', async () => {
    for (const guest of [{ 'agent-after-seconds': '1' }, {}]) {
      const at = await evening({ loggedIn: true }, guest);
      await goTo(at, '20:01:10');
      await tick(at);
      expect(at.vmi('web')).toBeUndefined();
    }
  });

  it('waits too while nobody can tell, and by hand it is stopped at once', async () => {
    const at = await evening({ loggedIn: true }, { 'agent-after-seconds': '1' });
    at.sim.faults.add({ when: { path: /userlist/ }, does: { kind: 'status', status: 403 } });
    await goTo(at, '20:01:10');
    const done = await tick(at);
    expect(at.vmi('web')).toBeDefined();
    expect(done.problems[0]).toContain('grant get on virtualmachineinstances/userlist');
    expect(await at.perform('stop', 'web')).toMatchObject({ outcome: 'Stopped' });
  });

  it('does not wait for those of another namespace about whom nobody answers', async () => {
    const at = await evening({ annotation: 'ci.example.com/busy' });
    for (let i = 0; i < 30; i++)
      at.sim.createWukong({
        namespace: 'x',
        name: `vm-${i}`,
        labels: { env: 'dev' },
        guest: { 'agent-after-seconds': '1' },
      });
    createSchedule(at.sim, 'x', 'office', { skipWhileInUse: { loggedIn: true } });
    await goTo(at, '20:00:50');
    await tick(at);
    await goTo(at, '20:01:10');
    at.sim.faults.add({
      when: { path: /\/x\/.*userlist/, from: 1 },
      times: 10_000,
      does: { kind: 'delay', ms: 60_000 },
    });
    at.sim.faults.add({ when: { path: /\/x\/events/, from: 1 }, times: 10_000, does: { kind: 'status', status: 500 } });
    const done = await tick(at);
    const power = at.sim.requests.filter(({ path }) => path.endsWith('/stop'));
    expect(power.map(({ path }) => path.split('/')[5])).toEqual([namespace]);
    expect(power[0]!.at - Date.parse('2026-11-23T20:01:10Z')).toBeLessThan(5_000);
    expect(done.undone).toBe(0);
  });

  it('is checked: what is wrong with the field is told', () => {
    const problems = (skipWhileInUse: unknown) =>
      checkSchedule({ metadata: { name: 'o', namespace: 'd' }, spec: { ...office, skipWhileInUse } }).problems?.map(
        ({ field, message }) => `${field}: ${message}`,
      );
    expect(problems({})).toEqual(['spec.skipWhileInUse: expected loggedIn: true, annotation, or both']);
    expect(problems({ loggedIn: true, maxDelaySeconds: 3_600 })?.[0]).toMatch(
      /expected less than startingDeadlineSeconds/,
    );
    expect(problems({ annotation: 'a b' })?.[0]).toMatch(/expected the key of an annotation/);
    expect(problems('always')?.[0]).toMatch(/expected \{loggedIn, annotation, maxDelaySeconds\}/);
  });
});
