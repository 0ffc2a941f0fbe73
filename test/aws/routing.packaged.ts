import { beforeAll, describe, expect, it } from 'vitest';

import { callAws } from '../../shared/cluster/aws.ts';
import { requestedType } from '../../shared/domain/command.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { eventBus, type PutEvents } from '../../shared/report/bus.ts';
import { detailOf } from '../../shared/report/report.ts';
import { systemClock } from '../../shared/time/clock.ts';
import { resource } from './packaging.ts';

/** An independent EventBridge with SQS behind it: moto, started by .ci/aws.sh. */
const url = process.env['MOTO_URL'];
const region = 'eu-central-1';
const login = () => Promise.resolve({ accessKeyId: 'testing', secretAccessKey: 'testing' });

function call<T = Record<string, never>>(service: string, target: string, body: object): Promise<T> {
  const version = service === 'sqs' ? '1.0' : '1.1';
  const headers = { 'content-type': `application/x-amz-json-${version}`, 'x-amz-target': target };
  const env = { AWS_ENDPOINT_URL: url };
  return callAws<T>({ service, region, method: 'POST', path: '/', headers, body: JSON.stringify(body) }, login, {
    clock: systemClock,
    env,
  });
}
const sqs = <T>(action: string, body: object) => call<T>('sqs', `AmazonSQS.${action}`, body);
const events = <T>(action: string, body: object) => call<T>('events', `AWSEvents.${action}`, body);

const bus = 'wukong-lifecycle-example';
const queues = ['StartQueue', 'StopQueue', 'Subscriber'] as const;
const urls: Record<string, string> = {};

/** What is in each queue now; what was read is taken out. */
async function delivered(): Promise<Record<string, { id: string; 'detail-type': string; detail: unknown }[]>> {
  const found: Record<string, never[]> = {};
  for (const name of queues) {
    const { Messages = [] } = await sqs<{ Messages?: { Body: string; ReceiptHandle: string }[] }>('ReceiveMessage', {
      QueueUrl: urls[name],
      MaxNumberOfMessages: 10,
    });
    for (const { ReceiptHandle } of Messages) await sqs('DeleteMessage', { QueueUrl: urls[name], ReceiptHandle });
    found[name] = Messages.map(({ Body }) => JSON.parse(Body) as never);
  }
  return found;
}

const put: PutEvents = (entries) =>
  events('PutEvents', { Entries: entries.map((entry) => ({ ...entry, Time: entry.Time.getTime() / 1000 })) });
const putOne = (type: string, detail: object, source = 'a.team') =>
  events('PutEvents', {
    Entries: [{ EventBusName: bus, Source: source, DetailType: type, Detail: JSON.stringify(detail) }],
  });

async function rule(name: string, pattern: object, queue: string): Promise<void> {
  await events('PutRule', { Name: name, EventBusName: bus, EventPattern: JSON.stringify(pattern) });
  const { Attributes } = await sqs<{ Attributes: { QueueArn: string } }>('GetQueueAttributes', {
    QueueUrl: urls[queue],
    AttributeNames: ['QueueArn'],
  });
  await events('PutTargets', { Rule: name, EventBusName: bus, Targets: [{ Id: queue, Arn: Attributes.QueueArn }] });
}

describe('the packaged rules in an EventBridge that is not ours', () => {
  beforeAll(async () => {
    if (!url) throw new Error('MOTO_URL is not set: .ci/aws.sh starts moto and sets it');
    await events('CreateEventBus', { Name: bus });
    for (const name of queues)
      urls[name] = (await sqs<{ QueueUrl: string }>('CreateQueue', { QueueName: name })).QueueUrl;
    for (const name of ['Start', 'Stop'])
      await rule(name, resource(`${name}Requested`)['EventPattern'] as object, `${name}Queue`);
    // As docs/events.md tells a team to subscribe.
    const source = ['novasphere.wukong-lifecycle'];
    await rule('subscriber', { source, 'detail-type': ['Wukong VM Lifecycle Outcome'] }, 'Subscriber');
  });

  it.each(['start', 'stop'] as const)('route a request to %s to its queue, whoever sends it', async (action) => {
    const detail = { target: { namespace: 'team-a', name: 'web' } };
    await putOne(requestedType[action], detail);
    const queue = action === 'start' ? 'StartQueue' : 'StopQueue';
    const expected = [{ 'detail-type': requestedType[action], detail, id: expect.any(String) }];
    expect(await delivered()).toMatchObject({ StartQueue: [], StopQueue: [], Subscriber: [], [queue]: expected });
  });

  it('route our own outcome events to a subscriber, and to no queue of ours', async () => {
    const outcome: Outcome = {
      ...{ outcome: 'Stopped', message: 'The VM is off.', forced: false, action: 'stop', trigger: 'event' },
      ...{ namespace: 'team-a', name: 'web', requestId: 'r-1', startedAt: 0, finishedAt: 1_000 },
    };
    const entry = { type: 'Wukong VM Lifecycle Outcome', detail: detailOf(outcome), time: Date.now() };
    // Twenty-three: more than two calls of ten.
    await eventBus(bus, put, systemClock).put(Array.from({ length: 23 }, () => entry));
    const seen: number[] = [];
    for (let i = 0; i < 4; i++) {
      const { Subscriber = [], ...others } = await delivered();
      expect(others).toEqual({ StartQueue: [], StopQueue: [] });
      for (const one of Subscriber) expect(one.detail).toEqual(detailOf(outcome));
      seen.push(Subscriber.length);
    }
    expect(seen.reduce((sum, count) => sum + count)).toBe(23);
  });

  it('route nothing else', async () => {
    for (const type of [
      'Wukong VM Start Request',
      'wukong vm stop requested',
      'EC2 Instance State-change Notification',
    ])
      await putOne(type, { target: { namespace: 'team-a', name: 'web' } });
    await putOne('Wukong VM Lifecycle Outcome', { outcome: 'Stopped' }, 'somebody.else');
    expect(await delivered()).toEqual({ StartQueue: [], StopQueue: [], Subscriber: [] });
  });
});
