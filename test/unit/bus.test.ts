import { describe, expect, it } from 'vitest';

import { eventBus, type PutEvents, source } from '../../shared/report/bus.ts';
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
    const silent = await put(many(1), ...Array.from({ length: 4 }, () => ({ FailedEntryCount: 1 })));
    expect(silent.thrown).toMatchObject({ message: 'event bus night did not take 0 of 1 events: ' });
  });
});
