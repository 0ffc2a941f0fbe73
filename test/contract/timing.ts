import assert from 'node:assert/strict';

import { paths } from './client.ts';
import { type Made, wukongOf } from './making.ts';
import type { Stage } from './stage.ts';

export const labels = { contract: 'scheduled' };
export const on = { by: { runStrategy: 'Always' }, as: 'on', labels } as const;
export const off = { by: { runStrategy: 'Halted' }, as: 'off', labels } as const;
export const prefix = 'lifecycle.novasphere.dev/';
export const minute = 60_000;

/** Once a day at this instant, in a zone that is so far ahead of UTC. */
export const cronAt = (instant: number, aheadMs = 0): string => {
  const at = new Date(instant + aheadMs);
  return `${at.getUTCMinutes()} ${at.getUTCHours()} * * *`;
};
/** `2026-11-23T20:30`, as exceptions have it. */
export const localAt = (instant: number): string => new Date(instant).toISOString().slice(0, 16);
export const dayOf = (instant: number): string => new Date(instant).toISOString().slice(0, 10);

/** The next full minute that leaves time for what is prepared. */
export const soon = (stage: Stage): number => Math.ceil((stage.ground.clock.now() + 3_000) / minute) * minute;
/** The same, where what is prepared takes some seconds. */
export const laterOn = (stage: Stage): number => Math.ceil((stage.ground.clock.now() + 15_000) / minute) * minute;
export const until = (stage: Stage, instant: number) => stage.sleep(Math.max(0, instant - stage.ground.clock.now()));

export const scheduleObject = (spec: object, name: string) => ({
  apiVersion: 'vm.novasphere.dev/v1alpha1',
  kind: 'WukongSchedule',
  metadata: { name },
  spec: { timeZone: 'Etc/UTC', selector: { matchLabels: labels }, ...spec },
});

export async function schedule(stage: Stage, spec: object, name = 'office'): Promise<void> {
  const { status, body } = await stage.send('POST', paths.schedule(stage.namespace), scheduleObject(spec, name));
  assert.equal(status, 201, JSON.stringify(body).slice(0, 300));
}
export const scheduleNow = async (stage: Stage, name = 'office') =>
  (await stage.send('GET', paths.schedule(stage.namespace, name))).body;

/** A schedule whose boundary comes within two minutes; back when that is just past. */
export async function boundary(stage: Stage, action: 'start' | 'stop', more: object = {}): Promise<number> {
  const at = soon(stage);
  await schedule(stage, { [action]: cronAt(at), ...more });
  await until(stage, at + 1_000);
  return at;
}

/** Ticks until it holds, as a schedule of every minute would make them, only sooner. */
export async function ticksUntil<T>(stage: Stage, what: string, holds: () => Promise<T>): Promise<NonNullable<T>> {
  for (let tick = 0; tick < 30; tick++, await stage.sleep(4_000)) {
    await stage.tick({ leftMs: 60_000 });
    const held = await holds();
    if (held) return held;
  }
  throw new Error(`after 30 ticks still not: ${what}`);
}

export const patchWukong = async (stage: Stage, made: Made, body: object) => {
  const answer = await stage.send('PATCH', paths.wukong(stage.namespace, made.wukong), body);
  assert.equal(answer.status, 200, JSON.stringify(answer.body).slice(0, 300));
};
export const annotate = (stage: Stage, made: Made, key: string, value: string | null) =>
  patchWukong(stage, made, { metadata: { annotations: { [key]: value } } });
/** On the namespace of this case, which is its own. */
export async function annotateSpace({ send, namespace }: Stage, key: string, value: string | null): Promise<void> {
  const { status } = await send('PATCH', `/api/v1/namespaces/${namespace}`, {
    metadata: { annotations: { [key]: value } },
  });
  assert.equal(status, 200);
}
export const declare = (stage: Stage, made: Made, action: string, more: object = {}) =>
  patchWukong(stage, made, { spec: { lifecycleAction: { action, ...more } } });

export const toldOf = async (stage: Stage, made: Made) => (await wukongOf(stage, made)).status?.lifecycleState ?? {};
