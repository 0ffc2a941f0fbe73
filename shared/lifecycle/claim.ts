import { bodyOf } from '../cluster/failure.ts';
import {
  jsonPatch,
  type JsonPatchStep,
  mergePatch,
  pointer,
  readWukong,
  slim,
  wukongPath,
} from '../cluster/objects.ts';
import type { Cluster } from '../cluster/world.ts';
import { claimDeadline } from '../domain/claimTimes.ts';
import type { Command } from '../domain/command.ts';
import { lastAfter } from '../domain/earlier.ts';
import { instantText } from '../domain/instant.ts';
import { supersededWith } from '../domain/joined.ts';
import { hasIntent, keyOf, placeOf, type Wukong } from '../domain/model.ts';
import { lastKey, lastOf, leaseKey, type Operation, operationKey, operationOf, write } from '../domain/operation.ts';
import type { Outcome } from '../domain/outcome.ts';
import { living, type Machine, type VmiView } from '../domain/vm.ts';
import type { Limits } from '../time/wait.ts';

const pathOf = (wukong: Wukong) => wukongPath(wukong.metadata.namespace, wukong.metadata.name);

/** The strategies that KubeVirt or we replace when a VM is stopped; Always is what KubeVirt itself restores. */
const worthRestoring = new Set(['Once', 'RerunOnFailure', 'Manual']);

/** The launcher pod's own limit is fixed when it is made: the VMI's period and 30 s (KUBEVIRT §1). */
const launcherExtraSeconds = 30;

export interface Extras {
  declared?: unknown;
  attempts?: number;
}

/** A name for a process that holds a claim, unlike any other's. */
export const newHolder = ({ random }: Cluster): string =>
  Array.from({ length: 3 }, () => Math.floor(random() * 2 ** 32).toString(36)).join('');

/** The record of an operation that begins now. */
export function newOperation(
  command: Command,
  wukong: Wukong,
  machine: Machine,
  { holder, now, ...extras }: Extras & { holder: string; now: number },
): Operation {
  const running = operationOf(wukong);
  const vmi = living(machine.vmi);
  const remembered = lastOf(wukong)?.restore ?? running?.restore;
  const own =
    machine.vm?.field === 'runStrategy' && worthRestoring.has(machine.vm.strategy) ? machine.vm.strategy : undefined;
  const grace = graceFor(command, vmi);
  const replaces = running && running.requestId !== command.requestId;
  return {
    wukongUid: wukong.metadata.uid,
    requestId: command.requestId,
    holder,
    action: command.action,
    step: 'Claimed',
    stepAt: now,
    trigger: command.trigger,
    requestedAt: command.requestedAt,
    startedAt: now,
    deadline: claimDeadline(command, now, (command.force ? 0 : grace.graceSeconds) ?? vmi?.graceSeconds ?? 30),
    vmiUid: vmi?.uid,
    comebacks: 0,
    attempts: extras.attempts ?? 1,
    restore: own ?? (machine.vm?.strategy === 'Halted' ? remembered : undefined),
    force: command.force,
    ...grace,
    deletePodWhenStuck: command.deletePodWhenStuck,
    waitSeconds: command.waitSeconds,
    ...(command.restart ? { thenStart: true } : {}),
    leaseSeconds: command.leaseSeconds,
    reason: command.reason,
    requestedBy: command.requestedBy,
    declared: extras.declared,
    supersedes: replaces ? supersededWith(wukong, running) : [],
  };
}

/** The period that was asked for, as far as the launcher pod of a guest that runs allows it (KUBEVIRT §1). */
function graceFor({ gracePeriodSeconds: asked }: Command, vmi: VmiView | undefined) {
  const allowed = vmi && vmi.deletingSince === undefined ? vmi.graceSeconds + launcherExtraSeconds : Infinity;
  return asked !== undefined && asked > allowed
    ? { graceSeconds: allowed, cappedFrom: asked }
    : { graceSeconds: asked, cappedFrom: undefined };
}

/** An operation whose record was written, and the Wukong as that left it. */
export interface Begun {
  op: Operation;
  wukong: Wukong;
}

/**
 * Writes record and intent together, only if the Wukong is still the one that was read. The intent is what keeps the
 * operator from undoing the result at its next change (KUBEVIRT §4). `beside` are annotations that go with it. Returns
 * undefined when it changed: read again.
 * @throws LifecycleError
 */
export async function claim(
  cluster: Cluster,
  wukong: Wukong,
  op: Operation,
  limits: Partial<Limits>,
  beside: Record<string, string> = {},
): Promise<Wukong | undefined> {
  const lease = op.action === 'start' && op.leaseSeconds ? instantText(op.startedAt + op.leaseSeconds * 1000) : null;
  const hadLease = wukong.metadata.annotations?.[leaseKey] !== undefined;
  const body = {
    metadata: {
      resourceVersion: wukong.metadata.resourceVersion,
      annotations: { [operationKey]: write(op), ...(lease || hadLease ? { [leaseKey]: lease } : {}), ...beside },
    },
    ...(hasIntent(wukong) ? { spec: { startStrategy: { autoStart: op.action === 'start' } } } : {}),
  };
  const answer = await mergePatch<Wukong>(cluster, pathOf(wukong), body, limits);
  if (answer.status !== 409) return slim(bodyOf(answer, `claim of ${op.action} on Wukong ${keyOf(wukong.metadata)}`));
  const now = await readWukong(cluster, placeOf(wukong), limits);
  return operationOf(now)?.holder === op.holder ? now : undefined; // the answer to our own claim was lost
}

const recordAt = pointer('metadata', 'annotations', operationKey);

/**
 * Replaces the record by a later step, only if it is still ours. Undefined: superseded, or ended by somebody else; then
 * nothing more may be touched.
 */
export async function advance(
  cluster: Cluster,
  wukong: Wukong,
  from: Operation,
  to: Operation,
  limits: Partial<Limits>,
): Promise<Operation | undefined> {
  const patch: JsonPatchStep[] = [
    { op: 'test', path: recordAt, value: wukong.metadata.annotations?.[operationKey] ?? write(from) },
    { op: 'replace', path: recordAt, value: write(to) },
  ];
  const answer = await jsonPatch<Wukong>(cluster, pathOf(wukong), patch, limits);
  if (answer.status === 422) {
    const now = await readWukong(cluster, placeOf(wukong), limits);
    const text = now.metadata.annotations?.[operationKey];
    if (text !== write(to)) return undefined;
    wukong.metadata.annotations = now.metadata.annotations;
    return to;
  }
  wukong.metadata.annotations = bodyOf(answer, 'record of a step').metadata.annotations;
  return to;
}

/**
 * Ends the operation: takes the record away, leaves what is remembered, removes the declared action that was carried
 * out. Each only if it is still what it was. Undefined: the record is not ours any more.
 * @throws LifecycleError
 */
export async function endRecord(
  cluster: Cluster,
  wukong: Wukong,
  op: Operation,
  outcome: Outcome,
  limits: Partial<Limits>,
): Promise<Wukong | undefined> {
  const record = wukong.metadata.annotations?.[operationKey] ?? write(op);
  const last = write(lastAfter(op, outcome, lastOf(wukong)));
  const steps: JsonPatchStep[] = [
    { op: 'test', path: recordAt, value: record },
    { op: 'remove', path: recordAt },
    { op: 'add', path: pointer('metadata', 'annotations', lastKey), value: last },
  ];
  const declared = pointer('spec', 'lifecycleAction');
  const removal: JsonPatchStep[] =
    op.declared === undefined
      ? []
      : [
          { op: 'test', path: declared, value: op.declared },
          { op: 'remove', path: declared },
        ];
  let answer = await jsonPatch<Wukong>(cluster, pathOf(wukong), [...removal, ...steps], limits);
  if (answer.status === 422 && removal.length > 0)
    answer = await jsonPatch<Wukong>(cluster, pathOf(wukong), steps, limits);
  if (answer.status === 422) {
    const now = await readWukong(cluster, placeOf(wukong), limits);
    return now.metadata.annotations?.[lastKey] === last ? now : undefined;
  }
  return bodyOf(answer, 'end of the record');
}
