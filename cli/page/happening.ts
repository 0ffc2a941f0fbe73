import { lifecycleStateOf } from '../../shared/domain/lifecycleState.ts';
import type { KubeObject, Wukong } from '../../shared/domain/model.ts';
import { lastOf } from '../../shared/domain/operation.ts';
import { type Action, type OutcomeName, outcomeNames, reasonOf } from '../../shared/domain/outcome.ts';
import { observedKey } from '../../shared/report/events.ts';

/** One operation that came to an end, from whichever record of it is left. */
export interface Happening {
  namespace: string;
  name: string;
  action: Action;
  outcome: OutcomeName;
  reason?: string;
  message: string;
  /** False: it is off, and nobody saw how its guest ended. */
  observed?: false;
  requestId: string;
  trigger: string;
  /** Instant; unknown where only the Event is left. */
  startedAt?: number;
  /** Instant. */
  finishedAt: number;
}

interface KubeEvent extends KubeObject {
  reason?: string;
  message?: string;
  lastTimestamp?: string;
  source?: { component?: string };
  involvedObject?: { kind?: string; name?: string; namespace?: string };
}

const actions = new Set(['start', 'stop']);
const names = new Set<string>(outcomeNames);
const instantOf = (text: unknown): number | undefined => {
  const instant = typeof text === 'string' ? Date.parse(text) : NaN;
  return Number.isNaN(instant) ? undefined : instant;
};

/** An Event as shared/report/events.ts writes it; undefined for any other. */
export function fromEvent(event: KubeObject): Happening | undefined {
  const { reason = '', message = '', lastTimestamp, source, involvedObject } = event as KubeEvent;
  if (source?.component !== 'wukong-lifecycle' || involvedObject?.kind !== 'Wukong') return undefined;
  const parts = /^(start|stop) \((.*?), request (.*?)\): (.*)$/s.exec(message);
  const outcome = outcomeNames.find((name) => reason.startsWith(name));
  const finishedAt = instantOf(lastTimestamp);
  if (!parts || !outcome || finishedAt === undefined) return undefined;
  const [, action, trigger = '', requestId = '', text = ''] = parts;
  return {
    namespace: involvedObject.namespace ?? event.metadata?.namespace ?? '',
    name: involvedObject.name ?? '',
    action: action as Action,
    outcome,
    ...(reason.length > outcome.length ? { reason: reason.slice(outcome.length) } : {}),
    message: text,
    ...(event.metadata.annotations?.[observedKey] === 'false' ? { observed: false } : {}),
    requestId,
    trigger,
    finishedAt,
  };
}

/** An outcome as it goes over the event bus, with or without its envelope, or as a log line has it. */
export function fromDetail(value: unknown): Happening | undefined {
  const given = (value as { detail?: unknown } | null)?.detail ?? value;
  if (typeof given !== 'object' || given === null) return undefined;
  const { namespace, name, action, outcome, reason, forceReason, observed, message, requestId, trigger, ...times } =
    given as Record<string, unknown>;
  const finishedAt = instantOf(times.finishedAt);
  const text = (field: unknown) => (typeof field === 'string' ? field : '');
  if (!actions.has(text(action)) || !names.has(text(outcome)) || finishedAt === undefined) return undefined;
  if (!text(namespace) || !text(name)) return undefined;
  const why = text(reason) || text(forceReason);
  const startedAt = instantOf(times.startedAt);
  return {
    namespace: text(namespace),
    name: text(name),
    action: action as Action,
    outcome: outcome as OutcomeName,
    ...(why ? { reason: why } : {}),
    message: text(message),
    ...(observed === false ? { observed } : {}),
    requestId: text(requestId),
    trigger: text(trigger),
    ...(startedAt === undefined ? {} : { startedAt }),
    finishedAt,
  };
}

/** What the Wukong itself still knows: its last operation, and what its status says of the last one. */
export function fromWukong(wukong: Wukong): Happening[] {
  const { namespace = '', name } = wukong.metadata;
  const last = lastOf(wukong);
  const state = lifecycleStateOf(wukong);
  const told = state && fromDetail({ ...state, namespace, name, action: state.lastAction });
  if (!last) return told ? [told] : [];
  const { action, outcome, message, requestId, trigger, startedAt, finishedAt, forceReason } = last;
  const reason = reasonOf(last as Parameters<typeof reasonOf>[0]) ?? forceReason;
  const own = { namespace, name, action, outcome, message, requestId, trigger, startedAt, finishedAt };
  const unseen = last.observed === false ? { observed: last.observed } : {};
  return [...(told ? [told] : []), { ...own, ...unseen, ...(reason ? { reason } : {}) }];
}

/** By machine, in the order of time; of several records of one operation the one that says most. */
export function byMachine(happenings: Happening[]): Map<string, Happening[]> {
  const best = new Map<string, Happening>();
  for (const one of happenings) {
    const id = `${one.namespace}/${one.name}/${one.requestId}`;
    const known = best.get(id);
    if (!known || worth(one) > worth(known)) best.set(id, one);
  }
  const ordered = [...best.values()].sort((a, b) => a.finishedAt - b.finishedAt);
  return Map.groupBy(ordered, ({ namespace, name }) => `${namespace}/${name}`);
}

const worth = ({ outcome, startedAt }: Happening): number =>
  (outcome === 'InProgress' ? 0 : 2) + (startedAt === undefined ? 0 : 1);
