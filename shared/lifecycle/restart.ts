import { bodyOf } from '../cluster/failure.ts';
import { jsonPatch, type JsonPatchStep, pointer, readWukong, wukongPath } from '../cluster/objects.ts';
import type { Cluster } from '../cluster/world.ts';
import { claimDeadline } from '../domain/claimTimes.ts';
import { hasIntent, placeOf, type Wukong } from '../domain/model.ts';
import { type Operation, operationKey, write } from '../domain/operation.ts';
import type { Result } from '../domain/outcome.ts';
import type { Machine } from '../domain/vm.ts';
import type { Limits } from '../time/wait.ts';
import type { Begun } from './claim.ts';

/** Whether a stop that came to its end is the first half of a restart. */
export const isHalfWay = (op: Operation, result: Result | 'superseded'): result is Result =>
  op.action === 'stop' &&
  op.thenStart === true &&
  result !== 'superseded' &&
  (result.outcome === 'Stopped' || result.outcome === 'ForcedOff');

const recordAt = pointer('metadata', 'annotations', operationKey);

/**
 * Turns the record of the first half into that of the second, with the wish that the VM runs, in one patch: whoever finds
 * the one or the other goes on from it, so that no VM stays off because a process died. Undefined: the record is not ours
 * any more. @throws LifecycleError
 */
export async function turnToStart(
  cluster: Cluster,
  wukong: Wukong,
  { op, result: stopped }: { op: Operation; result: Result },
  limits: Partial<Limits>,
): Promise<Begun | undefined> {
  const now = cluster.clock.now();
  const next: Operation = {
    ...op,
    action: 'start',
    step: 'Claimed',
    stepAt: now,
    deadline: claimDeadline({ action: 'start', waitSeconds: op.waitSeconds }, now, 0),
    waitSeconds: op.waitSeconds + Math.ceil((now - op.startedAt) / 1000), // it counts from the request
    forceAt: undefined,
    periodSeconds: undefined,
    comebacks: 0,
    attempts: 1,
    thenStart: undefined,
    restartOf: { uid: op.vmiUid, message: stopped.message },
  };
  const { namespace = '', name } = wukong.metadata;
  const intent: JsonPatchStep[] = hasIntent(wukong)
    ? [{ op: 'add', path: '/spec/startStrategy', value: { ...wukong.spec?.startStrategy, autoStart: true } }]
    : [];
  const steps: JsonPatchStep[] = [
    { op: 'test', path: recordAt, value: wukong.metadata.annotations?.[operationKey] ?? write(op) },
    { op: 'replace', path: recordAt, value: write(next) },
    ...intent,
  ];
  const answer = await jsonPatch<Wukong>(cluster, wukongPath(namespace, name), steps, limits);
  if (answer.status !== 422) return { op: next, wukong: bodyOf(answer, 'second half of a restart') };
  const found = await readWukong(cluster, placeOf(wukong), limits);
  return found.metadata.annotations?.[operationKey] === write(next) ? { op: next, wukong: found } : undefined;
}

/** The end of a restart tells both halves, and is one only if another guest runs than the one that was stopped. */
export function asRestart({ restartOf }: Operation, result: Result, { vmi }: Machine): Result {
  if (!restartOf) return result;
  if (result.outcome !== 'Started') return { ...result, message: `${restartOf.message} ${result.message}` };
  if (restartOf.uid !== undefined && vmi?.uid === restartOf.uid)
    return {
      outcome: 'Failed',
      reason: 'RestartedItself',
      message: `The guest that was to be stopped is the one that runs (VMI uid ${vmi.uid}).`,
    };
  return {
    ...result,
    message: `${restartOf.message} Another guest is up and ready (VMI uid ${vmi?.uid ?? 'unknown'}).`,
  };
}
