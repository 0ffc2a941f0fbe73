import { describe, expect, it } from 'vitest';

import { watchStates } from '../../cli/commands/watchStates.ts';
import { credentialsOf, parseKubeConfig } from '../../shared/cluster/credentials.ts';
import { transportTo } from '../../shared/cluster/transport.ts';
import type { World } from '../../shared/cluster/world.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import { fleet, furnish } from './fleet.ts';
import { namespace, type Scene, scene } from './scene.ts';

const slow = { guest: { 'shutdown-seconds': '250' }, terminationGracePeriodSeconds: 400 } as const;
const seenWithinMs = 1_000;

/** When each VM came to its end, looked at ten times a second. */
function endsOf(at: Scene, over: (name: string) => boolean) {
  const ends = new Map<string, number>();
  const look = () => {
    for (const { metadata } of at.sim.list<{ metadata: { name: string } }>('wukongs', namespace))
      if (!ends.has(metadata.name) && over(metadata.name)) ends.set(metadata.name, at.clock.now());
    at.clock.background(100, look);
  };
  look();
  return ends;
}
const gone = (at: Scene) => endsOf(at, (name) => at.vmi(name) === undefined);

/** Who is not among the ends yet ended in this very moment. */
const late = (outcomes: { name: string; finishedAt: number }[], ends: Map<string, number>) =>
  outcomes.filter(({ name, finishedAt }) => finishedAt - (ends.get(name) ?? finishedAt) > seenWithinMs);

describe('what ends after its watch was opened anew is seen within a second', () => {
  it('a guest of 250 s that is stopped, where streams end at 240 s', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', ...slow });
    await at.pass(5_000);
    const ends = gone(at);
    const outcome = await at.perform('stop', 'web', { gracePeriodSeconds: 400 });
    expect(outcome).toMatchObject({ outcome: 'Stopped', forced: false });
    expect(outcome.finishedAt - outcome.startedAt).toBeGreaterThan(240_000);
    expect(late([outcome], ends)).toEqual([]);
  });

  it('a guest that takes 250 s to be up', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Halted', guest: { 'boot-seconds': '250' } });
    await at.pass(1_000);
    const ready = () =>
      (at.vmi('web')?.status['conditions'] as { type: string; status: string }[] | undefined)?.some(
        ({ type, status }) => type === 'Ready' && status === 'True',
      ) ?? false;
    const ends = endsOf(at, ready);
    const outcome = await at.perform('start', 'web', { waitSeconds: 400 });
    expect(outcome).toMatchObject({ outcome: 'Started' });
    expect(late([outcome], ends)).toEqual([]);
  });

  it('a fleet of them', async () => {
    const at = await scene();
    furnish(at.sim, 5, {}, slow);
    await at.pass(5_000);
    const ends = gone(at);
    const report = await at.run(fleet(at, 'stop', { gracePeriodSeconds: 400 }));
    expect(report.outcomes.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 5 }, () => 'Stopped'));
    expect(late(report.outcomes, ends)).toEqual([]);
  });

  it('those that a tick was told to stop', async () => {
    const at = await scene();
    furnish(at.sim, 3, {}, slow);
    await at.pass(5_000);
    for (let i = 0; i < 3; i++)
      at.sim.change<{ spec: object }>('wukongs', namespace, `vm-${i}`, (wukong) =>
        Object.assign(wukong.spec, { lifecycleAction: { action: 'stop', gracePeriodSeconds: 400 } }),
      );
    const ends = gone(at);
    const { outcomes } = await at.run(reconcile(at.world, { deadline: at.clock.now() + 600_000 }));
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['Stopped', 'Stopped', 'Stopped']);
    expect(late(outcomes, ends)).toEqual([]);
  });

  it.each([
    ['before they end', 5_000, 3_000],
    ['while they end', 18_000, 4_000],
    ['for half a minute', 5_000, 30_000],
  ])('60 VMs across a restart of the API server %s', async (_when, afterMs, downMs) => {
    const at = await scene();
    furnish(at.sim, 60, {}, { guest: { 'shutdown-seconds': '20' } });
    await at.pass(5_000);
    const ends = gone(at);
    const back = at.clock.now() + afterMs + downMs;
    at.clock.after(afterMs, () => at.sim.faults.restart(downMs));
    const report = await at.run(fleet(at, 'stop'));
    expect(report.outcomes).toHaveLength(60);
    expect(report.outcomes.filter(({ outcome }) => outcome !== 'Stopped')).toEqual([]);
    for (const [name, end] of ends) ends.set(name, Math.max(end, back));
    expect(late(report.outcomes, ends)).toEqual([]);
  });
});

describe('state --watch', () => {
  /** The functions may not watch Wukongs; who sits before a terminal may. */
  async function person(at: Scene): Promise<World> {
    const credentials = await credentialsOf(parseKubeConfig(at.sim.kubeconfig()), at.sim.dispatcher());
    return { ...at.world, transport: transportTo(credentials, at.clock, at.world.random) };
  }

  it('shows that a Wukong is gone, or selected no more, also after its watch was opened anew or missed it', async () => {
    const at = await scene();
    for (const name of ['cut', 'missed', 'named', 'stays'])
      at.sim.createWukong({ namespace, name, labels: { env: 'a' } });
    await at.pass(5_000);
    const stop = new AbortController();
    const shown: { at: number; names: string[]; left: string[] }[] = [];
    const watching = watchStates(
      await person(at),
      { namespace, mine: (labels) => labels?.['env'] === 'a' },
      stop.signal,
      (states, left) =>
        shown.push({
          at: at.clock.now(),
          names: states.map(({ name }) => name).sort(),
          left: left.map(({ name, why }) => `${name} ${why}`),
        }),
    );
    const after = async (change: () => void) => {
      const from = at.clock.now();
      change();
      await at.pass(2_500);
      return shown.filter((one) => one.at >= from).flatMap(({ left }) => left);
    };
    await at.pass(250_000); // streams have ended since
    expect(shown.at(-1)?.names).toEqual(['cut', 'missed', 'named', 'stays']);
    expect(await after(() => at.sim.remove('wukongs', namespace, 'cut'))).toEqual(['cut Gone']);
    const missing = () => {
      at.sim.faults.restart(500);
      at.sim.remove('wukongs', namespace, 'missed');
      at.sim.compact();
    };
    expect(await after(missing)).toEqual(['missed Gone']);
    const unlabel = () =>
      at.sim.change<{ metadata: { labels: object } }>('wukongs', namespace, 'named', ({ metadata }) => {
        metadata.labels = {};
      });
    expect(await after(unlabel)).toEqual(['named NotSelected']);
    expect(shown.at(-1)?.names).toEqual(['stays']);
    stop.abort();
    await at.run(watching);
  });

  it('ends with the reason when the permission is taken away', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web' });
    let shown = 0;
    const signal = new AbortController().signal;
    const watching = watchStates(await person(at), { namespace, mine: () => true }, signal, () => shown++);
    watching.catch(() => {});
    await at.pass(5_000);
    expect(shown).toBeGreaterThan(0);
    at.sim.faults.add({ when: { watch: true }, does: { kind: 'status', status: 403 } });
    await at.pass(250_000);
    await expect(at.run(watching)).rejects.toMatchObject({ code: 'Denied' });
  });
});
