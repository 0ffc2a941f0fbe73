import { describe, expect, it } from 'vitest';

import type { Machines } from '../../shared/cluster/vmInformer.ts';
import { type Command, parseCommand } from '../../shared/domain/command.ts';
import { LifecycleError } from '../../shared/domain/errors.ts';
import { adoptsKey, type KubeObject, type Wukong } from '../../shared/domain/model.ts';
import { leaseKey, type Operation, operationKey, skippedKey, write } from '../../shared/domain/operation.ts';
import type { Action } from '../../shared/domain/outcome.ts';
import type { Machine } from '../../shared/domain/vm.ts';
import { plainJob, preflight } from '../../shared/execute/preflight.ts';
import { worldOf } from './asked.ts';
import { machineOf, operation, s, t0 } from './machines.ts';

const prefix = 'lifecycle.novasphere.dev/';
const command = (action: Action, more: object = {}): Command =>
  parseCommand(
    { target: { selector: 'env=dev' }, ...more },
    { action, trigger: 'direct', requestId: 'r', requestedAt: t0 - s },
  );
/** Made for its VM, so without an intent, unless it says otherwise. */
const wukong = (name: string, annotations: Record<string, string> = {}, more: Partial<Wukong> = {}): Wukong => ({
  metadata: { namespace: 'team-a', name, uid: name, annotations: { [adoptsKey]: `${name}-vm`, ...annotations } },
  ...more,
});
const record = (more: Partial<Operation>) => ({
  [operationKey]: write(operation({ requestId: 'other', holder: 'somebody', requestedAt: t0 - 2 * s, ...more })),
});
const of = (name: string, machine: Machine): Machine => ({
  ...machine,
  ...(machine.vm ? { vm: { ...machine.vm, adoptedBy: name } } : {}),
});
const on = machineOf();
const off = machineOf({ strategy: 'Halted' }, null);

interface Around {
  machine?: Machine | 'unreadable';
  spaces?: Record<string, string> | 'silent' | 'denied';
  requireAgent?: boolean;
}
/** What a fleet command comes to for these, before anything is asked: `name outcome` of each, and its jobs. */
async function sorted(
  one: Command,
  wukongs: Wukong[],
  { machine = on, spaces = {}, requireAgent = false }: Around = {},
) {
  const { world, asked, within } = worldOf(t0);
  world.config = { ...world.config, requireAgent };
  const warned: unknown[][] = [];
  world.log = { ...world.log, warn: (...words) => void warned.push(words) };
  world.transport.call = <T>({ method, path }: { method: string; path: string }, limits: unknown) => {
    asked.push({ method, path });
    within.push(limits);
    if (spaces === 'silent' && path.endsWith('team-a'))
      return Promise.reject(new LifecycleError('Unreachable', 'silent'));
    const name = path.split('/').at(-1)!;
    const body: KubeObject = { metadata: { name, annotations: typeof spaces === 'object' ? spaces : {} } };
    return Promise.resolve({ status: spaces === 'denied' ? 403 : 200, body: body as T, warnings: [] });
  };
  const get = (_namespace: string, vmName: string) => {
    if (machine === 'unreadable') throw new Error('no VM');
    return of(vmName.replace(/-vm$/, ''), machine);
  };
  const machines = { get, changed: () => Promise.resolve(false), close() {} } as Machines;
  const limits = { deadline: t0 + 60 * s };
  const { done, jobs } = await preflight(one, wukongs, { world, machines, limits });
  const told = done.map(({ name, outcome, ...rest }) =>
    [name, outcome, ...('reason' in rest ? [rest.reason] : [])].join(' '),
  );
  const begun = jobs.map(({ place, work }) => `${place.name} ${work.do}`);
  return { done, jobs, told, begun, asked, within, warned, limits };
}

describe('a fleet command before anything is asked', () => {
  it('has a job for each VM that is to be switched, in its wave', async () => {
    const stop = command('stop', { maxInFlight: 7 });
    const web = wukong('web', { [`${prefix}wave`]: '2' });
    const { jobs, done, asked, within, limits } = await sorted(stop, [web], { spaces: { a: 'b' } });
    expect(jobs).toEqual([
      {
        ...{ action: 'stop', work: { do: 'command', command: stop, remember: false }, wave: -2, jitterMs: 0 },
        ...{ place: { namespace: 'team-a', name: 'web' }, wukong: web, namespaceAnnotations: { a: 'b' } },
        group: { key: 'r', maxInFlight: 7, delayMs: 0 },
      },
    ]);
    expect(done).toEqual([]);
    expect([asked, within]).toEqual([
      [{ method: 'GET', path: '/api/v1/namespaces/team-a' }],
      [expect.objectContaining(limits)],
    ]);
  });

  it('has a job of the same kind for one that it knows by its name alone', () => {
    const stop = command('stop');
    const group = { key: 'r', maxInFlight: 50, delayMs: 0 };
    expect(plainJob(stop)).toEqual({ action: 'stop', work: { do: 'command', command: stop }, group, jitterMs: 0 });
  });

  it('tells of each VM that is left as it is, and has no more to do with it', async () => {
    const { done, jobs } = await sorted(command('stop'), [wukong('web', { [`${prefix}protected`]: 'true' })]);
    expect(done).toEqual([
      {
        ...{
          namespace: 'team-a',
          name: 'web',
          outcome: 'Skipped',
          reason: 'Protected',
          message: expect.any(String) as string,
        },
        ...{
          action: 'stop',
          requestId: 'r',
          trigger: 'direct',
          startedAt: t0,
          finishedAt: t0,
          forced: false,
          quiet: true,
        },
      },
    ]);
    expect(jobs).toEqual([]);
  });

  it.each<[string, Command, Wukong, Around, string | undefined]>([
    ['is off already', command('stop'), wukong('web'), { machine: off }, 'AlreadyOff'],
    ['is on already', command('start'), wukong('web'), {}, 'AlreadyOn'],
    [
      'is on already, and its agent is not asked for',
      command('start'),
      wukong('web'),
      { requireAgent: true },
      undefined,
    ],
    [
      'has its namespace protected',
      command('stop'),
      wukong('web'),
      { spaces: { [`${prefix}protected`]: 'true' } },
      'Skipped Protected',
    ],
    [
      'was skipped before',
      command('stop'),
      wukong('web', { [skippedKey]: JSON.stringify([{ requestId: 'r', reason: 'Override' }]) }),
      {},
      'Skipped Override',
    ],
    [
      'came too late before, which is to be told',
      command('stop'),
      wukong('web', { [skippedKey]: JSON.stringify([{ requestId: 'r', reason: 'Superseded' }]) }),
      {},
      undefined,
    ],
    ['has no VM, which is to be told', command('stop'), wukong('web'), { machine: machineOf(null, null) }, undefined],
    ['cannot be read, and fails alone', command('stop'), wukong('web'), { machine: 'unreadable' }, undefined],
    [
      'is meant alone, and remembers it',
      command('stop', { target: { namespace: 'team-a', name: 'web' } }),
      wukong('web'),
      { machine: off },
      undefined,
    ],
    [
      'has an intent that says otherwise',
      command('stop'),
      wukong('web', { [adoptsKey]: undefined as never }),
      { machine: off },
      undefined,
    ],
    [
      'has that intent',
      command('stop'),
      wukong('web', { [adoptsKey]: undefined as never }, { spec: { startStrategy: { autoStart: false } } }),
      { machine: off },
      'AlreadyOff',
    ],
    ['is on, and gets a lease', command('start', { leaseSeconds: 60 }), wukong('web'), {}, undefined],
    [
      'is on already, and has no annotations',
      command('start'),
      { metadata: { namespace: 'team-a', name: 'web', uid: 'web' } },
      {},
      'AlreadyOn',
    ],
    [
      'is on, and keeps its lease',
      command('start'),
      wukong('web', { [leaseKey]: '2026-11-24T00:00:00Z' }),
      {},
      'AlreadyOn',
    ],
    [
      'is off, and loses its lease',
      command('stop'),
      wukong('web', { [leaseKey]: '2026-11-24T00:00:00Z' }),
      { machine: off },
      undefined,
    ],
    ['would be stopped by a dry run', command('stop', { dryRun: true }), wukong('web'), {}, undefined],
    [
      'would be left by a dry run',
      command('stop', { dryRun: true }),
      wukong('web'),
      { machine: off },
      'Skipped DryRun',
    ],
    [
      'would be left by a dry run, which fails otherwise',
      command('stop', { dryRun: true }),
      wukong('web'),
      { machine: machineOf(null, null) },
      'Skipped DryRun',
    ],
    [
      'would be skipped by a dry run',
      command('stop', { dryRun: true }),
      wukong('web', { [`${prefix}protected`]: 'true' }),
      {},
      'Skipped DryRun',
    ],
    [
      'would be too late by a dry run',
      command('stop', { dryRun: true }),
      wukong('web', { [skippedKey]: JSON.stringify([{ requestId: 'r', reason: 'Superseded' }]) }),
      {},
      'Skipped DryRun',
    ],
  ])('leaves as it is what need not be begun: a VM that %s', async (_what, one, web, around, expected) => {
    const { told, begun } = await sorted(one, [web], around);
    const left = expected === undefined ? [] : [`web ${expected}`];
    expect([told, begun]).toEqual([left, expected === undefined ? ['web command'] : []]);
  });

  it('says of a dry run what would be', async () => {
    const { done } = await sorted(command('stop', { dryRun: true }), [wukong('web')], { machine: off });
    expect(done[0]?.message).toMatch(/^Nothing would be called: AlreadyOff/);
  });

  it('waits for those of its wave that are switched already, which take a place where they are its own', async () => {
    const going = (name: string, more: Partial<Operation>) => wukong(name, record(more));
    const wukongs = [
      wukong('web'),
      going('mine', { requestId: 'r' }),
      going('theirs', { requestId: 'other', requestedAt: t0 + s }),
    ];
    const { told, begun, jobs } = await sorted(command('stop'), wukongs);
    expect(told).toEqual(['mine Skipped Duplicate', 'theirs Skipped Duplicate']);
    expect(begun).toEqual(['web command', 'mine await', 'theirs await']);
    expect(jobs.map(({ work, urgent }) => [work.do === 'await' && work.placeless, urgent])).toEqual([
      [false, undefined],
      [false, true],
      [true, true],
    ]);
  });

  it('waits for none where nothing is to be begun, nor for what is switched the other way', async () => {
    expect((await sorted(command('stop'), [wukong('mine', record({ requestId: 'r' }))])).jobs).toEqual([]);
    const starting = wukong('other', { ...record({ action: 'start' }), [`${prefix}protected`]: 'true' });
    expect((await sorted(command('stop'), [wukong('web'), starting])).begun).toEqual(['web command']);
  });

  it('joins a wish for the same that is older, so that it is remembered', async () => {
    expect((await sorted(command('stop'), [wukong('web', record({}))])).begun).toEqual(['web command']);
  });

  it.each<[string, Partial<Operation>, boolean]>([
    ['an older wish for the other action', { action: 'start' }, true],
    ['one of the same moment', { action: 'start', requestedAt: t0 - s }, true],
    ['not a newer one', { action: 'start', requestedAt: t0 }, false],
    ['not one for the same action', {}, false],
  ])('remembers even where nothing is to be done, if it meets others: %s', async (_what, op, contested) => {
    const wukongs = [wukong('off'), wukong('other', record(op))];
    const { jobs, told } = await sorted(command('stop'), wukongs, { machine: off });
    expect(told.includes('off AlreadyOff')).toBe(!contested);
    if (contested) expect(jobs[0]?.work).toMatchObject({ do: 'command', remember: true });
  });

  it('fails in a namespace that does not answer, and nowhere else', async () => {
    const other = { ...wukong('web'), metadata: { ...wukong('web').metadata, namespace: 'team-b' } };
    const lost = wukong('lost', record({ requestId: 'r' }));
    const { done, told, begun } = await sorted(command('stop'), [lost, other], { spaces: 'silent' });
    expect([told, begun]).toEqual([['lost Failed Unreachable'], ['web command']]);
    expect(done[0]?.message).toBe('silent');
  });

  it('goes on where a namespace may not be read, and the log says so', async () => {
    const { begun, warned, jobs } = await sorted(command('stop'), [wukong('web')], { spaces: 'denied' });
    expect([begun, jobs[0]?.namespaceAnnotations]).toEqual([['web command'], {}]);
    expect(warned).toEqual([
      ['overrides on namespaces are not known', { problem: expect.stringContaining('team-a') as string }],
    ]);
  });
});
