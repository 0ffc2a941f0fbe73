import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, describe, expect, it, vi } from 'vitest';

import { readConfig } from '../../shared/cluster/config.ts';
import type { Notice } from '../../shared/cluster/world.ts';
import { connect } from '../../shared/entry/connect.ts';
import { reconcile, type Tick } from '../../shared/reconcile/reconcile.ts';
import { webhookTo } from '../../shared/report/webhook.ts';
import { namespace, type Scene, scene } from './scene.ts';
import { scheduleIn } from './ways.ts';

type Answer = (request: IncomingMessage, response: ServerResponse, nth: number) => void;
const ok: Answer = (_request, response) => void response.writeHead(204).end();
const status =
  (code: number, headers = {}): Answer =>
  (_request, response) =>
    void response.writeHead(code, headers).end();
/** Takes the request and never answers. */
const hang: Answer = () => {};

interface Receiver {
  url: string;
  got: { headers: IncomingMessage['headers']; body: Record<string, string>; path: string }[];
  /** Whether all that was sent has been received and answered, as far as it ever will be. */
  quiet(): boolean;
}
const open: (() => void)[] = [];
afterEach(() => {
  vi.restoreAllMocks();
  for (const close of open.splice(0)) close();
});

async function receiver(answer: Answer): Promise<Receiver> {
  const got: Receiver['got'] = [];
  let [sent, settled, requests] = [0, 0, 0];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      got.push({ headers: request.headers, body: JSON.parse(text) as Record<string, string>, path: request.url ?? '' });
      if (answer === hang) settled++;
      answer(request, response, ++requests);
    });
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  open.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { fetch } = globalThis;
  vi.spyOn(globalThis, 'fetch').mockImplementation((...args) => {
    sent++;
    return fetch(...args).finally(() => (settled += answer === hang ? 0 : 1));
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/hooks/secret-token`, got, quiet: () => sent === settled };
}

/** A night in which one guest is forced, and one is stuck, told to this receiver. */
async function night(to: Receiver, format: 'cloudevents' | 'slack' = 'cloudevents') {
  const at = await scene();
  delete at.world.bus;
  const said: [string, unknown][] = [];
  const log = { ...at.world.log, warn: (message: string, fields?: object) => void said.push([message, fields]) };
  at.world.log = log;
  at.world.webhook = webhookTo({ url: () => to.url, format, clock: at.clock, log, metrics: at.world.metrics });
  const guests = { forced: { 'ignore-acpi': 'true' }, stuck: { hang: 'true' } };
  for (const [name, guest] of Object.entries(guests))
    at.sim.createWukong({
      namespace,
      name,
      runStrategy: 'Always',
      labels: { env: 'dev' },
      terminationGracePeriodSeconds: 2,
      guest,
    });
  scheduleIn(at, namespace, { stop: '30 20 * * *' });
  await at.pass(Date.parse('2026-11-23T20:30:00Z') - at.clock.now());
  const all: { tick: Tick; ms: number }[] = [];
  for (let i = 0; i < 4; i++, await at.pass(60_000)) all.push(await ticked(at, to));
  return { at, ticks: all, lost: said.filter(([message]) => message.startsWith('the webhook')) };
}

async function ticked(at: Scene, to: Receiver) {
  const begun = at.clock.now();
  const work = () => reconcile(at.world, { deadline: at.clock.now() + 50_000 });
  const tick = await at.clock.run(work, { sims: [at.sim, to] });
  return { tick, ms: at.clock.now() - begun };
}

describe('a webhook whose address is a secret of AWS', () => {
  const notice: Notice = { id: '1', type: 't', subject: 's', time: 0, text: 'x', detail: {} };
  async function told(secret: () => Promise<string>) {
    const at = await scene();
    const said: unknown[] = [];
    const log = { ...at.world.log, warn: (...words: unknown[]) => void said.push(words) };
    let reads = 0;
    const readSecret = (id: string) => (reads++, expect(id).toBe('wukong/webhook'), secret());
    const { metrics, clock } = at.world;
    const credentials = { server: at.sim.url, dispatcher: at.sim.dispatcher(), headers: async () => ({}) };
    const env = { WEBHOOK_SECRET: 'wukong/webhook', WEBHOOK_FORMAT: 'slack' };
    const { webhook } = await connect({ env, log, metrics, clock, credentials, readSecret });
    const before = reads;
    webhook!.put(notice);
    await at.run(webhook!.flush(clock.now() + 5_000));
    return { before, said: JSON.stringify(said) };
  }

  it('reads it when there is something to send, and not before', async () => {
    const to = await receiver(ok);
    expect(await told(async () => `${to.url}\n`)).toEqual({ before: 0, said: '[]' });
    expect(to.got).toHaveLength(1);
  });

  it.each<[string, () => Promise<string>, string]>([
    ['is no address', async () => 'hooks.example.com/T00/very-secret', 'expected an http:// or https:// address'],
    ['may not be read', () => Promise.reject(new Error('AccessDeniedException')), 'AccessDeniedException'],
  ])('whose secret %s is told as lost, without the secret', async (_what, secret, says) => {
    const { said } = await told(secret);
    expect(said).toContain(says);
    expect(said).not.toContain('very-secret');
  });

  it('stands beside no other address', () => {
    const both = { WEBHOOK_URL: 'https://hooks.example.com/x', WEBHOOK_SECRET: 'y' };
    expect(() => readConfig(both)).toThrow(/WEBHOOK_SECRET: expected none/);
  });
});

describe('a webhook', () => {
  it('gets forced guests and bad runs, once each, as CloudEvents', async () => {
    const to = await receiver(ok);
    const { lost } = await night(to);
    expect(to.got.map(({ body }) => [body['type'], body['subject']])).toEqual([
      ['dev.novasphere.wukong.outcome.v1', `${namespace}/forced`],
      ['dev.novasphere.wukong.run.v1', expect.stringContaining(`${namespace}/office-20261123-2030-stop-`)],
    ]);
    for (const { headers, body } of to.got) {
      expect(headers['content-type']).toBe('application/cloudevents+json; charset=utf-8');
      expect(body).toMatchObject({
        specversion: '1.0',
        source: '/novasphere.wukong-lifecycle',
        datacontenttype: 'application/json',
      });
      expect(body['id']).toMatch(/./);
      expect(Date.parse(body['time'] ?? '')).not.toBeNaN();
    }
    expect(to.got[1]!.body['data']).toMatchObject({ phase: 'Incomplete', forced: 1, failed: 1 });
    expect(lost).toEqual([]);
  });

  it('gets them as Slack takes them', async () => {
    const to = await receiver(ok);
    await night(to, 'slack');
    expect(to.got.map(({ body }) => body)).toEqual([
      { text: expect.stringMatching(/^team-a\/forced: stop ForcedOff: /) as string },
      {
        text: expect.stringContaining(
          'office ended Incomplete: stop of 2026-11-23T20:30:00Z: 2 VMs: 1 forced, 1 failed',
        ) as string,
      },
    ]);
  });

  it.each([500, 429])('is tried again where it answers %d', async (code) => {
    const to = await receiver((request, response, nth) => (nth <= 2 ? status(code) : ok)(request, response, nth));
    const { lost } = await night(to);
    expect(new Set(to.got.map(({ body }) => body['id'])).size).toBe(2);
    expect(to.got).toHaveLength(4);
    expect(lost).toEqual([]);
  });

  it.each([
    ['hangs', hang, 'no answer within 3 s'],
    ['answers 500', status(500), 'it answered 500'],
    ['redirects', status(302, { location: 'http://127.0.0.1:1/elsewhere' }), 'it answered 302'],
    ['refuses', status(403), 'it answered 403'],
  ])('that %s delays nothing and is told once a tick', { timeout: 30_000 }, async (_what, answer, why) => {
    const to = await receiver(answer);
    const { at, ticks, lost } = await night(to);
    expect(at.wukong('forced').status?.lifecycleState).toMatchObject({
      outcome: 'ForcedOff',
      finishedAt: '2026-11-23T20:30:02Z',
    });
    expect(at.wukong('stuck').status?.lifecycleState).toMatchObject({ outcome: 'Failed', reason: 'Stuck' });
    expect(lost).toHaveLength(2);
    for (const [message, fields] of lost) {
      expect(message).toBe('the webhook did not take 1 notices');
      expect(fields).toMatchObject({ problem: expect.stringMatching(`${why}|the time was up`) as string });
      expect(JSON.stringify(fields)).not.toContain('secret-token');
    }
    for (const { tick, ms } of ticks) {
      expect(tick.problems).toEqual([]);
      expect(ms).toBeLessThanOrEqual(56_000);
    }
  });

  it('that is down costs five seconds and two hundred notices at the most', async () => {
    const to = await receiver(hang);
    const at = await scene();
    const hook = webhookTo({
      url: () => to.url,
      format: 'slack',
      clock: at.clock,
      log: at.world.log,
      metrics: at.world.metrics,
    });
    const notice = (i: number): Notice => ({
      id: `${i}`,
      type: 't',
      subject: 's',
      time: 0,
      text: `<!channel> ${i}`,
      detail: {},
    });
    const begun = at.clock.now();
    await at.clock.run(
      () => {
        for (let i = 0; i < 10_000; i++) hook.put(notice(i));
        return hook.flush(at.clock.now() + 5_000);
      },
      { sims: [at.sim, to] },
    );
    expect(at.clock.now() - begun).toBeLessThanOrEqual(5_000);
    expect(to.got.length).toBeLessThanOrEqual(12);
    expect(to.got[0]!.body).toEqual({ text: '&lt;!channel&gt; 0' });
  });
});

it('WEBHOOK_URL is an address of HTTP, and is not shown where it is none', () => {
  expect(readConfig({ WEBHOOK_URL: 'https://hooks.example.com/x' }).webhook).toMatchObject({ format: 'cloudevents' });
  expect(readConfig({}).webhook).toBeUndefined();
  for (const url of ['file:///etc/passwd', 'secret-token', '']) {
    expect(() => readConfig({ WEBHOOK_URL: url })).toThrow('WEBHOOK_URL: expected an http:// or https:// address');
    expect(() => readConfig({ WEBHOOK_FORMAT: 'xml' })).toThrow('expected cloudevents or slack');
  }
});
