import type { Operation } from '../domain/operation.ts';
import { isEnded, isOff, isOn, type Machine, type VmiView, type VmView } from '../domain/vm.ts';
import { type Seen, settleMs } from './step.ts';

/** Keeps of what is looked at what will be gone later: how guests ended, and since when things are as they are. */
export function remember(seen: Seen, op: Operation, machine: Machine, now: number): void {
  const { vm, vmi, gone } = machine;
  const ends = [...(gone ? [gone] : []), ...(vmi && isEnded(vmi.phase) ? [vmi] : [])];
  seen.before ??= new Set(ends.map(({ uid }) => uid));
  for (const one of ends) {
    const wasThere = one.uid === op.vmiUid && one.deletingSince !== undefined;
    if (!wasThere && (!seen.before.has(one.uid) || (diedSoon(one) && isReplaced(one, vm)))) seen.died.add(one.uid);
    if (one.uid === op.vmiUid || (op.vmiUid === undefined && one === vmi)) seen.ended = endedLike(one, seen, now);
  }
  if (vm?.generation !== undefined && seen.spec?.generation !== vm.generation)
    seen.spec = { generation: vm.generation, since: now };
  seen.offSince = isOff(machine) ? (seen.offSince ?? now) : undefined;
  const up = isOn(machine) ? vmi?.uid : undefined;
  if (up !== seen.up?.uid) seen.up = up === undefined ? undefined : { uid: up, since: now };
}

/** Its final phase, as it was first seen; it may be gone before that is seen. */
function endedLike({ uid, phase, deletingSince }: VmiView, { ended }: Seen, now: number): Seen['ended'] {
  const known = ended?.uid === uid ? ended : undefined;
  if (known && isEnded(known.phase)) return known;
  return { uid, phase, at: known?.at ?? now, ...(deletingSince === undefined ? { unasked: true } : {}) };
}

/** KubeVirt makes the next one by itself, so that the one before it tells how that will end. */
const isReplaced = ({ phase }: VmiView, vm: VmView | undefined): boolean =>
  vm?.strategy === 'Always' || (vm?.strategy === 'RerunOnFailure' && phase === 'Failed');

/** It ran, not for long, and nobody had asked it to go. */
const diedSoon = ({ ranAt, endedAt, deletingSince }: VmiView): boolean =>
  typeof ranAt === 'number' &&
  endedAt !== undefined &&
  endedAt - ranAt <= settleMs &&
  (deletingSince === undefined || endedAt <= deletingSince);
