import { mergePatch, withCondition, wukongPath } from '../cluster/objects.ts';
import type { World } from '../cluster/world.ts';
import { asLifecycleError, type FailureCode } from '../domain/errors.ts';
import { type Condition, conditionOf, keyOf, type KubeObject, type Wukong } from '../domain/model.ts';
import { putEvent } from '../report/events.ts';
import { plain } from '../report/plain.ts';
import { rfc3339 } from '../time/clock.ts';
import { eachApart, inTurns } from '../time/forEachLimited.ts';
import type { Limits } from '../time/wait.ts';

type Kind = 'Wukong' | 'WukongSchedule' | 'ClusterWukongSchedule';

/** What a tick could not do. */
export interface Problem {
  message: string;
  reason: FailureCode;
  /** Whose it is, where it is of one object. */
  object?: KubeObject & { kind: Kind };
  /** Whose all that is left undone there is, where it is of no one object. */
  namespace?: string;
  /** The tick did without it: nothing of its work is undone. */
  minor?: boolean;
}

/** What every part of one tick is given. */
export interface Ticking {
  world: World;
  limits: Limits;
  /** What could not be done is added here; none of it ends the tick. */
  problems: Problem[];
}

const mostEvents = 10;
const mostConditions = 100;
const atOnce = 20;
const tellMs = 5_000;

/** False while reconcileState cannot do its work with a Wukong; there is none where it always could. */
export const reconciledCondition = 'LifecycleReconciled';

export const problemOf = (thrown: unknown, object: KubeObject, kind: Kind = 'Wukong'): Problem => {
  const { code, message } = asLifecycleError(thrown);
  return { message, reason: code, object: { ...object, kind } };
};

/** As a line for people. */
export const lineOf = ({ message, object }: Problem): string => {
  if (!object) return plain(message);
  const what = object.kind === 'Wukong' ? '' : 'schedule ';
  const name = object.kind === 'ClusterWukongSchedule' ? object.metadata.name : keyOf(object.metadata);
  return plain(`${what}${name}: ${message}`);
};

/**
 * Each as a log line and, once a day and reason, as an Event on its object; all of them as the metric TickProblems;
 * TicksDone counts the ticks that left nothing undone.
 * Events are for the first ten: a cluster in trouble needs no storm. A Wukong that nothing is
 * done with (`idle`) has a condition for as long as it is so.
 */
export async function reportProblems(world: World, problems: Problem[], idle: Wukong[]): Promise<void> {
  const { log, metrics, clock } = world;
  metrics.count('TickProblems', problems.length);
  metrics.count('TicksDone', problems.every(({ minor }) => minor) ? 1 : 0);
  for (const problem of problems) {
    const { reason, object } = problem;
    const { namespace = problem.namespace, name } = object?.metadata ?? {};
    log[problem.minor ? 'warn' : 'error'](`problem: ${lineOf(problem)}`, { namespace, name, reason });
  }
  const limits = { deadline: clock.now() + tellMs };
  const day = rfc3339(clock.now()).slice(0, 10);
  const named = problems.filter(({ object }) => object);
  const told = inTurns(named, ({ object }) => object!.metadata.namespace).slice(0, mostEvents);
  await Promise.all(
    told.map(async ({ reason, object, message }) => {
      const short = plain(message).slice(0, 1024);
      const id = `problem/${reason}/${day}`;
      const text = { id, type: 'Warning', reason: `Problem${reason}`, message: short } as const;
      await putEvent(world, object!, text, { teller: 'reconcile', limits }).catch(() => {}); // it stands in the log
    }),
  );
  await eachApart(
    conditionsOf(idle, problems),
    ([{ metadata }]) => metadata.namespace,
    atOnce,
    ([wukong, condition]) => writeCondition(world, wukong, condition, limits).catch(() => {}),
  );
}

/** Those that have to change. */
function conditionsOf(wukongs: Wukong[], problems: Problem[]): [Wukong, Condition][] {
  const type = reconciledCondition;
  const wrong = new Map<string, Condition>();
  for (const { object, reason, message } of problems)
    if (object?.kind === 'Wukong')
      wrong.set(keyOf(object.metadata), { type, status: 'False', reason, message: plain(message).slice(0, 1024) });
  const changed = wukongs.flatMap((wukong): [Wukong, Condition][] => {
    const before = conditionOf(wukong.status?.conditions, type);
    const now = wrong.get(keyOf(wukong.metadata));
    if (now) return before?.status === now.status && before.reason === now.reason ? [] : [[wukong, now]];
    const well: Condition = { type, status: 'True', reason: 'Reconciled', message: '' };
    return before?.status === 'False' ? [[wukong, well]] : [];
  });
  return inTurns(changed, ([{ metadata }]) => metadata.namespace).slice(0, mostConditions);
}

/** One that was changed meanwhile says it after the next tick. */
async function writeCondition(world: World, wukong: Wukong, condition: Condition, limits: Limits): Promise<void> {
  const { namespace, name, resourceVersion, generation: observedGeneration } = wukong.metadata;
  const changed = { ...condition, ...(observedGeneration === undefined ? {} : { observedGeneration }) };
  const conditions = withCondition(wukong.status?.conditions, changed, rfc3339(world.clock.now()));
  const body = { metadata: { resourceVersion }, status: { conditions } };
  await mergePatch(world, wukongPath(namespace, name, 'status'), body, limits);
}
