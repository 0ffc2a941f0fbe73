import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

import { afterEach, describe, expect, it } from 'vitest';

import { type Credentials, credentialsOf, parseKubeConfig } from '../../shared/cluster/credentials.ts';
import { follow } from '../../shared/cluster/informer.ts';
import { type Transport, transportTo } from '../../shared/cluster/transport.ts';
import { type Clock, systemClock, unsetTime } from '../../shared/time/clock.ts';
import { makeCertificates } from '../../sim/apiserver/certificate.ts';
import { type Sim, startSim, VirtualClock } from '../../sim/sim.ts';
import { dice } from '../dice.ts';

const hour = 3_600_000;
const pods = '/api/v1/namespaces/a/pods';
const get = { method: 'GET', path: pods, safe: true } as const;
const random = dice();

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

/** A cluster that accepts what it is sent and does not answer for ten hours. */
async function mute(): Promise<{ sim: Sim; clock: VirtualClock; credentials: Credentials }> {
  const clock = new VirtualClock('2026-11-23T20:00:00Z');
  const sim = await startSim({ clock });
  open.push(() => sim.close());
  sim.faults.add({ when: {}, does: { kind: 'delay', ms: 10 * hour } });
  return { sim, clock, credentials: await credentialsOf(parseKubeConfig(sim.kubeconfig()), sim.dispatcher()) };
}

/** How long until it was given up, and with which code. */
async function given(up: Promise<unknown>, clock: Clock): Promise<{ code: string; ms: number }> {
  const begun = clock.now();
  try {
    await up;
  } catch (thrown) {
    return { code: (thrown as { code: string }).code, ms: clock.now() - begun };
  }
  throw new Error('it was answered');
}

describe('a call is back by its deadline', () => {
  it.each([
    ['safe', true],
    ['not to be repeated', false],
  ])('where the server accepts it and never answers: %s', async (_what, safe) => {
    const { sim, clock, credentials } = await mute();
    const transport = transportTo(credentials, clock, random);
    const call = () => given(transport.call({ ...get, safe }, { deadline: clock.now() + 4_000 }), clock);
    const { code, ms } = await clock.run(call, { sims: [sim] });
    expect(code).toBe('Unreachable');
    expect(ms).toBeLessThanOrEqual(4_000);
  });

  it('where all connections are taken by calls that hang', async () => {
    const { sim, clock, credentials } = await mute();
    const transport = transportTo(credentials, clock, random);
    const work = async () => {
      const long = { deadline: clock.now() + hour };
      const hang = Array.from({ length: 64 }, () => given(transport.call({ ...get, safe: false }, long), clock));
      const late = Array.from({ length: 200 }, () =>
        given(transport.call({ ...get, safe: false }, { deadline: clock.now() + 4_000 }), clock),
      );
      const ends = await Promise.all(late);
      expect(Math.max(...ends.map(({ ms }) => ms))).toBeLessThanOrEqual(4_000);
      await Promise.all(hang);
    };
    await clock.run(work, { sims: [sim] });
    expect(sim.requests.length, 'what was given up is not sent; half is for other namespaces').toBe(32);
  });

  it('where the token never comes', async () => {
    const { sim, clock, credentials } = await mute();
    const never = { ...credentials, headers: () => new Promise<never>(() => {}) };
    const transport = transportTo(never, clock, random);
    const call = () => given(transport.call(get, { deadline: clock.now() + 4_000 }), clock);
    expect((await clock.run(call, { sims: [sim] })).ms).toBeLessThanOrEqual(4_000);
    const stop = new AbortController();
    clock.after(3_000, () => stop.abort(new Error('given up')));
    const stream = transport.stream(`${pods}?watch=true`, stop.signal);
    await expect(clock.run(stream, { sims: [sim] })).rejects.toThrow('given up');
  });

  it('where the process was frozen for a minute between two calls: a second is left to note where it stands', async () => {
    const { sim, clock, credentials } = await mute();
    const transport = transportTo(credentials, clock, random);
    const deadline = clock.now() + 30_000;
    clock.advance(60_000);
    const { ms } = await clock.run(() => given(transport.call(get, { deadline }), clock), { sims: [sim] });
    expect(ms).toBeLessThanOrEqual(1_000);
  });

  it('where the clock steps back by an hour meanwhile', async () => {
    const { sim, clock, credentials } = await mute();
    let set = 0;
    const wall: Clock = { now: () => clock.now() + set, after: (ms, run) => clock.after(ms, run) };
    const transport = transportTo(credentials, wall, random);
    clock.after(1_000, () => (set = -hour));
    const call = () => given(transport.call(get, { deadline: wall.now() + 8_000 }), clock);
    expect((await clock.run(call, { sims: [sim] })).ms).toBeLessThanOrEqual(8_000);
  });

  it('where a watch is opened and nobody answers; and that is tried again after a quarter of a minute', async () => {
    const { sim, clock, credentials } = await mute();
    const cluster = { transport: transportTo(credentials, clock, random), clock, random };
    const source = { path: pods, read: () => 1 };
    const work = () => given(follow(cluster, source, { deadline: clock.now() + 20_000 }), clock);
    expect(await clock.run(work, { sims: [sim] })).toEqual({ code: 'Unreachable', ms: 20_000 });
    expect(sim.requests.length).toBe(2);
  });
});

describe('the machine’s time', () => {
  const set = () => {
    const at = { wall: 1_000_000, steady: 500 };
    const pass = (ms: number) => {
      at.wall += ms;
      at.steady += ms;
    };
    return {
      at,
      pass,
      now: unsetTime(
        () => at.wall,
        () => at.steady,
      ),
    };
  };

  it('goes on as if nothing had been set after a step back, for a quarter of an hour', () => {
    const { at, pass, now } = set();
    at.wall -= hour;
    expect(now()).toBe(1_000_000);
    pass(10_000);
    expect(now()).toBe(1_010_000);
    pass(889_999);
    expect(now()).toBe(1_899_999);
    pass(1);
    expect(now()).toBe(1_900_000 - hour);
  });

  it('follows a step forward at once, and the wall when it is right again', () => {
    const { at, pass, now } = set();
    at.wall += hour;
    expect(now()).toBe(1_000_000 + hour);
    at.wall -= 2 * hour;
    pass(1_000);
    expect(now()).toBe(1_001_000 + hour);
    at.wall += 2 * hour;
    expect(now()).toBe(1_001_000 + hour);
    at.wall -= 900; // less than a second
    expect(now()).toBe(1_000_100 + hour);
  });

  it('is the wall’s', () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(5);
  });
});

describe('watches have connections of their own', () => {
  /** Real connections, as they are made from a kubeconfig. */
  async function connected(server: string, ca: string, token = ''): Promise<Transport> {
    const cluster = { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') };
    const kubeconfig = {
      clusters: [{ name: 'c', cluster }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      users: [{ name: 'u', user: { token } }],
      'current-context': 'c',
    };
    const credentials = await credentialsOf(parseKubeConfig(JSON.stringify(kubeconfig)));
    open.push(async () => {
      await credentials.dispatcher.destroy();
      await credentials.streams?.destroy();
    });
    return transportTo(credentials, systemClock, random);
  }

  it('300 of them keep no call waiting, over a handful of connections; one that ends harms no other', async () => {
    const sim = await startSim();
    open.unshift(() => sim.close());
    const transport = await connected(sim.url, sim.caPem, sim.adminToken);
    const stops = Array.from({ length: 300 }, () => new AbortController());
    const path =
      '/apis/kubevirt.io/v1/virtualmachines?watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan';
    const streams = await Promise.all(stops.map(({ signal }) => transport.stream(path, signal)));
    const first = streams.map(({ lines }) => lines[Symbol.asyncIterator]());
    await Promise.all(first.map((one) => one.next()));
    expect((await transport.call({ method: 'GET', path: '/version', safe: true })).status).toBe(200);
    expect(sim.connections.most).toBeLessThanOrEqual(8);
    const others = first.slice(1).map((one) => one.next());
    stops[0]!.abort(new Error('enough'));
    await expect(first[0]!.next()).rejects.toThrow();
    sim.createWukong({ namespace: 'a', name: 'web' });
    expect((await Promise.all(others)).every(({ value }) => String(value).includes('"ADDED"'))).toBe(true);
    for (const stop of stops) stop.abort();
  });

  it('as many as they need where the server knows HTTP/1.1 only', async () => {
    const { caPem, server: identity } = makeCertificates();
    const server = createServer({ key: identity.key, cert: identity.certificate }, (request, response) => {
      if (request.url?.includes('watch=true')) response.write('{}\n');
      else response.end('{}');
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    open.push(() => new Promise((closed) => (server.closeAllConnections(), server.close(() => closed()))));
    const transport = await connected(`https://127.0.0.1:${(server.address() as AddressInfo).port}`, caPem);
    const stop = new AbortController();
    const streams = Array.from({ length: 80 }, () => transport.stream('/x?watch=true', stop.signal));
    expect((await Promise.all(streams)).map(({ status }) => status)).toEqual(Array.from({ length: 80 }, () => 200));
    expect((await transport.call({ method: 'GET', path: '/x', safe: true })).status).toBe(200);
    stop.abort(new Error('enough'));
  });
});
