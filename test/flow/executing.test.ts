import { describe, expect, it } from 'vitest';

import type { Machines } from '../../shared/cluster/vmInformer.ts';
import { LifecycleError } from '../../shared/domain/errors.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import { operationKey, write } from '../../shared/domain/operation.ts';
import type { Machine } from '../../shared/domain/vm.ts';
import { execute } from '../../shared/execute/execute.ts';
import { groupOf, type Job, type Work } from '../../shared/execute/job.ts';
import type { Executing, Progress } from '../../shared/execute/sink.ts';
import { heard } from '../../shared/time/wait.ts';
import { machineOf, operation } from '../unit/machines.ts';
import { evening, namespace, type Scene, scene } from './scene.ts';

const s = 1_000;
const at20 = Date.parse(evening);
const names = ['a', 'b', 'c'];

/** Wukongs whose VMs are seen as `look` says. */
async function prepared(look: (name: string) => Machine) {
  const at = await scene();
  for (const name of names) at.sim.createWukong({ namespace, name, runStrategy: 'Halted' });
  await at.pass(1_000);
  const machines: Machines = {
    get: (_namespace, vmName) => look(vmName.replace(/-vm$/, '')),
    changed: (_namespace, _name, limits) => heard(at.clock, () => () => {}, limits),
    close() {},
  };
  const job = (name: string, work: Work): Job => ({
    ...{ place: { namespace, name }, wukong: structuredClone(at.wukong(name)), action: 'stop', work },
    ...{ group: groupOf('g'), wave: 0, jitterMs: 0 },
  });
  const run = async (jobs: Job[], options: Partial<Executing> = {}) => {
    const begun = at.clock.now();
    const done = await at.run(execute(jobs, at.world, { deadline: begun + 600 * s, machines, ...options }));
    return { ...done, tookMs: at.clock.now() - begun };
  };
  return { at, job, run };
}
const off = (name: string) => machineOf({ strategy: 'Halted', adoptedBy: name }, null);
const on = (name: string) => machineOf({ adoptedBy: name });
const stop = (at: Scene, name: string): Work => ({
  do: 'command',
  command: at.command('stop', name, {}, { requestId: `stop-${name}` }),
});

describe('a VM that nobody can look at', () => {
  it('is one Failed outcome, of its request or of what was to be done, and the log says where it broke', async () => {
    const logged: unknown[][] = [];
    const broken = (name: string): Machine => {
      if (name === 'b') throw new TypeError('cannot read this');
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- what a library may throw
      throw 'no error at all';
    };
    const { at, job, run } = await prepared(broken);
    at.world.log = { ...at.world.log, error: (...words) => void logged.push(words) };
    const now = at.clock.now();
    const op = operation({ requestId: 'direct:x', trigger: 'queue', startedAt: now, deadline: now + 600 * s });
    at.sim.change<Wukong>('wukongs', namespace, 'b', ({ metadata }) => {
      metadata.annotations = { [operationKey]: write(op) };
    });
    const { outcomes, failures } = await run([job('a', { do: 'await' }), job('b', { do: 'resume', op })]);
    const failed = { namespace, action: 'stop', outcome: 'Failed', reason: 'Unknown', forced: false };
    const times = { startedAt: now, finishedAt: now };
    expect(outcomes.sort((one, other) => (one.name < other.name ? -1 : 1))).toEqual([
      { ...failed, ...times, name: 'a', message: 'no error at all', requestId: 'await', trigger: 'await' },
      { ...failed, ...times, name: 'b', message: 'cannot read this', requestId: 'direct:x', trigger: 'queue' },
    ]);
    expect(failures).toEqual([]);
    const lines = logged.filter(([message]) => String(message).includes('could not be carried out'));
    expect(lines.sort()).toEqual([
      ['stop team-a/a could not be carried out: no error at all', { namespace, name: 'a', cause: 'no error at all' }],
      [
        'stop team-a/b could not be carried out: cannot read this',
        { namespace, name: 'b', cause: expect.stringMatching(/^TypeError: cannot read this\n +at /) as string },
      ],
    ]);
  });
});

it('a command that the bus does not take is to be asked for again, and is no outcome', async () => {
  const { at, job, run } = await prepared(off);
  const error = new LifecycleError('Unreachable', 'the bus is away');
  at.world.bus = { put: () => Promise.reject(error) };
  const one = job('a', stop(at, 'a'));
  const done = await run([one, job('b', { do: 'await' })], { sink: 'bus' });
  expect(done).toMatchObject({ outcomes: [], sent: [], left: [] });
  const message = 'the event bus did not take 1 entries: the bus is away';
  expect(done.failures).toMatchObject([{ job: one, error: { code: 'Unreachable', message } }]);
});

it('who looks on is told of each that is begun and that ends, and how many are under way', async () => {
  const { at, job, run } = await prepared(off);
  const seen: Progress[] = [];
  const jobs = [job('a', stop(at, 'a')), job('b', { do: 'await' })];
  const { outcomes } = await run(jobs, { progress: (progress) => void seen.push(progress) });
  expect(outcomes).toMatchObject([{ name: 'a', outcome: 'AlreadyOff', requestId: 'stop-a' }]);
  expect(seen).toStrictEqual([
    { targets: 2, inFlight: 1 },
    { targets: 2, inFlight: 2 },
    { targets: 2, inFlight: 1 },
    { targets: 2, inFlight: 0, outcome: outcomes[0] },
  ]);
});

/** A stop of `a` that was interrupted; its guest, like those of the others, is shutting down. */
async function oneGoing() {
  const shuttingDown = (name: string) => machineOf({ strategy: 'Halted', adoptedBy: name }, { deletingSince: at20 });
  const { at, job, run } = await prepared(shuttingDown);
  const now = at.clock.now();
  const op = operation({ vmiUid: 'one', startedAt: now, stepAt: now, deadline: now + 600 * s });
  at.sim.change<Wukong>('wukongs', namespace, 'a', ({ metadata }) => {
    metadata.annotations = { [operationKey]: write(op) };
  });
  return { at, job, run, now, going: job('a', { do: 'resume', op }) };
}

it('whoever looks on is told what a VM is waited for', async () => {
  const { run, now, going } = await oneGoing();
  const seen: Progress[] = [];
  const options = { deadline: now + 5 * s, progress: (progress: Progress) => void seen.push(progress) };
  expect((await run([going], options)).outcomes).toMatchObject([{ outcome: 'InProgress' }]);
  const waiting = { place: { namespace, name: 'a' }, for: 'the guest to shut down' };
  expect(seen).toContainEqual({ targets: 1, inFlight: 1, waiting });
});

it('the next one has its place, and its wave begins, when one has ended', async () => {
  const { at, job, run } = await prepared(off);
  const group = groupOf('g', 1);
  const jobs = names.map((name, wave) => ({ ...job(name, stop(at, name)), group, wave }));
  const { outcomes, left, tookMs } = await run(jobs);
  expect([outcomes.map(({ name }) => name), left]).toEqual([names, []]);
  expect(tookMs).toBeLessThan(s);
});

it.each([
  [2 * s, 2 * s],
  [undefined, 5 * s],
])('what is not begun by then is seen to while the others are waited for (%s)', async (before, seenAfterMs) => {
  const { at, job, run, now, going } = await oneGoing();
  const second = { ...job('b', stop(at, 'b')), wave: 1 };
  const seen: unknown[] = [];
  const rest = (left: Job[]) => Promise.resolve(void seen.push([left, at.clock.now() - now]));
  const times = { deadline: now + 5 * s, ...(before === undefined ? {} : { beginUntil: now + before }) };
  const { outcomes, left } = await run([going, second], { ...times, rest });
  expect(seen).toEqual([[[second], seenAfterMs]]);
  expect([outcomes.map(({ name }) => name), left]).toEqual([['a'], [second]]);
});

it('nobody is waited for who is another’s once all are begun', async () => {
  const { job, run } = await prepared(on);
  const { outcomes, tookMs } = await run(names.map((name) => job(name, { do: 'await' })));
  expect([outcomes, tookMs]).toEqual([[], 0]);
});

it('what is not wanted any more is left untouched', async () => {
  const { at, job, run } = await prepared(on);
  const jobs = names.map((name) => job(name, stop(at, name)));
  const done = await run(jobs, { signal: AbortSignal.abort() });
  expect([done.left, done.outcomes, at.calls()]).toEqual([jobs, [], []]);
});

it('what was listed of a Wukong is forgotten when it is done with, and not of one that another process works on', async () => {
  const { at, job, run } = await prepared(off);
  const [mine, theirs] = [job('a', stop(at, 'a')), job('b', { do: 'await' })];
  const unlisted: Job = { ...job('c', stop(at, 'c')) };
  delete unlisted.wukong;
  for (const one of [mine, theirs]) {
    one.wukong!.status = {};
    one.wukong!.metadata.annotations = { x: 'y' };
  }
  expect((await run([mine, theirs, unlisted])).outcomes).toHaveLength(2);
  expect([mine.wukong?.status, mine.wukong?.metadata.annotations]).toEqual([undefined, undefined]);
  expect([theirs.wukong?.status, theirs.wukong?.metadata.annotations]).toEqual([{}, { x: 'y' }]);
});
