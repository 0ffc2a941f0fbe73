import middy, { type Request } from '@middy/core';
import type { Context } from 'aws-lambda';

import { readConfig } from '../cluster/config.ts';
import type { Log, World } from '../cluster/world.ts';
import { asLifecycleError, failures, LifecycleError } from '../domain/errors.ts';
import type { Report } from '../report/fleetOutcome.ts';
import { jsonLog } from '../report/log.ts';
import { emfMetrics } from '../report/metrics.ts';
import type { Limits } from '../time/wait.ts';
import { connect } from './connect.ts';
import { answerHttp, httpLimitMs, refusalAnswer } from './http.ts';
import { eachRecord, isBatch } from './queue.ts';
import { type HttpRequest, isHttp } from './request.ts';
import { isEvent, isRecord } from './trigger.ts';

/** What a handler is given beside its event. */
export interface Invocation {
  world: World;
  /** Ends before the function's own time limit, so that what was reached can still be told. */
  limits: Limits;
  /** The same for every retry of one invocation. */
  id: string;
  /** Instant. */
  now: number;
  /** The world of another cluster. @throws LifecycleError InvalidAction for one that is not in CLUSTERS. */
  reach?: (cluster: string) => Promise<World>;
}

/** The world of the cluster that is named, or of the one that is meant when none is. */
export async function worldOf({ world, reach }: Invocation, cluster: string | undefined): Promise<World> {
  if (cluster === undefined) return world;
  if (reach) return reach(cluster);
  throw new LifecycleError('InvalidAction', 'cluster: expected none, as there is but one');
}

/** A time limit for where there is none: a call outside Lambda. */
const ownLimitMs = 15 * 60_000;
/** What is not sent by then is given up: a function that has answered does not run on. */
const noticesMs = 5_000;
/** The last resort, should the handler itself not be back before its time is up. */
const lastWordMs = 1_000;

export interface Refusal {
  outcome: 'Failed';
  reason: string;
  message: string;
  next: string;
}

/**
 * The Lambda handler around a function: connects once and keeps the connection for later invocations, sets the time
 * limit, takes batches of a queue and HTTP requests apart and answers each as its trigger expects it. An error of the
 * closed set is answered instead of thrown, so that what would fail again is not retried.
 */
export function lambda<Answer>(
  name: string,
  handle: (event: unknown, invocation: Invocation) => Promise<Answer>,
  open: (cluster?: string) => Promise<World> = opener(name),
) {
  const log = jsonLog({ logLevel: 'INFO' }, name);
  const reach = kept(open);
  const answer = async (event: unknown, context: Context): Promise<unknown> => {
    const world = await reach();
    const now = world.clock.now();
    const leftMs = context.getRemainingTimeInMillis?.() ?? ownLimitMs;
    const limits = { deadline: now + Math.max(1_000, leftMs - world.config.reserveMs) };
    const id = context.awsRequestId ?? `direct-${now}-${world.random()}`;
    const invocation = { world, limits, id, now, reach };
    const counted = (one: unknown, its: Invocation) => countRefused(world, () => handle(one, its));
    try {
      if (isBatch(event))
        return await eachRecord(event, { ...invocation, until: now + leftMs - 2 * lastWordMs }, (record) =>
          counted(record, invocation),
        );
      if (isHttp(event)) return await overHttp(event, invocation, counted);
      return await counted(event, invocation);
    } finally {
      await world.webhook?.flush(world.clock.now() + noticesMs);
      world.metrics.flush();
    }
  };
  const within = (timeoutEarlyResponse: () => unknown) =>
    middy<unknown, Answer | Refusal>(answer as never, {
      timeoutEarlyInMillis: lastWordMs,
      timeoutEarlyResponse,
    }).onError((request) => answerError(request, log));
  const waitedFor = within(() => ({ outcome: 'InProgress', message: 'The time was up; reconcileState goes on.' }));
  // An answer would acknowledge what nobody knows to be recorded; what fails is delivered again.
  const delivered = within(() => {
    throw new Retry('the time was up before there was an end');
  });
  // Of two parameters: Lambda refuses to start a function that has a third, which would be a callback.
  return (event: unknown, context: Context): Promise<Answer | Refusal> =>
    (isBatch(event) || isEvent(event) ? delivered : waitedFor)(event, context) as Promise<Answer | Refusal>;
}

/** An error of the closed set is an answer. */
function answerError<Answer>(request: Request<unknown, Answer | Refusal>, log: Log): void {
  // Thrown on: the trigger delivers it again. A batch that is answered otherwise would be done with.
  if (request.error instanceof Retry || isBatch(request.event)) return;
  const { code, message } = asLifecycleError(request.error);
  log.error(message, { reason: code });
  request.response = isHttp(request.event)
    ? (refusalAnswer(request.error) as Answer)
    : { outcome: 'Failed', reason: code, message, next: failures[code].next };
}

async function overHttp(
  request: HttpRequest,
  invocation: Invocation,
  handle: (event: unknown, invocation: Invocation) => Promise<unknown>,
): Promise<unknown> {
  const { now, limits } = invocation;
  const sooner = { deadline: Math.min(limits.deadline, now + httpLimitMs) };
  const clusterOf = () => worldOf(invocation, request.queryStringParameters?.['cluster']);
  return answerHttp(request, () => handle(request, { ...invocation, limits: sooner }), clusterOf);
}

/** The world of each cluster, opened once; one that could not be opened is tried again. */
function kept(open: (cluster?: string) => Promise<World>): (cluster?: string) => Promise<World> {
  const worlds = new Map<string | undefined, Promise<World>>();
  return (cluster) => {
    const known = worlds.get(cluster);
    if (known) return known;
    const opening = open(cluster).catch((thrown: unknown) => {
      worlds.delete(cluster);
      throw thrown;
    });
    worlds.set(cluster, opening);
    return opening;
  };
}

/** A command that is refused as a whole (a typo, more than maxTargets, no rights) has no outcome that could be counted. */
async function countRefused<T>({ metrics }: World, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (!(thrown instanceof Retry)) metrics.count('CommandsRefused', 1);
    throw thrown;
  }
}

/** All clusters share one log and one set of metrics. */
function opener(name: string): (cluster?: string) => Promise<World> {
  let telling: Pick<World, 'log' | 'metrics'> | undefined;
  return async (cluster) => {
    const { env } = process;
    telling ??= { log: jsonLog(readConfig(env), name), metrics: emfMetrics(name) };
    return connect({ env, ...telling, ...(cluster === undefined ? {} : { cluster }) });
  };
}

/** Thrown on, out of the function, so that an asynchronous trigger delivers the same request again. */
export class Retry extends Error {
  override readonly name = 'Retry';
}

/**
 * An asynchronous delivery that never reached the cluster must come again: nothing of it is on any object yet. So must
 * one of a fleet, some of which could neither be begun nor recorded: those that were know the same request. A call that
 * somebody waits for gets its answer instead; what came by a queue nobody waits for, whoever asked at first.
 * @throws Retry
 */
export async function retryUnreached(
  trigger: string,
  perform: () => Promise<Report>,
  event?: unknown,
): Promise<Report> {
  const asked = trigger === 'direct' || trigger === 'http';
  const waitedFor = asked && !isRecord(event) && !isEvent(event);
  const report = await perform().catch((thrown: unknown) => {
    const error = asLifecycleError(thrown);
    throw error.code === 'Unreachable' && !waitedFor ? new Retry(error.message) : error;
  });
  const unreached = report.outcomes.filter((told) => told.outcome === 'Failed' && told.reason === 'Unreachable');
  const [first] = unreached;
  if (waitedFor || (!first && report.left === 0)) return report;
  if (!first) throw new Retry(`${report.left} could neither be begun nor recorded before the time was up`);
  throw new Retry(`${unreached.length} of ${report.outcomes.length} could not be reached: ${first.message}`);
}
