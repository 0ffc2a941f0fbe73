import net from 'node:net';

import { beforeEach, describe, expect, it } from 'vitest';

import { namespace, type Scene } from '../flow/scene.ts';
import { audience, ground, served, type Server, tokenOf } from './serving.ts';

const stop = `/namespaces/${namespace}/wukongs/web/stop`;
const command = { target: { namespace, name: 'web' }, dryRun: true };
const text = JSON.stringify(command);
const structured = { 'content-type': 'application/cloudevents+json' };
const attributes = { specversion: '1.0', type: 'dev.novasphere.wukong.stop', source: '/ci', id: 'e-1' };
const whole = (more: object = {}) => JSON.stringify({ ...attributes, data: command, ...more });
const ce = (more: Record<string, string> = {}) => ({
  ...Object.fromEntries(Object.entries({ ...attributes, ...more }).map(([name, value]) => [`ce-${name}`, value])),
});
const without = (name: keyof typeof attributes) => {
  const { [`ce-${name}`]: _gone, ...rest } = ce();
  return rest;
};

let at: Scene;
let server: Server;
let token: string;
/** One cluster and one server for all the cases of a test. */
beforeEach(async () => {
  at = await ground();
  at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', guest: { 'shutdown-seconds': '2' } });
  await at.pass(5_000);
  server = await served(at, 'one', 'a-secret-of-many-characters');
  token = await tokenOf(at, ['stop', 'start', 'get']);
});

type Sent = { headers?: Record<string, string>; body?: string };
async function send(method: string, path: string, { headers = {}, body }: Sent = {}) {
  await at.pass(200); // below ten a second
  const all = { authorization: `Bearer ${token}`, ...headers };
  return at.run(server.send(method, path, { headers: all, ...(body === undefined ? {} : { body }) }));
}
/** Bytes as they are; resolves with all that came back, once the server has ended it. */
function raw(bytes: string): Promise<string> {
  return at.run(
    new Promise<string>((resolve, reject) => {
      let back = '';
      const socket = net.connect(server.port, '127.0.0.1', () => socket.write(bytes, 'latin1'));
      socket.setEncoding('utf8').on('data', (some: string) => (back += some));
      socket.on('error', reject).on('close', () => resolve(back));
    }),
  );
}

describe('a token', () => {
  const tokens: [string, string, RegExp][] = [
    ['that is empty', 'Bearer ', /one word behind Bearer/],
    ['without a scheme', 'abc', /one word behind Bearer/],
    ['of another scheme', 'Basic YTpi', /one word behind Bearer/],
    ['and a second one', 'Bearer one two', /one word behind Bearer/],
    ['that is longer than any', `Bearer ${'x'.repeat(12_000)}`, /does not hold/],
    ['beyond ASCII', 'Bearer \u00e9\u00e9', /does not hold/],
    ['that is the secret for events', 'Bearer a-secret-of-many-characters', /does not hold/],
  ];
  it('that proves nobody is refused, and the answer says for whom one has to be', async () => {
    for (const [what, authorization, says] of tokens) {
      const { status, body } = await send('POST', stop, { headers: { authorization } });
      expect([status, body], what).toEqual([401, expect.stringMatching(says)]);
      expect(body, what).toContain(audience);
    }
  });

  it('with a line break in it is no request', async () => {
    const sent = `POST ${stop} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\nx\r\nconnection: close\r\n\r\n`;
    expect(await raw(sent)).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('of somebody who may do it in one namespace is for no other, nor for all of them', async () => {
    const elsewhere = await send('POST', '/namespaces/team-b/wukongs/web/stop');
    expect([elsewhere.status, elsewhere.body]).toEqual([403, expect.stringContaining('in team-b on web')]);
    for (const target of [{ selector: 'env=dev' }, { namespaces: ['team-b'], selector: 'env=dev' }]) {
      const sent = { headers: structured, body: whole({ data: { target, dryRun: true } }) };
      expect((await send('POST', '/events', sent)).status).toBe(403);
    }
  });
});

describe('a CloudEvent', () => {
  const wrong: [string, Sent, RegExp][] = [
    ['without any header of one', { body: text }, /ce-specversion, ce-id, ce-source and ce-type/],
    ['without an id', { headers: without('id'), body: text }, /id: expected a text, not nothing/],
    ['without a source', { headers: without('source'), body: text }, /source: expected a text, not nothing/],
    ['without a type', { headers: without('type'), body: text }, /type: expected dev.novasphere/],
    ['without a version', { headers: without('specversion'), body: text }, /specversion: expected 1.0, not nothing/],
    ['with an empty id', { headers: ce({ id: '' }), body: text }, /id: expected a text/],
    ['of another version', { headers: ce({ specversion: '0.3' }), body: text }, /specversion: expected 1.0, not/],
    ['with a long id', { headers: ce({ id: 'x'.repeat(300) }), body: text }, /at most 256 characters/],
    ['with a line break in its id', { headers: ce({ id: 'a%0Ab' }), body: text }, /id: expected a text/],
    ['of no time', { headers: ce({ time: 'yesterday' }), body: text }, /time: expected RFC 3339/],
    ['whose data is no JSON', { headers: ce(), body: '{' }, /data: expected a command as JSON/],
    ['whose data is no object', { headers: ce(), body: '7' }, /expected a command: an object/],
    ['(structured) without an id', { headers: structured, body: whole({ id: undefined }) }, /id: expected a text/],
    [
      '(structured) whose id is a number',
      { headers: structured, body: whole({ id: 7 }) },
      /id: expected a text, not 7/,
    ],
    ['(structured) of no time', { headers: structured, body: whole({ time: 7 }) }, /time: expected RFC 3339/],
    ['(structured) that is null', { headers: structured, body: 'null' }, /one CloudEvent as a JSON object/],
    ['(structured) that is a list', { headers: structured, body: `[${whole()}]` }, /one CloudEvent as a JSON object/],
    ['(structured) that is cut off', { headers: structured, body: '{"id"' }, /one CloudEvent as a JSON object/],
    [
      'in a batch',
      { headers: { 'content-type': 'application/cloudevents-batch+json' }, body: `[${whole()}]` },
      /no batch/,
    ],
    ['in XML', { headers: { 'content-type': 'application/cloudevents+xml' }, body: '<e/>' }, /cloudevents\+json, not/],
  ];
  it('that is none is refused, and the answer says what is missing', async () => {
    for (const [what, sent, says] of wrong) {
      const { status, body } = await send('POST', '/events', sent);
      expect([status, body], what).toEqual([400, expect.stringMatching(says)]);
      expect(body, what).not.toMatch(/undefined|Cannot read|Unexpected token/);
    }
  });

  const right: [string, Sent][] = [
    ['with its type in capitals', { headers: { 'content-type': 'Application/CloudEvents+JSON' }, body: whole() }],
    ['with a charset', { headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' }, body: whole() }],
    [
      'whose data is in base64',
      { headers: structured, body: whole({ data: undefined, data_base64: Buffer.from(text).toString('base64') }) },
    ],
    ['whose data is text', { headers: structured, body: whole({ data: text }) }],
    ['of another kind of JSON', { headers: { ...ce(), 'content-type': 'application/vnd.x+json' }, body: text }],
    ['that says nothing of its data', { headers: { ...ce(), 'content-type': '' }, body: text }],
    ['with extensions', { headers: ce({ Odd_Ext: 'x', __proto__x: 'y', data: 'z' }), body: text }],
    ['of a minute ago', { headers: ce({ time: '2026-11-23T19:59:00.123+00:00' }), body: text }],
  ];
  it('is taken in every form that it may have', async () => {
    for (const [what, sent] of right)
      expect(await send('POST', '/events', sent), what).toMatchObject({ status: 202, body: '' });
  });

  it('that comes five times at once is one request', async () => {
    const sent = { headers: structured, body: whole({ data: { target: command.target } }) };
    const answers = await Promise.all(Array.from({ length: 5 }, () => send('POST', '/events', sent)));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202]);
    await at.pass(10_000);
    expect(at.wukong('web').status?.lifecycleState?.outcome).toBe('Stopped');
    expect(at.calls()).toHaveLength(1);
  });

  it('is the same request in both modes', async () => {
    const before = at.calls().length;
    const real = { data: { target: { namespace, name: 'web' } }, id: 'a b/\u00e9#1' };
    await send('POST', '/events', { headers: structured, body: whole(real) });
    const headers = ce({ id: encodeURIComponent(real.id) });
    expect((await send('POST', '/events', { headers, body: JSON.stringify(real.data) })).status).toBe(202);
    expect(at.calls().length - before).toBe(1);
  });
});

describe('a request', () => {
  const requests: [string, string, string, number][] = [
    ['HEAD of a probe', 'HEAD', '/readyz', 200],
    ['HEAD of the API', 'HEAD', `/namespaces/${namespace}/wukongs/web`, 405],
    ['OPTIONS', 'OPTIONS', stop, 405],
    ['PUT', 'PUT', stop, 405],
    ['GET of events', 'GET', '/events', 405],
    ['with a slash behind it', 'POST', `${stop}/`, 404],
    ['with another slash before it', 'GET', '//healthz', 200],
    ['whose name is encoded', 'POST', stop.replace('web', '%77eb'), 200],
    ['with an encoded verb', 'POST', stop.replace('stop', '%73top'), 404],
    ['with an encoded slash in its name', 'POST', stop.replace('web', 'a%2Fb'), 400],
    ['with a zero in its name', 'POST', stop.replace('web', 'a%00b'), 400],
    ['that leaves its namespace', 'POST', stop.replace(namespace, '%2e%2e'), 404],
    ['with a name that is too long', 'POST', stop.replace('web', 'a'.repeat(300)), 400],
    ['that asks for what its query cannot say', 'POST', `${stop}?dryRun=true`, 400],
    ['with __proto__ in its query', 'GET', `/namespaces/${namespace}/wukongs/web?__proto__=x`, 400],
  ];
  it('of another method or path than expected is answered', async () => {
    for (const [what, method, path, status] of requests) {
      const body = method === 'POST' ? { body: '{"dryRun":true}' } : {};
      expect((await send(method, path, body)).status, what).toBe(status);
    }
  });

  const heads: [string, string, RegExp][] = [
    ['to an address that is none', 'GET //[ HTTP/1.1', /^HTTP\/1\.1 404 /],
    ['to a whole address', 'GET http://any.example/healthz HTTP/1.1', /^HTTP\/1\.1 200 /],
    ['to everything', 'OPTIONS * HTTP/1.1', /^HTTP\/1\.1 404 /],
    ['that is no HTTP', 'hello', /^HTTP\/1\.1 400 /],
    ['with more headers than fit', `GET /healthz HTTP/1.1\r\nx: ${'y'.repeat(40_000)}`, /^HTTP\/1\.1 431 /],
    ['of two lengths', 'POST /events HTTP/1.1\r\ncontent-length: 4\r\ntransfer-encoding: chunked', /^HTTP\/1\.1 400 /],
  ];
  it('that no client would send is answered, and is no failure of the server', async () => {
    for (const [what, head, says] of heads)
      expect(await raw(`${head}\r\nhost: x\r\nconnection: close\r\n\r\n`), what).toMatch(says);
    expect(server.errors).toEqual([]);
  });

  it('that comes five times at once with one Idempotency-Key switches once', async () => {
    const sent = { headers: { 'idempotency-key': 'lunch' } };
    const answers = await Promise.all(Array.from({ length: 5 }, () => send('POST', stop, sent)));
    for (const { status } of answers) expect([200, 202]).toContain(status);
    await at.pass(10_000);
    expect(at.calls()).toHaveLength(1);
  });

  it('behind others on one connection is answered in its turn', async () => {
    const one = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nhost: x\r\n${more}\r\n`;
    const back = await raw(one('/healthz') + one('/nothing') + one('/metrics', 'connection: close\r\n'));
    expect(back.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 404', 'HTTP/1.1 200']);
  });

  it('waits for none of two hundred that are sent byte by byte', async () => {
    const slow = Array.from({ length: 200 }, () => net.connect(server.port, '127.0.0.1'));
    for (const socket of slow) socket.on('error', () => {}).write(`POST ${stop} HTTP/1.1\r\nhost:`);
    expect((await send('GET', `/namespaces/${namespace}/wukongs/web`)).status).toBe(200);
    for (const socket of slow) socket.destroy();
  });

  it('that is given up in the middle leaves no error in the log', async () => {
    const head = `POST ${stop} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-length: 999\r\n\r\n{`;
    const socket = net.connect(server.port, '127.0.0.1', () => socket.write(head));
    const reviewed = at.sim.requests.length;
    while (!at.sim.requests.slice(reviewed).some(({ path }) => path.endsWith('/tokenreviews'))) await at.pass(10);
    socket.destroy();
    await at.pass(1_000);
    expect(server.errors).toEqual([]);
  });
});
