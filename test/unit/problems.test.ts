import { createHash } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { LifecycleError } from '../../shared/domain/errors.ts';
import type { Condition, KubeObject, Wukong } from '../../shared/domain/model.ts';
import { lineOf, type Problem, problemOf, reportProblems } from '../../shared/reconcile/problems.ts';
import { worldOf } from './asked.ts';
import { s, t0 } from './machines.ts';

const wukong = (name: string, more: { namespace?: string; condition?: object; generation?: number } = {}): Wukong =>
  ({
    metadata: {
      ...{ namespace: more.namespace ?? 'team-a', name, uid: name, resourceVersion: '7' },
      ...(more.generation ? { generation: more.generation } : {}),
    },
    ...(more.condition ? { status: { conditions: [{ type: 'LifecycleReconciled', ...more.condition }] } } : {}),
  }) as unknown as Wukong;
/** As each version names it, so that two of them tell it once. */
const hashOf = (id: string) => createHash('sha256').update(id).digest('hex').slice(0, 16);
const of = (object: KubeObject, message = 'stuck'): Problem => problemOf(new LifecycleError('Stuck', message), object);

interface Body {
  metadata: { name: string };
  message: string;
  status: { conditions: Condition[] };
}

/** What is said of these problems, and what the cluster is asked. */
async function reported(problems: Problem[], idle: Wukong[] = [], answers: (number | Error)[] = []) {
  const { world } = worldOf(t0);
  const [counted, logged]: [Record<string, number>, unknown[][]] = [{}, []];
  const asked: { path: string; body: Body; within: unknown }[] = [];
  const line = (level: string) => (message: string, fields?: object) => void logged.push([level, message, fields]);
  world.log = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
  world.metrics = { ...world.metrics, count: (name, value) => void (counted[name] = value) };
  let [open, most] = [0, 0];
  world.transport.call = async ({ path, body }, within) => {
    asked.push({ path, body: body as Body, within });
    most = Math.max(most, ++open);
    await new Promise((next) => setImmediate(next));
    open--;
    const answer = answers.shift() ?? 201;
    if (typeof answer !== 'number') throw answer;
    return { status: answer, body: { message: 'no' } as never, warnings: [] };
  };
  await reportProblems(world, problems, idle);
  const events = asked.filter(({ path }) => path.endsWith('/events'));
  return { counted, logged, asked, events, conditions: asked.filter((one) => !events.includes(one)), most };
}

describe('a problem', () => {
  it('is of a Wukong unless it is said of what, with the reason of what was thrown', () => {
    const web = wukong('web');
    expect(of(web)).toEqual({ message: 'stuck', reason: 'Stuck', object: { ...web, kind: 'Wukong' } });
    expect(problemOf(new Error('x'), web, 'WukongSchedule')).toMatchObject({
      reason: 'Unknown',
      object: { kind: 'WukongSchedule' },
    });
  });

  it('names whose it is, in one line that nothing can forge', () => {
    const web = wukong('web');
    const lines = (['Wukong', 'WukongSchedule', 'ClusterWukongSchedule'] as const).map((kind) =>
      lineOf(problemOf(new Error('a\nb'), web, kind)),
    );
    expect(lines).toEqual(['team-a/web: a b', 'schedule team-a/web: a b', 'schedule web: a b']);
    expect(lineOf({ message: 'a\nb', reason: 'Denied' })).toBe('a b');
  });
});

describe('what a tick could not do', () => {
  it('is counted; only what left nothing undone is a tick that was done', async () => {
    const minor = { ...of(wukong('web')), minor: true };
    expect((await reported([])).counted).toEqual({ TickProblems: 0, TicksDone: 1 });
    expect((await reported([minor])).counted).toEqual({ TickProblems: 1, TicksDone: 1 });
    expect((await reported([minor, of(wukong('db'))])).counted).toEqual({ TickProblems: 2, TicksDone: 0 });
  });

  it('is logged with whose it is', async () => {
    const { logged, asked } = await reported([
      { message: 'down', reason: 'Unreachable', namespace: 'team-b' },
      { ...of(wukong('web')), minor: true },
    ]);
    expect(logged).toEqual([
      ['error', 'problem: down', { namespace: 'team-b', name: undefined, reason: 'Unreachable' }],
      ['warn', 'problem: team-a/web: stuck', { namespace: 'team-a', name: 'web', reason: 'Stuck' }],
    ]);
    expect(asked).toHaveLength(1);
  });

  it('is an Event of the day on what it is of, cut to what one takes', async () => {
    const long = of(wukong('web'), `a\n${'x'.repeat(2_000)}`);
    const { events } = await reported([long]);
    const { body, within } = events[0]!;
    expect(body).toMatchObject({ type: 'Warning', reason: 'ProblemStuck', reportingInstance: 'reconcile' });
    expect([body.message.length, body.message.slice(0, 4), within]).toEqual([1024, 'a xx', { deadline: t0 + 5 * s }]);
    const again = (await reported([of(wukong('web'), 'another')])).events[0]!.body;
    expect([again.metadata.name, again.metadata.name]).toEqual([
      body.metadata.name,
      `web.${hashOf('web/problem/Stuck/2026-11-23')}`,
    ]);
    const other = (await reported([problemOf(new Error('x'), wukong('web'))])).events[0]!.body;
    expect(other.metadata.name).not.toBe(body.metadata.name);
  });

  it('is told by ten Events, of each namespace in turn', async () => {
    const many = Array.from({ length: 14 }, (_, i) => of(wukong(`vm-${i}`)));
    const { events, logged } = await reported([...many, of(wukong('db', { namespace: 'team-b' }))]);
    expect([events.length, logged.length]).toEqual([10, 15]);
    expect(events.map(({ path }) => path.split('/')[4])).toContain('team-b');
    const nobodys = many.map(({ object: _, ...one }) => one);
    expect((await reported([...nobodys, ...many])).events).toHaveLength(10);
  });

  it('stands in the log where it cannot be told', async () =>
    expect(
      (await reported([of(wukong('web'))], [wukong('web')], [new Error('down'), new Error('down')])).logged,
    ).toHaveLength(1));
});

describe('a Wukong that nothing is done with', () => {
  const bad = { status: 'False', reason: 'Stuck' };
  const told = async (problems: Problem[], ...idle: Wukong[]) =>
    (await reported(problems, idle)).conditions.map(({ path, body }) => [
      path.split('/').slice(-2).join('/'),
      body.status.conditions[0],
    ]);

  it('says what is wrong with it, and since when', async () => {
    const web = wukong('web', { generation: 4 });
    const { conditions } = await reported([of(web, `a\n${'x'.repeat(2_000)}`)], [web, wukong('db')]);
    expect(conditions).toHaveLength(1);
    const [{ path, body, within }] = conditions as [(typeof conditions)[0]];
    expect([path.split('/').slice(-3), within]).toEqual([['wukongs', 'web', 'status'], { deadline: t0 + 5 * s }]);
    expect(body).toEqual({
      metadata: { resourceVersion: '7' },
      status: {
        conditions: [
          {
            ...{
              type: 'LifecycleReconciled',
              status: 'False',
              reason: 'Stuck',
              message: expect.stringMatching(/^a x{1022}$/) as string,
            },
            ...{ lastTransitionTime: '2026-11-23T20:00:00Z', observedGeneration: 4 },
          },
        ],
      },
    });
    const [bare] = await told([of(web)], wukong('web'));
    expect(bare?.[1]).not.toHaveProperty('observedGeneration');
  });

  it('says it once, and anew for another reason', async () => {
    expect(await told([of(wukong('web'))], wukong('web', { condition: bad }))).toEqual([]);
    for (const condition of [
      { ...bad, reason: 'Denied' },
      { ...bad, status: 'True' },
    ])
      expect(await told([of(wukong('web'))], wukong('web', { condition }))).toHaveLength(1);
  });

  it('says that it is over, where anything was said', async () => {
    const well = { type: 'LifecycleReconciled', status: 'True', reason: 'Reconciled', message: '' };
    expect(await told([], wukong('web', { condition: bad }))).toMatchObject([['web/status', well]]);
    expect(await told([], wukong('web', { condition: { status: 'True' } }), wukong('db'))).toEqual([]);
  });

  it('says nothing of a problem of a schedule with its name', async () =>
    expect(await told([problemOf(new Error('x'), wukong('web'), 'WukongSchedule')], wukong('web'))).toEqual([]));

  it('is one of the hundred, of each namespace in turn, that say it in one tick, twenty of a namespace at once', async () => {
    const many = Array.from({ length: 105 }, (_, i) => wukong(`vm-${i}`, { condition: bad }));
    const { conditions, most } = await reported([], [...many, wukong('db', { namespace: 'team-b', condition: bad })]);
    expect([conditions.length, most]).toEqual([100, 21]);
    expect(conditions.map(({ path }) => path.split('/')[5])).toContain('team-b');
  });

  it('says it in the next tick, where its status cannot be written now', async () =>
    expect((await reported([], [wukong('web', { condition: bad })], [new Error('down')])).conditions).toHaveLength(1));
});
