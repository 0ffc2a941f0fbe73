import { createHash } from 'node:crypto';

import { answerFailure, bodyOf } from '../cluster/failure.ts';
import { apiPath } from '../cluster/path.ts';
import type { Cluster } from '../cluster/world.ts';
import { annotationPrefix, type Annotations, group, type KubeObject, version } from '../domain/model.ts';
import { isUnobserved, type Outcome, reasonOf } from '../domain/outcome.ts';
import { rfc3339 } from '../time/clock.ts';
import type { Limits } from '../time/wait.ts';
import { plain } from './plain.ts';

export interface EventText {
  /** Makes the Event's name: the same thing is told once, however often it is tried. */
  id: string;
  type: 'Normal' | 'Warning';
  /** CamelCase */
  reason: string;
  message: string;
  annotations?: Annotations;
}

/**
 * What this telling is of: the request. One that did not reach the cluster is delivered again; one that was skipped may
 * be, when its process died with nothing but this Event; and one that failed before anything was recorded, when
 * somebody has mended what was wrong. What it then comes to is told beside it.
 */
export function subjectOf(outcome: Outcome): string {
  const { requestId } = outcome;
  if (reasonOf(outcome) === 'Unreachable') return `${requestId}/unreached`;
  if (outcome.outcome === 'Failed') return `${requestId}/failed/${outcome.reason}`;
  return outcome.outcome === 'Skipped' ? `${requestId}/skipped` : requestId;
}

/** On the Event of a stop whose guest nobody saw end: `false`. */
export const observedKey = `${annotationPrefix}observed`;

const normal = new Set(['Started', 'Stopped', 'AlreadyOn', 'AlreadyOff', 'Superseded', 'InProgress']);

export function eventOf(outcome: Outcome): EventText {
  const reason = reasonOf(outcome);
  const quietly = normal.has(outcome.outcome) || (outcome.outcome === 'Skipped' && reason !== 'Protected');
  return {
    id: subjectOf(outcome),
    type: quietly ? 'Normal' : 'Warning',
    reason: `${outcome.outcome}${reason ?? ''}`,
    message: plain(`${outcome.action} (${outcome.trigger}, request ${outcome.requestId}): ${outcome.message}`, 1024),
    ...(isUnobserved(outcome) ? { annotations: { [observedKey]: 'false' } } : {}),
  };
}

/** An object's name has 253 characters at the most, and so has that of an Event on it. */
const longestName = 253 - 17;

/**
 * Puts one Event on the Wukong, or on an object of another kind of ours, so that `kubectl describe` tells the story. False when somebody else has told it
 * before. `teller` names this process, so that an Event of our own whose answer was lost is known again.
 * @throws LifecycleError
 */
export async function putEvent(
  { transport, clock }: Cluster,
  { kind = 'Wukong', metadata }: Pick<KubeObject, 'kind' | 'metadata'>,
  text: EventText,
  { teller, limits }: { teller: string; limits: Partial<Limits> },
): Promise<boolean> {
  const body = { ...eventOn({ kind, metadata }, text, rfc3339(clock.now())), reportingInstance: teller };
  const { namespace } = body.metadata;
  const call = { method: 'POST', path: apiPath(events(namespace)), body, safe: true } as const; // safe: the name is ours
  const answer = await transport.call(call, limits);
  if (answer.status === 409) {
    const there = await transport.call<Told>(readOf(body), limits);
    if (there.status === 404) return true; // refused for another reason: nobody else has told it
    const told = bodyOf(there, `Event on ${kind} ${namespace}/${metadata.name}`);
    return told.reportingInstance === teller && told.reason === text.reason;
  }
  if (answer.status >= 300) throw answerFailure(answer, `Event on ${kind} ${namespace}/${metadata.name}`);
  return true;
}

type Told = Pick<KubeObject, 'kind'> & { reportingInstance?: string; reason?: string };

const events = (namespace: string) => ({ api: 'v1', namespace, kind: 'events' });
const readOf = ({ metadata: { namespace, name } }: ReturnType<typeof eventOn>) =>
  ({ method: 'GET', path: apiPath({ ...events(namespace), name }), safe: true }) as const;

/** Whether this stands in an Event on the Wukong, as it is. @throws LifecycleError when nobody answers. */
export async function hasEvent(
  { transport }: Cluster,
  { kind = 'Wukong', metadata }: Pick<KubeObject, 'kind' | 'metadata'>,
  text: EventText,
  limits: Partial<Limits>,
): Promise<boolean> {
  const there = await transport.call<Told>(readOf(eventOn({ kind, metadata }, text, '')), limits);
  if (there.status === 404 || there.status === 403) return false; // who may not read Events knows of none
  return bodyOf(there, `Event on ${kind} ${metadata.namespace}/${metadata.name}`)?.reason === text.reason;
}

function eventOn(
  { kind, metadata: { namespace, name, uid, resourceVersion } }: Pick<KubeObject, 'kind' | 'metadata'>,
  { id, type, reason, message, annotations }: EventText,
  now: string,
) {
  const hash = createHash('sha256').update(`${uid}/${id}`).digest('hex').slice(0, 16);
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {
      name: `${name.slice(0, longestName).replace(/[^a-z0-9]+$/, '')}.${hash}`,
      // An Event on what is of the whole cluster stands in this one, as Kubernetes has it.
      namespace: namespace ?? 'default',
      ...(annotations ? { annotations } : {}),
    },
    involvedObject: { apiVersion: `${group}/${version}`, kind, namespace, name, uid, resourceVersion },
    type,
    reason,
    message,
    source: { component: 'wukong-lifecycle' },
    reportingComponent: 'wukong-lifecycle',
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
  };
}
