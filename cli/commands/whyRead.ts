import { bodyOf } from '../../shared/cluster/failure.ts';
import { readWukong } from '../../shared/cluster/objects.ts';
import { vmPath } from '../../shared/cluster/vmInformer.ts';
import type { World } from '../../shared/cluster/world.ts';
import { type KubeObject, type Place, vmNameOf, type Wukong } from '../../shared/domain/model.ts';
import { readVm, readVmi } from '../../shared/domain/readVm.ts';
import { type Machine } from '../../shared/domain/vm.ts';
import { readSurroundings } from '../../shared/reconcile/scheduleInputs.ts';
import type { Surroundings } from '../../shared/schedule/selecting.ts';
import { type Timetable, timetable } from '../../shared/schedule/timetable.ts';
import type { Limits } from '../../shared/time/wait.ts';

/** All that one VM's story is told from. */
export interface Known {
  wukong: Wukong;
  machine: Machine;
  table: Timetable;
  around: Surroundings;
  /** What could not be read: the story is without it. */
  unread: string[];
}

/** Reads it. @throws LifecycleError NotFound for a Wukong that is not there. */
export async function readKnown(world: World, place: Place, limits: Limits): Promise<Known> {
  const wukong = await readWukong(world, place, limits);
  const get = async (plural: 'virtualmachines' | 'virtualmachineinstances') => {
    const path = vmPath(plural, place.namespace, vmNameOf(wukong));
    const answer = await world.transport.call<KubeObject>({ method: 'GET', path, safe: true }, limits);
    return answer.status === 404 ? undefined : bodyOf(answer, path);
  };
  const [vm, vmi] = await Promise.all([get('virtualmachines'), get('virtualmachineinstances')]);
  const machine: Machine = { vm: vm && readVm(vm), vmi: vmi && readVmi(vmi) };
  const unread: string[] = [];
  const here = { ...world, config: { ...world.config, watchNamespaces: [place.namespace] } };
  const none: Surroundings = { schedules: [], findText: () => undefined, namespaces: new Map() };
  const around = await readSurroundings({ world: here, limits, problems: unread }).catch((thrown: unknown) => {
    unread.push(`schedules cannot be read: ${(thrown as Error).message}`);
    return none;
  });
  const table = timetable([wukong], () => machine, around, world.clock.now());
  return { wukong, machine, table, around, unread };
}
