import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

import { describe, expect, it } from 'vitest';

import type { Command } from '../../shared/domain/command.ts';
import { LifecycleError } from '../../shared/domain/errors.ts';
import type { KubeObject } from '../../shared/domain/model.ts';
import type { Outcome, Result } from '../../shared/domain/outcome.ts';
import { refusalAnswer } from '../../shared/entry/http.ts';
import type { Access } from '../../shared/entry/serveAccess.ts';
import { answerTo } from '../../shared/entry/serveHttp.ts';
import { reportOf } from '../../shared/report/fleetOutcome.ts';
import { worldOf } from './asked.ts';
import { s, t0 } from './machines.ts';

const wukongs = '/namespaces/team-a/wukongs';
const web = `${wukongs}/web`;
const cloudEvent = {
  'ce-specversion': '1.0',
  'ce-id': 'e-1',
  'ce-source': '/door',
  'ce-type': 'dev.novasphere.wukong.stop',
};
interface Asked {
  method?: string | undefined;
  headers?: Record<string, string>;
  body?: unknown;
  address?: string | undefined;
}
const stopped: Result = { outcome: 'Stopped', message: 'so' };

/** A server that answers so, and what is asked behind it. */
function server(result: Result = stopped, { user = 'anna', refuses = '', also = [] as Result[] } = {}) {
  const { world, asked, within } = worldOf(
    t0,
    [200, { metadata: { namespace: 'team-a', name: 'web' } }],
    [404],
    [404],
    [200, { items: [] } as unknown as KubeObject],
  );
  const calls: unknown[][] = [];
  const access = {
    who: (...args: unknown[]) => (calls.push(['who', ...args]), Promise.resolve({ username: user })),
    may: (_who: unknown, verb: string, place: object, sub?: string) => {
      const one = `${verb}${sub ? `/${sub}` : ''} ${JSON.stringify(place)}`;
      calls.push(['may', one]);
      return sub === refuses ? Promise.reject(new LifecycleError('Denied', one)) : Promise.resolve();
    },
  } as unknown as Access;
  const commands: Command[] = [];
  const deadlines: number[] = [];
  const carryOut = (command: Command, deadline: number) => {
    commands.push(command);
    deadlines.push(deadline - t0);
    const { action, requestId, trigger } = command;
    const place = { namespace: 'team-a', name: 'web' };
    const whose = { ...place, action, requestId, trigger, startedAt: t0, finishedAt: t0, forced: false };
    const outcomes = [result, ...also].map((one) => ({ ...whose, ...one }) as Outcome);
    return Promise.resolve(reportOf(command, outcomes));
  };
  const open = { '/healthz': () => 'ok\n', '/readyz': () => undefined, '/metrics': () => Promise.resolve('x 1\n') };
  const send = async (path: string, { method = 'POST', headers = {}, body, ...more }: Asked = {}) => {
    const text = body === undefined ? [] : [Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))];
    const socket = { remoteAddress: 'address' in more ? more.address : '10.0.0.1' };
    const request = Object.assign(Readable.from(text), {
      url: path,
      method,
      headers,
      socket,
    }) as unknown as IncomingMessage;
    const {
      statusCode,
      headers: says,
      body: answer = '',
    } = await answerTo(request, { world, access, carryOut, open }).catch(refusalAnswer);
    const json = /json/.test(String(says?.['content-type'])) ? (JSON.parse(answer) as Record<string, unknown>) : answer;
    return { status: statusCode, headers: says, body: json };
  };
  const asks = (what: string) => calls.filter(([one]) => one === what).map((one) => one.slice(1));
  return { send, asks, commands, deadlines, asked, within };
}
const noStore = { 'cache-control': 'no-store' };
const text = { ...noStore, 'content-type': 'text/plain; version=0.0.4; charset=utf-8' };

describe('what is open to everybody', () => {
  it('is answered, or is not now, and asks nobody who it is', async () => {
    const { send, asks } = server();
    expect(await send('/healthz', { method: 'GET' })).toEqual({ status: 200, headers: text, body: 'ok\n' });
    expect(await send('/metrics?x=y', { method: 'HEAD' })).toEqual({ status: 200, headers: text, body: 'x 1\n' });
    expect(await send('/readyz', { method: 'GET' })).toEqual({ status: 503, headers: text, body: 'not now\n' });
    expect(asks('who')).toEqual([]);
  });

  it.each([
    ['POST', '/healthz'],
    ['GETS', '/healthz'],
    ['XHEAD', '/healthz'],
    ['GET', '/toString'],
    ['GET', '/'],
    ['GET', `${web}/pause`],
    ['GET', 'http://'],
  ])('is nothing else: %s %s', async (method, path) => {
    const { status, body } = await server().send(path, { method });
    const message = 'expected /namespaces/NAME/wukongs[/NAME[/start|stop|restart]], or /events';
    expect([status, body]).toEqual([404, { outcome: 'Failed', reason: 'NotFound', message }]);
  });

  it.each([
    ['POST', web, 'GET'],
    ['GET', `${web}/stop`, 'POST'],
    ['GET', '/events', 'POST'],
    ['PUT', wukongs, 'GET'],
  ])('has its methods: %s %s', async (method, path, allow) => {
    const { send, asks } = server();
    const { status, headers, body } = await send(path, { method });
    expect([status, headers?.['allow'], body]).toEqual([
      405,
      allow,
      { outcome: 'Failed', reason: 'InvalidAction', message: `expected ${allow}` },
    ]);
    expect(asks('who')).toEqual([]);
  });
});

describe('a caller', () => {
  const token = { authorization: 'Bearer x' };
  it('is asked who it is: of the API by its token alone, of events by a secret too', async () => {
    const { send, asks } = server();
    await send(`${web}/stop`, { headers: token });
    await send('/events', {
      headers: { ...token, ...cloudEvent },
      body: { target: { namespace: 'team-a', name: 'web' } },
      address: undefined,
    });
    expect(asks('who')).toEqual([
      ['Bearer x', '10.0.0.1', false],
      ['Bearer x', 'nobody', true],
    ]);
  });

  it('may send as much as the bus takes', async () => {
    const { send } = server();
    const sized = (length: number) => ({
      body: JSON.stringify({ reason: 'x'.repeat(length - '{"reason":""}'.length) }),
    });
    expect((await send(`${web}/stop`, sized(262_144))).status).toBe(400);
    const { status, headers, body } = await send(`${web}/stop`, sized(262_145));
    expect([status, headers?.['connection'], body]).toEqual([
      413,
      'close',
      { outcome: 'Failed', reason: 'TooLarge', message: 'the body is larger than 262144 bytes' },
    ]);
  });

  it.each([
    ['start', 'start', ['start']],
    ['stop', 'stop', ['stop']],
    ['restart', 'stop', ['stop', 'start']],
  ])('who asks for a %s may that, and hears what came of it', async (verb, action, subs) => {
    const { send, asks, commands, deadlines } = server();
    const { status, body } = await send(`${web}/${verb}`, {
      body: { reason: 'lunch', requestedBy: 'somebody' },
      headers: { 'idempotency-key': 'key' },
    });
    expect([status, body]).toMatchObject([200, { outcome: 'Stopped' }]);
    expect(asks('may')).toEqual(subs.map((sub) => [`update/${sub} {"namespace":"team-a","name":"web"}`]));
    const target = { namespace: 'team-a', name: 'web' };
    expect(commands).toMatchObject([
      {
        action,
        target,
        reason: 'lunch',
        requestedBy: 'anna',
        requestId: 'http:anna:key',
        requestedAt: t0,
        trigger: 'http',
      },
    ]);
    expect([commands[0]?.restart, deadlines]).toEqual([verb === 'restart' ? true : undefined, [20 * s]]);
  });

  it('who gives no key has an id of its own each time, and a name as long as it may be', async () => {
    const { send, commands } = server(stopped, { user: 'x'.repeat(300) });
    for (const _ of [1, 2]) await send(`${web}/stop`);
    expect(commands[0]?.requestId).toMatch(/^http:sha256-[0-9a-f]{64}:.{36}$/);
    expect(commands[0]?.requestId).not.toBe(commands[1]?.requestId);
    expect(commands[0]?.requestedBy).toHaveLength(256);
  });

  it.each([
    ['stop', 'stop'],
    ['restart', 'start'],
  ])('who may not %s is refused, and nothing is done', async (verb, refuses) => {
    const { send, commands } = server(stopped, { refuses });
    expect((await send(`${web}/${verb}`)).status).toBe(403);
    expect(commands).toEqual([]);
  });

  it('who asks for what goes on is told where to look', async () => {
    const { send } = server({ outcome: 'InProgress', message: 'so' });
    expect(await send(`${web}/stop`)).toMatchObject({ status: 202, headers: { location: web } });
  });

  it('who looks at one, or at many, may that, and sees it', async () => {
    const { send, asks, within } = server();
    const one = await send(web, { method: 'GET' });
    expect([one.status, one.body]).toMatchObject([200, { name: 'web', state: 'Unknown' }]);
    expect(within[0]).toEqual({ deadline: t0 + 20 * s });
    const many = server();
    await many.send(`${wukongs}?selector=env%3Ddev`, { method: 'GET' });
    expect(many.asked[0]?.path).toContain('labelSelector=env%3Ddev');
    expect([asks('may'), many.asks('may')]).toEqual([
      [['get {"namespace":"team-a","name":"web"}']],
      [['list {"namespace":"team-a"}']],
    ]);
  });

  it.each([
    ['GET', `${web}?cluster=edge`, {}],
    ['POST', `${web}/stop?cluster=edge`, {}],
    ['POST', `${web}/stop`, { body: { cluster: 'edge' } }],
  ])('who means another cluster is at the wrong one: %s %s', async (method, path, more) => {
    const { status, body } = await server().send(path, { method, ...more });
    expect([status, body]).toMatchObject([
      400,
      { message: 'cluster: expected none, as this server is of one cluster' },
    ]);
  });
});

describe('a CloudEvent', () => {
  const post = (to: ReturnType<typeof server>, target: object, more: Record<string, string> = {}) =>
    to.send('/events', { headers: { ...cloudEvent, ...more }, body: { target } });
  const one = { namespace: 'team-a', name: 'web' };

  it('is a request of its sender, and is taken without an answer', async () => {
    const to = server();
    expect(await post(to, one)).toEqual({ status: 202, headers: noStore, body: '' });
    expect(to.commands).toMatchObject([
      {
        action: 'stop',
        target: one,
        requestId: 'http:anna:/door#e-1',
        given: true,
        requestedBy: 'anna',
        trigger: 'event',
      },
    ]);
    expect(to.deadlines).toEqual([20 * s]);
    await post(to, one, { 'ce-type': 'dev.novasphere.wukong.start' });
    expect(to.commands[1]?.action).toBe('start');
  });

  it.each<[object, string[]]>([
    [one, ['{"namespace":"team-a","name":"web"}']],
    [
      { names: [one, { namespace: 'b', name: 'c' }] },
      ['{"namespace":"team-a","name":"web"}', '{"namespace":"b","name":"c"}'],
    ],
    [{ namespaces: ['a', 'b'], selector: 'x=y' }, ['{"namespace":"a"}', '{"namespace":"b"}']],
    [{ selector: 'x=y' }, ['{}']],
  ])('is for whom its sender may switch: %j', async (target, places) => {
    const to = server();
    await post(to, target);
    expect(to.asks('may')).toEqual(places.map((place) => [`update/stop ${place}`]));
  });

  it('says of several why the first was not reached', async () => {
    const lost = (message: string): Result => ({ outcome: 'Failed', reason: 'Unreachable', message });
    const to = server({ outcome: 'Stopped', message: 'so' }, { also: [lost('first'), lost('second')] });
    expect((await post(to, one)).body).toMatchObject({ message: 'first' });
  });

  it.each<[Result, number]>([
    [{ outcome: 'Failed', reason: 'Unreachable', message: 'silent' }, 503],
    [{ outcome: 'Failed', reason: 'Stuck', message: 'so' }, 202],
    [{ outcome: 'Skipped', reason: 'Protected', message: 'so' }, 202],
  ])('comes again where its cluster was not reached, and only then: %j', async (result, status) => {
    const answer = await post(server(result), one);
    expect(answer.status).toBe(status);
    if (status === 503) expect(answer.body).toMatchObject({ reason: 'Unreachable', message: 'silent' });
  });
});
