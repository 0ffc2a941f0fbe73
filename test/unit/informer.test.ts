import { afterEach, describe, expect, it } from 'vitest';

import { follow, type Followed } from '../../shared/cluster/informer.ts';
import type { Answer, Call, Transport } from '../../shared/cluster/transport.ts';
import { LifecycleError } from '../../shared/domain/errors.ts';
import type { Limits } from '../../shared/time/wait.ts';
import { VirtualClock } from '../../sim/clock.ts';

interface Event {
  type: string;
  object: object;
}
/** What one opening of the watch comes to; after the last one it stays open and silent. */
interface Opening {
  status?: number;
  events?: Event[];
  /** How long it lives after them. */
  livesMs?: number;
  /** It is cut; else it ends politely. */
  cut?: boolean;
}

const path = '/apis/x/v1/things';
const thing = (name: string, resourceVersion?: string) => ({
  metadata: { namespace: 'a', name, uid: name, ...(resourceVersion ? { resourceVersion } : {}) },
});
const added = (name: string, version?: string): Event => ({ type: 'ADDED', object: thing(name, version) });
const deleted = (name: string, version?: string): Event => ({ type: 'DELETED', object: thing(name, version) });
const bookmark = (resourceVersion?: string, annotations?: object): Event => ({
  type: 'BOOKMARK',
  object: { metadata: { resourceVersion, ...(annotations ? { annotations } : {}) } },
});
const complete = (version?: string) => bookmark(version, { 'k8s.io/initial-events-end': 'true' });
const error = (code: number, message?: string): Event => ({ type: 'ERROR', object: { code, message } });
const initial = [added('one', '5'), complete('7')];

const open: Followed<unknown>[] = [];
afterEach(() => open.splice(0).forEach((one) => one.close()));

/** A server of which each opening is known beforehand, and when and how it was asked. */
function scripted(...openings: Opening[]) {
  const clock = new VirtualClock(0);
  const asked: { at: number; query: string }[] = [];
  const lists: { call: Call; limits: Partial<Limits> | undefined }[] = [];
  const wait = (ms: number, signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      clock.after(ms, resolve);
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
  async function* lines({ events = [], livesMs, cut }: Opening, signal: AbortSignal) {
    for (const event of events) yield JSON.stringify(event);
    if (livesMs !== 0) await wait(livesMs ?? 1e9, signal);
    if (cut) throw new LifecycleError('Unreachable', 'cut');
  }
  const transport: Transport = {
    call<T>(call: Call, limits?: Partial<Limits>) {
      lists.push({ call, limits });
      const body = { metadata: { resourceVersion: '50' }, items: [thing('one', '40')] };
      return Promise.resolve({ status: server.listStatus, body, warnings: [] } as unknown as Answer<T>);
    },
    stream(to, signal) {
      asked.push({ at: clock.now(), query: to.slice(path.length + 1) });
      const opening = openings.shift() ?? {};
      return Promise.resolve({ status: opening.status ?? 200, lines: lines(opening, signal) });
    },
  };
  const told: string[] = [];
  const read = ({ metadata }: { metadata: { name: string } }) => metadata.name;
  const begin = async (more: { name?: string; deadline?: number } = {}) => {
    const { deadline = 60_000, ...rest } = more;
    const source = { path, read, ...rest };
    const goesOn = () => void server.parts++;
    const followed = await follow({ transport, clock, random: () => server.random }, source, { deadline }, goesOn);
    open.push(followed);
    followed.on('a', 'one', () => told.push(followed.get('a', 'one') ?? 'gone'));
    return followed;
  };
  const after = async <T>(ms: number, work: Promise<T>): Promise<T> => {
    const result = await work;
    await new Promise<void>((resolve) => clock.after(ms, resolve));
    return result;
  };
  const server = {
    listStatus: 200,
    /** Of the first state, that were told as they came. */
    parts: 0,
    random: 0.5,
    clock,
    asked,
    lists,
    told,
    run: <T>(work: () => Promise<T>) => clock.run(work, { sims: [] }),
    /** Follows, and looks after so long. */
    follow: (ms = 0, more?: { name?: string; deadline?: number }) =>
      clock.run(() => after(ms, begin(more)), { sims: [] }),
    refused: (ms = 0, more?: { deadline?: number }) =>
      clock.run(
        () =>
          after(
            ms,
            begin(more).then(
              () => undefined,
              (thrown: LifecycleError) => thrown,
            ),
          ),
        { sims: [] },
      ),
    from: () => asked.map(({ query }) => new URLSearchParams(query).get('resourceVersion') ?? 'the beginning'),
    times: () => asked.map(({ at }) => at),
  };
  return server;
}
const pausesOf = (times: number[]) => times.slice(1).map((at, i) => at - times[i]!);

it('each part of the first state is told, of a watch or of a list, and nothing that comes after it', async () => {
  const watched = scripted({ events: [added('one', '5'), added('two', '6'), complete('7'), added('three', '8')] });
  await watched.follow(100);
  const listed = scripted({ status: 400, livesMs: 0 }, { events: [added('two', '51')] });
  await listed.follow(100);
  expect([watched.parts, listed.parts]).toEqual([3, 1]);
});

describe('what is asked', () => {
  const always = 'watch=true&allowWatchBookmarks=true&timeoutSeconds=240';
  it('is the state of the beginning, and then what comes after it', async () => {
    const server = scripted({ events: initial, livesMs: 2_000 });
    await server.follow(3_000);
    const beginning = `${always}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan`;
    expect(server.asked.map(({ query }) => query)).toEqual([beginning, `${always}&resourceVersion=7`]);
  });
  it('is one object where a name is given', async () => {
    const server = scripted({ events: initial });
    await server.follow(0, { name: 'one' });
    expect(server.asked[0]?.query).toMatch(/^fieldSelector=metadata.name%3Done&watch=true/);
  });
});

describe('a stream goes on', () => {
  it.each<[string, Event[], string]>([
    ['from the end of the beginning', [], '7'],
    ['from the newest change', [added('one', '9')], '9'],
    ['from a bookmark', [bookmark('12')], '12'],
    ['from a bookmark that is marked as an end once more', [complete('13')], '13'],
    ['from where it was, where such a mark bears no version', [added('one', '9'), complete()], '9'],
    ['from where it was, where a change bears no version', [added('one', '9'), added('two')], '9'],
    ['from a deletion', [deleted('one', '11')], '11'],
    ['past the deletion of what is no object', [{ type: 'DELETED', object: { metadata: {} } }], '7'],
    ['past a change of what is no object', [{ type: 'MODIFIED', object: { metadata: {} } }], '7'],
  ])('%s', async (_what, more, from) => {
    const server = scripted({ events: [...initial, ...more], livesMs: 10, cut: true });
    await server.follow(1_000);
    expect([server.from(), server.times()]).toEqual([
      ['the beginning', from],
      [0, 110],
    ]);
  });

  it.each<[string, Opening]>([
    ['after an ERROR 410', { events: [...initial, error(410)] }],
    ['after an ERROR 504: the cluster was put back', { events: [...initial, error(504)] }],
  ])('from the beginning %s', async (_what, opening) => {
    const server = scripted(opening);
    await server.follow(1_000);
    expect(server.from()).toEqual(['the beginning', 'the beginning']);
  });

  it.each([
    ['an ERROR 500', { events: [...initial, error(500, 'etcd is away')] }],
    ['an ERROR without a message', { events: [...initial, error(500)] }],
  ])('where it was after %s', async (_what, opening) => {
    const server = scripted(opening);
    await server.follow(1_000);
    expect(server.from()).toEqual(['the beginning', '7']);
  });

  it('where it was after an answer 500; after a 410 with what a LIST says', async () => {
    const server = scripted({ events: initial, livesMs: 0 }, { status: 500, livesMs: 0 }, { status: 410, livesMs: 0 });
    await server.follow(5_000);
    expect(server.from()).toEqual(['the beginning', '7', '7', '50']);
  });

  it('from the beginning where that had not been complete; the third time by a LIST', async () => {
    const half = { events: [added('one', '5')], livesMs: 0 };
    const server = scripted(half, half);
    const followed = await server.follow(100);
    expect(server.from()).toEqual(['the beginning', 'the beginning', '50']);
    expect(server.lists).toHaveLength(1);
    expect(server.lists[0]?.limits?.deadline).toBe(300 + 60_000);
    expect(server.lists[0]?.limits?.signal?.aborted).toBe(false);
    expect(followed.get('a', 'one')).toBe('one');
  });

  it.each([400, 422])('by a LIST where the server knows no initial events (%i)', async (status) => {
    const server = scripted({ status, livesMs: 0 });
    await server.follow(100);
    expect([server.from(), server.times()]).toEqual([
      ['the beginning', '50'],
      [0, 0],
    ]);
  });
});

describe('the first state', () => {
  it('is without what was deleted again while it was told', async () => {
    const server = scripted({ events: [added('one', '5'), added('two', '5'), deleted('one', '6'), complete('7')] });
    const followed = await server.follow();
    expect([followed.get('a', 'one'), followed.get('a', 'two')]).toEqual([undefined, 'two']);
  });

  it('is complete at the marked bookmark alone', async () => {
    const server = scripted({ events: [added('one', '5'), bookmark('6')], livesMs: 3_000 }, { events: initial });
    await server.follow();
    expect(server.clock.now()).toBe(3_100);
  });

  it('after a new beginning has lost what was not told any more, and says so', async () => {
    const server = scripted({ events: [...initial, error(410)] }, { events: [added('two', '20'), complete('21')] });
    const followed = await server.follow(1_000);
    expect([followed.get('a', 'one'), followed.get('a', 'two')]).toEqual([undefined, 'two']);
    expect(server.told.at(-1)).toBe('gone');
  });

  it('that does not come in time is Unreachable, and nobody asks any more', async () => {
    const server = scripted({});
    const refused = await server.refused(200_000, { deadline: 2_000 });
    expect(refused).toMatchObject({
      code: 'Unreachable',
      message: expect.stringMatching(/^watch of \/.*: no first state in time$/) as string,
    });
    expect(server.asked).toHaveLength(1);
  });

  it.each([
    [403, 'Denied', 1],
    [404, 'NotFound', 1],
    [401, 'Denied', 3],
    [500, 'Unreachable', 5],
  ])('that is refused with %i fails as %s after %i times', async (status, code, times) => {
    const server = scripted(...Array.from({ length: 9 }, () => ({ status, livesMs: 0 })));
    server.listStatus = status;
    expect(await server.refused(60_000)).toMatchObject({ code, status });
    expect(server.asked.length + server.lists.length).toBe(times);
  });
});

describe('a watch that had its state', () => {
  it.each([
    [403, 'Denied'],
    [404, 'NotFound'],
    [401, 'Denied'],
  ])('fails for good when it is refused three times in a row (%i), and tells everybody', async (status, code) => {
    const refusals = Array.from({ length: 9 }, () => ({ status, livesMs: 0 }));
    const server = scripted({ events: initial, livesMs: 2_000 }, ...refusals);
    const followed = await server.follow(60_000);
    expect(server.asked).toHaveLength(3);
    expect(server.told).toHaveLength(1);
    expect(() => followed.check()).toThrow(expect.objectContaining({ code }) as Error);
  });

  it('goes on after two refusals: a server that has just come up may refuse what it allows', async () => {
    const server = scripted({ events: initial, livesMs: 0 }, { status: 403, livesMs: 0 }, {});
    const followed = await server.follow(5_000);
    expect(() => followed.check()).not.toThrow();
    expect(server.asked).toHaveLength(3);
  });

  it('is tried for ever where the server is away, and never given up', async () => {
    const cut = { livesMs: 0, cut: true };
    const server = scripted({ events: initial, livesMs: 2_000 }, ...Array.from({ length: 12 }, () => cut));
    const followed = await server.follow(60_000);
    expect(() => followed.check()).not.toThrow();
    expect(server.asked).toHaveLength(14);
  });

  it('asks no more once it is closed', async () => {
    const server = scripted({ events: initial, livesMs: 0 });
    const followed = await server.follow();
    followed.close();
    await server.run(() => new Promise<void>((resolve) => server.clock.after(10_000, resolve)));
    expect(server.asked).toHaveLength(1);
  });
});

describe('between two streams', () => {
  const many = (opening: Opening) => Array.from({ length: 9 }, () => opening);
  const lived = (ms: number) => ({ events: [], livesMs: ms });

  it('pauses grow to six tenths of a second while the server is away', async () => {
    const server = scripted({ events: initial, livesMs: 2_000 }, ...many({ livesMs: 0, cut: true }));
    await server.follow(6_000);
    expect(pausesOf(server.times()).slice(0, 6)).toEqual([2_100, 200, 400, 600, 600, 600]);
  });

  it('they grow to five seconds while it answers, but badly', async () => {
    const server = scripted({ events: initial, livesMs: 2_000 }, ...many({ status: 503, livesMs: 0 }));
    await server.follow(30_000);
    expect(pausesOf(server.times()).slice(0, 8)).toEqual([2_100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
  });

  it.each([
    ['one that lived for a second was well', 1_000, [2_100, 1_100, 1_100]],
    ['a shorter one has failed', 999, [2_100, 1_199, 1_399]],
  ])('%s', async (_what, ms, pauses) => {
    const server = scripted({ events: initial, livesMs: 2_000 }, lived(ms), lived(ms));
    await server.follow(6_000);
    expect(pausesOf(server.times())).toEqual(pauses);
  });

  it('one that never had its state was not well, however long it lived', async () => {
    const server = scripted(lived(3_000), lived(3_000), { events: initial });
    await server.follow();
    expect(pausesOf(server.times()).slice(0, 2)).toEqual([3_100, 3_200]);
  });

  it('one that told something was well up to then', async () => {
    const told = { events: [added('one', '9')], livesMs: 0 };
    const server = scripted({ events: initial, livesMs: 0 }, told, told, told);
    await server.follow(5_000);
    expect(pausesOf(server.times())).toEqual([100, 100, 100, 100]);
  });
});

it('a change is told as one, not as an end and a beginning', async () => {
  const half = { events: initial, livesMs: 2_000 };
  const server = scripted(half, { events: [{ type: 'MODIFIED', object: thing('one', '9') }] });
  await server.follow(5_000);
  expect(server.told).toEqual(['one']);
});

it('a stream that ends politely, again and again, has failed like one that was cut', async () => {
  const server = scripted({ events: initial, livesMs: 2_000 }, ...Array.from({ length: 9 }, () => ({ livesMs: 0 })));
  await server.follow(6_000);
  expect(pausesOf(server.times()).slice(0, 5)).toEqual([2_100, 200, 400, 600, 600]);
});

it('a pause is spread, in whole milliseconds', async () => {
  const server = scripted({ events: initial, livesMs: 2_000 }, { livesMs: 0, cut: true });
  server.random = 0.123;
  await server.follow(3_000);
  expect(pausesOf(server.times())).toEqual([2_062, 125]);
});

it('a refusal is told at once, not when the time is up', async () => {
  const server = scripted({ status: 403, livesMs: 0 });
  await server.refused();
  expect(server.clock.now()).toBe(0);
});

describe('a stream that is not answered, or falls silent,', () => {
  it('is opened anew after a minute and a half without a word', async () => {
    const server = scripted({ events: initial });
    await server.follow(91_000);
    expect(server.times()).toEqual([0, 90_100]);
  });

  it.each<[string, Event[]]>([
    ['at its beginning', []],
    ['in the middle', [added('one', '5')]],
  ])('is opened anew after fifteen seconds while its first state is not complete: %s', async (_what, events) => {
    const server = scripted({ events }, { events: initial });
    await server.follow(1_000);
    expect(server.times()).toEqual([0, 15_100]);
  });
});
