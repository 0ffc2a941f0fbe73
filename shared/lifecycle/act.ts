import { ours } from '../cluster/ours.ts';
import { vmPath } from '../cluster/vmInformer.ts';
import type { World } from '../cluster/world.ts';
import { LifecycleError } from '../domain/errors.ts';
import type { KubeObject } from '../domain/model.ts';
import type { Operation } from '../domain/operation.ts';
import { readVmi } from '../domain/readVm.ts';
import { type Machine, type VmView } from '../domain/vm.ts';
import type { Limits } from '../time/wait.ts';
import { askStart, askStop, clearQueue, deleteLauncher, type Said, setStrategy } from './power.ts';
import { isOvertaken, isRecent, type Seen, type Step } from './step.ts';

/** Does the one thing that was decided, and keeps in `seen` what KubeVirt said to it. @throws LifecycleError */
export async function act(
  step: Step,
  { vm, vmi }: Machine,
  { op, seen }: { op: Operation; seen: Seen },
  { world, limits }: { world: World; limits: Limits },
): Promise<void> {
  if (!vm) return;
  const said = await perform(step, { op, vm, seen, world, limits });
  if (said.kind === 'accepted') keepAccepted(seen, step, { vm, vmi }, world.clock.now());
  else keepRefused(seen, step, said);
}

function keepAccepted(seen: Seen, step: Step, { vm, vmi }: { vm: VmView; vmi: Machine['vmi'] }, now: number): void {
  seen.overtaken = isRecent(seen, now) && isOvertaken(seen, vm) ? (seen.overtaken ?? 0) + 1 : 0;
  seen.askedAt = now;
  seen.askedFor = vmi?.uid ?? 'none';
  seen.askedOn = { generation: vm.generation, strategy: vm.strategy, queue: vm.queue };
  seen.clearedQueue ||= step.do === 'clearQueue';
  seen.forced ||= step.do === 'force';
  seen.podDeleted ||= step.do === 'deletePod';
  seen.refusals = 0;
}

/** @throws LifecycleError Refused where a force can never come. */
function keepRefused(seen: Seen, step: Step, said: Exclude<Said, { kind: 'accepted' }>): void {
  switch (said.kind) {
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
    case 'missed':
      seen.missed = true;
      seen.refusals++;
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

interface Acting {
  op: Operation;
  vm: VmView;
  seen: Seen;
  world: World;
  limits: Limits;
}

async function perform(step: Step, to: Acting): Promise<Said> {
  const { op, vm, seen, world, limits } = to;
  const patches = world.config.powerMethod === 'patch' || seen.noSubresource;
  switch (step.do) {
    case 'ask':
      if (op.action === 'start')
        return patches && vm.strategy === 'Halted'
          ? setStrategy(world, vm, 'Always', limits)
          : askStart(world, vm, {}, limits);
      if (patches && vm.strategy !== 'Halted') return setStrategy(world, vm, 'Halted', limits);
      return askStop(world, vm, { graceSeconds: step.graceSeconds }, limits);
    case 'force':
      return (await guestOf(to)) ? askStop(world, vm, { graceSeconds: 0 }, limits) : { kind: 'missed' };
    case 'clearQueue':
      return clearQueue(world, vm, limits);
    case 'strategy':
      return setStrategy(world, vm, step.value, limits);
    case 'deletePod': {
      const guest = await guestOf(to);
      return guest ? deleteLauncher(world, readVmi(guest), limits) : { kind: 'missed' };
    }
    default:
      throw new Error(`not an act: ${step.do}`);
  }
}

/** Read anew before it is ended, as a watch that lags must not end a guest that came up since. Undefined: it is not there. */
async function guestOf({ op: { vmiUid }, vm, world, limits }: Acting): Promise<KubeObject | undefined> {
  const path = vmPath('virtualmachineinstances', vm.namespace, vm.name);
  const answer = await world.transport.call<KubeObject>({ method: 'GET', path, safe: true }, limits);
  const found = answer.status === 200 ? ours(answer.body) : undefined;
  return found?.metadata.uid === vmiUid ? found : undefined;
}
