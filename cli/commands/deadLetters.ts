import { type AwsLogin, callAws } from '../../shared/cluster/aws.ts';
import type { Action } from '../../shared/domain/outcome.ts';
import { parseTrigger } from '../../shared/entry/trigger.ts';
import { systemClock } from '../../shared/time/clock.ts';

/** What lies in a queue of dead letters. */
export interface DeadLetter {
  messageId: string;
  receipt: string;
  /** What goes back to the queue. */
  body: string;
  /** In a few words. */
  asks: string;
  /** Why it would come back; absent for one that is worth another try. */
  problem?: string;
}

export interface Queues {
  login: AwsLogin;
  region: string;
  env: Record<string, string | undefined>;
}

const call = <T>({ login, region, env }: Queues, action: string, body: object): Promise<T> => {
  const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${action}` };
  const request = { service: 'sqs', region, method: 'POST', path: '/', headers, body: JSON.stringify(body) } as const;
  return callAws<T>(request, login, { clock: systemClock, env });
};

export const queueUrl = async (queues: Queues, name: string): Promise<string> =>
  (await call<{ QueueUrl: string }>(queues, 'GetQueueUrl', { QueueName: name })).QueueUrl;

interface Received {
  Messages?: { MessageId: string; ReceiptHandle: string; Body: string }[];
}

/** All of them, each once; they are hidden from others meanwhile. */
export async function readDeadLetters(queues: Queues, url: string, action: Action): Promise<DeadLetter[]> {
  const found = new Map<string, DeadLetter>();
  for (;;) {
    const ask = { QueueUrl: url, MaxNumberOfMessages: 10, VisibilityTimeout: 120, WaitTimeSeconds: 1 };
    const { Messages = [] } = await call<Received>(queues, 'ReceiveMessage', ask);
    const fresh = Messages.filter(({ MessageId }) => !found.has(MessageId));
    if (fresh.length === 0) return [...found.values()];
    for (const { MessageId, ReceiptHandle, Body } of fresh)
      found.set(MessageId, { messageId: MessageId, receipt: ReceiptHandle, ...judge(MessageId, Body, action) });
  }
}

/** What is asked, and whether it can be carried out as it is. A failed call of Lambda has the event inside. */
export function judge(messageId: string, text: string, action: Action): Pick<DeadLetter, 'body' | 'asks' | 'problem'> {
  const body = unwrapped(text);
  const record = { messageId, body, eventSource: 'aws:sqs' };
  try {
    const { target, requestId } = parseTrigger(record, { action, requestId: messageId, requestedAt: Date.now() });
    const many = 'names' in target ? `${target.names.length} by name` : 'by selector';
    const what = 'name' in target ? `${target.namespace}/${target.name}` : many;
    return { body, asks: `${action} ${what}, request ${requestId}` };
  } catch (thrown) {
    return { body, asks: body.slice(0, 120), problem: (thrown as Error).message };
  }
}

function unwrapped(text: string): string {
  try {
    const { requestPayload } = JSON.parse(text) as { requestPayload?: unknown };
    return requestPayload === undefined ? text : JSON.stringify(requestPayload);
  } catch {
    return text;
  }
}

export async function sendBack(queues: Queues, from: string, to: string, letter: DeadLetter): Promise<void> {
  await call(queues, 'SendMessage', { QueueUrl: to, MessageBody: letter.body });
  await remove(queues, from, letter);
}

export const remove = (queues: Queues, url: string, { receipt }: DeadLetter): Promise<unknown> =>
  call(queues, 'DeleteMessage', { QueueUrl: url, ReceiptHandle: receipt });

/** Lets others see it again. */
export const leave = (queues: Queues, url: string, { receipt }: DeadLetter): Promise<unknown> =>
  call(queues, 'ChangeMessageVisibility', { QueueUrl: url, ReceiptHandle: receipt, VisibilityTimeout: 0 });
