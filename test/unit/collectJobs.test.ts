import { describe, expect, it } from 'vitest';

import { LifecycleError } from '../../shared/domain/errors.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import { operationKey, write } from '../../shared/domain/operation.ts';
import type { Machine } from '../../shared/domain/vm.ts';
import { collectJobs } from '../../shared/reconcile/collectJobs.ts';
import type { Seen } from '../../shared/reconcile/look.ts';
import type { Problem } from '../../shared/reconcile/problems.ts';
import type { WukongSchedule } from '../../shared/schedule/schedule.ts';
import { worldOf } from './asked.ts';
import { machineOf, operation } from './machines.ts';
import { at, office, prefix } from './schedules.ts';

// A Tuesday evening, a minute after the stop of 18:00 UTC.
const now = at('2026-03-31T18:01:00Z');
const made = '2026-01-01T00:00:00Z';
const on = (name: string) => machineOf({ adoptedBy: name });
const coming = (name: string) => machineOf({ adoptedBy: name }, { phase: 'Scheduling', ready: 'False' });

interface Given {
  annotations?: Record<string, string>;
  lifecycleAction?: unknown;
  labels?: Record<string, string>;
  namespace?: string;
}
const wukong = (
  name: string,
  { annotations, lifecycleAction, labels = { env: 'dev' }, namespace = 'dev' }: Given = {},
) =>
  ({
    metadata: { namespace, name, uid: name, creationTimestamp: made, labels, annotations },
    spec: { lifecycleAction },
  }) as unknown as Wukong;
const declaring = (name: string, namespace = 'other') =>
  wukong(name, { labels: {}, lifecycleAction: { action: 'stop' }, namespace });
const schedule: WukongSchedule = {
  metadata: { namespace: 'dev', name: 'office', creationTimestamp: made },
  spec: office,
};
const times = { requestedAt: now - 9_000, startedAt: now - 9_000, stepAt: now - 9_000, deadline: now + 600_000 };
const of = (name: string, op: Parameters<typeof operation>[0]) =>
  wukong(name, { labels: {}, annotations: { [operationKey]: write(operation({ ...times, ...op })) } });

async function collected(
  wukongs: Wukong[],
  more: Partial<Seen> & { few?: boolean; view?: (name: string) => Machine } = {},
) {
  const { few = false, view = on, ...seen } = more;
  const { world } = worldOf(now);
  const problems: Problem[] = [];
  const looked: string[] = [];
  const machines = {
    get: (_namespace: string, vm: string) => (looked.push(vm), view(vm.replace(/-vm$/, ''))),
    changed: () => Promise.resolve(true),
    close() {},
  };
  const around = { schedules: [schedule], findText: () => undefined, namespaces: new Map() };
  const all: Seen = { wukongs, machines, around, declaring: new Map(), unanswered: new Map(), ...seen };
  const decided = await collectJobs(all, { world, limits: { deadline: now + 50_000 }, problems }, few);
  const jobs = decided.jobs.map(({ place, work }) => `${place.name} ${work.do}`);
  return { ...decided, jobs, all: decided.jobs, problems, looked };
}

describe('what is to be done with VMs', () => {
  it('is what they ask for themselves, and what schedules want', async () => {
    const { jobs, wanted, table, problems } = await collected([
      wukong('db'),
      declaring('web'),
      wukong('idle', { labels: {} }),
    ]);
    expect(jobs).toEqual(['db command', 'web declared']);
    expect([...wanted.keys()]).toEqual(['dev/db']);
    expect([table.at, problems]).toEqual([now, []]);
  });

  it('is what a VM asks for itself before what its schedule wants, but where it waits for others only', async () => {
    const both = wukong('db', { lifecycleAction: { action: 'stop' } });
    const { jobs, wanted } = await collected([both]);
    expect([jobs, wanted]).toEqual([['db declared'], new Map()]);
    const start = operation({
      action: 'start',
      waitSeconds: 9_000,
      requestedAt: now - 7_200_000,
      deadline: now + 600_000,
    });
    const starting = wukong('db', { annotations: { [operationKey]: write(start) } });
    const waiting = await collected([starting], { view: coming });
    expect([waiting.jobs, [...waiting.wanted.keys()]]).toEqual([['db command'], ['dev/db']]);
  });

  it('is written down where a schedule leaves the VM alone', async () => {
    const { jobs, wanted } = await collected([wukong('db', { annotations: { [`${prefix}protected`]: 'true' } })]);
    expect([jobs, wanted.get('dev/db')?.do]).toEqual([[], 'skip']);
  });

  it('is done within what its namespace says', async () => {
    const { all } = await collected([declaring('web')], { declaring: new Map([['other', { a: 'b' }]]) });
    expect(all).toMatchObject([{ namespaceAnnotations: { a: 'b' } }]);
    expect((await collected([declaring('web')])).all[0]?.namespaceAnnotations).toEqual({});
  });

  it('is left out where others are at it, and nobody of their group waits', async () => {
    const start = { action: 'start' as const, waitSeconds: 9_000, requestId: 'r' };
    expect((await collected([of('web', start)], { view: coming })).jobs).toEqual([]);
  });

  it('is decided of each VM as it was at the first look', async () => {
    const db = wukong('db');
    const { machineOf, looked } = await collected([db]);
    expect(machineOf(db)).toBe(machineOf(db));
    expect(looked).toEqual(['db-vm']);
  });
});

describe('a tick of a few VMs', () => {
  it('does what is declared, and asks no schedule', async () => {
    const { jobs, wanted } = await collected([wukong('db'), declaring('web')], { few: true });
    expect([jobs, wanted]).toEqual([['web declared'], new Map()]);
  });

  it('goes on with what was begun, and begins nothing', async () => {
    const begun = of('begun', { step: 'Claimed', vmiUid: 'gone' });
    const waits = of('waits', { vmiUid: 'one' });
    const off = machineOf({ strategy: 'Halted', adoptedBy: 'begun' }, null);
    const view = (name: string) => (name === 'begun' ? off : on(name));
    expect((await collected([begun, waits], { few: true, view })).jobs).toEqual(['begun resume']);
    expect((await collected([begun, waits], { view })).jobs).toEqual(['begun resume', 'waits resume']);
  });
});

describe('a VM of which nobody can decide', () => {
  const broken = (name: string) => {
    if (name === 'bad') throw new TypeError('no view');
    return on(name);
  };

  it('is told once, and its neighbours are done', async () => {
    const bad = wukong('bad', { lifecycleAction: { action: 'stop' } });
    const { jobs, problems, undecided } = await collected([bad, wukong('db')], { view: broken });
    expect([jobs, problems.length]).toEqual([['db command'], 1]);
    expect(problems).toMatchObject([{ message: 'no view', object: { kind: 'Wukong', metadata: { name: 'bad' } } }]);
    expect(undecided).toEqual(new Map([['dev/bad', { namespace: 'dev', name: 'bad' }]]));
  });

  it('is no trouble of its own where its namespace does not answer, and each other one is', async () => {
    const silent = new LifecycleError('Unreachable', 'silent');
    const unanswered = new Map([['dev', silent]]);
    const all = [declaring('web', 'dev'), declaring('db', 'dev'), declaring('mail')];
    const { jobs, problems, undecided } = await collected(all, { unanswered });
    expect([jobs, problems, [...undecided.keys()]]).toEqual([['mail declared'], [], ['dev/web', 'dev/db']]);
    const both = await collected([declaring('web', 'dev'), declaring('bad')], { unanswered, view: broken });
    expect(both.problems).toMatchObject([{ object: { metadata: { name: 'bad' } } }]);
  });

  it('is none of a schedule’s either while its namespace does not answer, whose ever the schedule is', async () => {
    const unanswered = new Map([['dev', new LifecycleError('Unreachable', 'silent')]]);
    const { jobs, wanted, problems, undecided } = await collected([wukong('db')], { unanswered });
    expect([jobs, wanted.size, problems, [...undecided.keys()]]).toEqual([[], 0, [], ['dev/db']]);
    const { metadata, ...rest } = wukong('db');
    const { namespace: _, ...bare } = metadata;
    const own = { ...schedule, metadata: { name: 'office', creationTimestamp: made } };
    const around = { schedules: [own], findText: () => undefined, namespaces: new Map() };
    const nameless = { around, unanswered: new Map([['', new LifecycleError('Unreachable', 'silent')]]) };
    const unnamed = await collected([{ ...rest, metadata: bare }], nameless);
    expect([unnamed.jobs, unnamed.problems]).toEqual([[], []]);
  });

  it('is one whose namespace nobody knows', async () => {
    const { problems, jobs } = await collected([declaring('web'), wukong('db')], {
      declaring: new LifecycleError('Unreachable', 'down'),
    });
    expect([jobs, problems]).toMatchObject([
      ['db command'],
      [{ message: 'down', object: { metadata: { name: 'web' } } }],
    ]);
  });

  it('may be one without a namespace, as a file has it', async () => {
    const { metadata, ...rest } = declaring('web');
    const { namespace: _, ...bare } = metadata;
    const unanswered = new Map([['', new LifecycleError('Unreachable', 'silent')]]);
    const { problems, undecided } = await collected([{ ...rest, metadata: bare }], { unanswered });
    expect([problems, undecided.size]).toEqual([[], 1]);
  });
});
