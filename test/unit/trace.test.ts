import { describe, expect, it } from 'vitest';

import type { Operation } from '../../shared/domain/operation.ts';
import { readTrace } from '../../shared/lifecycle/trace.ts';
import type { Limits } from '../../shared/time/wait.ts';
import { worldOf } from './asked.ts';
import { s, t0, vmOf } from './machines.ts';

interface Shown {
  /** KubeVirt's Events of the guest `one` and of its VM. */
  ended?: unknown;
  begun?: unknown;
  metadata?: object;
  status?: number;
  op?: Partial<Operation>;
  limits?: Limits;
}
const instant = (ms: number) => new Date(t0 + ms).toISOString();
/** An Event as KubeVirt writes it, `ms` after the beginning. */
const event = (uid: string, reason: string, component: string, ms: number, more: object = {}): object => ({
  metadata: { creationTimestamp: instant(ms) },
  ...{ type: 'Warning', reason, message: `Deleted one`, lastTimestamp: instant(ms) },
  ...{ source: { component }, reportingComponent: component, involvedObject: { uid } },
  ...more,
});
const begins = (more: object = {}, ms = 0) =>
  event('vm', 'SuccessfulDelete', 'virtualmachine-controller', ms, { type: 'Normal', ...more });
const ends = (more: object = {}, ms = 20 * s) => event('one', 'Stopped', 'virt-handler', ms, more);

function read({
  ended = [ends()],
  begun = [begins()],
  metadata,
  status = 200,
  op = { periodSeconds: 20 },
  limits = { deadline: t0 },
}: Shown) {
  const { world } = worldOf(t0);
  const asked: unknown[] = [];
  const debugged: unknown[] = [];
  world.log = { ...world.log, debug: (...words) => void debugged.push(words) };
  world.transport.call = <T>(
    { method, path, safe }: { method: string; path: string; safe: boolean },
    within: unknown,
  ) => {
    asked.push([method, path, safe, within]);
    if (status < 0) return Promise.reject(new Error('silent'));
    const items = path.includes('uid%3Done') ? ended : begun;
    return Promise.resolve({ status, body: { items, metadata } as T, warnings: [] });
  };
  return { asked, debugged, trace: readTrace(world, vmOf(), 'one', limits, op) };
}
const forced = (at = 20 * s, since = 0) => ({ since: t0 + since, end: { phase: 'Failed', at: t0 + at } });

describe('the end of a guest that nobody watched', () => {
  it('is read from the Events of guest and VM, a hundred of each at most, within the time that there is', async () => {
    const limits = { deadline: t0 + 5 * s };
    const { asked, trace } = read({ limits });
    expect(await trace).toEqual(forced());
    const path = (uid: string) =>
      `/api/v1/namespaces/team-a/events?fieldSelector=involvedObject.uid%3D${uid}&limit=100`;
    expect(asked).toEqual([
      ['GET', path('one'), true, limits],
      ['GET', path('vm'), true, limits],
    ]);
  });

  it('is told by nothing where the Events cannot be read, and the log says why', async () => {
    const { debugged, trace } = read({ status: -1 });
    expect(await trace).toEqual({});
    expect(debugged).toEqual([[expect.stringContaining('could not be read'), { problem: 'silent' }]]);
    const signal = AbortSignal.abort(new Error('closed'));
    await expect(read({ status: -1, limits: { deadline: t0, signal } }).trace).rejects.toThrow('closed');
  });

  it.each<[string, Shown]>([
    ['the period that the guest has', {}],
    ['that which the stop gave it, be it longer', { op: { periodSeconds: 1, graceSeconds: 20 } }],
    ['that which the stop gave it, be it none', { op: { periodSeconds: 90, graceSeconds: 0 } }],
    ['none, as none is known', { op: {} }],
    ['that at whose end we force', { op: { periodSeconds: 90, forceAt: t0 + 35 * s } }],
    ['a period whose end is within the second', { op: { forceAt: t0 + 35 * s + 999 } }],
    [
      'a time of our own clock, in an older form',
      { ended: [ends({ lastTimestamp: null, eventTime: instant(20 * s) })] },
    ],
    ['the oldest form', { ended: [ends({ lastTimestamp: undefined, firstTimestamp: instant(20 * s) })] }],
    ['the newer form before the older', { ended: [ends({ eventTime: instant(0), firstTimestamp: instant(0) })] }],
    ['no more than one component', { ended: [ends({ reportingComponent: undefined })] }],
    [
      'an Event that was written a minute later',
      { ended: [ends({ metadata: { creationTimestamp: instant(80 * s) } })] },
    ],
    [
      'an Event that was written a minute earlier',
      { begun: [begins({ metadata: { creationTimestamp: instant(-60 * s) } })] },
    ],
    [
      'Events of others beside it',
      { ended: [null, {}, ends({ involvedObject: { uid: 'two' } }), ends({ reason: 'Started' }), ends()] },
    ],
    [
      'the ends of other guests of the VM beside it',
      {
        begun: [
          begins({ message: 'Deleted two' }),
          begins({ reason: 'SuccessfulCreate' }),
          begins({ message: 7 }),
          begins(),
        ],
      },
    ],
    ['all that there is', { metadata: {} }],
  ])('was KubeVirt’s when its period was over: it counts %s', async (_what, shown) => {
    expect(await read(shown).trace).toEqual(forced());
  });

  it('may have had a long period', async () => {
    const longer = { ended: [ends({}, 2_000 * s)], op: { periodSeconds: 2_000 } };
    expect(await read(longer).trace).toEqual(forced(2_000 * s));
  });

  it('counts from when its shutdown began', async () => {
    const later = { begun: [begins({}, 5 * s)], op: { periodSeconds: 15 } };
    expect(await read(later).trace).toEqual(forced(20 * s, 5 * s));
    expect(await read({ ...later, op: { periodSeconds: 16 } }).trace).toEqual({});
  });

  it.each<[string, Shown]>([
    ['its period was not over', { op: { periodSeconds: 21 } }],
    ['the period of the stop was not over', { op: { periodSeconds: 0, graceSeconds: 21 } }],
    ['it was forced later', { op: { forceAt: t0 + 36 * s } }],
    ['it was no warning', { ended: [ends({ type: 'Normal' })] }],
    ['there is none', { ended: [] }],
    ['nobody says that it was shut down', { begun: [] }],
    ['there are two', { ended: [ends(), ends()] }],
    ['its shutdown began twice', { begun: [begins(), begins()] }],
    ['it is of another component', { ended: [ends({ source: { component: 'me' } })] }],
    ['it says no component', { ended: [ends({ source: undefined })] }],
    ['another component reports it', { ended: [ends({ reportingComponent: 'me' })] }],
    [
      'it is written two minutes later',
      { ended: [ends({ metadata: { creationTimestamp: instant(20 * s + 60_001) } })] },
    ],
    ['nobody knows when it was written', { ended: [ends({ metadata: {} })] }],
    ['it has no metadata', { ended: [ends({ metadata: undefined })] }],
    ['it says no time', { ended: [ends({ lastTimestamp: 'soon' })] }],
    ['it has no time', { ended: [ends({ lastTimestamp: null })] }],
    ['it is of another guest', { ended: [ends({ involvedObject: { uid: 'two' } })] }],
    ['it is of nobody', { ended: [ends({ involvedObject: undefined })] }],
    ['its reason is another', { begun: [begins({ reason: 'SuccessfulCreate' })] }],
    ['there are more than fit', { metadata: { continue: 'x' } }],
    ['they may not be read', { status: 403 }],
    ['they are no list', { ended: {} }],
    [
      'it is written a minute earlier',
      { ended: [ends({ metadata: { creationTimestamp: instant(20 * s - 60_001) } })] },
    ],
  ])('is told by nothing where %s', async (_what, shown) => {
    const { debugged, trace } = read(shown);
    expect([await trace, debugged]).toEqual([{}, []]);
  });
});
