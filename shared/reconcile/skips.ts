import { bodyOf } from '../cluster/failure.ts';
import { jsonPatch, mergePatch, pointer, wukongPath } from '../cluster/objects.ts';
import type { World } from '../cluster/world.ts';
import { type KubeObject, placeOf, type Wukong } from '../domain/model.ts';
import { leaseKey } from '../domain/operation.ts';
import type { Outcome } from '../domain/outcome.ts';
import { newHolder } from '../lifecycle/claim.ts';
import { tell } from '../report/report.ts';
import { boundaryId } from '../schedule/calendar.ts';
import type { Acting, Decision } from '../schedule/decide.ts';
import { overrideKeys } from '../schedule/override.ts';
import { type Memory, memoryKey, readMemory, writeMemory } from '../schedule/timetable.ts';
import type { Limits } from '../time/wait.ts';

export type Skipping = Extract<Decision, { do: 'skip' }>;

/** Told once, as an Event of its own; an annotation skip-next is used up by it. */
export async function skip(world: World, wukong: Wukong, decision: Skipping, limits: Limits): Promise<void> {
  if (decision.told) return;
  const now = world.clock.now();
  const { boundary, reason, message } = decision;
  const outcome: Outcome = {
    outcome: 'Skipped',
    reason,
    message,
    ...placeOf(wukong),
    action: boundary.action,
    forced: false,
    requestId: boundaryId(boundary),
    trigger: 'schedule',
    startedAt: now,
    finishedAt: now,
  };
  await tell(world, wukong, outcome, { teller: newHolder(world), limits });
  const { skipped, withheld } = decision.remember;
  if (skipped !== undefined || withheld !== undefined)
    await remember(
      world,
      wukong,
      { ...readMemory(wukong), ...(skipped === undefined ? { withheld } : { skipped }) },
      decision,
      limits,
    );
}

/** What a later tick must know; skip-next on the Wukong goes away in the same patch. */
async function remember(
  world: World,
  wukong: Wukong,
  memory: Memory,
  { consume }: Skipping,
  limits: Limits,
): Promise<void> {
  const used = consume === 'Wukong' ? { [overrideKeys.skipNext]: null } : {};
  const annotations = { ...used, [memoryKey]: writeMemory(memory) };
  const { namespace, name, resourceVersion } = wukong.metadata;
  const body = { metadata: { resourceVersion, annotations } };
  const answer = await mergePatch<Wukong>(world, wukongPath(namespace, name), body, limits);
  if (answer.status !== 409) renew(wukong, bodyOf(answer, 'memory of what was skipped'));
}

/** As it stands now, so that the tick that wrote it can go on from there. */
const renew = (wukong: Wukong, { metadata, spec, status }: Wukong) => Object.assign(wukong, { metadata, spec, status });

/** skip-next on a namespace is used up once all its Wukongs were looked at. */
export async function useUp(world: World, namespaces: Set<string>, limits: Limits): Promise<string[]> {
  const problems: string[] = [];
  for (const namespace of namespaces) {
    const body = { metadata: { annotations: { [overrideKeys.skipNext]: null } } };
    const answer = await mergePatch<KubeObject>(world, `/api/v1/namespaces/${namespace}`, body, limits);
    if (answer.status >= 300)
      problems.push(`skip-next on namespace ${namespace} could not be removed (${answer.status}); remove it by hand`);
  }
  return problems;
}

/** An override that has ended while the VM was as it should be: taken away, so that a later change by hand is respected. */
export async function clearEnded(world: World, wukong: Wukong, { do: action }: Acting, limits: Limits): Promise<void> {
  const { namespace, name, annotations } = wukong.metadata;
  const keys = action === 'stop' ? [overrideKeys.keepRunning, leaseKey] : [overrideKeys.keepStopped];
  const now = world.clock.now();
  const steps = keys.flatMap((key) => {
    const value = annotations?.[key];
    if (value === undefined || !(Date.parse(value) <= now)) return [];
    const path = pointer('metadata', 'annotations', key);
    return [{ op: 'test', path, value } as const, { op: 'remove', path } as const];
  });
  if (steps.length === 0) return;
  const answer = await jsonPatch<Wukong>(world, wukongPath(namespace, name), steps, limits);
  if (answer.status < 300) renew(wukong, answer.body);
}
