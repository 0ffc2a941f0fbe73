import { describe, expect, it } from 'vitest';

import type { KubeObject, Wukong } from '../../shared/domain/model.ts';
import type { Job } from '../../shared/execute/job.ts';
import { useOf, withoutThoseInUse } from '../../shared/reconcile/inUse.ts';
import type { Problem, Ticking } from '../../shared/reconcile/problems.ts';
import type { Decision } from '../../shared/schedule/decide.ts';
import type { Ruled, Timetable } from '../../shared/schedule/timetable.ts';
import { worldOf } from './asked.ts';
import { t0 } from './machines.ts';

const s = 1_000;
const key = 'ci.example.com/busy';
const wukongOf = (annotations?: Record<string, string>, name = 'web') =>
  ({ metadata: { namespace: 'team-a', name, uid: name, annotations } }) as unknown as Wukong;

/** What a tick that has so long is told, while the cluster answers so. */
function ticking(answers: [status: number, body?: object][] = [], deadline = t0 + 50 * s, signal?: AbortSignal) {
  const { world, asked, within } = worldOf(t0, ...(answers as [number, KubeObject?][]));
  const problems: Problem[] = [];
  const { call } = world.transport;
  world.transport.call = (one, limits) => {
    expect(one.method === 'POST' || one.safe, 'who is logged in may be asked again').toBe(true);
    return call(one, limits);
  };
  const limits = { deadline, ...(signal ? { signal } : {}) };
  return { to: { world, limits, problems } satisfies Ticking, asked, within, problems, limits };
}
const guest = (status: object = {}) => ({
  metadata: { namespace: 'team-a', name: 'web-vm', uid: 'g' },
  status: { phase: 'Running', conditions: [{ type: 'AgentConnected', status: 'True' }], ...status },
});
const users = (count: number) => ({ items: Array.from({ length: count }, () => ({ userName: 'kim' })) });

describe('whether a VM is in use', () => {
  it.each([
    ['true', `the annotation ${key} says that it is in use`],
    ['build 7', `the annotation ${key} says that it is in use`],
    ['', undefined],
    ['false', undefined],
    [undefined, undefined],
  ])('is what its annotation says (%j), and asks nobody', async (value, expected) => {
    const { to, asked } = ticking();
    const wukong = wukongOf(value === undefined ? {} : { [key]: value });
    expect(await useOf(wukong, { loggedIn: false, annotation: key }, to)).toBe(expected);
    expect(asked).toEqual([]);
  });

  it('is not what every object has, nor another annotation', async () => {
    const { to } = ticking();
    expect(await useOf(wukongOf({}), { loggedIn: false, annotation: 'toString' }, to)).toBeUndefined();
    expect(await useOf(wukongOf(), { loggedIn: false, annotation: key }, to)).toBeUndefined();
    expect(await useOf(wukongOf({ undefined: 'true' }), { loggedIn: false }, to)).toBeUndefined();
  });

  it.each([
    [0, undefined],
    [1, '1 user is logged in, as its guest agent reports'],
    [2, '2 users are logged in, as its guest agent reports'],
  ])('is what its guest agent says of users: %i', async (count, expected) => {
    const { to, asked, within, limits } = ticking([
      [200, guest()],
      [200, users(count)],
    ]);
    expect(await useOf(wukongOf(), { loggedIn: true }, to)).toBe(expected);
    const path = 'namespaces/team-a/virtualmachineinstances/web-vm';
    expect(asked).toEqual([
      { method: 'GET', path: `/apis/kubevirt.io/v1/${path}` },
      { method: 'GET', path: `/apis/subresources.kubevirt.io/v1/${path}/userlist` },
    ]);
    expect(within).toEqual([limits, limits]);
  });

  it.each([[[404, undefined]], [[200, guest({ phase: 'Succeeded' })]], [[200, guest({ conditions: [] })]]] as [
    [number, object?],
  ][])('nobody is asked of a guest that cannot tell: it is not in use (%j)', async (answer) => {
    const { to, asked, problems } = ticking([answer]);
    expect(await useOf(wukongOf(), { loggedIn: true }, to)).toBeUndefined();
    expect([asked.length, problems]).toEqual([1, []]);
  });

  it.each([
    [200, { items: 'kim' }],
    [200, {}],
    [404, users(2)],
    [499, undefined],
  ])('an answer that lists nobody is no use (%i %j)', async (status, body) => {
    const { to, problems } = ticking([
      [200, guest()],
      [status, body],
    ]);
    expect([await useOf(wukongOf(), { loggedIn: true }, to), problems]).toEqual([undefined, []]);
  });

  it.each([
    ['virtualmachineinstances', [[403]]],
    ['virtualmachineinstances/userlist', [[200, guest()], [403]]],
  ] as [string, [number, object?][]][])(
    'counts as so where %s may not be read, and says what to grant',
    async (what, answers) => {
      const { to, problems } = ticking(answers);
      expect(await useOf(wukongOf(), { loggedIn: true }, to)).toBe('nobody can tell who is logged in (403)');
      expect(problems).toEqual([
        {
          message: `who is logged in to team-a/web may not be read (403): grant get on ${what}`,
          ...{ reason: 'Denied', minor: true },
        },
      ]);
    },
  );

  it('counts as so where the server errs, or nobody answers, or there was no time to ask', async () => {
    const erring = ticking([[200, guest()], [500]]);
    expect(await useOf(wukongOf(), { loggedIn: true }, erring.to)).toBe('nobody can tell who is logged in (500)');
    expect(erring.problems).toEqual([]);
    const silent = ticking();
    expect(await useOf(wukongOf(), { loggedIn: true }, silent.to)).toBe('nobody can tell who is logged in');
    expect(silent.problems).toMatchObject([{ minor: true, object: { kind: 'Wukong' } }]);
    const late = ticking([], t0);
    expect(await useOf(wukongOf(), { loggedIn: true }, late.to)).toBe('nobody could tell in time who is logged in');
    expect(late.asked).toEqual([]);
  });

  it('is not answered where nobody wants it any more', async () => {
    const { to, problems } = ticking([], t0 + s, AbortSignal.abort(new Error('closed')));
    await expect(useOf(wukongOf(), { loggedIn: true }, to)).rejects.toThrow('closed');
    expect(problems).toEqual([]);
  });
});

describe('the scheduled stop of a VM that is in use', () => {
  const wall = '2026-11-23T20:30:00';
  interface Given {
    name?: string;
    value?: string;
    use?: { maxDelayMs: number; loggedIn: boolean; annotation?: string } | undefined;
    decision?: object;
    work?: string;
    enforced?: boolean;
    ageMs?: number;
  }
  const rule = { maxDelayMs: 600 * s, loggedIn: false, annotation: key };
  /** One job of a tick. */
  function job({ name = 'web', value = 'true', work = 'command', ageMs = 60 * s, ...more }: Given) {
    const wukong = wukongOf({ [key]: value }, name);
    const schedule = { key: 'team-a/office', skipWhileInUse: 'use' in more ? more.use : rule };
    const boundary = { at: t0 - ageMs, action: 'stop', schedule, wall };
    const decision = {
      do: 'stop',
      boundary,
      enforced: more.enforced ?? false,
      ...more.decision,
    } as unknown as Decision;
    const ruled = { schedules: [], decision } as unknown as Ruled;
    const one = { place: { namespace: 'team-a', name }, wukong, work: { do: work } } as unknown as Job;
    return { one, ruled };
  }
  async function sorted(given: Given[], to = ticking([[201], [201]])) {
    const all = given.map(job);
    const ruled = new Map(all.map(({ one, ruled }) => [one.wukong!, ruled]));
    const table = { at: t0, ruled, selecting: [] } as unknown as Timetable;
    const unused = await withoutThoseInUse({ table, jobs: all.map(({ one }) => one) }, to.to);
    return { ...to, ...unused, all };
  }

  it('waits, until its delay is over, and its owner is told so once all others were begun', async () => {
    const { jobs, waiting, tellWaiting, all, asked, within, limits } = await sorted([
      {},
      { name: 'b', value: 'false' },
    ]);
    expect([jobs, waiting]).toEqual([[all[1]!.one], 1]);
    const why = `the annotation ${key} says that it is in use`;
    expect(all[0]!.ruled.decision).toEqual({ do: 'nothing', because: why, until: t0 - 60 * s + 600 * s });
    expect(asked).toEqual([]);
    await tellWaiting();
    expect(asked).toMatchObject([
      {
        method: 'POST',
        body: {
          ...{ type: 'Normal', reason: 'StopWaits', involvedObject: { name: 'web' } },
          message: `The stop of ${wall} by schedule team-a/office waits: ${why}; at the latest it is carried out at 2026-11-23T20:09:00Z.`,
          reportingInstance: expect.stringMatching(/.{9}/) as string,
        },
      },
    ]);
    expect(within).toEqual([limits]);
    const { body } = asked[0] as unknown as { body: KubeObject };
    const later = await sorted([{ ageMs: 61 * s }], ticking([[201]]));
    await later.tellWaiting();
    expect((later.asked[0] as unknown as { body: KubeObject }).body.metadata.name).not.toBe(body.metadata.name);
  });

  it.each([
    ['is no scheduled stop', { work: 'resume' }],
    ['is a start', { decision: { do: 'start' } }],
    ['is enforced', { enforced: true }],
    ['has a schedule that lets nothing wait', { use: undefined }],
    ['has waited as long as it may', { ageMs: 600 * s }],
    ['has waited longer', { ageMs: 601 * s }],
    ['is in nobody’s use', { value: 'false' }],
  ] as [string, Given][])('does not wait where it %s', async (_what, given) => {
    const { jobs, waiting, all } = await sorted([given]);
    expect([jobs.length, waiting]).toEqual([1, 0]);
    expect(all[0]!.ruled.decision?.do).not.toBe('nothing');
  });

  it('waits for a last second', async () => expect((await sorted([{ ageMs: 599_999 }])).waiting).toBe(1));

  it('of a Wukong that is not read, or that no schedule rules, goes on', async () => {
    const { one } = job({});
    const table = { at: t0, ruled: new Map(), selecting: [] } as unknown as Timetable;
    const jobs = [one, { ...one, wukong: undefined } as unknown as Job];
    expect(await withoutThoseInUse({ table, jobs }, ticking().to)).toMatchObject({ jobs, waiting: 0 });
  });

  it('is asked about with seven others of its namespace at once', async () => {
    const to = ticking();
    let [now, most] = [0, 0];
    to.to.world.transport.call = async () => {
      most = Math.max(most, ++now);
      await new Promise((next) => setImmediate(next));
      now--;
      return { status: 404, warnings: [] } as never;
    };
    const use = { ...rule, loggedIn: true };
    const names = Array.from({ length: 20 }, (_, i) => `vm-${i}`);
    await sorted(
      names.map((name) => ({ name, value: 'false', use })),
      to,
    );
    expect(most).toBe(8);
  });

  it('is not asked about where nobody wants the tick any more', async () => {
    const to = ticking([], t0 + 50 * s, AbortSignal.abort(new Error('closed')));
    await expect(sorted([{ value: 'false', use: { ...rule, loggedIn: true } }], to)).rejects.toThrow('closed');
  });

  it('of a Wukong of which nothing is decided goes on', async () => {
    const { jobs, all } = await (async () => {
      const { one, ruled } = job({});
      delete (ruled as { decision?: unknown }).decision;
      const table = { at: t0, ruled: new Map([[one.wukong!, ruled]]), selecting: [] } as unknown as Timetable;
      return { ...(await withoutThoseInUse({ table, jobs: [one] }, ticking().to)), all: [one] };
    })();
    expect(jobs).toEqual(all);
  });

  it.each([
    [t0 + 50 * s, t0 + 2 * s],
    [t0 + s, t0 + s],
  ])('is asked about for two seconds, and no longer than the tick has (%i)', async (deadline, until) => {
    const to = ticking([[404]], deadline);
    await sorted([{ value: 'false', use: { ...rule, loggedIn: true } }], to);
    expect(to.within).toEqual([{ deadline: until }]);
  });

  it('keeps nobody from going on where its owner cannot be told', async () => {
    const { tellWaiting, asked } = await sorted([{}, { name: 'b' }], ticking([[500], [201]]));
    await tellWaiting();
    expect(asked).toHaveLength(2);
  });
});
