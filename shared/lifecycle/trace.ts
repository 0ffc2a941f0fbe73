import { apiPath } from '../cluster/path.ts';
import type { World } from '../cluster/world.ts';
import type { VmView } from '../domain/vm.ts';
import { type Limits } from '../time/wait.ts';
import type { Trace } from './step.ts';

interface KubeEvent {
  type?: string;
  reason?: string;
  message?: string;
  firstTimestamp?: string | null;
  lastTimestamp?: string | null;
  eventTime?: string | null;
  source?: { component?: string };
  involvedObject?: { uid?: string };
}

/**
 * What KubeVirt's own Events tell of the end of a guest that nobody watched: virt-handler's `Stopped`, a Warning where
 * the VMI failed, and virt-controller's `SuccessfulDelete` with which its shutdown began. A cluster keeps Events for an
 * hour; where they cannot be read nothing is told.
 */
export async function readTrace(world: World, vm: VmView, vmiUid: string, limits: Limits): Promise<Trace> {
  try {
    const stopped = (await eventsOf(world, vm.namespace, vmiUid, limits)).find(
      ({ reason, source }) => reason === 'Stopped' && source?.component === 'virt-handler',
    );
    const at = instantOf(stopped);
    if (!stopped || at === undefined) return {};
    const phase = stopped.type === 'Warning' ? 'Failed' : 'Succeeded';
    const deleted = (await eventsOf(world, vm.namespace, vm.uid, limits)).find(
      ({ reason, message }) => reason === 'SuccessfulDelete' && message?.includes(vmiUid),
    );
    const since = instantOf(deleted);
    return {
      ...(since === undefined ? {} : { since }),
      end: { phase, at, ...(since === undefined ? { unasked: true } : {}) },
    };
  } catch (thrown) {
    limits.signal?.throwIfAborted();
    world.log.debug('KubeVirt’s Events could not be read', { problem: (thrown as Error).message });
    return {};
  }
}

async function eventsOf({ transport }: World, namespace: string, uid: string, limits: Limits): Promise<KubeEvent[]> {
  const query = { fieldSelector: `involvedObject.uid=${uid}`, limit: '100' };
  const path = apiPath({ api: 'v1', namespace, kind: 'events', query });
  const answer = await transport.call<{ items?: KubeEvent[] }>({ method: 'GET', path, safe: true }, limits);
  const items = answer.status === 200 ? (answer.body.items ?? []) : [];
  return items.filter(({ involvedObject }) => involvedObject?.uid === uid);
}

function instantOf(event: KubeEvent | undefined): number | undefined {
  const at = Date.parse(event?.lastTimestamp ?? event?.eventTime ?? event?.firstTimestamp ?? '');
  return Number.isNaN(at) ? undefined : at;
}
