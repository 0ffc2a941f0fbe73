import net from 'node:net';
import { hostname } from 'node:os';

import { request } from 'undici';
import { describe, expect, it } from 'vitest';

import type { World } from '../../shared/cluster/world.ts';
import { serve, type ServeOptions } from '../../shared/entry/serve.ts';
import { silentLog } from '../../shared/report/log.ts';
import { prometheusMetrics } from '../../shared/report/prometheus.ts';
import { closeAfterTest } from '../closeAfterTest.ts';
import { audience, ground, home, tokenOf } from '../serve/serving.ts';
import { namespace, type Scene } from './scene.ts';
import { s } from './telling.ts';

/** A server that is begun, and not waited for. */
function begin(at: Scene, { text, ...more }: Partial<ServeOptions> & { text?: () => Promise<string> } = {}) {
  const gauges = new Map<string, () => number>();
  const errors: unknown[][] = [];
  const streams: AbortSignal[] = [];
  const ending = new AbortController();
  const skew = { ms: 0 };
  let [port, ledAt] = [0, 0];
  const { transport, clock } = at.world;
  const metrics = {
    ...prometheusMetrics(),
    gauge: (name: string, read: () => number) => void gauges.set(name, read),
    ...(text ? { text } : {}),
  };
  const world: World = {
    ...at.world,
    metrics,
    clock: { now: () => clock.now() + skew.ms, after: (ms, ring) => clock.after(ms, ring) },
    log: { ...silentLog, error: (...words) => void errors.push(words), info: () => void (ledAt = clock.now()) },
    transport: { ...transport, stream: (path, signal) => (streams.push(signal), transport.stream(path, signal)) },
  };
  delete world.bus;
  const options = {
    port: 0,
    host: '127.0.0.1',
    audience,
    metrics,
    identity: 'one',
    signal: ending.signal,
    listening: (found: number) => (port = found),
  };
  const over = serve(world, { ...options, ...more });
  over.catch(() => {});
  closeAfterTest({ close: () => ending.abort(new Error('SIGTERM')) });
  const ask = async (
    method: string,
    path: string,
    token?: string,
    sent: { headers?: Record<string, string>; body?: object } = {},
  ) => {
    const headers = {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      'content-type': 'application/json',
      ...sent.headers,
    };
    const answer = await request(`http://127.0.0.1:${port}${path}`, {
      method: method as 'GET',
      headers,
      ...(sent.body ? { body: JSON.stringify(sent.body) } : {}),
    });
    return { status: answer.statusCode, body: await answer.body.text() };
  };
  const get = (path: string) => at.run(ask('GET', path));
  const status = async (path: string) => (await get(path)).status;
  const gauge = (name: string) => gauges.get(`wukong_${name}`)?.();
  const end = () => at.run(() => (ending.abort(new Error('SIGTERM')), over));
  return { over, ending, errors, streams, skew, ask, get, status, gauge, end, port: () => port, ledAt: () => ledAt };
}
async function withVm(guest = {}): Promise<Scene> {
  const at = await ground();
  at.sim.createWukong({
    namespace,
    name: 'web',
    runStrategy: 'Always',
    labels: { env: 'dev' },
    guest: { 'shutdown-seconds': '2', ...guest },
  });
  await at.pass(5 * s);
  return at;
}
const stop = `/namespaces/${namespace}/wukongs/web/stop`;
const holder = (at: Scene) =>
  at.sim.get<{ spec?: { holderIdentity?: string } }>('leases', home, 'wukong-lifecycle')?.spec?.holderIdentity;
const hold = (at: Scene, ms: number, path: RegExp) =>
  at.sim.faults.add({ when: { path }, times: 99, does: { kind: 'delay', ms } });

describe('a server that begins', () => {
  it('lives and is not ready until it sees everything; then it leads, as whom it is called', async () => {
    const at = await withVm();
    hold(at, 5 * s, /wukongs\?/);
    const server = begin(at);
    await at.pass(2 * s);
    expect([
      await server.status('/healthz'),
      await server.status('/readyz'),
      server.gauge('wukongs'),
      server.gauge('leader'),
    ]).toEqual([200, 503, 0, 0]);
    await at.pass(5 * s);
    expect([
      await server.status('/healthz'),
      await server.status('/readyz'),
      server.gauge('wukongs'),
      server.gauge('leader'),
      holder(at),
    ]).toEqual([200, 200, 1, 1, 'one']);
    await server.end();
    expect([server.streams.length > 5, server.streams.every(({ aborted }) => aborted)]).toEqual([true, true]);
  });

  it('gives up after two minutes in which it does not', async () => {
    const at = await withVm();
    hold(at, 36_000 * s, /wukongs\?/);
    const begun = at.clock.now();
    await expect(at.run(begin(at).over)).rejects.toMatchObject({ code: 'Unreachable' });
    expect(at.clock.now() - begun).toBe(120 * s);
  });

  it('ends at once where it is told to meanwhile', async () => {
    const at = await withVm();
    hold(at, 36_000 * s, /wukongs\?/);
    const server = begin(at);
    await at.pass(2 * s);
    const told = at.clock.now();
    await server.end();
    expect(at.clock.now() - told).toBe(0);
  });

  it('needs neither a name nor somebody who is told where it listens', async () => {
    const at = await withVm();
    const { end } = begin(at, { identity: undefined as never, listening: undefined as never });
    await at.pass(2 * s);
    expect(holder(at)).toMatch(new RegExp(`^${hostname()}_[0-9a-f]{8}$`));
    await end();
  });
});

describe('a server that hangs', () => {
  it('says so once it has begun no tick for three minutes, if it leads', async () => {
    const at = await withVm();
    const [server, next] = [begin(at), begin(at, { identity: 'two' })];
    await at.pass(10 * s);
    const healthAfter = async (of: typeof server, ms: number) => {
      of.skew.ms = server.ledAt() + ms - at.clock.now();
      const found = await of.status('/healthz');
      of.skew.ms = 0;
      return found;
    };
    expect([
      await healthAfter(server, 179_999),
      await healthAfter(server, 180 * s),
      await healthAfter(next, 180 * s),
    ]).toEqual([200, 503, 200]);
    await server.end();
    await next.end();
  });

  it('leads no more once the Lease is another’s', async () => {
    const at = await withVm();
    const server = begin(at);
    await at.pass(2 * s);
    const renewTime = new Date(at.clock.now() + 1).toISOString();
    at.sim.change<{ spec: object; metadata: never }>(
      'leases',
      home,
      'wukong-lifecycle',
      (one) => void (one.spec = { ...one.spec, holderIdentity: 'two', renewTime }),
    );
    expect(server.gauge('leader')).toBe(1);
    await at.pass(6 * s);
    expect(server.gauge('leader')).toBe(0);
    await server.end();
  });
});

describe('a server that is asked', () => {
  const fleet = (more: object = {}) => ({
    headers: { 'ce-specversion': '1.0', 'ce-type': 'dev.novasphere.wukong.stop', 'ce-source': '/ci', 'ce-id': 'e-1' },
    body: { target: { namespaces: [namespace], selector: 'env=dev' }, ...more },
  });

  it('leaves the VM alone meanwhile, by what it sees of it already', async () => {
    const at = await withVm();
    const server = begin(at);
    await at.pass(2 * s);
    const token = await tokenOf(at, ['stop']);
    const from = at.sim.requests.length;
    const asked = server.ask('POST', stop, token);
    await at.pass(1 * s);
    expect(server.gauge('operations_in_flight')).toBe(1);
    await at.pass(4 * s);
    expect([(await asked).status, server.gauge('operations_in_flight')]).toEqual([200, 0]);
    const looked = at.sim.requests
      .slice(from)
      .filter(({ path }) => /kubevirt\.io\/v1\/.*virtualmachine/.test(path) && !path.includes('subresources'));
    expect(looked).toEqual([]);
    await server.end();
  });

  it('leaves that to the tick which switches it', async () => {
    const at = await withVm({ 'shutdown-seconds': '20' });
    const server = begin(at);
    await at.pass(2 * s);
    const token = await tokenOf(at, ['stop']);
    at.sim.change<{ spec: object; metadata: never }>(
      'wukongs',
      namespace,
      'web',
      ({ spec }) => void Object.assign(spec, { lifecycleAction: { action: 'stop' } }),
    );
    await at.pass(2 * s);
    expect(server.gauge('operations_in_flight')).toBe(1);
    await at.run(server.ask('POST', stop, token, { body: { dryRun: true } }));
    expect(server.gauge('operations_in_flight')).toBe(1);
    await server.end();
  });

  it('holds no VM for a fleet, and says why that is refused', async () => {
    const at = await withVm();
    const server = begin(at);
    await at.pass(2 * s);
    const token = await tokenOf(at, ['stop']);
    at.sim.createWukong({ namespace, name: 'mail', runStrategy: 'Halted', labels: { env: 'dev' } });
    await at.pass(1 * s);
    const refused = await at.run(server.ask('POST', '/events', token, fleet({ maxTargets: 1 })));
    expect([refused.status, refused.body]).toEqual([400, expect.stringContaining('more than maxTargets 1')]);
    const asked = server.ask('POST', '/events', token, fleet());
    await at.pass(1 * s);
    expect(server.gauge('operations_in_flight')).toBe(0);
    await at.pass(5 * s);
    expect((await asked).status).toBe(202);
    await server.end();
  });

  it('and fails says so in its log, and of what is refused, or hung up, nothing', async () => {
    const at = await withVm();
    const server = begin(at, { text: () => Promise.reject(new TypeError('broken')) });
    await at.pass(2 * s);
    expect(await server.status('/nothing')).toBe(404);
    const token = await tokenOf(at, ['stop']);
    const socket = net.connect(server.port(), '127.0.0.1');
    socket.write(`POST ${stop} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-length: 100\r\n\r\n{`);
    await at.pass(1 * s);
    socket.destroy();
    await at.pass(1 * s);
    expect(server.errors).toEqual([]);
    expect(await server.status('/metrics')).toBe(500);
    expect(server.errors).toEqual([
      ['a request failed', { cause: expect.stringContaining('TypeError: broken') as string }],
    ]);
    await server.end();
  });
});

describe('a server that ends', () => {
  it('is not ready any more, and gives those whom it answers two seconds', async () => {
    const at = await withVm();
    const server = begin(at, { text: () => new Promise(() => {}) });
    await at.pass(2 * s);
    const asked = server.ask('GET', '/metrics').catch(() => 'hung up');
    await at.pass(1 * s);
    hold(at, 500, /leases/);
    server.ending.abort(new Error('SIGTERM'));
    expect(await server.status('/readyz')).toBe(503);
    const told = at.clock.now();
    await at.run(server.over);
    expect([await asked, at.clock.now() - told]).toEqual(['hung up', 1_000 + 2_000]);
  });

  it('tells whoever it cannot answer to ask the next one', async () => {
    const at = await withVm();
    const server = begin(at);
    await at.pass(2 * s);
    const token = await tokenOf(at, ['stop']);
    hold(at, 60 * s, /\/wukongs\/web$/);
    const asked = server.ask('POST', stop, token);
    await at.pass(1 * s);
    await server.end();
    const { status, body } = await asked;
    expect([status, JSON.parse(body)]).toMatchObject([
      503,
      { reason: 'Unreachable', message: expect.stringContaining('the same key') as string },
    ]);
  });
});
