import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { Agent, Dispatcher, MockAgent } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';

import type { Credentials } from '../../shared/cluster/credentials.ts';
import { type Call, transportTo } from '../../shared/cluster/transport.ts';
import { LifecycleError } from '../../shared/domain/errors.ts';
import { VirtualClock } from '../../sim/clock.ts';

interface Reply {
  status: number;
  body?: string;
  headers?: Record<string, string>;
  /** The connection is lost instead. */
  lost?: boolean;
}
interface Asked {
  at: number;
  method: string;
  headers: Record<string, string>;
  body: unknown;
}

const server = 'http://api.example';
const path = '/apis/x/v1/things';
const get: Call = { method: 'GET', path, safe: true };
const put: Call = { method: 'PUT', path, body: { a: 1 }, safe: false };
const agents: MockAgent[] = [];
afterEach(async () => {
  for (const agent of agents.splice(0)) await agent.close();
});

/** A server whose answers are known beforehand, and how it was asked. */
function answering(replies: Reply[], { refused, random = 0.5 }: { refused?: () => void; random?: number } = {}) {
  const clock = new VirtualClock(0);
  const dispatcher = new MockAgent();
  agents.push(dispatcher);
  dispatcher.disableNetConnect();
  const asked: Asked[] = [];
  let proofs = 0;
  for (const method of ['GET', 'PUT', 'PATCH'])
    dispatcher
      .get(server)
      .intercept({ path, method })
      .reply(({ headers, body }) => {
        asked.push({ at: clock.now(), method, headers: headers as Record<string, string>, body: body ?? undefined });
        const reply = replies.shift() ?? { status: 200 };
        if (reply.lost) throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
        return { statusCode: reply.status, data: reply.body ?? '', responseOptions: { headers: reply.headers ?? {} } };
      })
      .persist();
  const credentials = {
    server,
    dispatcher,
    headers: () => Promise.resolve({ authorization: `Bearer ${++proofs}` }),
    ...(refused ? { refused } : {}),
  } as unknown as Credentials;
  const transport = transportTo(credentials, clock, () => random);
  const run = <T>(work: () => Promise<T>) => clock.run(work, { sims: [] });
  return {
    clock,
    asked,
    transport,
    run,
    call: (call: Call, deadline = 60_000) => run(() => transport.call(call, { deadline })),
  };
}
const pauses = (asked: Asked[]) => asked.slice(1).map(({ at }, i) => at - asked[i]!.at);
const times = (count: number, reply: Reply) => Array.from({ length: count }, () => reply);

describe('a call', () => {
  it('is answered as refused, and not sent, where others were refused while it waited for a connection', async () => {
    const { asked, call, clock } = answering([]);
    let times = 0;
    const answer = await call({ ...get, isShut: () => (times++, true) });
    const body = 'others were refused a moment ago, so it was not sent';
    expect(answer).toEqual({ status: 429, body, warnings: [] });
    expect([asked, times, clock.now()]).toEqual([[], 1, 0]);
  });

  it('leaves no timer behind, however it ends', async () => {
    for (const replies of [[{ status: 200 }], times(9, { status: 200, lost: true })]) {
      const { clock, call } = answering(replies);
      const after = clock.after.bind(clock);
      const waiting = new Set<number>();
      let timers = 0;
      clock.after = (ms, happens) => {
        const timer = ++timers;
        waiting.add(timer);
        const cancel = after(ms, () => (waiting.delete(timer), happens()));
        return () => (waiting.delete(timer), cancel());
      };
      await call(put).catch(() => undefined);
      expect([timers > 0, waiting.size]).toEqual([true, 0]);
    }
  });

  it('bears its proof, takes any answer, and names itself', async () => {
    const { asked, call } = answering([{ status: 200, body: '{"b":2}', headers: { warning: '299 - "x"' } }]);
    expect(await call(get)).toEqual({ status: 200, body: { b: 2 }, warnings: ['299 - "x"'] });
    expect(asked[0]?.headers).toMatchObject({
      authorization: 'Bearer 1',
      accept: 'application/json, */*',
      'user-agent': 'wukong-lifecycle',
    });
    expect(asked[0]?.headers).not.toHaveProperty('content-type');
  });

  it.each<[string | undefined, string]>([
    [undefined, 'application/json'],
    ['application/merge-patch+json', 'application/merge-patch+json'],
  ])('with a body of type %s is sent as %s', async (contentType, type) => {
    const { asked, call } = answering([{ status: 202 }]);
    expect((await call({ ...put, ...(contentType ? { contentType } : {}) })).body).toBeUndefined();
    expect([asked[0]?.headers['content-type'], asked[0]?.body]).toEqual([type, '{"a":1}']);
  });

  it('without a body bears none, nor a type', async () => {
    const { asked, call } = answering([{ status: 202 }]);
    await call({ method: 'PUT', path, safe: false });
    expect(asked[0]).toMatchObject({ method: 'PUT', body: undefined });
    expect(asked[0]?.headers).not.toHaveProperty('content-type');
  });

  it('whose answer is no JSON has its text', async () => {
    const { call } = answering([{ status: 404, body: '404 page not found' }]);
    expect(await call(get)).toEqual({ status: 404, body: '404 page not found', warnings: [] });
  });
});

describe('is sent again', () => {
  it.each([429, 503])('whatever it is, where it was not carried out (%i)', async (status) => {
    const { asked, call } = answering(times(2, { status }));
    expect(await call(put)).toMatchObject({ status: 200 });
    expect(pauses(asked)).toEqual([200, 400]);
  });

  it.each([500, 502, 504])('where twice comes to the same and nobody knows (%i)', async (status) => {
    const { asked, call } = answering([{ status }]);
    expect(await call(get)).toMatchObject({ status: 200 });
    expect(asked).toHaveLength(2);
  });

  it('five times at the most, each after twice as long', async () => {
    const { asked, call } = answering(times(9, { status: 503 }));
    expect(await call(get)).toMatchObject({ status: 503 });
    expect(pauses(asked)).toEqual([200, 400, 800, 1_600]);
  });

  it('not sooner than the server says', async () => {
    const { asked, call } = answering([{ status: 429, headers: { 'retry-after': '3' } }]);
    await call(put);
    expect(pauses(asked)).toEqual([3_000]);
  });

  it('a second later where the server says one second', async () => {
    const { asked, call } = answering([{ status: 429, headers: { 'retry-after': '1' } }]);
    await call(put);
    expect(pauses(asked)).toEqual([1_000]);
  });

  it('after pauses that are spread', async () => {
    const { asked, call } = answering(times(2, { status: 503 }), { random: 0.25 });
    await call(get);
    expect(pauses(asked)).toEqual([150, 300]);
  });

  it.each(['0', '-1', 'tomorrow', 'Infinity'])('as usual where it says Retry-After: %s', async (wait) => {
    const { asked, call } = answering([{ status: 429, headers: { 'retry-after': wait } }]);
    await call(put);
    expect(pauses(asked)).toEqual([200]);
  });

  it('where its connection was lost and twice comes to the same', async () => {
    const { asked, call } = answering([{ status: 0, lost: true }]);
    expect(await call(get)).toMatchObject({ status: 200 });
    expect(pauses(asked)).toEqual([200]);
  });

  it('at once after a 401, with a proof that was read anew; once', async () => {
    let refusals = 0;
    const { asked, call } = answering(times(2, { status: 401 }), { refused: () => refusals++ });
    expect(await call(put)).toMatchObject({ status: 401 });
    expect([pauses(asked), refusals]).toEqual([[0], 2]);
    expect(asked.map(({ headers }) => headers['authorization'])).toEqual(['Bearer 1', 'Bearer 2']);
  });
});

describe('is not sent again', () => {
  it.each([500, 502, 504])('where nobody knows whether it was carried out (%i)', async (status) => {
    const { asked, call } = answering([{ status }]);
    expect(await call(put)).toMatchObject({ status });
    expect(asked).toHaveLength(1);
  });

  it.each([400, 403, 404, 409, 422])('after an answer that stands (%i)', async (status) => {
    const { asked, call } = answering([{ status }]);
    expect(await call(get)).toMatchObject({ status });
    expect(asked).toHaveLength(1);
  });

  it('after another answer than 401, whatever credentials can do', async () => {
    let refusals = 0;
    const { asked, call } = answering([{ status: 403 }], { refused: () => refusals++ });
    expect(await call(get)).toMatchObject({ status: 403 });
    expect([asked.length, refusals]).toEqual([1, 0]);
  });

  it('when its connection was lost five times', async () => {
    const { asked, call } = answering(times(9, { status: 0, lost: true }));
    await expect(call(get)).rejects.toMatchObject({ code: 'Unreachable' });
    expect(asked).toHaveLength(5);
  });

  it('where the credentials cannot be had', async () => {
    const denied = new LifecycleError('Denied', 'the token file is gone');
    let tries = 0;
    const headers = () => (++tries > 20 ? new Promise<never>(() => {}) : Promise.reject(denied)); // not for ever
    const transport = transportTo({ server, headers } as unknown as Credentials, new VirtualClock(0), () => 0.5);
    await expect(transport.call(get)).rejects.toMatchObject({ code: 'Denied' });
    expect(tries).toBe(1);
  });

  it('after a 401 of credentials that cannot be read anew', async () => {
    const { asked, call } = answering([{ status: 401 }]);
    expect(await call(get)).toMatchObject({ status: 401 });
    expect(asked).toHaveLength(1);
  });

  it('where its connection was lost and twice is not the same', async () => {
    const { asked, call } = answering([{ status: 0, lost: true }]);
    await expect(call(put)).rejects.toMatchObject({ code: 'Unreachable' });
    expect(asked).toHaveLength(1);
  });

  it('where the pause would end at its deadline or later: the answer is returned', async () => {
    for (const [deadline, count] of [
      [201, 2],
      [200, 1],
    ] as const) {
      const { asked, call } = answering(times(9, { status: 503 }));
      expect(await call(get, deadline)).toMatchObject({ status: 503 });
      expect(asked, `deadline ${deadline}`).toHaveLength(count);
    }
  });

  it('where its connection was lost and the pause would end at its deadline', async () => {
    for (const [deadline, count] of [
      [201, 2],
      [200, 1],
    ] as const) {
      const { asked, call } = answering(times(9, { status: 0, lost: true }));
      await expect(call(get, deadline)).rejects.toMatchObject({ code: 'Unreachable' });
      expect(asked, `deadline ${deadline}`).toHaveLength(count);
    }
  });
});

it('whoever listens hears of each answer', async () => {
  const { call } = answering([{ status: 503 }]);
  const heard: [number, number][] = [];
  await call({ ...get, heard: (status, ms) => heard.push([status, ms]) });
  expect(heard).toEqual([
    [503, 0],
    [200, 0],
  ]);
});

describe('a stream', () => {
  const linesOf = async (lines: AsyncIterable<string>) => {
    const all: string[] = [];
    for await (const line of lines) all.push(line);
    return all;
  };
  it('is told line by line, also where it is cut in the middle of a letter', async () => {
    const [first, rest] = [Buffer.from('{"a":"\u00fc"}\n\n{"b":1}\nrest'), 7];
    const slow = createServer((_request, response) => {
      response.write(first.subarray(0, rest));
      setImmediate(() => setImmediate(() => response.end(first.subarray(rest))));
    });
    await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
    const here = `http://127.0.0.1:${(slow.address() as AddressInfo).port}`;
    const own = { server: here, dispatcher: new Agent(), headers: () => Promise.resolve({}) } as unknown as Credentials;
    const transport = transportTo(own, new VirtualClock(0), () => 0.5);
    const { status, lines } = await transport.stream(path, new AbortController().signal);
    expect([status, await linesOf(lines)]).toEqual([200, ['{"a":"\u00fc"}', '{"b":1}']]);
    await own.dispatcher.close();
    slow.close();
  });

  it('that is refused has its proof read anew', async () => {
    let refusals = 0;
    const { asked, run, transport } = answering([{ status: 401 }], { refused: () => refusals++ });
    const { signal } = new AbortController();
    expect((await run(() => transport.stream(path, signal))).status).toBe(401);
    expect(refusals).toBe(1);
    await run(() => transport.stream(path, signal));
    expect([refusals, asked.map(({ headers }) => headers['authorization'])]).toEqual([1, ['Bearer 1', 'Bearer 2']]);
    expect(asked[0]?.headers).toMatchObject({ accept: 'application/json', 'user-agent': 'wukong-lifecycle' });
  });

  it('that is refused to credentials which cannot be read anew is an answer', async () => {
    const { run, transport } = answering([{ status: 401 }]);
    expect((await run(() => transport.stream(path, new AbortController().signal))).status).toBe(401);
  });

  it('that cannot be had is Unreachable; one that is not wanted any more ends with the reason', async () => {
    const { run, transport } = answering([{ status: 0, lost: true }]);
    const { signal } = new AbortController();
    await expect(run(() => transport.stream(path, signal))).rejects.toMatchObject({ code: 'Unreachable' });
    const closed = AbortSignal.abort(new Error('closed'));
    await expect(run(() => transport.stream(path, closed))).rejects.toBe(closed.reason);
  });
});

/** A server that takes requests and never answers; and when each was given up. */
function mute() {
  const clock = new VirtualClock(0);
  const given: { at: number; reason: Error }[] = [];
  const dispatcher = new (class extends Dispatcher {
    override dispatch(_options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
      const controller = {
        aborted: false,
        paused: false,
        reason: null,
        rawHeaders: null,
        pause() {},
        resume() {},
        abort: (reason: Error) => given.push({ at: clock.now(), reason }),
      };
      handler.onRequestStart?.(controller as never, {});
      return true;
    }
  })();
  const credentials = { server, dispatcher, headers: () => Promise.resolve({}) } as unknown as Credentials;
  const transport = transportTo(credentials, clock, () => 0.5);
  const lasts = async (call: Call, limits?: Parameters<typeof transport.call>[1]) => {
    const begun = clock.now();
    const failure = await clock.run(
      transport.call(call, limits).then(
        () => undefined,
        (thrown: Error) => thrown,
      ),
      { sims: [] },
    );
    return { ms: clock.now() - begun, failure };
  };
  return { clock, given, transport, lasts };
}

describe('a call that is not answered', () => {
  it.each<[string, number | undefined, number[], number]>([
    ['half of its time is for the first try, half of the rest for the second', 8_000, [4_000, 6_100], 7_500],
    ['a try has fifteen seconds at the most', 100_000, [15_000, 30_200], 78_000],
    ['without a deadline it has thirty', undefined, [15_000], 28_650],
  ])('%s', async (_what, deadline, tries, whole) => {
    const { given, lasts } = mute();
    const { ms, failure } = await lasts(get, deadline === undefined ? undefined : { deadline });
    expect(failure).toMatchObject({
      code: 'Unreachable',
      message: expect.stringContaining('no answer to GET in time') as string,
    });
    expect(given.slice(0, tries.length).map(({ at }) => at)).toEqual(tries);
    expect(ms).toBe(whole);
  });

  it('has a second even where its deadline is past', async () => {
    const { lasts } = mute();
    expect((await lasts(put, { deadline: -5_000 })).ms).toBe(1_000);
  });

  it('ends at once, with the reason, when it is not wanted any more', async () => {
    const { clock, given, lasts } = mute();
    const wish = new AbortController();
    clock.after(300, () => wish.abort(new Error('closed')));
    const { ms, failure } = await lasts(get, { deadline: 60_000, signal: wish.signal });
    expect([ms, failure?.message, given.map(({ at }) => at)]).toEqual([300, 'closed', [300]]);
  });
});
