import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { APIGatewayProxyStructuredResultV2, Context, SQSBatchResponse } from 'aws-lambda';

import { requestedType } from '../../shared/domain/command.ts';
import type { Action } from '../../shared/domain/outcome.ts';
import { outcomeType } from '../../shared/report/report.ts';
import { rfc3339 } from '../../shared/time/clock.ts';

export type LocalHandler = (event: unknown, context: Context) => Promise<unknown>;

export interface LocalParts {
  start: LocalHandler;
  stop: LocalHandler;
  restart: LocalHandler;
  getState: LocalHandler;
  /** An outcome event, as a subscriber of the bus gets it. */
  outcome: (event: object) => void;
  /** A message that was tried as often as serverless.yml says. */
  deadLetter: (body: string) => void;
}

export interface LocalAws {
  url: string;
  close(): Promise<void>;
}

interface Message {
  messageId: string;
  body: string;
  received: number;
}

const mostReceives = 3; // as in infra/aws/events.yml
const usualRetryPauseMs = 2_000; // there it is the visibility timeout
const functionLimitMs = 120_000;

/** The event bus, the two queues and the HTTP API of one deployment, in this process. @throws when the port is taken. */
export async function startLocalAws(
  parts: LocalParts,
  port: number,
  retryPauseMs = usualRetryPauseMs,
): Promise<LocalAws> {
  const timers = new Set<NodeJS.Timeout>();

  async function deliver(action: Action, message: Message): Promise<void> {
    const attributes = { SentTimestamp: String(Date.now()), ApproximateReceiveCount: String(++message.received) };
    const record = { messageId: message.messageId, body: message.body, eventSource: 'aws:sqs', attributes };
    const answer = (await parts[action]({ Records: [record] }, context()).catch(() => undefined)) as
      SQSBatchResponse | undefined;
    if (answer && answer.batchItemFailures.length === 0) return;
    if (message.received >= mostReceives) return parts.deadLetter(message.body);
    const timer = setTimeout(() => (timers.delete(timer), void deliver(action, message)), retryPauseMs);
    timers.add(timer);
  }

  function route(event: Record<string, unknown>): void {
    const type = event['detail-type'];
    for (const action of ['start', 'stop'] as const)
      if (type === requestedType[action])
        void deliver(action, { messageId: randomUUID(), body: JSON.stringify(event), received: 0 });
    if (type === outcomeType) parts.outcome(event);
  }

  async function serve(request: IncomingMessage, answer: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    if (request.headers['x-amz-target'] !== undefined) return putEvents(request, body, answer, route);
    const { statusCode = 500, headers = {}, body: said = '' } = await http(request, body, parts);
    answer.writeHead(statusCode, headers as Record<string, string>).end(said);
  }

  const server = createServer((request, answer) => {
    serve(request, answer).catch((thrown: unknown) => {
      answer.writeHead(500, { 'content-type': 'application/json' });
      answer.end(JSON.stringify({ message: (thrown as Error).message }));
    });
  });
  await new Promise<void>((ready, failed) => server.once('error', failed).listen(port, '127.0.0.1', ready));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      timers.forEach(clearTimeout);
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

export function context(limitMs = functionLimitMs): Context {
  const end = Date.now() + limitMs;
  return { awsRequestId: randomUUID(), getRemainingTimeInMillis: () => end - Date.now() } as Context;
}

interface PutEntry {
  Source?: string;
  DetailType?: string;
  Detail?: string;
  Time?: number;
  Resources?: string[];
}

/** PutEvents as EventBridge speaks it: at most ten entries, each taken or refused by itself. */
function putEvents(
  request: IncomingMessage,
  body: string,
  answer: ServerResponse,
  route: (event: Record<string, unknown>) => void,
): void {
  const say = (status: number, said: object) =>
    void answer.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(said));
  const refuse = (type: string, message: string) => say(400, { __type: type, message });
  const target = String(request.headers['x-amz-target']);
  if (target !== 'AWSEvents.PutEvents')
    return refuse('UnknownOperationException', `${target} is not here: expected AWSEvents.PutEvents`);
  let entries: PutEntry[] | undefined;
  try {
    entries = (JSON.parse(body) as { Entries?: PutEntry[] }).Entries;
  } catch {
    return refuse('SerializationException', 'expected JSON');
  }
  if (!Array.isArray(entries) || entries.length === 0 || entries.length > 10)
    return refuse('ValidationException', 'Entries: expected 1 to 10');
  const results = entries.map((entry) => take(entry, route));
  say(200, { FailedEntryCount: results.filter((one) => 'ErrorCode' in one).length, Entries: results });
}

function take(
  { Source, DetailType, Detail, Time, Resources = [] }: PutEntry,
  route: (event: Record<string, unknown>) => void,
) {
  const failed = (ErrorCode: string, ErrorMessage: string) => ({ ErrorCode, ErrorMessage });
  if (!Source || !DetailType || !Detail)
    return failed('InvalidArgument', 'expected Source, DetailType and Detail, none of them empty');
  let detail: unknown;
  try {
    detail = JSON.parse(Detail);
  } catch {
    return failed('MalformedDetail', 'Detail is malformed.');
  }
  if (typeof detail !== 'object' || detail === null || Array.isArray(detail))
    return failed('MalformedDetail', 'Detail is malformed.');
  const id = randomUUID();
  const time = rfc3339(Time === undefined ? Date.now() : Time * 1000);
  const account = { account: '000000000000', region: 'local', resources: Resources };
  route({ version: '0', id, 'detail-type': DetailType, source: Source, ...account, time, detail });
  return { EventId: id };
}

const wukongs = /^\/namespaces\/([^/]+)\/wukongs(?:\/([^/]+)(?:\/(start|stop|restart))?)?$/;

/** The HTTP API; nobody is asked who they are here. */
async function http(
  { method = 'GET', url = '/', headers }: IncomingMessage,
  body: string,
  parts: LocalParts,
): Promise<APIGatewayProxyStructuredResultV2> {
  const { pathname, searchParams } = new URL(url, 'http://local');
  const [, namespace, name, action] = wukongs.exec(pathname) ?? [];
  const handler =
    method === 'POST' && action !== undefined
      ? parts[action as Action | 'restart']
      : method === 'GET' && namespace !== undefined && action === undefined
        ? parts.getState
        : undefined;
  if (!handler) return { statusCode: 404, body: '{"message":"Not Found"}' };
  const event = {
    version: '2.0',
    rawPath: pathname,
    headers,
    pathParameters: { namespace, ...(name === undefined ? {} : { name }) },
    queryStringParameters: Object.fromEntries(searchParams),
    requestContext: { requestId: randomUUID(), http: { method, path: pathname } },
    ...(body === '' ? {} : { body }),
  };
  return (await handler(event, context())) as APIGatewayProxyStructuredResultV2;
}
