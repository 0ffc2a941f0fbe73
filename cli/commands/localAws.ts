import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Context, SQSBatchResponse } from 'aws-lambda';

import { requestedType } from '../../shared/domain/command.ts';
import type { Action } from '../../shared/domain/outcome.ts';
import type { Answer } from '../../shared/entry/http.ts';
import { apiRequestOf, bodyOf, listen, send } from '../../shared/entry/httpServer.ts';
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
const mostBody = 10 * 1024 * 1024; // API Gateway

/** The event bus, the two queues and the HTTP API of one deployment, in this process. @throws when the port is taken. */
export async function startLocalAws(
  parts: LocalParts,
  port: number,
  retryPauseMs = usualRetryPauseMs,
): Promise<LocalAws> {
  const queue = new Queue(parts, retryPauseMs);
  async function serve(request: IncomingMessage, answer: ServerResponse): Promise<void> {
    const body = (await bodyOf(request, mostBody)) ?? '';
    if (request.headers['x-amz-target'] === undefined) return send(answer, await http(request, body, parts));
    return putEvents(request, body, answer, (event) => queue.route(event));
  }
  const { port: own, close } = await listen(
    (request, answer) =>
      serve(request, answer).catch((thrown: unknown) => {
        const body = JSON.stringify({ message: (thrown as Error).message });
        send(answer, { statusCode: 500, headers: { 'content-type': 'application/json' }, body });
      }),
    { port, host: '127.0.0.1' },
  );
  return {
    url: `http://127.0.0.1:${own}`,
    async close() {
      queue.close();
      await close();
    },
  };
}

/** Request events go to their function, three times at the most; outcome events to whoever listens. */
class Queue {
  readonly #parts: LocalParts;
  readonly #retryPauseMs: number;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(parts: LocalParts, retryPauseMs: number) {
    this.#parts = parts;
    this.#retryPauseMs = retryPauseMs;
  }

  route(event: Record<string, unknown>): void {
    const type = event['detail-type'];
    for (const action of ['start', 'stop'] as const)
      if (type === requestedType[action])
        void this.#deliver(action, { messageId: randomUUID(), body: JSON.stringify(event), received: 0 });
    if (type === outcomeType) this.#parts.outcome(event);
  }

  close(): void {
    this.#timers.forEach(clearTimeout);
  }

  async #deliver(action: Action, message: Message): Promise<void> {
    const attributes = { SentTimestamp: String(Date.now()), ApproximateReceiveCount: String(++message.received) };
    const record = { messageId: message.messageId, body: message.body, eventSource: 'aws:sqs', attributes };
    const answer = (await this.#parts[action]({ Records: [record] }, context()).catch(() => undefined)) as
      SQSBatchResponse | undefined;
    if (answer && answer.batchItemFailures.length === 0) return;
    if (message.received >= mostReceives) return this.#parts.deadLetter(message.body);
    const again = () => (this.#timers.delete(timer), void this.#deliver(action, message));
    const timer = setTimeout(again, this.#retryPauseMs);
    this.#timers.add(timer);
  }
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

/** The HTTP API; nobody is asked who they are here. */
async function http(request: IncomingMessage, body: string, parts: LocalParts): Promise<Answer> {
  const api = apiRequestOf(request);
  const handler = api && parts[api.verb ?? 'getState'];
  if (!handler || request.method !== (api?.verb ? 'POST' : 'GET'))
    return { statusCode: 404, body: '{"message":"Not Found"}' };
  const { requestContext, ...event } = api!.http;
  const identified = { ...event, requestContext: { ...requestContext, requestId: randomUUID() } };
  return (await handler({ ...identified, ...(body === '' ? {} : { body }) }, context())) as Answer;
}
