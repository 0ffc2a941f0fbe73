import { describe, expect, it } from 'vitest';

import { LifecycleError } from '../../shared/domain/errors.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import { settle, skip, type Skipping, useUp } from '../../shared/reconcile/skips.ts';
import { worldOf } from './asked.ts';
import { at, prefix, schedule } from './schedules.ts';

const now = at('2026-11-23T19:00:30Z');
const due = at('2026-11-23T19:00:00Z');
const limits = { deadline: now + 10_000 };
const path = '/apis/vm.novasphere.dev/v1alpha1/namespaces/dev/wukongs/db';
const memory = `${prefix}schedule-memory`;

const wukong = (annotations?: Record<string, string>): Wukong => ({
  metadata: { namespace: 'dev', name: 'db', uid: 'uid', resourceVersion: '7', annotations },
});
/** As the API answers a write. */
const after: Wukong = {
  metadata: { namespace: 'dev', name: 'db', resourceVersion: '8' },
  spec: { cpu: 2 },
  status: { phase: 'Ready' },
};
const skipping = (more: Partial<Skipping> = {}): Skipping => ({
  do: 'skip',
  reason: 'Override',
  message: 'held until later',
  boundary: { schedule: schedule(), at: due, action: 'stop', wall: '2026-11-23T20:00' },
  told: false,
  remember: {},
  ...more,
});

describe('what a schedule leaves out', () => {
  it('is told once, as an Event and on the bus', async () => {
    const { world, asked, told } = worldOf(now, [201]);
    await skip(world, wukong(), skipping(), limits);
    expect(asked).toMatchObject([
      {
        method: 'POST',
        path: '/api/v1/namespaces/dev/events',
        body: {
          reason: 'SkippedOverride',
          message: 'stop (schedule, request schedule:dev/office@2026-11-23T19:00:00Z): held until later',
          reportingInstance: expect.stringMatching(/^[0-9a-z]{10,}$/),
        },
      },
    ]);
    expect(told.map(({ detail }) => detail)).toEqual([
      {
        version: '1',
        id: 'dev/db/schedule:dev/office@2026-11-23T19:00:00Z/skipped',
        namespace: 'dev',
        name: 'db',
        action: 'stop',
        outcome: 'Skipped',
        reason: 'Override',
        message: 'held until later',
        forced: false,
        requestId: 'schedule:dev/office@2026-11-23T19:00:00Z',
        trigger: 'schedule',
        startedAt: '2026-11-23T19:00:30Z',
        finishedAt: '2026-11-23T19:00:30Z',
      },
    ]);
  });

  it('asks within its limits', async () => {
    const { world, within } = worldOf(now, [201], [200, after]);
    await skip(world, wukong(), skipping({ remember: { skipped: due } }), limits);
    expect(within).toEqual([limits, limits]);
  });

  it('asks for nothing when it was told before', async () => {
    const { world, asked, told } = worldOf(now);
    await skip(world, wukong(), skipping({ told: true, remember: { withheld: due } }), limits);
    expect([asked, told]).toEqual([[], []]);
  });

  it.each([
    ['what is held back', { withheld: due }, { withheld: '2026-11-23T19:00:00Z' }],
    ['what is skipped', { skipped: due }, { skipped: '2026-11-23T19:00:00Z' }],
  ])('remembers %s', async (_what, remember, expected) => {
    const { world, asked } = worldOf(now, [201], [200, after]);
    await skip(world, wukong(), skipping({ remember }), limits);
    expect(asked[1]).toEqual({
      method: 'PATCH',
      path,
      body: {
        metadata: {
          resourceVersion: '7',
          annotations: { [memory]: JSON.stringify({ wukongUid: 'uid', ...expected }) },
        },
      },
    });
  });

  it('goes on from what it has written', async () => {
    const { world } = worldOf(now, [201], [200, after]);
    const read = wukong();
    await skip(world, read, skipping({ remember: { skipped: due } }), limits);
    expect(read).toEqual(after);
  });

  it('keeps what else is remembered', async () => {
    const before = { skipped: '2026-11-20T19:00:00Z', withheld: '2026-11-21T19:00:00Z' };
    const { world, asked } = worldOf(now, [201], [200, after], [201], [200, after]);
    const known = () => wukong({ [memory]: JSON.stringify(before) });
    await skip(world, known(), skipping({ remember: { withheld: due } }), limits);
    await skip(world, known(), skipping({ remember: { skipped: due } }), limits);
    const written = [1, 3].map((i) => {
      const { metadata } = asked[i]?.body as Wukong;
      return JSON.parse(metadata.annotations?.[memory] ?? '') as unknown;
    });
    expect(written).toEqual([
      { wukongUid: 'uid', ...before, withheld: '2026-11-23T19:00:00Z' },
      { wukongUid: 'uid', ...before, skipped: '2026-11-23T19:00:00Z' },
    ]);
  });

  it.each([
    ['Wukong' as const, { [`${prefix}skip-next`]: null }],
    ['namespace' as const, {}],
  ])('uses up skip-next on the %s where it stands', async (consume, used) => {
    const { world, asked } = worldOf(now, [201], [200, after]);
    await skip(world, wukong(), skipping({ consume, remember: { skipped: due } }), limits);
    const { metadata } = asked[1]?.body as Wukong;
    expect(metadata.annotations).toEqual({ ...used, [memory]: '{"wukongUid":"uid","skipped":"2026-11-23T19:00:00Z"}' });
  });

  it('is remembered on what the Wukong has become meanwhile', async () => {
    const changed = {
      metadata: {
        ...wukong().metadata,
        resourceVersion: '9',
        annotations: { [memory]: '{"withheld":"2026-11-21T19:00:00Z"}' },
      },
    };
    const { world, asked } = worldOf(now, [201], [409], [200, changed], [200, after]);
    const read = wukong();
    await skip(world, read, skipping({ consume: 'Wukong', remember: { skipped: due } }), limits);
    expect(asked.map(({ method }) => method)).toEqual(['POST', 'PATCH', 'GET', 'PATCH']);
    const annotations = {
      [`${prefix}skip-next`]: null,
      [memory]: '{"wukongUid":"uid","skipped":"2026-11-23T19:00:00Z","withheld":"2026-11-21T19:00:00Z"}',
    };
    expect(asked[3]?.body).toEqual({ metadata: { resourceVersion: '9', annotations } });
    expect(read).toEqual(after);
  });

  it('fails when the Wukong never stands still, or it may not be remembered', async () => {
    const busy = Array.from({ length: 6 }, (): [number, Wukong?][] => [[409], [200, wukong()]]).flat();
    const changing = worldOf(now, [201], ...busy);
    const given = skipping({ remember: { skipped: due } });
    const never = skip(changing.world, wukong(), given, limits);
    await expect(never).rejects.toThrow('changes faster');
    await expect(never).rejects.toMatchObject({ code: 'Refused' });
    const atLast = worldOf(now, [201], ...busy.slice(0, 10), [200, after]);
    await skip(atLast.world, wukong(), given, limits);
    expect(atLast.asked).toHaveLength(12);
    const forbidden = worldOf(now, [201], [403]);
    const failing = skip(forbidden.world, wukong(), given, limits);
    await expect(failing).rejects.toThrow(LifecycleError);
    await expect(failing).rejects.toThrow('memory of what was skipped');
  });

  it('is kept with the Wukong where no mark on a schedule says it, in the place of what was held back', async () => {
    const before = wukong({ [memory]: '{"skipped":"2026-11-20T19:00:00Z","withheld":"2026-11-23T19:00:00Z"}' });
    const { world, asked } = worldOf(now, [201], [200, after]);
    await skip(world, before, skipping({ keep: true, remember: { lastHandled: due } }), limits);
    const expected = { wukongUid: 'uid', skipped: '2026-11-20T19:00:00Z', handled: '2026-11-23T19:00:00Z' };
    expect((asked[1]?.body as Wukong).metadata.annotations).toEqual({ [memory]: JSON.stringify(expected) });
  });
});

describe('what was held back and is skipped after all', () => {
  it('is not held back any more', async () => {
    const before = wukong({ [memory]: '{"withheld":"2026-11-23T19:00:00Z"}' });
    const { world, asked } = worldOf(now, [201], [200, after]);
    await skip(world, before, skipping({ keep: true, remember: { lastHandled: due, skipped: due } }), limits);
    const expected = { wukongUid: 'uid', skipped: '2026-11-23T19:00:00Z' };
    expect((asked[1]?.body as Wukong).metadata.annotations).toEqual({ [memory]: JSON.stringify(expected) });
  });
});

describe('skip-next on a namespace', () => {
  it.each([
    [200, []],
    [299, []],
    [300, ['skip-next on namespace dev could not be removed (300); remove it by hand']],
    [403, ['skip-next on namespace dev could not be removed (403); remove it by hand']],
  ])('is taken away; an answer of %i is told', async (status, problems) => {
    const { world, asked } = worldOf(now, [status]);
    expect(await useUp(world, new Set(['dev']), limits)).toEqual(problems);
    const body = { metadata: { annotations: { [`${prefix}skip-next`]: null } } };
    expect(asked).toEqual([{ method: 'PATCH', path: '/api/v1/namespaces/dev', body }]);
  });
  it('is told where nobody answers', async () => {
    const { world } = worldOf(now);
    const call = () => Promise.reject(new LifecycleError('Unreachable', 'gone'));
    const silent = { ...world, transport: { ...world.transport, call } };
    expect(await useUp(silent, new Set(['dev']), limits)).toEqual([
      'skip-next on namespace dev could not be removed (Unreachable); remove it by hand',
    ]);
  });
});

describe('what an override had held back, and is so when it ends', () => {
  const [past, exact, later] = ['2026-11-23T18:00:00Z', '2026-11-23T19:00:30Z', '2026-11-23T19:00:31Z'];
  const all = (value: string) => ({
    [`${prefix}keep-running-until`]: value,
    [`${prefix}keep-stopped-until`]: value,
    [`${prefix}lease-until`]: value,
  });
  const settled = async (action: 'start' | 'stop', annotations?: Record<string, string>) => {
    const { boundary } = skipping();
    const { world, asked } = worldOf(now, [200, after]);
    const read = wukong(annotations);
    const decision = { do: action, boundary, because: '', enforced: false, keep: true } as const;
    await settle(world, read, { ...decision, remember: { lastHandled: due } }, limits);
    expect(read).toEqual(after);
    return asked.map(({ body }) => (body as Wukong).metadata.annotations);
  };
  const handled = { [memory]: '{"wukongUid":"uid","handled":"2026-11-23T19:00:00Z"}' };

  it('is remembered, and the override that has ended goes away, a lease too', async () => {
    expect(await settled('stop', all(past))).toEqual([
      { ...handled, [`${prefix}keep-running-until`]: null, [`${prefix}lease-until`]: null },
    ]);
    expect(await settled('start', all(exact))).toEqual([{ ...handled, [`${prefix}keep-stopped-until`]: null }]);
  });

  it.each([
    ['one that holds', all(later)],
    ['one that cannot be read', all('friday')],
    ['none', {}],
    ['no annotation', undefined],
  ])('is remembered beside %s', async (_what, annotations) => {
    expect(await settled('stop', annotations)).toEqual([handled]);
    expect(await settled('start', annotations)).toEqual([handled]);
  });
});
