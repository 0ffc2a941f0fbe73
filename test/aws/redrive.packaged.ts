import { beforeAll, describe, expect, it } from 'vitest';

import { redrive } from '../../cli/commands/redrive.ts';
import { callAws } from '../../shared/cluster/aws.ts';
import { systemClock } from '../../shared/time/clock.ts';

const env = { AWS_ENDPOINT_URL: process.env['MOTO_URL'], AWS_REGION: 'eu-central-1' };
const login = () => Promise.resolve({ accessKeyId: 'testing', secretAccessKey: 'testing' });
const sqs = <T>(action: string, body: object) =>
  callAws<T>(
    {
      service: 'sqs',
      region: 'eu-central-1',
      method: 'POST',
      path: '/',
      headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${action}` },
      body: JSON.stringify(body),
    },
    login,
    { clock: systemClock, env },
  );

const urls: Record<string, string> = {};
const bodies = async (name: string): Promise<string[]> => {
  const ask = { QueueUrl: urls[name], MaxNumberOfMessages: 10, VisibilityTimeout: 0 };
  const { Messages = [] } = await sqs<{ Messages?: { Body: string }[] }>('ReceiveMessage', ask);
  return Messages.map(({ Body }) => Body);
};

async function run(options: Record<string, string | boolean>) {
  let out = '';
  const io = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (out += text),
    now: 0,
    colour: false,
    env,
  };
  const code = await redrive.run({ stage: 'redrive', service: 'wukong-lifecycle', ...options }, io, ['stop']);
  return { code, out };
}

describe('wukong redrive, on queues that are not ours', () => {
  const good = JSON.stringify({
    id: 'event-1',
    'detail-type': 'Wukong VM Stop Requested',
    detail: { target: { namespace: 'team-a', name: 'web' } },
  });
  const poison = '{"detail-type":"Wukong VM Stop Requested","detail":{"target":{}}}';

  beforeAll(async () => {
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'testing', AWS_SECRET_ACCESS_KEY: 'testing' });
    for (const name of ['stop', 'stop-dead'])
      urls[name] = (
        await sqs<{ QueueUrl: string }>('CreateQueue', { QueueName: `wukong-lifecycle-redrive-${name}` })
      ).QueueUrl;
    for (const MessageBody of [good, poison]) await sqs('SendMessage', { QueueUrl: urls['stop-dead'], MessageBody });
  });

  it('shows what is there', async () => {
    const { code, out } = await run({ 'dry-run': true });
    expect(code).toBe(4);
    expect(out).toContain('left: stop team-a/web, request event:event-1');
    expect(await bodies('stop')).toEqual([]);
  });

  it('sends back what can be carried out, and leaves the poison', async () => {
    const { code, out } = await run({});
    expect(code).toBe(4);
    expect(out).toMatch(/sent back: stop team-a\/web.*invalid:.*target\.name/s);
    expect(await bodies('stop')).toEqual([good]);
    expect(await bodies('stop-dead')).toEqual([poison]);
  });

  it('takes the poison away when it is told to', async () => {
    const { code, out } = await run({ 'delete-invalid': true });
    expect([code, out]).toEqual([0, expect.stringContaining(poison)]);
    expect(await bodies('stop-dead')).toEqual([]);
    expect((await run({})).out).toContain('nothing is there');
  });
});
