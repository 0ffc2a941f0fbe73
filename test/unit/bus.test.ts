import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { describe, expect, it, vi } from 'vitest';

import { eventBridge, eventBus, type PutEvents, source } from '../../shared/report/bus.ts';
import { VirtualClock } from '../../sim/clock.ts';

const entry = (type: string, detail: unknown = { type }) => ({ type, detail, time: 1_000 });
const many = (count: number, detail?: unknown) => Array.from({ length: count }, (_, i) => entry(`e${i}`, detail));

/** What is sent, and when, where a bus answers so, and then takes everything. */
async function put(entries: ReturnType<typeof many>, ...answers: Awaited<ReturnType<PutEvents>>[]) {
  const clock = new VirtualClock(0);
  const sent: { at: number; types: string[] }[] = [];
  const raw: Parameters<PutEvents>[0][] = [];
  const bus = eventBus(
    'night',
    (all) => {
      raw.push(all);
      sent.push({ at: clock.now(), types: all.map(({ DetailType }) => DetailType) });
      return Promise.resolve(answers.shift() ?? {});
    },
    clock,
  );
  let thrown: unknown;
  await clock.run(
    bus.put(entries).catch((error: unknown) => void (thrown = error)),
    { sims: [] },
  );
  return { sent, raw, thrown, sizes: sent.map(({ types }) => types.length) };
}
const refusing = (...codes: (string | undefined)[]) => ({
  FailedEntryCount: codes.filter(Boolean).length,
  Entries: codes.map((ErrorCode) => (ErrorCode ? { ErrorCode } : {})),
});

describe('the event bus', () => {
  it('is given what happened, and when', async () => {
    const { raw } = await put([entry('Stopped', { a: 1 })]);
    expect(raw).toEqual([
      [{ EventBusName: 'night', Source: source, DetailType: 'Stopped', Detail: '{"a":1}', Time: new Date(1_000) }],
    ]);
    expect([source, (await put([])).sent]).toEqual(['novasphere.wukong-lifecycle', []]);
  });

  it('takes ten at once', async () =>
    expect([(await put(many(10))).sizes, (await put(many(21))).sizes]).toEqual([[10], [10, 10, 1]]));

  it('takes 240,000 bytes at once', async () => {
    const sized = (...bytes: number[]) => bytes.map((size, i) => entry(`e${i}`, 'x'.repeat(size - 2)));
    expect((await put(sized(120_000, 120_000))).sizes).toEqual([2]);
    expect((await put(sized(120_000, 120_001))).sizes).toEqual([1, 1]);
    expect((await put(sized(250_000, 10, 239_990, 10, 10))).sizes).toEqual([1, 2, 2]);
    expect((await put([entry('a', '猴'.repeat(50_000)), entry('b', '猴'.repeat(50_000))])).sizes).toEqual([1, 1]);
    expect((await put([...many(9), ...sized(239_000, 900, 200)])).sizes).toEqual([10, 2]);
  });

  it('is asked again for those alone that it did not take, ever later', async () => {
    const { sent, thrown } = await put(
      many(3),
      refusing('Throttled', undefined, 'Throttled'),
      refusing(undefined, 'Throttled'),
    );
    expect(sent).toEqual([
      { at: 0, types: ['e0', 'e1', 'e2'] },
      { at: 800, types: ['e0', 'e2'] },
      { at: 2_400, types: ['e2'] },
    ]);
    expect(thrown).toBeUndefined();
  });

  it('that does not take some is told by name, after the fourth time, and the batches behind are not sent', async () => {
    const answers = Array.from({ length: 4 }, () => refusing('Throttled', 'Other'));
    const { sent, thrown } = await put(many(12), ...answers);
    expect(sent.map(({ at }) => at)).toEqual([0, 800, 2_400, 5_600]);
    expect(thrown).toMatchObject({
      code: 'Unreachable',
      message: 'event bus night did not take 2 of 10 events: Throttled',
    });
    const silent = await put(
      many(1),
      ...[{}, {}, {}, { Entries: [{}] }].map((more) => ({ FailedEntryCount: 1, ...more })),
    );
    expect(silent.thrown).toMatchObject({ message: 'event bus night did not take 0 of 1 events: ' });
  });
});

it('EventBridge itself is given the entries as they are, and answers which it did not take', async () => {
  const bodies: unknown[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      bodies.push([request.headers['x-amz-target'], JSON.parse(Buffer.concat(chunks).toString())]);
      response.setHeader('content-type', 'application/x-amz-json-1.1');
      response.end(JSON.stringify({ FailedEntryCount: 1, Entries: [{ ErrorCode: 'Throttled' }] }));
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const env = { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' };
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  vi.stubEnv('AWS_ENDPOINT_URL_EVENTBRIDGE', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  try {
    const one = { EventBusName: 'night', Source: source, DetailType: 'Stopped', Detail: '{}' };
    const send = eventBridge();
    for (const at of [1_000, 2_000]) {
      const { FailedEntryCount, Entries } = await send([{ ...one, Time: new Date(at) }]);
      expect([FailedEntryCount, Entries]).toEqual([1, [{ ErrorCode: 'Throttled' }]]);
    }
    const asked = (Time: number) => ['AWSEvents.PutEvents', { Entries: [{ ...one, Time }] }];
    expect(bodies).toEqual([asked(1), asked(2)]);
  } finally {
    vi.unstubAllEnvs();
    server.closeAllConnections();
    server.close();
  }
});
