import { describe, expect, it } from 'vitest';

import type { Wukong } from '../../shared/domain/model.ts';
import { lastKey, type Operation, operationKey, write } from '../../shared/domain/operation.ts';
import type { Machine } from '../../shared/domain/vm.ts';
import { groupOf, type Job } from '../../shared/execute/job.ts';
import { ownJob, withoutIdle } from '../../shared/reconcile/ownJobs.ts';
import type { ScheduledJobs } from '../../shared/reconcile/scheduledJobs.ts';
import { worldOf } from './asked.ts';
import { machineOf, operation, s, t0 } from './machines.ts';

const office = groupOf('office', 7);
interface Given {
  op?: Operation;
  last?: object;
  declared?: unknown;
  wave?: string;
  machine?: Machine;
  /** What schedules know of its operation. */
  known?: boolean;
}
const wukongOf = ({ op, last, declared, wave }: Given): Wukong =>
  ({
    metadata: {
      ...{ namespace: 'team-a', name: 'web', uid: 'w', generation: 3 },
      annotations: {
        ...(op ? { [operationKey]: write(op) } : {}),
        ...(last ? { [lastKey]: JSON.stringify(last) } : {}),
        ...(wave ? { 'lifecycle.novasphere.dev/wave': wave } : {}),
      },
    },
    spec: { lifecycleAction: declared },
  }) as unknown as Wukong;
const annotations = { owner: 'kim' };

function jobOf(given: Given) {
  const wukong = wukongOf(given);
  const asked: string[] = [];
  const scheduled = {
    groupOf: (of: Wukong, op: Operation) => (
      expect([of, op.requestId]).toEqual([wukong, 'request']),
      given.known ? office : undefined
    ),
  } as unknown as ScheduledJobs;
  const job = ownJob(wukong, {
    world: worldOf(t0 + 60 * s).world,
    machineOf: () => given.machine ?? machineOf(),
    around: (namespace) => (asked.push(namespace), annotations),
    scheduled,
  });
  return { job, asked, plain: { place: { namespace: 'team-a', name: 'web' }, wukong, jitterMs: 0, wave: 0 } };
}
const claimed = operation({ vmiUid: 'one' });
const off = machineOf({ strategy: 'Halted' }, null);
const comingUp = machineOf({}, { phase: 'Scheduling', ready: 'False' });

describe('what a VM asks for itself', () => {
  it('is nothing, mostly', () => expect(jobOf({}).job).toBeUndefined());

  it('is to go on with its operation, within what its namespace says', () => {
    const { job, asked, plain } = jobOf({ op: claimed, wave: '3' });
    expect(job).toEqual({
      ...{ ...plain, action: 'stop', wave: -3, group: groupOf('request request'), namespaceAnnotations: annotations },
      ...{ work: { do: 'resume', op: expect.objectContaining({ requestId: 'request' }) as Operation }, urgent: false },
    });
    expect(asked).toEqual(['team-a']);
  });

  it('waits for no place where its power call was made already', () =>
    expect(jobOf({ op: claimed, machine: off }).job).toMatchObject({ work: { do: 'resume' }, urgent: true }));

  it('has its place among those of its schedule, where one asked for it', () => {
    expect(jobOf({ op: claimed, known: true }).job).toMatchObject({ group: office });
    const start = operation({ action: 'start', waitSeconds: 9_000 });
    const { job, plain } = jobOf({ op: start, machine: comingUp, known: true, wave: '3' });
    expect(job).toEqual({ ...plain, action: 'start', wave: 3, group: office, work: { do: 'await' }, urgent: true });
  });

  it('is to give up an operation that nobody could end', () => {
    const op = operation({ deadline: t0, attempts: 3 });
    const { job, asked, plain } = jobOf({ op, machine: comingUp, known: true });
    const work = { do: 'giveUp', op: expect.objectContaining({ requestId: 'request' }) as Operation };
    expect(job).toEqual({ ...plain, action: 'stop', group: groupOf('request request'), work, urgent: true });
    expect(asked).toEqual([]);
  });

  it('is to tell an end that nobody was told', () => {
    const { deadline: _d, ...done } = operation({ requestId: 'done' });
    const end = { ...done, outcome: 'Stopped', message: '', finishedAt: t0 };
    const last = JSON.parse(write(end as never)) as object;
    const { job, plain } = jobOf({ last, machine: off });
    const work = { do: 'reportAgain', last: expect.objectContaining({ requestId: 'done' }) as object };
    expect(job).toEqual({ ...plain, action: 'stop', group: groupOf('request done'), work, urgent: true });
  });

  it.each([
    [{ action: 'start' }, 'start'],
    [{ action: 'stop' }, 'stop'],
    [{ action: 'explode' }, 'stop'],
    [{}, 'stop'],
    ['start', 'stop'],
  ])('is what is declared: %j', (declared, action) => {
    const { job, plain } = jobOf({ declared, wave: '3' });
    const group = groupOf('declared team-a');
    expect(job).toEqual({ ...plain, action, group, work: { do: 'declared' }, namespaceAnnotations: annotations });
  });
});

it('what others carry out is of interest only where somebody of their group waits for a turn', () => {
  const job = (key: string, work: string, urgent?: boolean) =>
    ({ group: groupOf(key), work: { do: work }, urgent }) as unknown as Job;
  const all = [job('a', 'await', true), job('a', 'command'), job('b', 'await', true), job('b', 'resume', true)];
  expect(withoutIdle(all)).toEqual([all[0], all[1], all[3]]);
});
