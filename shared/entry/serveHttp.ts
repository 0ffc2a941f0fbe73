import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

import type { World } from '../cluster/world.ts';
import type { Command } from '../domain/command.ts';
import { LifecycleError } from '../domain/errors.ts';
import type { Place } from '../domain/model.ts';
import { httpSource } from '../domain/requestId.ts';
import type { Report } from '../report/fleetOutcome.ts';
import { eventIn } from './cloudEvents.ts';
import { type Answer, answerHttp, httpLimitMs, refusal } from './http.ts';
import { apiRequestOf, bodyOf, urlOf } from './httpServer.ts';
import type { Access } from './serveAccess.ts';
import { parseStateQuery, readStates } from './state.ts';
import { parseTrigger } from './trigger.ts';

export interface Serving {
  world: World;
  access: Access;
  carryOut(command: Command, deadline: number): Promise<Report>;
  /** What Kubernetes and Prometheus ask, by path; undefined: not now. */
  open: Record<string, () => Promise<string> | string | undefined>;
}

const largestBody = 256 * 1024;
const noStore = { 'cache-control': 'no-store' };

/** The API of the functions, CloudEvents, and what is open to everybody. @throws what `refusalAnswer` answers. */
export async function answerTo(request: IncomingMessage, { world, access, carryOut, open }: Serving): Promise<Answer> {
  const { headers, method = 'GET', socket } = request;
  const path = urlOf(request)?.pathname ?? '';
  const probe = /^(GET|HEAD)$/.test(method) && open[path];
  if (probe) return text(await probe());
  const api = apiRequestOf(request);
  if (!api && path !== '/events')
    throw refusal(404, 'NotFound', 'expected /namespaces/NAME/wukongs[/NAME[/start|stop|restart]], or /events');
  const expected = api && !api.verb ? 'GET' : 'POST';
  if (method !== expected) throw refusal(405, 'InvalidAction', `expected ${expected}`, { allow: expected });
  const who = await access.who(headers.authorization, socket.remoteAddress ?? 'nobody', !api);
  const body = await bodyOf(request, largestBody);
  if (body === undefined)
    throw refusal(413, 'TooLarge', `the body is larger than ${largestBody} bytes`, { connection: 'close' });
  const deadline = world.clock.now() + httpLimitMs;
  // Where a function has from IAM who asks, the API server says it here.
  const authorizer = { iam: { userArn: who.username } };
  const http = api && { ...api.http, body, requestContext: { ...api.http.requestContext, authorizer } };
  const answer = (handle: () => Promise<unknown>) => answerHttp(http!, handle, () => Promise.resolve(world));
  if (api && !api.verb) {
    await access.may(who, api.place.name === undefined ? 'list' : 'get', api.place);
    return answer(async () => ({ states: await readStates(world, ofHere(parseStateQuery(http)), { deadline }) }));
  }
  const { action, event } = api
    ? { action: api.verb === 'start' ? api.verb : ('stop' as const), event: http }
    : eventIn(headers, body);
  const sender = httpSource(who.username); // no sender can use up the id of another's event
  const origin = { action, requestId: randomUUID(), requestedAt: world.clock.now(), sender };
  const command = { ...ofHere(parseTrigger(event, origin)), requestedBy: who.username.slice(0, 256) };
  for (const place of placesOf(command))
    for (const one of command.restart ? ['stop', 'start'] : [action]) await access.may(who, 'update', place, one);
  if (api) return answer(() => carryOut(command, deadline));
  const { outcomes } = await carryOut(command, deadline);
  const again = outcomes.find((one) => one.outcome === 'Failed' && one.reason === 'Unreachable');
  if (again) throw new LifecycleError('Unreachable', again.message);
  return { statusCode: 202, headers: noStore }; // without a body: Knative takes one for an event in reply
}

/** @throws LifecycleError InvalidAction for what is asked of another cluster. */
function ofHere<T extends { cluster?: string | undefined }>(asked: T): T {
  if (asked.cluster === undefined) return asked;
  throw new LifecycleError('InvalidAction', 'cluster: expected none, as this server is of one cluster');
}

const text = (body: string | undefined): Answer => ({
  statusCode: body === undefined ? 503 : 200,
  headers: { ...noStore, 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
  body: body ?? 'not now\n',
});

/** What a command is about, as RBAC divides it. */
function placesOf({ target }: Command): Partial<Place>[] {
  if ('name' in target) return [{ namespace: target.namespace, name: target.name }];
  if ('names' in target) return target.names;
  return target.namespaces?.map((namespace) => ({ namespace })) ?? [{}];
}
