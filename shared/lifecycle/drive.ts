import { readWukong } from '../cluster/objects.ts';
import { type Machines, vmPath } from '../cluster/vmInformer.ts';
import type { World } from '../cluster/world.ts';
import { LifecycleError } from '../domain/errors.ts';
import { conditionOf, type KubeObject, placeOf, vmNameOf, type Wukong } from '../domain/model.ts';
import { type Operation, operationOf } from '../domain/operation.ts';
import type { Result } from '../domain/outcome.ts';
import { living, type Machine, readVmi, type VmView } from '../domain/vm.ts';
import type { Limits } from '../time/wait.ts';
import { advance } from './claim.ts';
import { loadsCluster } from './diagnosis.ts';
import { askStart, askStop, clearQueue, deleteLauncher, type Said, setStrategy } from './power.ts';
import { decideStart } from './start.ts';
import { forgetGuest, nothingSeen, type Seen, type Step } from './step.ts';
import { decideStop } from './stop.ts';

/** For how long a record that was seen to be ours is taken for ours. */
const oursMs = 1_000;
/** How long to wait for the watch to show what we just did. */
const settleMs = 2_000;
/** The same after refusals: each doubles it. */
const longestSettleMs = 30_000;

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

/**
 * Carries one operation on from record and live state until it ends or the time is up (InProgress): looks, decides,
 * does one thing, waits until that can be seen, and looks again.
 * @throws LifecycleError
 */
export async function drive(op: Operation, to: Drive): Promise<Driven> {
  const { world, wukong, machines, limits } = to;
  const { clock } = world;
  const namespace = wukong.metadata.namespace ?? '';
  const vmName = vmNameOf(wukong);
  const seen = nothingSeen();
  let oursAt = clock.now();
  for (;;) {
    const machine = machines.get(namespace, vmName);
    remember(seen, op, machine, clock.now());
    if (to.begun && !loadsCluster(op.action, machine, seen)) to.begun();
    const step = decide(op, machine, seen, to);
    if (step.do === 'end') return { op, result: step.result };
    if (step.do === 'wait') op = noteForce(op, step, machine);
    if (clock.now() >= limits.deadline) return { op, result: inProgress(step) };
    if (step.do === 'wait') {
      to.watching?.(step.for);
      await machines.changed(namespace, vmName, { ...limits, deadline: Math.min(step.until, limits.deadline) });
      continue;
    }
    if (step.do === 'retarget') forgetGuest(seen);
    if (step.do === 'retarget' && !step.cameBack) {
      op = { ...op, vmiUid: step.uid };
      continue;
    }
    const later = recorded(op, step, clock.now());
    if (later !== op) {
      const taken = await advance(world, wukong, op, later, limits);
      if (!taken) return { op, result: 'superseded' };
      op = taken;
      oursAt = clock.now();
    } else if (clock.now() >= oursAt + oursMs) {
      if (!(await isOurs(op, to))) return { op, result: 'superseded' };
      oursAt = clock.now();
    }
    if (step.do === 'retarget') continue;
    const patienceMs = Math.min(settleMs * 2 ** seen.refusals, longestSettleMs);
    const deadline = Math.min(clock.now() + patienceMs, limits.deadline);
    const settled = machines.changed(namespace, vmName, { ...limits, deadline });
    settled.catch(() => {});
    await to.turn?.(limits);
    await act(op, step, machine, seen, to);
    await settled;
  }
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

/** Keeps of what is looked at what will be gone later: how guests ended. */
function remember(seen: Seen, op: Operation, { vmi, gone }: Machine, now: number) {
  const guest = living(vmi);
  if (guest && guest.deletingSince === undefined) seen.lived.add(guest.uid);
  for (const one of [gone, vmi]) {
    const over = one && (one === gone || one.phase === 'Failed' || one.phase === 'Succeeded');
    if (!one || !over) continue;
    if (one.uid !== op.vmiUid) seen.died.add(one.uid);
    if (seen.ended?.uid !== one.uid) seen.ended = { uid: one.uid, phase: one.phase, at: now };
  }
}

/** The record as it has to be before a step that a crash must not repeat or forget. */
function recorded(op: Operation, step: Step, now: number): Operation {
  const at = { stepAt: now };
  if (step.do === 'force' && op.step !== 'Forced') return { ...op, ...at, step: 'Forced' };
  if (step.do === 'deletePod' && op.step !== 'PodDeleted') return { ...op, ...at, step: 'PodDeleted' };
  if (step.do === 'ask' && step.again) return { ...op, ...at, step: 'AskedAgain' };
  if (step.do === 'retarget') return { ...op, ...at, step: 'Claimed', vmiUid: step.uid, comebacks: op.comebacks + 1 };
  return op;
}

const noteForce = (op: Operation, step: Step & { do: 'wait' }, { vmi }: Machine): Operation =>
  op.action === 'stop' && vmi?.deletingSince !== undefined && op.step === 'Claimed'
    ? { ...op, forceAt: step.until }
    : op;

function inProgress(step: Step): Result {
  const what = step.do === 'wait' ? `waiting for ${step.for}` : `next: ${step.do}`;
  return { outcome: 'InProgress', message: `Not over yet (${what}); reconcileState goes on.` };
}

async function act(op: Operation, step: Step, { vm, vmi }: Machine, seen: Seen, { world, limits }: Drive) {
  if (!vm) return;
  const said = await perform(op, step, vm, seen, world, limits);
  switch (said.kind) {
    case 'accepted':
      seen.askedAt = world.clock.now();
      seen.askedFor = vmi?.uid ?? 'none';
      seen.clearedQueue ||= step.do === 'clearQueue';
      seen.forced ||= step.do === 'force';
      seen.podDeleted ||= step.do === 'deletePod';
      seen.refusals = 0;
      return;
    case 'absent':
      seen.noSubresource = true;
      if (step.do === 'force')
        throw new LifecycleError('Refused', 'force needs the subresource API of KubeVirt, which is absent');
      return;
    case 'invalid':
      if (step.do === 'force') throw new LifecycleError('Refused', `KubeVirt refused to force: ${said.message}`);
      seen.invalid = true;
      seen.refusal = said.message;
      return;
    case 'refused':
    case 'lost':
      seen.refusal = said.message;
      seen.refusals++;
      // A second force is refused where the first one holds (KUBEVIRT §1).
      if (step.do === 'force' && /shorter graceperiod|not running/.test(said.message)) seen.forced = true;
      return;
    default:
      throw new Error(`unknown answer ${JSON.stringify(said satisfies never)}`);
  }
}

async function perform(op: Operation, step: Step, vm: VmView, seen: Seen, world: World, limits: Limits): Promise<Said> {
  const patches = world.config.powerMethod === 'patch' || seen.noSubresource;
  switch (step.do) {
    case 'ask':
      if (op.action === 'start')
        return patches && vm.strategy === 'Halted'
          ? setStrategy(world, vm, 'Always', limits)
          : askStart(world, vm, limits);
      if (patches && vm.strategy !== 'Halted') return setStrategy(world, vm, 'Halted', limits);
      return askStop(world, vm, step.graceSeconds, limits);
    case 'force':
      return (await sameGuest(world, vm, op, limits))
        ? askStop(world, vm, 0, limits)
        : { kind: 'refused', message: 'another guest' };
    case 'clearQueue':
      return clearQueue(world, vm, limits);
    case 'strategy':
      return setStrategy(world, vm, step.value, limits);
    case 'deletePod': {
      const path = `${vmPath('virtualmachineinstances', vm.namespace)}/${vm.name}`;
      const answer = await world.transport.call<KubeObject>({ method: 'GET', path, safe: true }, limits);
      if (answer.status !== 200 || answer.body.metadata.uid !== op.vmiUid)
        return { kind: 'refused', message: 'another guest' };
      return deleteLauncher(world, readVmi(answer.body), limits);
    }
    default:
      throw new Error(`not an act: ${step.do}`);
  }
}

/** Read anew before force: a watch that lags must not end a guest that came up since. */
async function sameGuest(world: World, vm: VmView, op: Operation, limits: Limits): Promise<boolean> {
  const path = `${vmPath('virtualmachineinstances', vm.namespace)}/${vm.name}`;
  const answer = await world.transport.call<KubeObject>({ method: 'GET', path, safe: true }, limits);
  return answer.status === 200 && answer.body.metadata.uid === op.vmiUid;
}
