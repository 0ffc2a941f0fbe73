import middy, { type Request } from '@middy/core';
import type { Context } from 'aws-lambda';

import { readConfig } from './config.ts';
import { connect } from './connect.ts';
import { asLifecycleError, failures } from './errors.ts';
import type { Report } from './fleet.ts';
import { jsonLog } from './report/log.ts';
import { emfMetrics } from './report/metrics.ts';
import type { Limits } from './wait.ts';
import type { World } from './world.ts';

/** What a handler is given beside its event. */
export interface Invocation {
  world: World;
  /** Ends before the function's own time limit, so that what was reached can still be told. */
  limits: Limits;
  /** The same for every retry of one invocation. */
  id: string;
  /** Instant. */
  now: number;
}

/** A time limit for where there is none: a call outside Lambda. */
const ownLimitMs = 15 * 60_000;
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
 * limit, answers an error of the closed set instead of throwing it, so that what would fail again is not retried.
 */
export function lambda<Answer>(
  name: string,
  handle: (event: unknown, invocation: Invocation) => Promise<Answer>,
  open: () => Promise<World> = () => openWorld(name),
) {
  let world: Promise<World> | undefined;
  const log = jsonLog({ logLevel: 'INFO' }, name);
  const connected = () =>
    (world ??= open().catch((thrown: unknown) => {
      world = undefined; // the next invocation tries again
      throw thrown;
    }));
  const answer = async (event: unknown, context: Context): Promise<Answer> => {
    const at = await connected();
    const now = at.clock.now();
    const leftMs = context.getRemainingTimeInMillis?.() ?? ownLimitMs;
    const limits = { deadline: now + Math.max(1_000, leftMs - at.config.reserveMs) };
    try {
      return await handle(event, {
        world: at,
        limits,
        id: context.awsRequestId ?? `direct-${now}-${at.random()}`,
        now,
      });
    } finally {
      at.metrics.flush();
    }
  };
  return middy<unknown, Answer | Refusal>(answer as never, {
    timeoutEarlyInMillis: lastWordMs,
    timeoutEarlyResponse: () => ({ outcome: 'InProgress', message: 'The time was up; reconcileState goes on.' }),
  }).onError((request: Request<unknown, Answer | Refusal>) => {
    if (request.error instanceof Retry) return; // thrown on: the trigger delivers it again
    const { code, message } = asLifecycleError(request.error);
    log.error(message, { reason: code });
    request.response = { outcome: 'Failed', reason: code, message, next: failures[code].next };
  });
}

function openWorld(name: string): Promise<World> {
  const config = readConfig(process.env);
  return connect({ env: process.env, log: jsonLog(config, name), metrics: emfMetrics(name) });
}

/** Thrown on, out of the function, so that an asynchronous trigger delivers the same request again. */
export class Retry extends Error {
  override readonly name = 'Retry';
}

/**
 * An asynchronous delivery that never reached the cluster must come again: nothing of it is on any object yet. A direct
 * call gets its answer instead.
 * @throws Retry
 */
export function retryUnreached(report: Report, trigger: string): Report {
  const unreached = report.outcomes.filter((told) => told.outcome === 'Failed' && told.reason === 'Unreachable');
  if (trigger === 'direct' || unreached.length === 0) return report;
  throw new Retry(`${unreached.length} of ${report.outcomes.length} could not be reached: ${unreached[0]?.message}`);
}
