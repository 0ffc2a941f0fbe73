import { apiPath } from '../cluster/path.ts';
import type { World } from '../cluster/world.ts';
import { marginMs } from '../domain/claimTimes.ts';
import type { Operation } from '../domain/operation.ts';
import type { VmView } from '../domain/vm.ts';
import { type Limits } from '../time/wait.ts';
import type { Trace } from './step.ts';

interface KubeEvent {
  metadata?: { creationTimestamp?: string };
  type?: string;
  reason?: string;
  message?: string;
  firstTimestamp?: string | null;
  lastTimestamp?: string | null;
  eventTime?: string | null;
  source?: { component?: string };
  reportingComponent?: string;
  involvedObject?: { uid?: string };
}

/** The API server writes when an Event was made: one that is of another time than it tells was written afterwards. */
const writtenWithinMs = 60_000;
const mostEvents = 100;

/**
 * What KubeVirt's own Events tell of the end of a guest that nobody watched. Whoever may make Events can forge them, so
 * they may say that KubeVirt ended a guest when its period was over, and never that it ended by itself: virt-handler's
 * Warning `Stopped` on the VMI counts beside virt-controller's `SuccessfulDelete` on the VM, with which the shutdown of
 * that very VMI began, where each was written when it says, and where no other contradicts them (docs/decisions/0137).
 * A cluster keeps Events for an hour.
 */
export async function readTrace(
  world: World,
  vm: VmView,
  vmiUid: string,
  limits: Limits,
  { graceSeconds, periodSeconds = 0, forceAt }: Partial<Operation> = {},
): Promise<Trace> {
  try {
    const [ended, begun] = await Promise.all([
      eventsOf(world, vm.namespace, vmiUid, limits),
      eventsOf(world, vm.namespace, vm.uid, limits),
    ]);
    const stopped = theOne(ended, 'virt-handler', ({ reason }) => reason === 'Stopped');
    const isOfVmi = ({ reason, message }: KubeEvent) =>
      reason === 'SuccessfulDelete' && typeof message === 'string' && message.includes(vmiUid);
    const deleted = theOne(begun, 'virtualmachine-controller', isOfVmi);
    if (stopped?.event.type !== 'Warning' || !deleted) return {};
    const over = forceAt === undefined ? deleted.at + (graceSeconds ?? periodSeconds) * 1000 : forceAt - marginMs;
    if (stopped.at < Math.floor(over / 1000) * 1000) return {};
    return { since: deleted.at, end: { phase: 'Failed', at: stopped.at } };
  } catch (thrown) {
    limits.signal?.throwIfAborted();
    world.log.debug('KubeVirt’s Events could not be read', { problem: (thrown as Error).message });
    return {};
  }
}

async function eventsOf({ transport }: World, namespace: string, uid: string, limits: Limits): Promise<KubeEvent[]> {
  const query = { fieldSelector: `involvedObject.uid=${uid}`, limit: `${mostEvents}` };
  const path = apiPath({ api: 'v1', namespace, kind: 'events', query });
  const answer = await transport.call<{ items?: unknown; metadata?: { continue?: unknown } }>(
    { method: 'GET', path, safe: true },
    limits,
  );
  // So many that they do not fit: somebody hides what KubeVirt tells among them.
  if (answer.status !== 200 || !Array.isArray(answer.body.items) || answer.body.metadata?.continue) return [];
  return (answer.body.items as (KubeEvent | null)[]).filter((one) => one?.involvedObject?.uid === uid) as KubeEvent[];
}

/** The only one of its kind, told by this component when it was written. */
function theOne(
  events: KubeEvent[],
  component: string,
  isIt: (event: KubeEvent) => boolean,
): { event: KubeEvent; at: number } | undefined {
  const [event, ...others] = events.filter(isIt);
  if (!event || others.length > 0) return undefined;
  if (event.source?.component !== component || (event.reportingComponent || component) !== component) return undefined;
  const at = Date.parse(event.lastTimestamp ?? event.eventTime ?? event.firstTimestamp ?? '');
  const writtenAt = Date.parse(event.metadata?.creationTimestamp ?? '');
  return Math.abs(writtenAt - at) <= writtenWithinMs ? { event, at } : undefined;
}
