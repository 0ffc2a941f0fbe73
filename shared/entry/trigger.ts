import { type Command, type Origin, parseCommand, requestedType } from '../domain/command.ts';
import { longestRequestId } from '../domain/commandFields.ts';
import { LifecycleError } from '../domain/errors.ts';
import { hasSource, requestIdOf } from '../domain/requestId.ts';
import { source as busSource } from '../report/bus.ts';
import { commandIn, isHttp } from './request.ts';

const largestEvent = 256 * 1024;

/** A message of a queue, as Lambda hands it on. */
export interface QueueRecord {
  messageId: string;
  body: string;
  eventSource: 'aws:sqs';
  attributes?: { SentTimestamp?: string };
}

export const isRecord = (event: unknown): event is QueueRecord => {
  const { eventSource, messageId, body } = (event ?? {}) as Partial<QueueRecord>;
  return eventSource === 'aws:sqs' && typeof messageId === 'string' && typeof body === 'string';
};

/** Who sent an event that came over no bus: what is before the ids of its own (`httpSource`). */
interface Sent {
  sender?: string;
}

/** Whether something was delivered by the event bus. */
export const isEvent = (event: unknown): boolean =>
  (event as { 'detail-type'?: unknown } | null)?.['detail-type'] !== undefined;

/**
 * Turns a trigger into its Command: an EventBridge event with the command as `detail`, a message of a queue with such an
 * event or the bare command in it, an HTTP request, or the bare command (a direct call, a schedule's `input`).
 * @throws LifecycleError InvalidAction naming every wrong field.
 */
export function parseTrigger(event: unknown, origin: Omit<Origin, 'trigger'> & Sent): Command {
  refuseOversize(event);
  if (isRecord(event)) return parseMessage(event, origin);
  if (isHttp(event)) {
    const { command, requestId = origin.requestId, source } = commandIn(event);
    return parseCommand(command, { ...origin, requestId: requestIdOf(source, requestId), source, trigger: 'http' });
  }
  const requestId = requestIdOf('direct', origin.requestId);
  return parseEvent(event, { ...origin, requestId, source: 'direct', trigger: 'direct' });
}

function parseMessage({ body, messageId, attributes }: QueueRecord, origin: Omit<Origin, 'trigger'>): Command {
  let event: unknown;
  try {
    event = JSON.parse(body);
  } catch {
    throw new LifecycleError('InvalidAction', 'message: expected JSON: a command, or an event with one as its detail');
  }
  const timestamp: unknown = attributes?.SentTimestamp;
  const sent = new Date(typeof timestamp === 'string' ? Number(timestamp) : NaN);
  const requestedAt = Number.isNaN(sent.getTime())
    ? origin.requestedAt
    : askedAt(sent.toISOString(), origin.requestedAt);
  const requestId = requestIdOf('queue', messageId);
  return parseEvent(event, { ...origin, requestId, source: 'queue', requestedAt, trigger: 'queue' });
}

function parseEvent(event: unknown, origin: Origin & Sent): Command {
  if (typeof event !== 'object' || event === null || Array.isArray(event))
    throw new LifecycleError(
      'InvalidAction',
      'event: expected an object: a command, or an event with one as its detail',
    );
  const envelope = event as Envelope;
  if (envelope['detail-type'] === undefined) return parseCommand(event, origin);
  const expected = requestedType[origin.action];
  if (envelope['detail-type'] !== expected) {
    const found = JSON.stringify(envelope['detail-type']).slice(0, 100);
    throw new LifecycleError('InvalidAction', `detail-type: expected "${expected}", not ${found}`);
  }
  const id = typeof envelope.id === 'string' ? envelope.id : undefined;
  const source = origin.sender ?? 'event';
  return parseCommand(envelope.detail, {
    action: origin.action,
    trigger: 'event',
    requestId: id === undefined ? origin.requestId : requestIdOf(source, id).slice(0, longestRequestId),
    requestedAt: askedAt(envelope.time, origin.requestedAt),
    ...(!origin.sender && isOurs(envelope) ? {} : { source }),
    ...(envelope.source === busSource ? { given: false } : id === undefined ? {} : { given: true }),
  });
}

interface Envelope {
  'detail-type'?: unknown;
  detail?: unknown;
  id?: unknown;
  time?: unknown;
  source?: unknown;
}

/**
 * What another of our functions put on the bus keeps its id: only they may put events with our source (the policy of the
 * bus, infra/aws/events.yml). One of version 0.1.0, whose id has no source, is an event like any other, but for this: it
 * gave all VMs of a boundary, and all parts of a fleet, the same id.
 */
function isOurs({ source, detail }: Envelope): boolean {
  const { requestId } = (detail ?? {}) as { requestId?: unknown };
  return source === busSource && typeof requestId === 'string' && hasSource(requestId);
}

const longestRetryMs = 24 * 3_600_000;
/** The bus and this machine need not agree on the second. */
const clockErrorMs = 60_000;

/**
 * When an event was put on its bus, so that of two wishes the newer one wins however they are delivered. EventBridge
 * tries for a day; what is older was sent again by somebody, and is a wish of now.
 */
function askedAt(time: unknown, now: number): number {
  const instant = typeof time === 'string' ? Date.parse(time) : NaN;
  return instant <= now + clockErrorMs && instant > now - longestRetryMs ? instant : now;
}

function refuseOversize(event: unknown) {
  let size: number;
  try {
    size = (JSON.stringify(event) ?? '').length;
  } catch {
    throw new LifecycleError('InvalidAction', 'event: expected plain JSON');
  }
  if (size > largestEvent)
    throw new LifecycleError('InvalidAction', `event: expected at most ${largestEvent} characters, found ${size}`);
}
