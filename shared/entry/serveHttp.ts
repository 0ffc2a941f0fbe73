import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

import type { World } from '../cluster/world.ts';
import type { Command } from '../domain/command.ts';
import { LifecycleError } from '../domain/errors.ts';
import type { Place } from '../domain/model.ts';
import type { Action } from '../domain/outcome.ts';
import { executeCommand } from '../execute/command.ts';
import type { Report } from '../report/fleetOutcome.ts';
import { eventIn } from './cloudEvents.ts';
import { answerHttp, httpLimitMs, refusalAnswer } from './http.ts';
import type { HttpRequest } from './request.ts';
import { type Access, TooMany, Unauthenticated } from './serveAccess.ts';
import { parseStateQuery, readStates } from './state.ts';
import { parseTrigger } from './trigger.ts';

export interface Serving {
  world: World;
  access: Access;
  /** Carries a command out within these limits. */
  carryOut: (command: Command, limits: { deadline: number }) => Promise<Report>;
  /** Whether the loop turns, whether the watches have their state; what the series are. */
  healthy: () => boolean;
  ready: () => boolean;
  metrics: () => Promise<string>;
}

type Answer = Awaited<ReturnType<typeof answerHttp>>;

const largestBody = 256 * 1024;
const lookMs = 5_000;

/** The API of the functions, CloudEvents, and what Kubernetes and Prometheus ask. Never throws. */
export async function answerRequest(request: IncomingMessage, response: ServerResponse, serving: Serving) {
  const answer = await answered(request, serving).catch((thrown: unknown) => refused(thrown, serving));
  if (response.destroyed) return;
  response.writeHead(answer.statusCode ?? 500, answer.headers as Record<string, string>);
  response.end(answer.body);
}

const text = (statusCode: number, body: string, type = 'text/plain; charset=utf-8'): Answer => ({
  statusCode,
  headers: { 'content-type': type, 'cache-control': 'no-store' },
  body,
});
const problem = (
  statusCode: number,
  reason: string,
  message: string,
  headers: Record<string, string> = {},
): Answer => ({
  statusCode,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
  body: JSON.stringify({ outcome: 'Failed', reason, message }),
});

class TooLarge extends Error {}

function refused(thrown: unknown, { world }: Serving): Answer {
  if (thrown instanceof Unauthenticated)
    return problem(401, 'Unauthenticated', thrown.message, { 'www-authenticate': 'Bearer' });
  if (thrown instanceof TooMany) return problem(429, 'TooManyRequests', thrown.message, { 'retry-after': '1' });
  if (thrown instanceof TooLarge) return problem(413, 'TooLarge', thrown.message, { connection: 'close' });
  if (!(thrown instanceof LifecycleError))
    world.log.error('a request failed', { cause: thrown instanceof Error ? thrown.stack : String(thrown) });
  return refusalAnswer(thrown);
}

const powerPath = /^\/namespaces\/([^/]+)\/wukongs\/([^/]+)\/(start|stop|restart)$/;
const statePath = /^\/namespaces\/([^/]+)\/wukongs(?:\/([^/]+))?$/;

async function answered(request: IncomingMessage, serving: Serving): Promise<Answer> {
  const url = new URL(request.url ?? '/', 'http://server');
  const { pathname } = url;
  const get = request.method === 'GET' || request.method === 'HEAD';
  if (get && pathname === '/healthz')
    return serving.healthy() ? text(200, 'ok\n') : text(503, 'the loop does not turn\n');
  if (get && pathname === '/readyz')
    return serving.ready() ? text(200, 'ok\n') : text(503, 'the watches do not have their state yet\n');
  if (get && pathname === '/metrics')
    return text(200, await serving.metrics(), 'text/plain; version=0.0.4; charset=utf-8');
  const power = powerPath.exec(pathname);
  const state = statePath.exec(pathname);
  const isEvent = pathname === '/events';
  if (!power && !state && !isEvent)
    return problem(
      404,
      'NotFound',
      'expected /namespaces/NAME/wukongs/NAME/start, …/stop, …/restart, …/NAME, or /events',
    );
  const method = state ? 'GET' : 'POST';
  if (request.method !== method) return problem(405, 'InvalidAction', `expected ${method}`, { allow: method });
  const [, namespace, name, action] = (power ?? state ?? []).map((part) => part && decoded(part));
  const address = request.socket.remoteAddress ?? 'nobody';
  const who = await serving.access.who(request.headers.authorization, address, isEvent);
  if (!isEvent) await allow(serving.access, who, { namespace, name, action });
  const body = state ? '' : await bodyOf(request);
  if (isEvent) return overEvents(request, body, who, serving);
  const http: HttpRequest = {
    ...{ version: '2.0', rawPath: pathname, body },
    headers: singles(request.headers),
    pathParameters: { namespace, ...(name === undefined ? {} : { name }) },
    queryStringParameters: Object.fromEntries(url.searchParams),
    requestContext: {
      requestId: randomUUID(),
      http: { method, path: pathname },
      // Where a function has from IAM who asks, the API server says it here.
      authorizer: { iam: { userArn: who.username } },
    },
  };
  return overHttp(http, action as Action | 'restart' | undefined, serving);
}

const allow = async (
  access: Access,
  who: Parameters<Access['mayRead']>[0],
  { namespace, name, action }: Record<'namespace' | 'name' | 'action', string | undefined>,
): Promise<void> => {
  const place = { ...(namespace === undefined ? {} : { namespace }), ...(name === undefined ? {} : { name }) };
  if (action === undefined) return access.mayRead(who, place);
  // Who restarts does both.
  for (const one of ['stop', 'start'] as const)
    if (action === one || action === 'restart') await access.mayPower(who, one, place);
};

async function overHttp(
  request: HttpRequest,
  action: Action | 'restart' | undefined,
  serving: Serving,
): Promise<Answer> {
  const { world } = serving;
  const now = world.clock.now();
  const { namespace, name } = request.pathParameters ?? {};
  const read = async () => {
    const limits = { deadline: world.clock.now() + lookMs };
    return { states: await readStates(world, parseStateQuery(request), limits) };
  };
  const handle = action
    ? () =>
        serving.carryOut(commandOf(request, action === 'restart' ? 'stop' : action, now), {
          deadline: now + httpLimitMs,
        })
    : read;
  const look = async () =>
    (await readStates(world, { namespace, name }, { deadline: world.clock.now() + lookMs })).at(0);
  return answerHttp(request, handle, look);
}

/** @throws LifecycleError InvalidAction; there is but one cluster here. */
function commandOf(event: unknown, action: Action, now: number): Command {
  const command = parseTrigger(event, { action, requestId: randomUUID(), requestedAt: now });
  if (command.cluster === undefined) return command;
  throw new LifecycleError('InvalidAction', 'cluster: expected none, as this server is of one cluster');
}

/**
 * What a sender of events needs to know: taken, not to be sent again, or to be sent again. The answer has no body where
 * it is taken: Knative takes one for an event in reply.
 */
async function overEvents(
  request: IncomingMessage,
  body: string,
  who: Parameters<Access['mayRead']>[0],
  { access, world, carryOut }: Serving,
): Promise<Answer> {
  const now = world.clock.now();
  const { action, event } = eventIn(request.headers, body);
  const command = { ...commandOf(event, action, now), requestedBy: who.username.slice(0, 256) };
  for (const place of placesOf(command)) await access.mayPower(who, action, place);
  const report = await carryOut(command, { deadline: now + httpLimitMs });
  const again = report.outcomes.find((one) => one.outcome === 'Failed' && one.reason === 'Unreachable');
  if (again) throw new LifecycleError('Unreachable', again.message);
  return { statusCode: 202, headers: { 'cache-control': 'no-store' } };
}

/** What a command is about, as RBAC divides it. */
function placesOf({ target }: Command): Partial<Place>[] {
  if ('name' in target) return [{ namespace: target.namespace, name: target.name }];
  if ('names' in target) return target.names;
  return target.namespaces?.map((namespace) => ({ namespace })) ?? [{}];
}

/** @throws LifecycleError InvalidAction for a path that is not encoded as it should be. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new LifecycleError('InvalidAction', 'path: expected percent-encoded UTF-8');
  }
}

const singles = (headers: IncomingMessage['headers']): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat().at(0)]));

/** @throws TooLarge as soon as it is. */
async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > largestBody) throw new TooLarge(`the body is larger than ${largestBody} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** Carries out through the executor, over the watches that are there, and marks whom it is about. */
export const executor =
  (
    world: World,
    { machines, busy }: { machines: () => Parameters<typeof executeCommand>[2]['machines']; busy: Set<string> },
  ) =>
  async (command: Command, limits: { deadline: number; signal?: AbortSignal }): Promise<Report> => {
    const key = 'name' in command.target ? `${command.target.namespace}/${command.target.name}` : undefined;
    const ours = key !== undefined && !busy.has(key);
    if (ours) busy.add(key);
    const known = machines();
    try {
      return await executeCommand(command, world, { limits, ...(known ? { machines: known } : {}) });
    } finally {
      if (ours) busy.delete(key);
    }
  };
