import type { Notice, World } from '../cluster/world.ts';
import { asLifecycleError, LifecycleError } from '../domain/errors.ts';
import type { Wukong } from '../domain/model.ts';
import { isUnobserved, type Outcome, reasonOf } from '../domain/outcome.ts';
import { rfc3339 } from '../time/clock.ts';
import type { Limits } from '../time/wait.ts';
import { eventOf, putEvent, subjectOf } from './events.ts';
import { plain } from './plain.ts';

/** How long telling the end may take: its own limit, never the one that has just run out (STYLE 8). */
export const tellingMs = 8_000;

export const outcomeType = 'Wukong VM Lifecycle Outcome';
const outcomeNotice = 'dev.novasphere.wukong.outcome.v1';

/** The detail of an outcome event; its schema is infra/events/outcome.schema.json. `id` is the same however often sent. */
export const detailOf = (outcome: Outcome) => ({
  version: '1',
  id: plain(`${outcome.namespace}/${outcome.name}/${subjectOf(outcome)}`),
  namespace: outcome.namespace,
  name: outcome.name,
  action: outcome.action,
  outcome: outcome.outcome,
  ...(reasonOf(outcome) ? { reason: reasonOf(outcome) } : {}),
  message: plain(outcome.message),
  forced: outcome.forced,
  ...(outcome.outcome === 'ForcedOff' ? { forceReason: outcome.forceReason } : {}),
  ...(isUnobserved(outcome) ? { observed: false } : {}),
  requestId: plain(outcome.requestId),
  trigger: plain(outcome.trigger),
  startedAt: rfc3339(outcome.startedAt),
  finishedAt: rfc3339(outcome.finishedAt),
});

const forcedNotice = (outcome: Outcome): Notice => {
  const detail = detailOf(outcome);
  const { namespace, name, finishedAt, action } = outcome;
  const text = `${namespace}/${name}: ${action} ${outcome.outcome}: ${detail.message}`;
  return { id: detail.id, type: outcomeNotice, subject: `${namespace}/${name}`, time: finishedAt, text, detail };
};

/** Log line and metrics: what needs nobody's answer. What happened to a VM once is counted once, whoever asked for it. */
export function note({ log, metrics }: World, outcome: Outcome, counts = true) {
  const level = outcome.outcome === 'Failed' ? 'error' : outcome.outcome === 'ForcedOff' ? 'warn' : 'info';
  const { message, ...fields } = detailOf(outcome);
  log[level](`${outcome.action} ${outcome.namespace}/${outcome.name}: ${outcome.outcome}`, {
    ...fields,
    says: message,
  });
  if (counts) metrics.outcome(outcome, outcome.dueAt === undefined ? undefined : outcome.startedAt - outcome.dueAt);
}

export interface Telling {
  teller: string;
  limits: Partial<Limits>;
  insist?: boolean;
  /** Not where another request's outcome counts for the same VM. */
  counts?: boolean;
  /** What nobody could be told of is neither logged nor counted: it comes to something else. */
  onlyHeard?: boolean;
}

/**
 * Tells a final outcome: once as an Event on the Wukong, and, by whoever put that Event, once on the bus. `insist` puts
 * it on the bus again although the Event is there: after a crash nobody knows if the bus was told; receivers know an
 * event again by its id. What cannot be told is logged and changes no outcome. Returns why nobody heard of it; undefined
 * where an Event says it, or the bus took it.
 */
export async function tell(
  world: World,
  wukong: Wukong,
  outcome: Outcome,
  { teller, limits, insist = false, counts = true, onlyHeard = false }: Telling,
): Promise<LifecycleError | undefined> {
  const say = () => {
    note(world, outcome, counts);
    if (outcome.forced && counts) world.webhook?.put(forcedNotice(outcome));
  };
  const event = await putEvent(world, wukong, eventOf(outcome), { teller, limits }).catch(asLifecycleError);
  const unwritten = event instanceof LifecycleError ? event : undefined;
  if (unwritten) world.log.warn('the Event could not be written', { problem: unwritten.message });
  else if (!event && !insist) return undefined;
  else say();
  const unsent = await putOutcome(world, outcome);
  const unheard = !world.bus || unsent ? unwritten : undefined;
  if (unwritten && !(unheard && onlyHeard)) say();
  return unheard;
}

/** The outcome event, where a bus is configured. Returns why the bus did not take it. */
export async function putOutcome({ bus, log }: World, outcome: Outcome): Promise<LifecycleError | undefined> {
  try {
    await bus?.put([{ type: outcomeType, detail: detailOf(outcome), time: outcome.finishedAt }]);
    return undefined;
  } catch (thrown) {
    const error = asLifecycleError(thrown);
    log.error('the outcome event could not be sent', { problem: error.message, requestId: outcome.requestId });
    return error;
  }
}
