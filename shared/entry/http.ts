import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';

import type { Cluster } from '../cluster/world.ts';
import { asLifecycleError, type FailureCode, failures } from '../domain/errors.ts';
import type { Outcome, SkipReason } from '../domain/outcome.ts';
import type { Report } from '../report/fleetOutcome.ts';
import { detailOf } from '../report/report.ts';
import type { HttpRequest } from './request.ts';
import { readStates, type WukongState } from './state.ts';

/** An HTTP API waits 30 s for its function: what is not done by then is told to be under way. */
export const httpLimitMs = 20_000;
const lookLimitMs = 5_000;

export type Answer = APIGatewayProxyStructuredResultV2;

const failed: Record<FailureCode, number> = {
  InvalidAction: 400,
  Denied: 403,
  NotFound: 404,
  // The cluster, or the VM, is in a state in which it cannot be done.
  Refused: 409,
  Unschedulable: 409,
  StorageNotReady: 409,
  ImageUnavailable: 409,
  NetworkNotReady: 409,
  GuestCrashLoop: 409,
  NodeLost: 409,
  NotAccepted: 409,
  TimedOut: 409,
  Stuck: 409,
  RestartedItself: 409,
  CrdNotExtended: 409,
  NotOwned: 409,
  Unknown: 500,
  Unreachable: 503,
};

const skipped: Record<SkipReason, number> = {
  Protected: 409,
  Override: 409,
  Stale: 409,
  NotDue: 409,
  Duplicate: 200,
  DryRun: 200,
};

/** The status of what a command came to. */
export function statusOf(outcome: Outcome): number {
  switch (outcome.outcome) {
    case 'Started':
    case 'AlreadyOn':
    case 'Stopped':
    case 'AlreadyOff':
    case 'ForcedOff':
      return 200;
    case 'InProgress':
      return 202;
    case 'Superseded':
      return 409;
    case 'Skipped':
      return skipped[outcome.reason];
    case 'Failed':
      return outcome.reason === 'Unreachable' && /\(429\)/.test(outcome.message) ? 429 : failed[outcome.reason];
    default:
      return outcome satisfies never;
  }
}

const answer = (statusCode: number, body: unknown, headers: Record<string, string> = {}): Answer => ({
  statusCode,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
  body: JSON.stringify(body),
});

const retryLater = { 'retry-after': '5' };

/**
 * What a function or the server answers, over HTTP. A command that was delivered before answers with where its Wukong is
 * now, which is looked up in the cluster that it is of.
 */
export async function answerHttp(
  request: HttpRequest,
  handle: () => Promise<unknown>,
  clusterOf: () => Promise<Cluster>,
): Promise<Answer> {
  try {
    const done = (await handle()) as Partial<Report> & { states?: WukongState[]; omitted?: { states?: number } };
    if (done.states)
      return answer(
        200,
        named(request)
          ? done.states[0]
          : { items: done.states, ...(done.omitted ? { omitted: done.omitted.states } : {}) },
      );
    const [outcome] = done.outcomes ?? [];
    if (!outcome) return answer(200, done);
    if (outcome.outcome !== 'Skipped' || outcome.reason !== 'Duplicate') return outcomeAnswer(request, outcome);
    const cluster = await clusterOf();
    const [state] = await readStates(cluster, outcome, { deadline: cluster.clock.now() + lookLimitMs });
    const running = state?.operation !== undefined;
    return answer(running ? 202 : 200, { ...detailOf(outcome), state }, running ? located(request) : {});
  } catch (thrown) {
    return refusalAnswer(thrown);
  }
}

/** The body is the detail of the outcome event. */
function outcomeAnswer(request: HttpRequest, outcome: Outcome): Answer {
  const status = statusOf(outcome);
  const next = outcome.outcome === 'Failed' ? { next: failures[outcome.reason].next } : {};
  const headers = status === 202 ? located(request) : status === 429 || status === 503 ? retryLater : {};
  return answer(status, { ...detailOf(outcome), ...next }, headers);
}

const named = (request: HttpRequest): boolean => request.pathParameters?.['name'] !== undefined;

/** Where to look how it goes on: the Wukong. */
function located({ requestContext, queryStringParameters }: HttpRequest): Record<string, string> {
  const cluster = queryStringParameters?.['cluster'];
  const path = requestContext.http.path.replace(/\/(start|stop|restart)$/, '');
  return { location: cluster === undefined ? path : `${path}?cluster=${encodeURIComponent(cluster)}`, ...retryLater };
}

class Refusal extends Error {
  readonly answer: Answer;

  constructor(message: string, answered: Answer) {
    super(message);
    this.answer = answered;
  }
}

/** What is refused before it comes to be a command: to be thrown, with what it is answered with. */
export const refusal = (statusCode: number, reason: string, message: string, headers = {}): Error =>
  new Refusal(message, answer(statusCode, { outcome: 'Failed', reason, message }, headers));

/** An error over HTTP; a command that is not valid names every wrong field. */
export function refusalAnswer(thrown: unknown): Answer {
  if (thrown instanceof Refusal) return thrown.answer;
  const { code, message, status, cause } = asLifecycleError(thrown);
  const wrong = Array.isArray(cause) ? cause.map(String) : [message];
  const fields = code === 'InvalidAction' ? { fields: wrong.map(field) } : {};
  const said = code === 'Unreachable' && status === 429 ? 429 : failed[code];
  const body = { outcome: 'Failed', reason: code, message, ...fields, next: failures[code].next };
  return answer(said, body, said === 429 || said === 503 ? retryLater : {});
}

function field(problem: string): { field: string; problem: string } {
  const at = problem.indexOf(': ');
  return at < 0 ? { field: 'command', problem } : { field: problem.slice(0, at), problem: problem.slice(at + 2) };
}
