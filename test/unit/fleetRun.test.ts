import { describe, expect, it } from 'vitest';

import { parseCommand } from '../../shared/domain/command.ts';
import type { KubeObject } from '../../shared/domain/model.ts';
import type { Outcome, Result } from '../../shared/domain/outcome.ts';
import { currentKey, type WukongRun } from '../../shared/domain/run.ts';
import { openFleetRun } from '../../shared/execute/fleetRun.ts';
import { groupOf, type Job } from '../../shared/execute/job.ts';
import { worldOf } from './asked.ts';
import { s, t0 } from './machines.ts';

const requestedAt = t0 - 1_500;
const command = (more: object = {}) =>
  parseCommand(
    { target: { selector: 'env=dev' }, ...more },
    { action: 'stop', trigger: 'direct', requestId: 'r', requestedAt },
  );
const job = (namespace: string, name: string, work: Job['work']['do'] = 'command'): Job =>
  ({
    place: { namespace, name },
    action: 'stop',
    work: { do: work, command: command() },
    group: groupOf('r'),
    wave: 0,
    jitterMs: 0,
  }) as Job;
const done = (namespace: string, name: string, result: Result): Outcome => {
  const whose = { namespace, name, requestId: 'r', trigger: 'direct', startedAt: t0, finishedAt: t0 };
  return { ...whose, action: 'stop', forced: false, ...result };
};
const skipped = { outcome: 'Skipped', reason: 'Protected', message: 'so' } as const;
const off = { outcome: 'AlreadyOff', message: 'so' } as const;

type Targets = Parameters<typeof openFleetRun>[2];
async function open(
  targets: Targets,
  { status = 201, ...more }: { status?: number; dryRun?: boolean; part?: string } = {},
) {
  const answers = Array.from({ length: 9 }, (): [number, KubeObject] => [
    status,
    { message: 'no' } as unknown as KubeObject,
  ]);
  const { world, asked, within } = worldOf(t0, ...answers);
  const debugged: unknown[][] = [];
  world.log = { ...world.log, debug: (...words) => void debugged.push(words) };
  const limits = { deadline: t0 + 60 * s };
  const unheld = await openFleetRun(world, command(more), targets, limits);
  const runs = asked.map(({ body }) => body as WukongRun);
  const shown = runs.map(({ metadata, status: of }) => [
    metadata.namespace,
    of?.vms?.map((line) => line.split(' ').slice(0, 2).join(' ')),
  ]);
  return { unheld, runs, shown, asked, within, limits, debugged };
}

describe('a fleet command', () => {
  it('has a run in each namespace, with each VM that it is for', async () => {
    const { unheld, runs, shown, asked, within, limits } = await open({
      done: [done('a', 'protected', skipped), done('b', 'off', off)],
      jobs: [job('a', 'web'), job('a', 'mine', 'await'), job('b', 'mail')],
      missing: [{ namespace: 'c', name: 'gone' }],
    });
    expect(unheld).toBeUndefined();
    expect(shown).toEqual([
      ['a', [expect.stringMatching(/^protected Skipped/), expect.stringMatching(/^web Pending/)]],
      ['b', [expect.stringMatching(/^mail Pending/), expect.stringMatching(/^off AlreadyOff/)]],
      ['c', [expect.stringMatching(/^gone Failed/)]],
    ]);
    expect(asked.map(({ method }) => method)).toEqual(['POST', 'POST', 'POST']);
    expect(within).toEqual([limits, limits, limits]);
    expect(runs[0]?.spec).toEqual({ action: 'stop', dueAt: '2026-11-23T19:59:58Z', requestId: 'r' });
    expect(runs[2]?.status).toMatchObject({
      failed: 1,
      failures: [{ name: 'gone', reason: 'NotFound' }],
      startedAt: '2026-11-23T20:00:00Z',
      finishedAt: '2026-11-23T20:00:00Z',
    });
    expect(runs[0]?.status).toMatchObject({ phase: 'Running', targets: 2 });
    expect(runs[2]?.status).toMatchObject({ latestSeconds: 2, vms: ['gone Failed/NotFound 2 2'] });
  });

  it('has a run that ticks look at as long as it goes on', async () => {
    const { runs } = await open({ done: [done('a', 'off', off), done('b', 'off', off)], jobs: [job('a', 'web')] });
    expect(runs.map(({ metadata }) => metadata.labels?.[currentKey])).toEqual(['true', undefined]);
  });

  it.each([{ dryRun: true }, { part: '1' }])('has none where %j', async (more) => {
    expect((await open({ done: [], jobs: [job('a', 'web')] }, more)).asked).toEqual([]);
  });

  it.each<[string, Targets, boolean]>([
    ['who is skipped stands nowhere', { done: [done('a', 'web', skipped)], jobs: [] }, true],
    [
      'who is skipped elsewhere stands nowhere either',
      { done: [done('b', 'web', skipped), done('a', 'off', off)], jobs: [] },
      true,
    ],
    ['who is off as it should be is missed by nobody', { done: [done('a', 'web', off)], jobs: [] }, false],
    ['who is begun has a record', { done: [], jobs: [job('a', 'web')] }, false],
  ])('goes on where its run cannot be made: %s', async (_what, targets, isUnheld) => {
    const { unheld, debugged } = await open(targets, { status: 403 });
    expect(unheld?.code).toBe(isUnheld ? 'Denied' : undefined);
    expect(debugged[0]).toEqual([
      'the run of a fleet could not be made',
      { namespace: expect.any(String) as string, requestId: 'r', problem: expect.stringContaining('no') as string },
    ]);
  });

  it('knows why those stand nowhere whose namespace alone has no run', async () => {
    const { world } = worldOf(t0);
    world.transport.call = <T>({ path }: { path: string }) =>
      Promise.resolve({ status: path.includes('/a/') ? 403 : 201, body: {} as T, warnings: [] });
    const targets = { done: [done('b', 'web', skipped)], jobs: [job('a', 'web')] };
    expect(await openFleetRun(world, command(), targets, { deadline: t0 })).toBeUndefined();
  });
});
