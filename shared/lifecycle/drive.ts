import { readWukong } from '../cluster/objects.ts';
import { changedOf, machineOf, type Machines } from '../cluster/vmInformer.ts';
import type { World } from '../cluster/world.ts';
import { marginMs } from '../domain/claimTimes.ts';
import { conditionOf, placeOf, type Wukong } from '../domain/model.ts';
import { type Operation, operationOf } from '../domain/operation.ts';
import { isUnobserved, type Result } from '../domain/outcome.ts';
import { isEnded, type Machine } from '../domain/vm.ts';
import type { Limits } from '../time/wait.ts';
import { act } from './act.ts';
import { advance } from './claim.ts';
import { loadsCluster } from './diagnosis.ts';
import { remember } from './remember.ts';
import { lookAgainAt, mayLengthen } from './sharpen.ts';
import { decideStart } from './start.ts';
import { forgetGuest, nothingSeen, type Seen, type Step } from './step.ts';
import { decideStop } from './stop.ts';
import { readTrace } from './trace.ts';

/** For how long a record that was seen to be ours is taken for ours. */
const oursMs = 1_000;
/** How long to wait for the watch to show what we just did. */
const settleMs = 2_000;
/** The same after refusals: each doubles it. */
const longestSettleMs = 30_000;
/** How long a VM must have been off, or on, before that is told. */
const lastLookMs = 100;
/** How long reading KubeVirt's Events may take. */
const tracingMs = 2_000;

export interface Drive {
  world: World;
  wukong: Wukong;
  machines: Machines;
  /** When this process must be back with what it has. */
  limits: Limits;
  /** Told whenever it is waited for something else: for a table that people look at. */
  watching?: (waitingFor: string) => void;
  /** Takes one turn below the limit of power calls a second. */
  turn?: (limits: Limits) => Promise<void>;
  /** Called when it loads the cluster no longer (`loadsCluster`), perhaps several times. */
  begun?: () => void;
}

export type Driven = { op: Operation; result: Result } | { op: Operation; result: 'superseded' };

/** One operation on its way. */
interface Going {
  op: Operation;
  seen: Seen;
  /** When the record was seen to be ours. Instant. */
  oursAt: number;
  step?: Step;
}

/**
 * Carries one operation on from record and live state until it ends or the time is up (InProgress): looks, decides,
 * does one thing, waits until that can be seen, and looks again. An abort is a time that is up.
 * @throws LifecycleError
 */
export async function drive(op: Operation, to: Drive): Promise<Driven> {
  const going: Going = { op, seen: nothingSeen(), oursAt: to.world.clock.now() };
  try {
    for (;;) {
      const result = await goOn(going, to);
      if (result) return { op: going.op, result } as Driven;
    }
  } catch (thrown) {
    if (!to.limits.signal?.aborted || !going.step) throw thrown;
    return { op: going.op, result: inProgress(going.step) };
  }
}

/** One look, and what follows from it; undefined where there is more to do. */
async function goOn(going: Going, to: Drive): Promise<Driven['result'] | undefined> {
  const { wukong, machines, limits } = to;
  const { clock } = to.world;
  const { seen } = going;
  const machine = machineOf(wukong, machines);
  remember(seen, going.op, machine, clock.now());
  if (to.begun && !loadsCluster(going.op.action, machine, seen)) to.begun();
  const step = decide(going.op, machine, seen, to);
  going.step = step;
  if (step.do === 'end') {
    const isDone = await isTold({ op: going.op, result: step.result }, machine, seen, to);
    return isDone ? step.result : undefined;
  }
  if (step.do === 'wait') going.op = noted(going.op, machine, seen);
  if (clock.now() >= limits.deadline) return inProgress(step);
  if (step.do === 'wait') {
    to.watching?.(step.for);
    const deadline = Math.min(step.until, lookAgainAt(going.op, seen, clock.now()), limits.deadline);
    await changedOf(wukong, machines, { ...limits, deadline });
    return undefined;
  }
  if (step.do === 'retarget') forgetGuest(seen);
  if (step.do === 'retarget' && !step.cameBack) {
    going.op = { ...going.op, ...ofAnother, vmiUid: step.uid };
    return undefined;
  }
  if (!(await isRecorded(step, machine, going, to))) return 'superseded';
  if (step.do === 'retarget') return undefined;
  const patienceMs = Math.min(settleMs * 2 ** seen.refusals, longestSettleMs);
  const deadline = Math.min(clock.now() + patienceMs, limits.deadline);
  const settled = changedOf(wukong, machines, { ...limits, deadline });
  settled.catch(() => {});
  await to.turn?.(limits);
  await act(step, machine, going, to);
  await settled;
  return undefined;
}

/** Writes what a crash must not repeat or forget; where there is nothing to write, looks whether the record is ours. */
async function isRecorded(step: Step, machine: Machine, going: Going, to: Drive): Promise<boolean> {
  const { world, wukong, limits } = to;
  const { clock } = world;
  const { op, seen, oursAt } = going;
  const later = recorded(op, step, clock.now());
  if (later !== op) {
    const taken = await advance(world, wukong, op, later, limits);
    if (!taken) return false;
    going.op = taken;
    seen.recorded = taken.step;
  } else if (clock.now() >= oursAt + oursMs || mayLengthen(step, machine)) {
    if (!(await isOurs(op, to))) return false;
  } else return true;
  going.oursAt = clock.now();
  return true;
}

/** Whoever was superseded asks KubeVirt for nothing more. */
async function isOurs(op: Operation, { world, wukong, limits }: Drive): Promise<boolean> {
  return operationOf(await readWukong(world, placeOf(wukong), limits))?.holder === op.holder;
}

function decide(op: Operation, machine: Machine, seen: Seen, { world, wukong }: Drive): Step {
  const now = world.clock.now();
  if (op.action === 'stop') return decideStop(op, machine, seen, now);
  return decideStart(op, machine, seen, now, {
    requireAgent: world.config.requireAgent,
    wukongSays: complaintOf(wukong),
  });
}

/** What the operator says on the Wukong of its networks and volumes. */
function complaintOf({ status }: Wukong) {
  const networks = conditionOf(status?.conditions, 'NetworksConfigured');
  if (networks?.status === 'False') return { reason: 'NetworkNotReady', message: networks.message ?? '' } as const;
  const volumes = conditionOf(status?.conditions, 'VolumesBound');
  if (volumes?.status === 'False') return { reason: 'StorageNotReady', message: volumes.message ?? '' } as const;
  return undefined;
}

/**
 * Whether an end can be told now. Of a stop that nobody saw end KubeVirt's Events are read first. On and off are told
 * after one more look, which costs no request as the watch is open: a VMI may be on its way that KubeVirt makes from an
 * older spec, and a guest that dies at once is Ready for some twenty milliseconds (KUBEVIRT §5).
 */
async function isTold(
  { op, result }: { op: Operation; result: Result },
  { vm }: Machine,
  seen: Seen,
  to: Drive,
): Promise<boolean> {
  const { world, wukong, machines, limits } = to;
  const since = op.action === 'stop' ? seen.offSince : result.outcome === 'Started' ? seen.up?.since : undefined;
  if (!vm || since === undefined) return true;
  if (isUnobserved(result) && !seen.trace && op.vmiUid) {
    const deadline = Math.max(limits.deadline, world.clock.now() + tracingMs);
    seen.trace = await readTrace(world, vm, op.vmiUid, { ...limits, deadline }, op);
    return false;
  }
  const until = since + lastLookMs;
  if (world.clock.now() >= until) return true;
  await changedOf(wukong, machines, { ...limits, deadline: until });
  return false;
}

/** The record as it has to be before a step that a crash must not repeat or forget. */
function recorded(op: Operation, step: Step, now: number): Operation {
  const at = { stepAt: now };
  if (step.do === 'force' && op.step !== 'Forced') return { ...op, ...at, step: 'Forced' };
  if (step.do === 'deletePod' && op.step !== 'PodDeleted') return { ...op, ...at, step: 'PodDeleted' };
  if (step.do === 'ask' && step.again) return { ...op, ...at, step: 'AskedAgain' };
  if (step.do === 'retarget')
    return { ...op, ...at, ...ofAnother, step: 'Claimed', vmiUid: step.uid, comebacks: op.comebacks + 1 };
  return op;
}

/** What the record says of one guest is nothing to another. */
const ofAnother = { forceAt: undefined, periodSeconds: undefined };

/** What another process needs to know if this one leaves the record to it. */
function noted(op: Operation, { vmi }: Machine, { died }: Seen): Operation {
  if (op.action === 'start') return died.size > (op.died ?? 0) ? { ...op, died: died.size } : op;
  if (!vmi || isEnded(vmi.phase)) return op;
  const { deletingSince, graceSeconds } = vmi;
  const begun = deletingSince !== undefined && op.step === 'Claimed';
  return {
    ...op,
    periodSeconds: graceSeconds,
    ...(begun ? { forceAt: deletingSince + graceSeconds * 1000 + marginMs } : {}),
  };
}

function inProgress(step: Step): Result {
  const waitedFor = step.do === 'wait' ? step.for : step.do === 'end' ? 'a last look' : undefined;
  const what = waitedFor ? `waiting for ${waitedFor}` : `next: ${step.do}`;
  return { outcome: 'InProgress', message: `Not over yet (${what}); reconcileState goes on.` };
}
