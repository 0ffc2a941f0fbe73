import { describe, expect, it } from 'vitest';

import type { Wukong } from '../../shared/domain/model.ts';
import { lineOf } from '../../shared/reconcile/problems.ts';
import { mark, type Marking } from '../../shared/reconcile/scheduleStatus.ts';
import type { Decision } from '../../shared/schedule/decide.ts';
import { checkSchedule, type WukongSchedule } from '../../shared/schedule/schedule.ts';
import { troubleLines, troublesOf } from '../../shared/schedule/timetable.ts';
import { worldOf } from './asked.ts';
import { at, office, schedule } from './schedules.ts';

const now = at('2026-11-23T19:00:30Z'); // 20:00:30 in Berlin: the stop of 20:00 is due
const limits = { deadline: now + 10_000 };
const path = '/apis/vm.novasphere.dev/v1alpha1/namespaces/dev/wukongschedules/office/status';

const wukong = (name: string): Wukong => ({ metadata: { namespace: 'dev', name } });
const boundary = { schedule: schedule(), at: at('2026-11-23T19:00:00Z'), action: 'stop', wall: '' } as const;
const acting = (action: 'start' | 'stop'): Decision => ({
  do: action,
  boundary,
  because: '',
  enforced: false,
  remember: {},
});
const skipped: Decision = { do: 'skip', reason: 'Override', message: '', boundary, told: true, remember: {} };
const idle: Decision = { do: 'nothing', because: 'nothing is due' };

interface Given {
  spec?: object;
  status?: WukongSchedule['status'];
  generation?: number;
  /** What was decided for each Wukong; undefined: nothing at all. */
  decisions?: Record<string, Decision | undefined>;
  busy?: string[];
  left?: string[];
}

function marking(given: Given, ...answers: [number, WukongSchedule?][]) {
  const { spec = {}, status, decisions = { db: idle }, busy = [], left = [] } = given;
  const { generation = 'generation' in given ? undefined : 3 } = given;
  const { world, asked, within } = worldOf(now, ...answers);
  const object: WukongSchedule = {
    metadata: { namespace: 'dev', name: 'office', resourceVersion: '9', ...(generation ? { generation } : {}) },
    spec: { ...office, ...spec },
    status,
  };
  const key = (name: string) => `dev/${name}`;
  const ruled = new Map(
    Object.entries(decisions).map(([name, decision]) => [wukong(name), { schedules: [], decision }]),
  );
  const table: Marking['table'] = {
    at: now,
    selecting: [{ object, checked: checkSchedule(object), matched: [...ruled.keys()] }],
    ruled,
  };
  const to: Marking = { world, limits, table, busy: new Set(busy.map(key)), left: new Set(left.map(key)) };
  return { to, asked, within };
}

async function marked(given: Given) {
  const { to, asked } = marking(given, [200], [200]);
  expect(await mark(to)).toEqual([]);
  const written = asked.find(({ method }) => method === 'PATCH');
  return (written?.body as { status?: Record<string, unknown> } | undefined)?.status;
}

const ready = {
  type: 'Ready',
  status: 'True',
  reason: 'Scheduled',
  message: '1 Wukongs are selected',
  observedGeneration: 3,
  lastTransitionTime: '2026-11-23T19:00:30Z',
} as const;
const through = {
  nextStart: '2026-11-24T07:00:00Z',
  nextStop: '2026-11-24T19:00:00Z',
  lastHandled: '2026-11-23T19:00:00Z',
  matched: 1,
};
/** Of generation 3, which a tick has seen before. */
const seen = { observedGeneration: 3, observedSince: '2026-11-20T00:00:00Z' };
const firstSeen = { observedGeneration: 3, observedSince: '2026-11-23T19:00:30Z' };

describe('the status of a schedule', () => {
  it('says what comes next, what is through, and that it is well', async () => {
    const { to, asked } = marking({}, [200]);
    expect(await mark(to)).toEqual([]);
    const body = { metadata: { resourceVersion: '9' }, status: { ...through, ...firstSeen, conditions: [ready] } };
    expect(asked).toEqual([{ method: 'PATCH', path, body }]);
  });

  it('is not written where it says so already', async () => {
    const before = { ...through, ...seen, conditions: [{ ...ready, lastTransitionTime: '2026-01-01T00:00:00Z' }] };
    expect(await marked({ status: before })).toBeUndefined();
  });

  it.each([
    ['nextStart', { nextStart: '2026-11-23T07:00:00Z' }],
    ['nextStop', { nextStop: '2026-11-23T19:00:00Z' }],
    ['lastHandled', { lastHandled: '2026-11-22T19:00:00Z' }],
    ['matched', { matched: 2 }],
    ['observedGeneration', { observedGeneration: 2 }],
  ])('is written where %s differs', async (_field, other) => {
    expect(await marked({ status: { ...through, ...seen, ...other, conditions: [ready] } })).toMatchObject(through);
  });

  it.each([
    ['status', { status: 'False' as const }],
    ['reason', { reason: 'InvalidCron' }],
    ['message', { message: '7 Wukongs are selected' }],
  ])('is written where the %s of its condition differs', async (_field, other) => {
    const conditions = [{ ...ready, ...other }];
    expect(await marked({ status: { ...through, ...seen, conditions } })).toMatchObject({ conditions: [ready] });
  });

  it('keeps the conditions of others', async () => {
    const other = { type: 'Seen', status: 'True' as const };
    expect(await marked({ status: { conditions: [other] } })).toMatchObject({ conditions: [other, ready] });
  });

  it('has no generation where the object has none', async () => {
    const status = await marked({ generation: undefined });
    expect((status?.['conditions'] as object[])[0]).not.toHaveProperty('observedGeneration');
  });

  it('never goes back to an older boundary', async () => {
    const lastHandled = '2026-11-23T19:00:01Z';
    expect(await marked({ status: { lastHandled } })).toMatchObject({ lastHandled });
    // The same instant, as somebody else writes it, is no reason to write.
    const same = { ...through, ...seen, lastHandled: '2026-11-23T20:00:00+01:00' };
    expect(await marked({ status: { ...same, conditions: [ready] } })).toBeUndefined();
  });

  it.each([
    ['it was decided for all', { db: idle, web: skipped }, through.lastHandled],
    ['nothing was decided for one', { db: undefined }, through.lastHandled],
    ['one waits for its jitter', { db: idle, web: { ...idle, until: now + 5_000 } }, null],
    ['one is frozen for ever', { db: { ...idle, until: Infinity } }, null],
  ] as [string, Given['decisions'], string | null][])('when %s', async (_what, decisions, lastHandled) => {
    expect(await marked({ decisions })).toMatchObject({ lastHandled });
  });

  it.each([
    ['a stop is to be done', acting('stop'), null],
    ['a start is to be done', acting('start'), null],
    ['something is skipped', skipped, through.lastHandled],
    ['nothing is due', idle, through.lastHandled],
    ['nothing was decided', undefined, through.lastHandled],
  ])('on a busy Wukong where %s', async (_what, decision, lastHandled) => {
    expect(await marked({ decisions: { db: decision }, busy: ['db'] })).toMatchObject({ lastHandled });
  });

  it('is not through where one was left, and is where it was carried out', async () => {
    expect(await marked({ decisions: { db: acting('stop') }, left: ['db'] })).toMatchObject({ lastHandled: null });
    expect(await marked({ decisions: { db: acting('stop') } })).toMatchObject({ lastHandled: through.lastHandled });
  });

  it('of a suspended one says so, promises nothing and handles nothing', async () => {
    expect(await marked({ spec: { suspend: true } })).toEqual({
      nextStart: null,
      nextStop: null,
      lastHandled: null,
      matched: 1,
      ...firstSeen,
      conditions: [{ ...ready, message: 'suspended' }],
    });
  });

  it('tells start from stop, whichever comes first', async () => {
    expect(await marked({ spec: { stop: '0 21 * * *' } })).toMatchObject({
      nextStart: through.nextStart,
      nextStop: '2026-11-23T20:00:00Z',
    });
  });

  it('of one that starts only promises no stop', async () => {
    const { stop: _none, ...start } = office;
    expect(await marked({ spec: { ...start, stop: undefined } })).toMatchObject({
      nextStart: through.nextStart,
      nextStop: null,
    });
  });

  it('of one that selects nothing says so', async () => {
    expect(await marked({ decisions: {} })).toMatchObject({
      matched: 0,
      conditions: [{ status: 'False', reason: 'NothingMatched', message: expect.stringContaining('these labels') }],
    });
  });

  it('of a bad one says what is wrong, the first ten of it', async () => {
    const status = await marked({ spec: { timeZone: 'Nowhere', holidays: { dates: Array(200).fill('once') } } });
    const [condition] = status?.['conditions'] as { status: string; reason: string; message: string }[];
    expect(condition).toMatchObject({ status: 'False', reason: 'InvalidTimeZone' });
    expect(condition?.message.split('; ')).toHaveLength(11);
    expect(status).toMatchObject({ nextStart: null, nextStop: null, lastHandled: null });
  });

  it('whose holidays cannot be read says so, and what it does all the same', async () => {
    expect(await marked({ spec: { holidays: { dates: ['once'] } } })).toMatchObject({
      nextStop: through.nextStop,
      conditions: [{ status: 'False', reason: 'InvalidHoliday', message: expect.stringContaining('stops go on') }],
    });
  });

  it('is told in the log and by an Event when it is first seen', async () => {
    const lines: unknown[] = [];
    const tick = async (status?: WukongSchedule['status']) => {
      const { to, asked } = marking({ spec: { stop: 'x' }, status }, [201], [200]);
      to.world.log = { ...to.world.log, warn: (message, fields) => void lines.push([message, fields]) };
      expect(await mark(to)).toEqual([]);
      return asked;
    };
    const [event, patch] = await tick();
    expect(event).toMatchObject({
      method: 'POST',
      path: '/api/v1/namespaces/dev/events',
      body: { type: 'Warning', reason: 'InvalidCron', involvedObject: { kind: 'WukongSchedule', name: 'office' } },
    });
    const fields = {
      namespace: 'dev',
      name: 'office',
      reason: 'InvalidCron',
      says: expect.stringContaining('spec.stop'),
    };
    expect(lines).toEqual([['schedule dev/office: InvalidCron', fields]]);
    const kept = JSON.parse(
      JSON.stringify(patch?.body),
      (_key, value: unknown) => value ?? undefined,
    ) as WukongSchedule;
    expect(await tick(kept.status)).toEqual([]);
    expect(lines).toHaveLength(1);
  });

  it('of good ones is written before that of any number of bad ones', async () => {
    const { to, asked } = marking({});
    const one = (name: string, spec: object) => {
      const object: WukongSchedule = {
        metadata: { namespace: 'dev', name, generation: 1 },
        spec: { ...office, ...spec },
      };
      return { object, checked: checkSchedule(object), matched: [wukong('db')] };
    };
    const bad = Array.from({ length: 200 }, (_none, i) => one(`bad-${i}`, { stop: 'x' }));
    to.table.selecting = [...bad, one('good', {})];
    await mark(to);
    expect(asked[0]?.path).toContain('/good/status');
    expect(troubleLines(troublesOf(to.table))).toHaveLength(101);
  });

  it('asks for the CRD of this version where the API server dropped what it must remember', async () => {
    const { to } = marking({});
    const bare = { metadata: { name: 'office' }, status: { matched: 1 } };
    to.world.transport.call = () => Promise.resolve({ status: 200, body: bare as never, warnings: [] }) as never;
    expect(await mark(to)).toMatchObject([{ reason: 'CrdNotExtended' }]);
    expect((await mark(to)).map(lineOf)).toEqual([expect.stringContaining('wukong crd install')]);
    const kept = { ...bare, status: { observedSince: firstSeen.observedSince } };
    expect(await mark(marking({}, [200, kept]).to)).toEqual([]);
    expect(await mark(marking({ generation: undefined }, [200, bare]).to)).toEqual([]);
  });

  it('says in which zone it is meant where it names none, and no more once it names one', async () => {
    const unnamed = { timeZone: undefined };
    expect(await marked({ spec: unnamed })).toMatchObject({ timeZone: 'UTC' });
    expect(await marked({ status: { timeZone: 'UTC' } })).toMatchObject({ timeZone: null });
    expect(await marked({})).not.toHaveProperty('timeZone');
    // One that cannot be evaluated is meant in none.
    expect(await marked({ spec: { ...unnamed, stop: 'x' } })).not.toHaveProperty('timeZone');
  });

  it('says which stop was announced last, and keeps that', async () => {
    const lastAnnounced = '2026-11-23T19:00:00Z';
    const settled = { ...through, ...seen, conditions: [ready] };
    const { to, asked } = marking({ status: settled }, [200]);
    await mark({ ...to, announced: new Map([[to.table.selecting[0]!, at(lastAnnounced)]]) });
    expect(asked).toMatchObject([{ body: { status: { lastAnnounced } } }]);
    expect(await marked({ status: { ...settled, lastAnnounced } })).toBeUndefined();
    expect(await marked({ status: { ...settled, matched: 7, lastAnnounced } })).toMatchObject({ lastAnnounced });
    expect(await marked({})).not.toHaveProperty('lastAnnounced');
  });

  it('is left for the next tick when somebody else wrote it, and told when it may not be written', async () => {
    const changed = marking({}, [409]);
    expect(await mark(changed.to)).toEqual([]);
    const forbidden = marking({}, [403]);
    expect((await mark(forbidden.to)).map(lineOf)).toEqual([
      'schedule dev/office: status of schedule dev/office: HTTP 403',
    ]);
  });

  it('has an Event for each generation that is bad, of 1024 characters, within the limits; one that fails is in the log', async () => {
    const cron = 'x'.repeat(90);
    const spec = {
      timeZone: 'N'.repeat(60),
      start: cron,
      stop: cron,
      holidays: { dates: Array(10).fill('x'.repeat(40)) },
    };
    const lines: unknown[] = [];
    const eventOf = async (generation: number, status: number) => {
      const { to, asked, within } = marking({ spec, generation }, [status], [200]);
      to.world.log = { ...to.world.log, warn: (message, fields) => void lines.push([message, fields]) };
      expect(await mark(to)).toEqual([]);
      expect(within).toEqual([limits, limits]);
      return asked[0]?.body as { metadata: { name: string }; message: string; reportingInstance: string };
    };
    const [one, again, other] = [await eventOf(3, 201), await eventOf(3, 201), await eventOf(4, 201)];
    expect(one.message).toHaveLength(1_024);
    expect(one.reportingInstance).toMatch(/^[0-9a-z]{10,}$/);
    expect([again.metadata.name === one.metadata.name, other.metadata.name === one.metadata.name]).toEqual([
      true,
      false,
    ]);
    lines.length = 0;
    await eventOf(5, 403);
    expect(lines[1]).toEqual([
      'the Event could not be written',
      { namespace: 'dev', name: 'office', problem: expect.stringContaining('403') },
    ]);
  });

  it('is written without another Event where the same is wrong with it', async () => {
    const told = (await marked({ spec: { stop: 'x' } }))?.['conditions'] as NonNullable<
      WukongSchedule['status']
    >['conditions'];
    const { to, asked } = marking({ spec: { stop: 'x' }, status: { conditions: told! } }, [200]);
    await mark(to);
    expect(asked.map(({ method }) => method)).toEqual(['PATCH']);
  });
});

describe('the status of a schedule of the cluster', () => {
  const path = '/apis/vm.novasphere.dev/v1alpha1/clusterwukongschedules/night/status';
  const of = (namespace: string, name = 'db'): Wukong => ({ metadata: { namespace, name } });
  function night(matched: Wukong[], overruled: Wukong[], status?: WukongSchedule['status'], spec = {}) {
    const { to, asked } = marking({}, [200], [200]);
    const object: WukongSchedule = {
      kind: 'ClusterWukongSchedule',
      metadata: { name: 'night', generation: 3 },
      spec: { ...office, ...spec },
      status,
    };
    const ruled = new Map(overruled.map((wukong) => [wukong, 'dev/own']));
    to.table.selecting = [{ object, checked: checkSchedule(object), matched, overruled: ruled }];
    return { to, asked };
  }
  const statusOf = async (...given: Parameters<typeof night>) => {
    const { to, asked } = night(...given);
    expect(await mark(to)).toEqual([]);
    return (asked[0]?.body as WukongSchedule | undefined)?.status;
  };

  it('says how many it selects in each namespace, and how many of these it rules', async () => {
    const given = [[of('b'), of('a'), of('b', 'web')], [of('a', 'web')]] as const;
    const { to, asked } = night([...given[0]], [...given[1]]);
    expect(await mark(to)).toEqual([]);
    const namespaces = [
      { matched: 2, name: 'a', ruled: 1 },
      { matched: 2, name: 'b', ruled: 2 },
    ];
    expect(asked).toMatchObject([{ path, body: { status: { matched: 4, namespaces, omittedNamespaces: null } } }]);
    const kept = JSON.parse(JSON.stringify((asked[0]?.body as WukongSchedule).status)) as WukongSchedule['status'];
    const { omittedNamespaces: _none, ...same } = kept!;
    expect(await statusOf([...given[0]], [...given[1]], same)).toBeUndefined();
    expect(await statusOf([of('b'), of('a'), of('a', 'web'), of('b', 'web')], [], same)).toMatchObject({ matched: 4 });
    expect(await statusOf([...given[0]], [...given[1]], { ...same, omittedNamespaces: 3 })).toMatchObject({
      omittedNamespaces: null,
    });
  });

  it('names a hundred namespaces, and says how many there are beside', async () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => of(`n-${100 + i}`)).reverse();
    const counted = async (count: number) => {
      const status = await statusOf(many(count), []);
      return [status?.namespaces?.length, status?.namespaces?.[0]?.name, status?.omittedNamespaces];
    };
    expect(await counted(100)).toEqual([100, 'n-100', null]);
    expect(await counted(101)).toEqual([100, 'n-100', 1]);
    const inOrder = await statusOf([of('a'), of('b'), of('c')], []);
    expect(inOrder?.namespaces?.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });

  it('that is wrong is told by its name alone', async () => {
    const { to, asked } = night([of('a')], [], undefined, { stop: 'x' });
    const lines: string[] = [];
    to.world.log = { ...to.world.log, warn: (message) => void lines.push(message) };
    expect(await mark(to)).toEqual([]);
    expect(lines).toEqual(['schedule night: InvalidCron']);
    expect(asked[0]?.body).toMatchObject({ involvedObject: { kind: 'ClusterWukongSchedule', name: 'night' } });
    const denied = night([of('a')], []);
    denied.to.world.transport.call = () => Promise.resolve({ status: 403, body: undefined, warnings: [] }) as never;
    expect((await mark(denied.to)).map(lineOf)).toEqual(['schedule night: status of schedule night: HTTP 403']);
  });
});
