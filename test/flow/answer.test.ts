import { describe, expect, it } from 'vitest';

import type { World } from '../../shared/cluster/world.ts';
import { parseCommand } from '../../shared/domain/command.ts';
import { adoptsKey, type Wukong } from '../../shared/domain/model.ts';
import { leaseKey, settledKey, skippedKey } from '../../shared/domain/operation.ts';
import type { Action, Outcome, Result } from '../../shared/domain/outcome.ts';
import { answer, join, type Request, settleAlready } from '../../shared/lifecycle/answer.ts';
import type { Performing } from '../../shared/lifecycle/runOperation.ts';
import { operation } from '../unit/machines.ts';
import { namespace, type Scene, scene } from './scene.ts';
import { annotate, place, s, silent, slow, told } from './telling.ts';

const fleet = { namespaces: [namespace], selector: 'env=dev' };
const command = (at: Scene, action: Action, more: object = {}, requestId = 'r') =>
  parseCommand({ target: place, ...more }, { action, trigger: 'direct', requestId, requestedAt: at.clock.now() - s });

async function vm(annotations: Record<string, string> = {}, more: object = {}) {
  const at = await scene();
  at.sim.createWukong({ ...place, runStrategy: 'Halted', ...more });
  annotate(at, annotations);
  if (adoptsKey in annotations)
    at.sim.change<Wukong>('wukongs', namespace, 'web', (one) => {
      one.metadata.finalizers = [];
      delete one.spec?.startStrategy;
    });
  const logged: unknown[][] = [];
  at.world.log = { ...at.world.log, warn: (...words) => void logged.push(words) };
  const outcome = (result: Result): Outcome => {
    const now = at.clock.now();
    const whose = { ...place, requestId: 'r', trigger: 'direct', startedAt: now, finishedAt: now } as const;
    return { ...whose, action: 'stop', forced: false, ...result };
  };
  const patches = () =>
    at.sim.requests.filter(({ method, path }) => method === 'PATCH' && /wukongs\/web$/.test(path)).length;
  const noted = (key: string) => JSON.parse(at.wukong('web').metadata.annotations?.[key] ?? 'null') as unknown;
  /** Somebody writes the Wukong just before each of our first `times` patches of it. */
  const meddled = (times: number): World => {
    const { transport } = at.world;
    let left = times;
    const call: typeof transport.call = (one, limits) => {
      if (one.method === 'PATCH' && /wukongs\/web$/.test(one.path) && left-- > 0) annotate(at, { turn: `${left}` });
      return transport.call(one, limits);
    };
    return { ...at.world, transport: { ...transport, call } };
  };
  return { at, logged, outcome, patches, noted, meddled };
}
/** One request as it is answered. */
const ask = (
  { at, outcome }: Pick<Awaited<ReturnType<typeof vm>>, 'at' | 'outcome'>,
  result: Result,
  of = command(at, 'stop'),
  world = at.world,
) => at.run(answer({ command: of, world, outcome, options: {} } as unknown as Request, at.wukong('web'), result));
const skipped = (reason: 'Protected' | 'Duplicate') => ({ outcome: 'Skipped', reason, message: 'so' }) as const;
const superseded: Result = { outcome: 'Superseded', message: 'so' };

describe('a request that comes to nothing', () => {
  it.each<[string, Result, unknown]>([
    ['is skipped', skipped('Protected'), [{ requestId: 'r', reason: 'Protected', action: 'stop' }]],
    ['is superseded', superseded, [{ requestId: 'r', reason: 'Superseded', action: 'stop' }]],
    ['is a duplicate', skipped('Duplicate'), null],
    ['has failed', { outcome: 'Failed', reason: 'Refused', message: 'so' }, null],
    ['is fulfilled', { outcome: 'AlreadyOff', message: 'so' }, null],
  ])('is remembered where it would be another’s later: it %s', async (_what, result, expected) => {
    const here = await vm();
    expect(await ask(here, result)).toMatchObject(result);
    expect(here.noted(skippedKey)).toEqual(expected);
    expect(told(here.at)).toEqual(
      result.outcome === 'Skipped' && result.reason === 'Duplicate' ? [] : [`r ${result.outcome}`],
    );
  });

  it('stands before the four newest of these', async () => {
    const here = await vm();
    for (const id of ['1', '2', '3', '4', '5', '6']) await ask(here, superseded, command(here.at, 'stop', {}, id));
    expect((here.noted(skippedKey) as { requestId: string }[]).map(({ requestId }) => requestId)).toEqual([
      '6',
      '5',
      '4',
      '3',
      '2',
    ]);
  });

  it('is not remembered for a fleet, nor twice, nor by a dry run, which nobody else is told of', async () => {
    const here = await vm();
    const { at, outcome, patches } = here;
    const one = outcome(superseded);
    await ask(here, superseded, command(at, 'stop', { target: fleet }));
    expect(patches()).toBe(0);
    const forced = (result: Result) => ({ ...outcome(result), forced: true }) as Outcome;
    const dry = await ask({ at, outcome: forced }, superseded, command(at, 'stop', { dryRun: true }));
    expect(dry).toEqual({
      ...one,
      outcome: 'Skipped',
      reason: 'DryRun',
      forced: false,
      quiet: true,
      message: expect.stringContaining('Superseded') as string,
    });
    expect([patches(), told(at)]).toEqual([0, ['r Superseded']]);
    for (const other of ['other', 'r', 'r']) await ask(here, superseded, command(at, 'stop', {}, other));
    expect(patches()).toBe(2);
  });

  it('is an end where that is remembered, though nobody else could be told; else it has failed', async () => {
    for (const [path, expected] of [
      [/events/, 'Superseded'],
      [/events|wukongs/, 'Failed'],
    ] as const) {
      const here = await vm();
      const { at, logged } = here;
      delete at.world.bus;
      at.sim.faults.add({ when: { path }, times: 100, does: { kind: 'status', status: 403 } });
      const end = await ask(here, superseded);
      expect(end).toMatchObject({ outcome: expected, message: expect.stringMatching(/^(Superseded: )?so/) as string });
      const problem = expect.stringMatching(/^what is to be remembered of the request: /) as string;
      expect(logged.filter(([what]) => String(what).startsWith('a skipped'))).toEqual(
        expected === 'Failed' ? [['a skipped request could not be remembered', { problem }]] : [],
      );
    }
  });

  it('is remembered at the eighth time where the Wukong changes all the time, or not at all', async () => {
    const here = await vm();
    await ask(here, superseded, command(here.at, 'stop'), here.meddled(7));
    expect(here.noted(skippedKey)).toHaveLength(1);
    const other = await vm();
    await ask(other, superseded, command(other.at, 'stop'), other.meddled(8));
    expect([other.noted(skippedKey), other.patches()]).toEqual([null, 8]);
    delete other.at.world.bus;
    const nobody = other.meddled(8);
    other.at.sim.faults.add({ when: { path: /events/ }, times: 100, does: { kind: 'status', status: 403 } });
    const end = await ask(other, superseded, command(other.at, 'stop'), nobody);
    expect(end.outcome, 'nobody knows of it').toBe('Failed');
  });

  it('is an end where it was remembered before, though nobody can be told', async () => {
    const here = await vm({ [skippedKey]: JSON.stringify([{ requestId: 'r', reason: 'Superseded' }]) });
    delete here.at.world.bus;
    here.at.sim.faults.add({ when: { path: /events/ }, times: 100, does: { kind: 'status', status: 403 } });
    expect(await ask(here, superseded)).toMatchObject({ outcome: 'Superseded', message: 'so' });
  });

  it('is told as it was remembered by another delivery, which came to something else', async () => {
    const here = await vm({ [skippedKey]: JSON.stringify([{ requestId: 'r', reason: 'Superseded' }]) });
    expect(await ask(here, skipped('Protected'))).toMatchObject({ outcome: 'Superseded', requestId: 'r' });
    expect([told(here.at), here.patches()]).toEqual([['r Superseded'], 0]);
  });

  it('is remembered by an API server that is slow', async () => {
    const here = await vm();
    slow(here.at);
    await ask(here, superseded);
    expect([(here.noted(skippedKey) as []).length, here.logged]).toEqual([1, []]);
  });

  it('keeps nobody for longer than telling it may take', async () => {
    const here = await vm();
    const { at } = here;
    silent(at);
    const begun = at.clock.now();
    await ask(here, superseded);
    expect(at.clock.now() - begun).toBeLessThanOrEqual(18 * s);
  });
});

function request(
  at: Scene,
  outcome: Request['outcome'],
  of: ReturnType<typeof command>,
  more: Partial<Performing> = {},
): Request {
  return {
    command: of,
    world: at.world,
    outcome,
    options: { limits: { deadline: at.clock.now() + 60 * s }, ...more },
  } as Request;
}

describe('a wish that an older one is fulfilling', () => {
  const running = operation({ requestId: 'older' });
  it('is remembered with that', async () => {
    const { at, outcome, noted } = await vm();
    const joined = await at.run(join(request(at, outcome, command(at, 'stop')), at.wukong('web'), running));
    expect([joined, noted(settledKey)]).toEqual([
      true,
      expect.objectContaining({ requestId: 'r', joined: expect.objectContaining({ to: 'older' }) as unknown }),
    ]);
  });

  it('is not, where none is, by a dry run, or where the spec declares it', async () => {
    const { at, outcome, patches } = await vm();
    const ask = (of: ReturnType<typeof command>, op: typeof running | undefined = running, more = {}) =>
      at.run(join(request(at, outcome, of, more), at.wukong('web'), op));
    const asked = [
      await at.run(join(request(at, outcome, command(at, 'stop')), at.wukong('web'), undefined)),
      await ask(command(at, 'stop', { dryRun: true })),
      await ask(command(at, 'stop'), running, { declared: { action: 'stop' } }),
    ];
    expect([asked, patches()]).toEqual([[true, true, true], 0]);
  });

  it('is to be read again where the Wukong has changed, and fails where it may not be written', async () => {
    const { at, outcome } = await vm();
    const seen = structuredClone(at.wukong('web'));
    annotate(at, { turn: '1' });
    expect(await at.run(join(request(at, outcome, command(at, 'stop')), seen, running))).toBe(false);
    at.sim.faults.add({ when: { method: 'PATCH' }, does: { kind: 'status', status: 403 } });
    const denied = at.run(join(request(at, outcome, command(at, 'stop')), at.wukong('web'), running));
    await expect(denied).rejects.toThrow('what is to be remembered of the request: ');
  });
});

describe('a wish that is fulfilled', () => {
  const off: Result = { outcome: 'AlreadyOff', message: 'so' };
  const on: Result = { outcome: 'AlreadyOn', message: 'so' };
  async function settle(
    all: Awaited<ReturnType<typeof vm>>,
    of: ReturnType<typeof command>,
    more: Partial<Performing> = {},
  ) {
    const { at, outcome } = all;
    const result = of.action === 'stop' ? off : on;
    const ended = await at.run(settleAlready(request(at, outcome, of, more), at.wukong('web'), result));
    const { spec, metadata } = at.wukong('web');
    const [lease, settled] = [metadata.annotations?.[leaseKey], metadata.annotations?.[settledKey]];
    return {
      ended: ended?.outcome,
      patches: all.patches(),
      autoStart: spec?.startStrategy?.autoStart,
      lease,
      settled: settled !== undefined,
    };
  }
  const nothing = { ended: 'AlreadyOff', patches: 0, autoStart: undefined, lease: undefined, settled: false };
  /** Made for a VM, so without an operator that acts on an intent. */
  const bare = { [adoptsKey]: 'web-vm' };

  it('is told; for one Wukong it is remembered, for a fleet only where it meets another wish', async () => {
    const all = await vm(bare);
    const ofFleet = command(all.at, 'stop', { target: fleet });
    expect(await settle(all, ofFleet)).toEqual(nothing);
    expect(told(all.at)).toEqual(['r AlreadyOff']);
    expect(await settle(all, ofFleet, { remember: true })).toEqual({ ...nothing, patches: 1, settled: true });
    const other = await vm(bare);
    expect(await settle(other, command(other.at, 'stop'))).toEqual({ ...nothing, patches: 1, settled: true });
    expect(other.noted(settledKey)).toMatchObject({ requestId: 'r', action: 'stop', outcome: 'AlreadyOff' });
  });

  it('puts the intent right where an operator acts on it', async () => {
    const all = await vm();
    const stop = command(all.at, 'stop', { target: fleet });
    expect(await settle(all, stop)).toEqual({ ...nothing, autoStart: false });
    const start = command(all.at, 'start', { target: fleet });
    expect(await settle(all, start)).toEqual({ ...nothing, ended: 'AlreadyOn', patches: 1, autoStart: true });
    expect(await settle(all, stop)).toEqual({ ...nothing, patches: 2, autoStart: false });
  });

  it('of a start with a lease has that from its beginning; a stop ends it, and another start leaves it', async () => {
    const all = await vm(bare);
    const { at } = all;
    const lease = new Date(at.clock.now() + 3_600 * s).toISOString();
    const leased = await settle(all, command(at, 'start', { target: fleet, leaseSeconds: 3_600 }));
    expect(leased).toMatchObject({ ended: 'AlreadyOn', patches: 1, settled: false });
    expect(Math.abs(Date.parse(leased.lease ?? '') - Date.parse(lease))).toBeLessThan(s);
    expect(await settle(all, command(at, 'start', { target: fleet }))).toEqual(leased);
    expect(await settle(all, command(at, 'stop', { target: fleet }))).toEqual({ ...nothing, patches: 2 });
    expect(await settle(all, command(at, 'start', { leaseSeconds: 60 }))).toMatchObject({
      patches: 3,
      settled: true,
      lease: expect.any(String) as string,
    });
  });

  it('is so of a Wukong without annotations, too', async () => {
    const { at, outcome } = await vm();
    const { annotations: _, ...metadata } = at.wukong('web').metadata;
    const bareOne = { ...at.wukong('web'), metadata };
    const of = command(at, 'stop', { target: fleet });
    expect(await at.run(settleAlready(request(at, outcome, of), bareOne, off))).toMatchObject(off);
  });

  it('takes the declared action with it', async () => {
    const all = await vm(bare);
    all.at.sim.change<Wukong>('wukongs', namespace, 'web', (one) =>
      Object.assign(one, { spec: { ...one.spec, lifecycleAction: { action: 'stop' } } }),
    );
    const of = command(all.at, 'stop', { target: fleet });
    expect(await settle(all, of)).toEqual(nothing);
    expect(all.at.wukong('web').spec?.lifecycleAction).toEqual({ action: 'stop' });
    expect(await settle(all, command(all.at, 'stop'))).toMatchObject({ patches: 1, settled: true });
    expect(all.at.wukong('web').spec?.lifecycleAction).toEqual({ action: 'stop' });
    expect(await settle(all, of, { declared: { action: 'stop' } })).toMatchObject({ patches: 2 });
    expect(all.at.wukong('web').spec).not.toHaveProperty('lifecycleAction');
  });

  it('is to be read again where the Wukong has changed, and fails where it may not be written', async () => {
    const { at, outcome } = await vm(bare);
    const seen = structuredClone(at.wukong('web'));
    annotate(at, { turn: '1' });
    const ask = () => request(at, outcome, command(at, 'stop'));
    expect(await at.run(settleAlready(ask(), seen, off))).toBeUndefined();
    expect(told(at)).toEqual([]);
    at.sim.faults.add({ when: { method: 'PATCH' }, does: { kind: 'status', status: 403 } });
    await expect(at.run(settleAlready(ask(), at.wukong('web'), off))).rejects.toThrow(
      'what is to be remembered of the request: ',
    );
  });
});
