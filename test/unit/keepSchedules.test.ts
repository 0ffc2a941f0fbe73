import { describe, expect, it } from 'vitest';

import { LifecycleError } from '../../shared/domain/errors.ts';
import type { Place, Wukong } from '../../shared/domain/model.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import type { WukongRun } from '../../shared/domain/run.ts';
import type { Job, Work } from '../../shared/execute/job.ts';
import type { Executed } from '../../shared/execute/sink.ts';
import { keepSchedules, lastWordsMs, unkept } from '../../shared/reconcile/keepSchedules.ts';
import type { Problem } from '../../shared/reconcile/problems.ts';
import type { Read } from '../../shared/reconcile/runs.ts';
import type { WukongSchedule } from '../../shared/schedule/schedule.ts';
import { timetable } from '../../shared/schedule/timetable.ts';
import type { Limits } from '../../shared/time/wait.ts';
import { worldOf } from './asked.ts';
import { machineOf } from './machines.ts';
import { at, office, prefix } from './schedules.ts';

// A minute after the stop of 20:00 in Berlin, to which `dev/office` and `dev/nights` each stop a VM.
const stopAt = at('2026-11-23T19:00:00Z');
const now = stopAt + 60_000;
const deadline = now + 50_000;
const made = '2026-11-23T12:00:00Z';
const wukong = (name: string, of: string, annotations: object = {}) =>
  ({
    metadata: {
      namespace: 'dev',
      name,
      uid: name,
      resourceVersion: '7',
      creationTimestamp: made,
      labels: { of },
      annotations,
    },
  }) as unknown as Wukong;
const schedule = (name: string, spec: object = {}): WukongSchedule => ({
  metadata: { namespace: 'dev', name, uid: name, resourceVersion: '7', creationTimestamp: made },
  spec: { ...office, selector: { matchLabels: { of: name } }, ...spec },
});
const place = (name: string): Place => ({ namespace: 'dev', name });
const job = (name: string, work: Work['do']) => ({ place: place(name), work: { do: work } }) as unknown as Job;
const done = (more: Partial<Executed> = {}): Executed => ({ outcomes: [], sent: [], left: [], failures: [], ...more });
const outcome = (name: string, more: object) =>
  ({ ...place(name), requestId: 'r', action: 'stop', ...more }) as unknown as Outcome;

interface Given {
  wukongs?: Wukong[];
  schedules?: WukongSchedule[];
  jobs?: Job[];
  underWay?: string[];
  elsewhere?: Place[];
  undecided?: Place[];
  runs?: Read;
  limits?: Partial<Limits>;
  fails?: (path: string) => boolean;
}
function keeping({
  jobs = [],
  underWay = [],
  elsewhere = [],
  undecided = [],
  runs = {},
  limits,
  fails,
  ...given
}: Given) {
  const {
    wukongs = [wukong('web', 'office'), wukong('db', 'nights')],
    schedules = [schedule('office'), schedule('nights')],
  } = given;
  const { world } = worldOf(now);
  const problems: Problem[] = [];
  const counted: unknown[] = [];
  const calls: { path: string; status: Record<string, unknown>; within: Limits }[] = [];
  world.metrics = { ...world.metrics, count: (name, value) => counted.push([name, value]) };
  world.transport.call = ({ method, path, body }, within) => {
    const short = path.replace(/^.*?namespaces\/dev\//, '').split('?')[0]!;
    calls.push({
      path: `${method} ${short}`,
      status: (body as { status: Record<string, unknown> } | undefined)?.status ?? {},
      within: within as Limits,
    });
    if (fails?.(short)) return Promise.reject(new LifecycleError('Unreachable', 'down'));
    const answer = method === 'GET' ? { items: [] } : schedules.find((one) => short.includes(one.metadata.name));
    return Promise.resolve({ status: method === 'POST' ? 201 : 200, body: answer as never, warnings: [] });
  };
  const machine = ({ metadata }: Wukong) => machineOf({ adoptedBy: metadata.name });
  const table = timetable(wukongs, machine, { schedules, findText: () => undefined, namespaces: new Map() }, now);
  const kept = keepSchedules(
    { world, limits: { deadline, ...limits }, problems },
    {
      ...{ seen: { wukongs } as never, table, jobs, elsewhere, wanted: new Map(), machineOf: machine, runs },
      ...{ release() {}, undecided: new Map(undecided.map((one) => [`dev/${one.name}`, one])) },
      underWay: new Set(underWay.map((name) => `dev/${name}`)),
    },
  );
  const written = () =>
    calls.flatMap(({ path, status }) => {
      const [, name] = /^PATCH wukongschedules\/(\w+)\/status$/.exec(path) ?? [];
      return name ? [`${name} ${status['lastHandled'] === '2026-11-23T19:00:00Z' ? 'is through' : 'is not'}`] : [];
    });
  return { kept, calls, problems, counted, written };
}

it('a tick of a few VMs says nothing of schedules', async () => {
  await expect(unkept.meanwhile([])).resolves.toBeUndefined();
  await expect(unkept.atEnd(done(), [])).resolves.toBeUndefined();
});

describe('what a schedule is through with', () => {
  it('is said at once where nothing of it is under way, and of the others at the end', async () => {
    const { kept, written } = keeping({ underWay: ['web'], jobs: [job('web', 'command')] });
    await kept.meanwhile([]);
    expect(written()).toEqual(['nights is through']);
    await kept.atEnd(done(), []);
    expect(written()).toEqual(['nights is through', 'office is through']);
  });

  it('is not said at once where one of its VMs is under way', async () => {
    const wukongs = [wukong('mail', 'office'), wukong('web', 'office'), wukong('db', 'nights')];
    const { kept, written } = keeping({ wukongs, underWay: ['web'] });
    await kept.meanwhile([]);
    expect(written()).toEqual(['nights is through']);
  });

  it.each<[string, Given, Executed, Place[]]>([
    ['was not begun', {}, done({ left: [job('web', 'command')] }), []],
    [
      'could not be done',
      {},
      done({ failures: [{ job: job('web', 'command'), error: new LifecycleError('Unreachable', 'x') }] }),
      [],
    ],
    ['was not reached', {}, done({ outcomes: [outcome('web', { outcome: 'Failed', reason: 'Unreachable' })] }), []],
    ['could not be told of its skip', {}, done(), [place('web')]],
    ['could not be decided', { undecided: [place('web')] }, done(), []],
    ['is carried out elsewhere', { elsewhere: [place('web')] }, done(), []],
    ['goes on by itself', { jobs: [job('web', 'resume')] }, done(), []],
    ['does what is declared', { jobs: [job('web', 'declared')] }, done(), []],
  ])('is not what a VM still has to do that %s', async (_, given, executed, unsaid) => {
    const { kept, written } = keeping({ underWay: ['web'], ...given });
    await kept.atEnd(executed, unsaid);
    expect(written()).toEqual(['office is not']);
  });

  it.each<[string, Given, Executed]>([
    ['failed', {}, done({ outcomes: [outcome('web', { outcome: 'Failed', reason: 'Stuck' })] })],
    ['was stopped', { jobs: [job('web', 'command')] }, done({ outcomes: [outcome('web', { outcome: 'Stopped' })] })],
    ['is at it elsewhere', { jobs: [job('web', 'await')] }, done()],
  ])('is that of a VM that %s', async (_, given, executed) => {
    const { kept, written } = keeping({ underWay: ['web'], ...given });
    await kept.atEnd(executed, []);
    expect(written()).toEqual(['office is through']);
  });

  it('waits for a skip that could not be told also where nothing is under way', async () => {
    const { kept, written } = keeping({});
    await kept.meanwhile([place('db')]);
    expect(written().sort()).toEqual(['nights is not', 'office is through']);
  });

  it('that cannot be written is a problem', async () => {
    const { kept, problems } = keeping({ underWay: ['web'], fails: (path) => path.includes('wukongschedules') });
    await kept.meanwhile([]);
    expect(problems).toMatchObject([{ object: { kind: 'WukongSchedule', metadata: { name: 'nights' } } }]);
    await kept.atEnd(done(), []);
    expect(problems).toHaveLength(2);
  });
});

describe('the last words of a tick', () => {
  const within = async (limits: Partial<Limits>) => {
    const { kept, calls } = keeping({ underWay: ['web'], limits });
    await kept.atEnd(done(), []);
    return calls.map((one) => one.within);
  };

  it('have the time of the tick, and some seconds where that is over', async () => {
    expect(await within({})).toEqual([{ deadline }]);
    expect(await within({ deadline: now + 1_000 })).toEqual([{ deadline: now + lastWordsMs }]);
    expect(lastWordsMs).toBe(5_000);
  });

  it('have these seconds and no signal where the tick was ended from outside', async () => {
    const wish = new AbortController();
    expect(await within({ signal: wish.signal })).toEqual([{ deadline }]);
    wish.abort();
    expect(await within({ signal: wish.signal })).toEqual([{ deadline: now + 5_000 }]);
  });
});

describe('beside the jobs', () => {
  it('stops that are near are announced, and what could not be is a problem', async () => {
    const soon = schedule('office', { stop: '10 20 * * *', announceBeforeSeconds: 900 });
    const { kept, calls } = keeping({ schedules: [soon, schedule('nights')] });
    await kept.meanwhile([]);
    expect(calls.map(({ path }) => path)).toContain('POST events');
    expect(calls.find(({ path }) => path.includes('office'))?.status).toMatchObject({
      lastAnnounced: '2026-11-23T19:10:00Z',
    });
    const at20 = keeping({ schedules: [soon], underWay: ['web'], fails: (path) => path === 'events' });
    await at20.kept.meanwhile([]);
    expect(at20.problems).toMatchObject([{ minor: true, object: { metadata: { name: 'web' } } }]);
    await at20.kept.atEnd(done(), []);
    expect(at20.calls.find(({ path }) => path.includes('office'))?.status).not.toHaveProperty('lastAnnounced');
    const late = keeping({ schedules: [soon], underWay: ['web'] });
    await late.kept.atEnd(done(), []);
    expect(late.calls.find(({ path }) => path.includes('office'))?.status).toMatchObject({
      lastAnnounced: '2026-11-23T19:10:00Z',
    });
  });

  it('runs are kept with what came of the jobs, and what could not be is a problem', async () => {
    const runs: Read = {
      runs: [] as WukongRun[],
      problem: { message: 'some are not', reason: 'Unreachable', minor: true },
    };
    const { kept, calls, problems } = keeping({ underWay: ['web', 'db'], runs });
    await kept.atEnd(done(), []);
    expect(calls.filter(({ path }) => path === 'POST wukongruns')).toHaveLength(2);
    expect(calls.find(({ path }) => path === 'POST wukongruns')?.within).toEqual({ deadline });
    expect(problems).toMatchObject([{ message: 'some are not' }]);
  });

  it('a skip that could not be told is no end in a run', async () => {
    const kept = wukong('web', 'office', { [`${prefix}protected`]: 'true' });
    const phase = async (unsaid: Place[]) => {
      const { kept: keep, calls } = keeping({
        wukongs: [kept],
        schedules: [schedule('office')],
        underWay: ['web'],
        runs: { runs: [] },
      });
      await keep.atEnd(done(), unsaid);
      return calls.find(({ path }) => path === 'POST wukongruns')?.status['phase'];
    };
    expect([await phase([]), await phase([place('web')])]).toEqual(['Skipped', 'Running']);
  });

  it('schedules that are wrong are counted', async () => {
    const { kept, counted } = keeping({ schedules: [schedule('office', { stop: 'tonight' }), schedule('nights')] });
    await kept.atEnd(done(), []);
    expect(counted).toContainEqual(['BadSchedules', 1]);
  });
});
