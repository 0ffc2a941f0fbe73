import { describe, expect, it } from 'vitest';

import { follow } from '../../shared/cluster/informer.ts';
import type { Answer, Call, Transport } from '../../shared/cluster/transport.ts';
import { watch } from '../../shared/cluster/watch.ts';
import { sleep } from '../../shared/time/wait.ts';
import { VirtualClock } from '../../sim/clock.ts';

const path = '/apis/kubevirt.io/v1/virtualmachineinstances';
const object = (name: string) => ({ metadata: { namespace: 'a', name } });
const page = (resourceVersion: string, names: string[], more?: string) => ({
  status: 200,
  body: { metadata: { resourceVersion, continue: more }, items: names.map(object) },
});

/** A server that knows no initial events, whose lists are these pages, and on which nothing happens afterwards. */
function serverOf(...pages: { status: number; body: object }[]) {
  const clock = new VirtualClock(0);
  const watchedFrom: (string | null)[] = [];
  const transport: Transport = {
    call: <T>(_call: Call) => Promise.resolve({ ...pages.shift(), warnings: [] } as unknown as Answer<T>),
    stream(asked, signal) {
      const { searchParams } = new URL(asked, 'https://server');
      if (searchParams.has('sendInitialEvents'))
        return Promise.resolve({ status: 422, lines: (async function* () {})() });
      watchedFrom.push(searchParams.get('resourceVersion'));
      const ended = new Promise<never>((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error)),
      );
      return Promise.resolve({
        status: 200,
        lines: (async function* () {
          yield await ended;
        })(),
      });
    },
  };
  const source = { path, read: ({ metadata }: { metadata: { name: string } }) => metadata.name };
  return {
    watchedFrom,
    first: () =>
      clock.run(
        async () => {
          const followed = await follow({ transport, clock, random: () => 0.5 }, source, { deadline: 60_000 });
          await sleep(clock, 1_000); // the stream after the list is open then
          return followed;
        },
        { sims: [] },
      ),
  };
}

describe('the first state of a watch', () => {
  it('is a list, page after page, where the server knows no initial events', async () => {
    const server = serverOf(page('7', ['one'], 'more'), page('7', ['two']));
    const known = await server.first();
    expect(['one', 'two', 'three'].map((name) => known.get('a', name))).toEqual(['one', 'two', undefined]);
    known.close();
    expect(server.watchedFrom).toEqual(['7']);
  });

  it('is a list of one moment: where the server forgot it between two pages, what came up in between would be taken for absent', async () => {
    const forgotten = { status: 410, body: { reason: 'Expired', metadata: { continue: 'the rest, as of now' } } };
    const server = serverOf(
      page('7', ['two'], 'more'),
      forgotten,
      page('9', ['three']),
      page('9', ['one', 'two', 'three']),
    );
    const known = await server.first();
    expect(['one', 'two', 'three'].map((name) => known.get('a', name))).toEqual(['one', 'two', 'three']);
    known.close();
    expect(server.watchedFrom).toEqual(['9']);
  });
});

describe('one stream', () => {
  /** A stream with this answer, and what is taken of it. */
  async function streamed(status: number, lines: (clock: VirtualClock, signal: AbortSignal) => AsyncIterable<string>) {
    const clock = new VirtualClock(0);
    const transport = {
      stream: (_path: string, signal: AbortSignal) => Promise.resolve({ status, lines: lines(clock, signal) }),
    } as unknown as Transport;
    const cluster = { transport, clock, random: () => 0.5 };
    const taken: unknown[] = [];
    const work = () => watch(cluster, path, new AbortController().signal, (event) => void taken.push(event.type));
    const ended = await clock.run(() => work().catch((error: Error) => error), { sims: [] });
    return { ended, taken, overAt: clock.now() };
  }
  const added = JSON.stringify({ type: 'ADDED', object: object('one') });

  it('that was opened may be silent for longer than one that was not answered', async () => {
    const quiet = async function* (clock: VirtualClock, signal: AbortSignal) {
      await sleep(clock, 60_000, signal);
      yield added;
    };
    expect(await streamed(200, quiet)).toEqual({ ended: 200, taken: ['ADDED'], overAt: 60_000 });
  });

  it('with another answer than 200 has no events', async () => {
    const said = async function* () {
      await Promise.resolve();
      yield added;
    };
    expect(await streamed(403, said)).toMatchObject({ ended: 403, taken: [] });
  });
});
