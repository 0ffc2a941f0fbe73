import type { Cluster } from '../cluster/world.ts';
import type { Wukong } from '../domain/model.ts';
import { type Last, lastOf, operationOf } from '../domain/operation.ts';
import { isOn, living, type Machine } from '../domain/vm.ts';
import { newHolder } from '../lifecycle/claim.ts';
import { putEvent } from '../report/events.ts';
import { rfc3339 } from '../time/clock.ts';
import type { Limits } from '../time/wait.ts';

/** A start that ended because no node had room: KubeVirt goes on trying, as the wish to run stays. */
export function roomless(wukong: Wukong): Last | undefined {
  const last = operationOf(wukong) ? undefined : lastOf(wukong);
  return last?.action === 'start' && last.outcome === 'Failed' && last.reason === 'Unschedulable' ? last : undefined;
}

/** What the status says of it now; undefined where nobody waits any more. */
export function roomMessage(wukong: Wukong, machine: Machine): string | undefined {
  const last = roomless(wukong);
  if (!last) return undefined;
  const since = rfc3339(last.startedAt);
  const { readySince } = machine.vmi ?? {};
  if (isOn(machine))
    return `Waited for room since ${since}; up${readySince === undefined ? '' : ` since ${rfc3339(readySince)}`}.`;
  return living(machine.vmi) ? `Waiting for room since ${since}: ${last.message}` : undefined;
}

/** Told once, as an Event: it came up after all. */
export async function tellRoom(
  cluster: Cluster,
  wukong: Wukong,
  machine: Machine,
  limits: Partial<Limits>,
): Promise<void> {
  const last = roomless(wukong);
  const message = isOn(machine) ? roomMessage(wukong, machine) : undefined;
  if (!last || !message) return;
  const event = { id: `${last.requestId}/room`, type: 'Normal', reason: 'FoundRoom', message } as const;
  await putEvent(cluster, wukong, event, { teller: newHolder(cluster), limits });
}
