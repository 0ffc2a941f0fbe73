import { bodyOf } from '../cluster/failure.ts';
import { namespacePath } from '../cluster/namespaces.ts';
import { mergePatch, readWukong, wukongPath } from '../cluster/objects.ts';
import type { World } from '../cluster/world.ts';
import { asLifecycleError, LifecycleError } from '../domain/errors.ts';
import { type KubeObject, placeOf, type Wukong } from '../domain/model.ts';
import { leaseKey } from '../domain/operation.ts';
import type { Outcome } from '../domain/outcome.ts';
import { newHolder } from '../lifecycle/claim.ts';
import { tell } from '../report/report.ts';
import { boundaryId } from '../schedule/calendar.ts';
import type { Acting, Decision } from '../schedule/decide.ts';
import { type Memory, memoryKey, readMemory, writeMemory } from '../schedule/memory.ts';
import { overrideKeys } from '../schedule/override.ts';
import { each } from '../time/forEachLimited.ts';
import type { Limits } from '../time/wait.ts';

/** So many namespaces at once. */
const atOnce = 16;

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
  const { consume } = decision;
  const used: Record<string, null> = consume === 'Wukong' ? { [overrideKeys.skipNext]: null } : {};
  const memoryOf = (now: Wukong) => memoryAfter(decision, readMemory(now, world.clock.now()));
  await remember(world, wukong, { memoryOf, othersOf: () => used }, limits);
}

/** What a later tick must know; undefined where the mark on the schedule says it. */
function memoryAfter({ remember, keep }: Skipping | Acting, before: Memory): Memory | undefined {
  const { skipped, withheld, lastHandled } = remember;
  if (skipped !== undefined) return { ...before, skipped, ...(keep ? { withheld: undefined } : {}) };
  if (withheld !== undefined) return { ...before, withheld };
  return keep ? { ...before, withheld: undefined, handled: lastHandled } : undefined;
}

const mostWrites = 6;

/** What is to be written, of the Wukong as it is by then. */
interface Remembered {
  /** Undefined: nothing, and then the others stay too. */
  memoryOf: (now: Wukong) => Memory | undefined;
  /** Other annotations, which go. */
  othersOf: (now: Wukong) => Record<string, null>;
}

/**
 * Keeps it with the Wukong, and changes other annotations in the same patch. @throws LifecycleError Refused when others
 * write faster than we do: then the boundary is not done with.
 */
async function remember(
  world: World,
  wukong: Wukong,
  { memoryOf, othersOf }: Remembered,
  limits: Limits,
): Promise<void> {
  const place = placeOf(wukong);
  for (let now = wukong, attempt = 1; attempt <= mostWrites; attempt++, now = await readWukong(world, place, limits)) {
    const memory = memoryOf(now);
    if (!memory) return;
    const annotations = { ...othersOf(now), [memoryKey]: writeMemory(memory, now.metadata.uid) };
    const body = { metadata: { resourceVersion: now.metadata.resourceVersion, annotations } };
    const answer = await mergePatch<Wukong>(world, wukongPath(place.namespace, place.name), body, limits);
    if (answer.status !== 409) return renew(wukong, bodyOf(answer, 'memory of what was skipped'));
  }
  throw new LifecycleError('Refused', 'the Wukong changes faster than it can be remembered what was skipped');
}

/** As it stands now, so that the tick that wrote it can go on from there. */
const renew = (wukong: Wukong, { metadata, spec, status }: Wukong): void =>
  void Object.assign(wukong, { metadata, spec, status });

/** skip-next on a namespace is used up once all its Wukongs were looked at. */
export async function useUp(world: World, namespaces: Set<string>, limits: Limits): Promise<string[]> {
  const problems: string[] = [];
  const body = { metadata: { annotations: { [overrideKeys.skipNext]: null } } };
  await each(namespaces, atOnce, async (namespace) => {
    const status = await mergePatch<KubeObject>(world, namespacePath(namespace), body, limits).then(
      (answer) => answer.status,
      (thrown: unknown) => asLifecycleError(thrown).code,
    );
    if (typeof status === 'string' || status >= 300)
      problems.push(`skip-next on namespace ${namespace} could not be removed (${status}); remove it by hand`);
  });
  return problems;
}

/**
 * What an override had held back is so already when it ends: that is remembered, so that a later change by hand is
 * respected. An override on the Wukong that has ended goes away with it.
 */
export async function settle(world: World, wukong: Wukong, decision: Acting, limits: Limits): Promise<void> {
  const keys = decision.do === 'stop' ? [overrideKeys.keepRunning, leaseKey] : [overrideKeys.keepStopped];
  const at = world.clock.now();
  const ended = ({ metadata: { annotations } }: Wukong) =>
    Object.fromEntries(keys.filter((key) => Date.parse(annotations?.[key] ?? '') <= at).map((key) => [key, null]));
  const memoryOf = (now: Wukong) => memoryAfter(decision, readMemory(now, world.clock.now()));
  await remember(world, wukong, { memoryOf, othersOf: ended }, limits);
}
