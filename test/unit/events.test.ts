import { describe, expect, it } from 'vitest';

import type { KubeObject } from '../../shared/domain/model.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { eventOf, type EventText, hasEvent, putEvent, subjectOf } from '../../shared/report/events.ts';
import { type Asked, clusterOf } from './asked.ts';
import { t0 } from './machines.ts';

const limits = { deadline: t0 + 8_000 };
const metadata = { namespace: 'team-a', name: 'web', uid: 'u-1', resourceVersion: '7' };
const text: EventText = { id: 'request', type: 'Normal', reason: 'Stopped', message: 'It is off.' };
type Answer = [status: number, body?: object];
/** Answers so, and holds that each call may be made again: the Event's name is ours. */
function asked(...answers: Answer[]) {
  const all = clusterOf(t0, ...(answers as [number, KubeObject?][]));
  const { transport } = all.cluster;
  const call: typeof transport.call = (one, limits) => {
    expect(one.safe, one.path).toBe(true);
    return transport.call(one, limits);
  };
  return { ...all, cluster: { ...all.cluster, transport: { ...transport, call } } };
}

/** An Event that is put while the cluster answers so. */
async function put(answers: Answer[], on: Partial<KubeObject> = { metadata }, what = text) {
  const { cluster, asked: calls, within } = asked(...answers);
  const done = putEvent(cluster, on as KubeObject, what, { teller: 'me', limits });
  return { done: await done.catch((thrown: unknown) => thrown), calls, within };
}
const bodyOf = ({ calls }: { calls: Asked[] }) => calls[0]!.body as KubeObject & { involvedObject: object };

describe('the Event of what happened to a VM', () => {
  it('is on its Wukong, by this process, under a name that only this telling has', async () => {
    const one = await put([[201]]);
    expect(one.done).toBe(true);
    const time = '2026-11-23T20:00:00Z';
    expect(one.calls).toEqual([
      {
        ...{ method: 'POST', path: '/api/v1/namespaces/team-a/events' },
        body: {
          ...{ apiVersion: 'v1', kind: 'Event', type: 'Normal', reason: 'Stopped', message: 'It is off.', count: 1 },
          metadata: { name: expect.stringMatching(/^web\.[0-9a-f]{16}$/) as string, namespace: 'team-a' },
          involvedObject: { apiVersion: 'vm.novasphere.dev/v1alpha1', kind: 'Wukong', ...metadata },
          ...{ source: { component: 'wukong-lifecycle' }, reportingComponent: 'wukong-lifecycle' },
          ...{ firstTimestamp: time, lastTimestamp: time, reportingInstance: 'me' },
        },
      },
    ]);
    expect(one.within).toEqual([limits]);
    const name = async (id: string, uid = 'u-1') =>
      bodyOf(await put([[201]], { metadata: { ...metadata, uid } }, { ...text, id })).metadata.name;
    expect(await name('request')).toBe(bodyOf(one).metadata.name);
    expect(new Set([await name('request'), await name('other'), await name('request', 'u-2')]).size).toBe(3);
  });

  it('has a name that is no longer than it may be, and is one', async () => {
    const name = async (of: string) =>
      bodyOf(await put([[201]], { metadata: { ...metadata, name: of } })).metadata.name;
    expect(await name('w'.repeat(253))).toMatch(/^w{236}\.[0-9a-f]{16}$/);
    expect(await name(`${'w'.repeat(233)}.-.${'x'.repeat(9)}`)).toMatch(/^w{233}\.[0-9a-f]{16}$/);
  });

  it('of what is of the whole cluster stands in the namespace default, and names its kind', async () => {
    const on = { kind: 'ClusterWukongSchedule', metadata: { name: 'nights', uid: 'u' } };
    const body = bodyOf(await put([[201]], on, { ...text, annotations: { a: 'b' } }));
    expect(body.metadata).toMatchObject({ namespace: 'default', annotations: { a: 'b' } });
    expect(body.involvedObject).toMatchObject({ kind: 'ClusterWukongSchedule', name: 'nights' });
    expect(bodyOf(await put([[201]])).metadata).not.toHaveProperty('annotations');
  });

  it.each([
    ['ours, whose answer was lost', [200, { reportingInstance: 'me', reason: 'Stopped' }], true],
    ['somebody else’s', [200, { reportingInstance: 'other', reason: 'Stopped' }], false],
    ['ours of something else', [200, { reportingInstance: 'me', reason: 'Failed' }], false],
    ['not there, so that it was refused for another reason', [404], true],
  ] as [string, Answer, boolean][])('that is there already is looked at: it is %s', async (_what, there, expected) => {
    const { done, calls, within } = await put([[409], there]);
    expect([done, within]).toEqual([expected, [limits, limits]]);
    const { name } = bodyOf({ calls }).metadata;
    expect(calls[1]).toEqual({ method: 'GET', path: `/api/v1/namespaces/team-a/events/${name}` });
  });

  it.each([
    [[[403, { message: 'no' }]], 'Denied'],
    [[[300]], 'Refused'],
    [[[409], [403, { message: 'no' }]], 'Denied'],
  ] as [Answer[], string][])('that cannot be put is an error that names it (%j)', async (answers, code) => {
    const { done } = await put(answers);
    expect(done).toMatchObject({ code, message: expect.stringContaining('Event on Wukong team-a/web') as string });
  });

  it.each([
    [[200, { reason: 'Stopped' }], true],
    [[200, { reason: 'Failed' }], false],
    [[200], false],
    [[403, { reason: 'Stopped' }], false],
    [[404, { reason: 'Stopped' }], false],
  ] as [Answer, boolean][])('is known to be there, as it is, by its reason (%j)', async (answer, expected) => {
    const { cluster, asked: calls, within } = asked(answer);
    expect(await hasEvent(cluster, { metadata }, text, limits)).toBe(expected);
    expect(within).toEqual([limits]);
    const { name } = bodyOf(await put([[201]])).metadata;
    expect(calls).toEqual([{ method: 'GET', path: `/api/v1/namespaces/team-a/events/${name}` }]);
  });

  it.each([429, 500, 503])('is neither there nor absent where nobody says so (%i)', async (status) => {
    const { cluster } = asked([status]);
    const looked = hasEvent(cluster, { metadata }, text, limits);
    await expect(looked).rejects.toMatchObject({
      code: 'Unreachable',
      message: expect.stringContaining('Event on Wukong team-a/web') as string,
    });
  });

  it('on another kind is looked for as it was put', async () => {
    const { cluster, asked: calls } = asked([404]);
    await hasEvent(cluster, { kind: 'WukongSchedule', metadata: { name: 'nights' } }, text, limits);
    expect(calls[0]!.path).toMatch(/^\/api\/v1\/namespaces\/default\/events\/nights\./);
  });
});

describe('what is told of an outcome', () => {
  const of = (outcome: string, more: object = {}) =>
    ({
      ...{ namespace: 'team-a', name: 'web', action: 'stop', requestId: 'r', trigger: 'direct', message: 'so' },
      ...{ forced: false, startedAt: t0, finishedAt: t0, outcome, ...more },
    }) as unknown as Outcome;

  it.each([
    ['Stopped', {}, 'r', 'Normal', 'Stopped'],
    ['Started', {}, 'r', 'Normal', 'Started'],
    ['AlreadyOn', {}, 'r', 'Normal', 'AlreadyOn'],
    ['AlreadyOff', {}, 'r', 'Normal', 'AlreadyOff'],
    ['Superseded', {}, 'r', 'Normal', 'Superseded'],
    ['InProgress', {}, 'r', 'Normal', 'InProgress'],
    ['ForcedOff', { forceReason: 'Requested' }, 'r', 'Warning', 'ForcedOff'],
    ['Failed', { reason: 'Stuck' }, 'r/failed/Stuck', 'Warning', 'FailedStuck'],
    ['Failed', { reason: 'Unreachable' }, 'r/unreached', 'Warning', 'FailedUnreachable'],
    ['Skipped', { reason: 'Override' }, 'r/skipped', 'Normal', 'SkippedOverride'],
    ['Skipped', { reason: 'Protected' }, 'r/skipped', 'Warning', 'SkippedProtected'],
  ])('%s %j is of %s, a %s of reason %s', (outcome, more, subject, type, reason) => {
    const one = of(outcome, more);
    expect(subjectOf(one)).toBe(subject);
    expect(eventOf(one)).toEqual({ id: subject, type, reason, message: 'stop (direct, request r): so' });
  });

  it('is no longer than an Event may say, and says where nobody saw the guest end', () => {
    expect(eventOf(of('Stopped', { message: 'x'.repeat(2_000) })).message).toHaveLength(1_024);
    expect(eventOf(of('Stopped', { observed: false })).annotations).toEqual({
      'lifecycle.novasphere.dev/observed': 'false',
    });
  });
});
