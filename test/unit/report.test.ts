import { describe, expect, it } from 'vitest';

import type { Wukong } from '../../shared/domain/model.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { detailOf, note, putOutcome, tell, type Telling, tellingMs } from '../../shared/report/report.ts';
import { s, t0 } from './machines.ts';
import { telling } from './tellings.ts';

const web = { metadata: { namespace: 'team-a', name: 'web', uid: 'w' } } as Wukong;
const outcome = (more: object = {}) =>
  ({
    ...{ namespace: 'team-a', name: 'web', action: 'stop', outcome: 'Stopped', message: 'It is off.', forced: false },
    ...{ requestId: 'r', trigger: 'cli', startedAt: t0, finishedAt: t0 + 5 * s, ...more },
  }) as Outcome;
const forced = outcome({ outcome: 'ForcedOff', forceReason: 'Requested', forced: true });
const detail = {
  ...{ version: '1', id: 'team-a/web/r', namespace: 'team-a', name: 'web', action: 'stop', outcome: 'Stopped' },
  ...{ message: 'It is off.', forced: false, requestId: 'r', trigger: 'cli' },
  ...{ startedAt: '2026-11-23T20:00:00Z', finishedAt: '2026-11-23T20:00:05Z' },
};

describe('an outcome as it is told', () => {
  it('has all that is known, on one line', () => {
    expect(detailOf(outcome())).toStrictEqual(detail);
    const odd = detailOf(outcome({ message: 'a\nb', requestId: 'r\nr', trigger: 'x\ny' }));
    expect(odd).toMatchObject({ id: 'team-a/web/r r', message: 'a b', requestId: 'r r', trigger: 'x y' });
  });

  it.each<[object, object]>([
    [
      { outcome: 'Failed', reason: 'Stuck' },
      { id: 'team-a/web/r/failed/Stuck', reason: 'Stuck' },
    ],
    [
      { outcome: 'ForcedOff', forceReason: 'Requested', forced: true },
      { forceReason: 'Requested', forced: true },
    ],
    [{ observed: false }, { observed: false }],
  ])('says more of %j', (more, expected) => {
    const { outcome: _, ...told } = more as { outcome?: string };
    expect(detailOf(outcome(more))).toStrictEqual({ ...detail, outcome: 'Stopped', ...more, ...told, ...expected });
  });

  it.each([
    ['Stopped', 'info'],
    ['Failed', 'error'],
    ['ForcedOff', 'warn'],
  ])('is a line: %s', (name, level) => {
    const { world, logged } = telling(t0);
    note(world, outcome({ outcome: name }));
    expect(logged).toMatchObject([[level, `stop team-a/web: ${name}`, { says: 'It is off.', requestId: 'r' }]]);
    expect(logged[0]?.[2]).not.toHaveProperty('message');
  });

  it('is counted once, with how late it was begun', () => {
    const counted = (...args: [Outcome, boolean?]) => {
      const { world, counted } = telling(t0);
      note(world, ...args);
      return counted;
    };
    expect([counted(outcome()), counted(outcome({ dueAt: t0 - 2 * s })), counted(outcome(), false)]).toEqual([
      ...[[['web', undefined]], [['web', 2 * s]], []],
    ]);
  });
});

describe('who is told of an outcome', () => {
  async function told(one: Outcome, answers: [number, object?][], more: Partial<Telling> = {}, bus?: 'full' | 'none') {
    const { world, ...rest } = telling(t0, ...answers);
    if (bus === 'none') delete world.bus;
    if (bus === 'full') world.bus = { put: () => Promise.reject(new Error('full')) };
    const limits = { deadline: t0 + s };
    const unheard = await tell(world, web, one, { teller: 'me', limits, ...more });
    return { unheard, lines: rest.logged.map(([level]) => level), ...rest, limits };
  }
  const before: [number, object?][] = [[409], [200, { reportingInstance: 'another' }]];
  const down: [number, object?][] = [[500, { message: 'down' }]];

  it('is whoever reads Events, the bus, the log and metrics', async () => {
    const { unheard, asked, told: sent, lines, counted, notices, within, limits } = await told(outcome(), [[201]]);
    expect([unheard, sent, lines, counted.length, notices]).toEqual([
      ...[undefined, [{ type: 'Wukong VM Lifecycle Outcome', detail, time: t0 + 5 * s }], ['info'], 1, []],
    ]);
    expect([asked, within]).toMatchObject([[{ body: { reason: 'Stopped', reportingInstance: 'me' } }], [limits]]);
  });

  it('is the webhook too where a guest was forced, once', async () => {
    const { notices } = await told(forced, [[201]]);
    expect(notices).toEqual([
      {
        ...{ id: 'team-a/web/r', type: 'dev.novasphere.wukong.outcome.v1', subject: 'team-a/web', time: t0 + 5 * s },
        ...{ text: 'team-a/web: stop ForcedOff: It is off.', detail: detailOf(forced) },
      },
    ]);
    expect((await told(forced, [[201]], { counts: false })).notices).toEqual([]);
    const { world } = telling(t0, [201]);
    delete world.webhook;
    expect(await tell(world, web, forced, { teller: 'me', limits: {} })).toBeUndefined();
    expect(tellingMs).toBe(8_000);
    expect((await told(outcome(), [[201]], { counts: false })).counted).toEqual([]);
  });

  it('is nobody where another process told it, but the bus where that is insisted on', async () => {
    const { unheard, told: sent, lines } = await told(outcome(), before);
    expect([unheard, sent, lines]).toEqual([undefined, [], []]);
    const again = await told(outcome(), before, { insist: true });
    expect([again.told.length, again.lines]).toEqual([1, ['info']]);
  });

  it('is whoever hears the bus, where the Event cannot be written', async () => {
    const { unheard, told: sent, lines, counted } = await told(outcome(), down);
    expect([unheard, sent.length, lines, counted.length]).toEqual([undefined, 1, ['warn', 'info'], 1]);
    const { logged } = await told(outcome(), down);
    expect(logged[0]).toEqual([
      'warn',
      'the Event could not be written',
      { problem: expect.stringContaining('down') as string },
    ]);
  });

  it.each(['full', 'none'] as const)('is nobody where there is no Event and the bus is %s', async (bus) => {
    const { unheard, lines, counted } = await told(outcome(), down, {}, bus);
    expect([unheard?.code, lines.includes('info'), counted.length]).toEqual(['Unreachable', true, 1]);
    const silent = await told(outcome(), down, { onlyHeard: true }, bus);
    expect([silent.unheard?.code, silent.lines.includes('info'), silent.counted]).toEqual(['Unreachable', false, []]);
    expect((await told(outcome(), [[201]], { onlyHeard: true }, bus)).unheard).toBeUndefined();
    expect((await told(outcome(), down, { onlyHeard: true })).lines).toContain('info');
  });

  it('is told by the bus alone why it was not', async () => {
    const { world, logged } = telling(t0);
    world.bus = { put: () => Promise.reject(new Error('full')) };
    expect(await putOutcome(world, outcome())).toMatchObject({ code: 'Unknown', message: 'full' });
    expect(logged).toEqual([['error', 'the outcome event could not be sent', { problem: 'full', requestId: 'r' }]]);
    delete world.bus;
    expect(await putOutcome(world, outcome())).toBeUndefined();
  });
});
