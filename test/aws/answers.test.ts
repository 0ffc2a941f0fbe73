import type { Context } from 'aws-lambda';
import { describe, expect, it } from 'vitest';

import { getState } from '../../functions/getState/handler.ts';
import { stopVm } from '../../functions/stopVm/handler.ts';
import type { World } from '../../shared/cluster/world.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { lambda } from '../../shared/entry/entry.ts';
import { reportOf } from '../../shared/report/fleetOutcome.ts';
import { shortened } from '../../shared/report/shortened.ts';
import { namespace, type Scene, scene } from '../flow/scene.ts';

const context = (leftMs = 120_000) => ({ getRemainingTimeInMillis: () => leftMs }) as Context;

const outcome = (i: number, more: object = {}): Outcome =>
  ({
    ...{ namespace: 'n'.repeat(63), name: `${'w'.repeat(240)}-${i}`, action: 'stop', forced: false, requestId: 'r' },
    ...{ trigger: 'event', startedAt: 0, finishedAt: 0, outcome: 'AlreadyOff', message: 'It is off already.', ...more },
  }) as Outcome;

describe('an answer', () => {
  it('of a fleet of 20,000 is below a megabyte, with all counts, and those that failed first', () => {
    const failed = { outcome: 'Failed', reason: 'Stuck', message: 'x'.repeat(4_000) };
    const all = Array.from({ length: 20_000 }, (_, i) => outcome(i, i % 1_000 === 999 ? failed : {}));
    const report = shortened(reportOf({ action: 'stop', requestId: 'r' }, all));
    expect(JSON.stringify(report).length).toBeLessThan(1_000_000);
    expect(report.counts).toEqual({ AlreadyOff: 19_980, Failed: 20 });
    expect(report.failed).toHaveLength(20);
    expect(report.outcomes.slice(0, 20).every((one) => one.outcome === 'Failed')).toBe(true);
    expect(report.outcomes.length + (report.omitted?.['outcomes'] ?? 0)).toBe(20_000);
  });

  it('that is short stays as it is', () => {
    const report = reportOf({ action: 'stop', requestId: 'r' }, [outcome(1)]);
    expect(shortened(report)).toBe(report);
  });

  it('of getState says how many states are left out', async () => {
    const at = await scene();
    const labels = { text: 'x'.repeat(60) };
    for (let i = 0; i < 40; i++) at.sim.createWukong({ namespace, name: `w-${i}`, runStrategy: 'Halted', labels });
    for (let i = 0; i < 40; i++)
      at.sim.change<{ status?: object }>('wukongs', namespace, `w-${i}`, (one) => {
        const lifecycleState = { state: 'Stopped', outcome: 'Stopped', message: 'ü'.repeat(16_000), requestId: 'r' };
        one.status = { ...one.status, lifecycleState };
      });
    const { states, omitted } = (await at.run(() => getState({ namespace }, at.invocation()))) as Awaited<
      ReturnType<typeof getState>
    > & { omitted?: { states?: number } };
    expect(states.length + (omitted?.states ?? 0)).toBe(40);
    expect(JSON.stringify(states).length).toBeLessThan(1_000_000);
  });
});

const counting = (at: Scene) => {
  const counts = new Map<string, number>();
  const count = (name: string, value: number) => void counts.set(name, (counts.get(name) ?? 0) + value);
  const world: World = { ...at.world, metrics: { ...at.world.metrics, count } };
  return { counts, handler: lambda('stopVm', stopVm, () => Promise.resolve(world)) };
};

describe('a command that is refused as a whole', () => {
  const record = (messageId: string, body: unknown) => ({
    ...{ messageId, body: JSON.stringify(body), eventSource: 'aws:sqs' },
  });
  const http = {
    ...{ version: '2.0', rawPath: '/', pathParameters: { namespace, name: 'web' }, body: '{"force": 1}' },
    requestContext: { http: { method: 'POST', path: '/' } },
  };

  it.each([
    ['a typo', { target: { namespace, name: 'web' }, froce: true }],
    ['more targets than it allows', { target: { selector: 'a=b' }, maxTargets: 1 }],
    ['a typo over HTTP', http],
    ['a typo in a queue', { Records: [record('m-1', { target: { namespace, name: 'Web' } })] }],
  ])('because of %s is counted', async (_why, event) => {
    const at = await scene();
    for (const name of ['web', 'db']) at.sim.createWukong({ namespace, name, labels: { a: 'b' } });
    const { counts, handler } = counting(at);
    await at.run(() => handler(event, context()) as Promise<unknown>);
    expect(counts.get('CommandsRefused')).toBe(1);
    expect(at.calls()).toEqual([]);
  });

  it('is none where it is carried out, whatever comes of it', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web' });
    const { counts, handler } = counting(at);
    for (const name of ['web', 'gone'])
      await at.run(() => handler({ target: { namespace, name } }, context()) as Promise<unknown>);
    expect(counts.get('CommandsRefused')).toBeUndefined();
  });
});

it('a batch that finds no end is not acknowledged, however little time is kept back', async () => {
  const at = await scene({}, { RESERVE_SECONDS: '1' });
  const begun = at.clock.now();
  const left = () => ({ getRemainingTimeInMillis: () => 60_000 - (at.clock.now() - begun) }) as Context;
  const never = lambda(
    'stopVm',
    () => new Promise(() => {}),
    () => Promise.resolve(at.world),
  );
  const Records = [{ messageId: 'm-1', body: '{}', eventSource: 'aws:sqs' as const }];
  const answer = await at.run(() => never({ Records }, left()) as Promise<unknown>);
  expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'm-1' }] });
  expect(at.clock.now() - begun).toBeLessThan(59_000);
});

it('a handler has no third parameter: Lambda takes it for a callback, and does not start', () => {
  expect(lambda('stopVm', stopVm)).toHaveLength(2);
});
