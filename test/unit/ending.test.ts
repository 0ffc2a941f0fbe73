import { describe, expect, it } from 'vitest';

import type { KubeObject } from '../../shared/domain/model.ts';
import { readVmi } from '../../shared/domain/readVm.ts';
import { type Machine } from '../../shared/domain/vm.ts';
import { remember } from '../../shared/lifecycle/remember.ts';
import { nothingSeen } from '../../shared/lifecycle/step.ts';
import { decideStop } from '../../shared/lifecycle/stop.ts';
import { type Case, decideBy, deleting, ended, ends, halted, machineOf, operation, s, t0, waits } from './machines.ts';

const decide = decideBy('stop', decideStop);
const table = (cases: Case[]) => it.each(cases)('$name', (one) => expect(decide(one)).toMatchObject(one.expected));
const off = { vm: halted, vmi: null };
const says = (message: RegExp) => ({ message: expect.stringMatching(message) as string });

describe('the end of a guest that was seen', () => {
  table([
    {
      name: 'of a VMI that failed before its deletion is a crash, and no force',
      ...off,
      gone: deleting(10 * s, { phase: 'Failed', endedAt: t0 + 9 * s }),
      seen: ended('Failed', 60 * s),
      expected: ends('Stopped', says(/^The guest crashed before it was asked/)),
    },
    {
      name: 'before it was asked is no force, although its command says so',
      ...off,
      op: { force: true },
      gone: { phase: 'Succeeded' },
      seen: ended(),
      expected: ends('Stopped', says(/^The guest shut down by itself before it was asked/)),
    },
    {
      name: 'is judged by the moment that KubeVirt tells, and not by when it was found',
      ...off,
      gone: deleting(0, { phase: 'Failed', graceSeconds: 20, endedAt: t0 + 5 * s }),
      seen: ended('Failed', 90 * s),
      expected: ends('Stopped', says(/^The guest crashed while it shut down/)),
    },
    {
      name: 'of one that never ran says so',
      ...off,
      gone: deleting(0, { phase: 'Succeeded', ranAt: null }),
      seen: ended(),
      expected: ends('Stopped', { message: 'The VM is off; its guest had never come up.' }),
    },
    {
      name: 'of one whose period is nothing is force',
      ...off,
      gone: deleting(0, { phase: 'Succeeded', graceSeconds: 0 }),
      seen: ended(),
      expected: ends('ForcedOff', { forceReason: 'GracePeriodExceeded' }),
    },
    {
      name: 'before the force that the record speaks of is not by it',
      ...off,
      op: { step: 'Forced', stepAt: t0 + 40 * s },
      gone: deleting(0, { phase: 'Failed', graceSeconds: 20, endedAt: t0 + 20 * s }),
      seen: ended('Failed', 40 * s),
      expected: ends('ForcedOff', { forceReason: 'GracePeriodExceeded' }),
    },
    {
      name: 'in the second of the force that the record speaks of is by it',
      ...off,
      op: { step: 'Forced', stepAt: t0 + 40_500 },
      gone: deleting(0, { phase: 'Succeeded', graceSeconds: 20, endedAt: t0 + 40 * s }),
      seen: ended('Succeeded', 41 * s),
      expected: ends('ForcedOff', { forceReason: 'GuestIgnoredShutdown' }),
    },
    {
      name: 'as force found it gone is not by it',
      ...off,
      op: { step: 'Forced' },
      seen: { recorded: 'Forced', missed: true },
      expected: ends('Stopped', { observed: false }),
    },
    {
      name: 'as the pod was to be deleted, and was gone, is by the force before',
      ...off,
      op: { step: 'PodDeleted' },
      seen: { recorded: 'PodDeleted', missed: true },
      expected: ends('ForcedOff', { forceReason: 'GuestIgnoredShutdown', observed: false }),
    },
    {
      name: 'by force that another process recorded is told by it',
      ...off,
      op: { step: 'Forced' },
      seen: { missed: true },
      expected: ends('ForcedOff', { forceReason: 'GuestIgnoredShutdown', observed: false }),
    },
  ]);
});

describe('the end of a guest that nobody saw', () => {
  const trace = (phase: string, at: number, since?: number) => ({
    trace: { end: { phase, at: t0 + at }, ...(since === undefined ? {} : { since: t0 + since }) },
  });
  table([
    {
      name: 'says so, in a field',
      ...off,
      op: { forceAt: t0 + 35 * s },
      seen: { offSince: t0 + 20 * s },
      expected: ends('Stopped', { observed: false, ...says(/how its guest ended was not seen\.$/) }),
    },
    {
      name: 'and was gone before its period was over was no force',
      ...off,
      op: { forceAt: t0 + 35 * s },
      seen: { offSince: t0 + 20 * s - 1 },
      expected: ends('Stopped', { observed: false, ...says(/gone before its grace period was over\.$/) }),
    },
    {
      name: 'and was gone sooner after the request than its period was no force',
      ...off,
      op: { periodSeconds: 30 },
      seen: { offSince: t0 + 29 * s },
      expected: ends('Stopped', { observed: false, ...says(/gone before/) }),
    },
    {
      name: 'is read from Events: failed when its period was over',
      ...off,
      op: { forceAt: t0 + 35 * s },
      seen: trace('Failed', 20 * s),
      expected: ends('ForcedOff', { forceReason: 'GracePeriodExceeded' }),
    },
    {
      name: 'is read from Events: failed before its period was over',
      ...off,
      op: { forceAt: t0 + 35 * s },
      seen: trace('Failed', 19 * s),
      expected: ends('Stopped', says(/^The guest crashed while/)),
    },
    {
      name: 'is read from Events: failed after its deletion, of whatever period',
      ...off,
      seen: trace('Failed', 19 * s, 1 * s),
      expected: ends('ForcedOff', {
        message: 'The guest did not shut down before its grace period was over, so KubeVirt ended it.',
      }),
    },
    {
      name: 'is read from Events: shut down',
      ...off,
      seen: trace('Succeeded', 3 * s, 1 * s),
      expected: ends('Stopped', { message: 'The guest shut down by itself; off in 3.0 s.' }),
    },
    {
      name: 'is not read from the last that was seen of it alive',
      ...off,
      gone: deleting(0),
      seen: { ended: { uid: 'one', phase: 'Running', at: t0 + 60 * s }, offSince: t0 + 60 * s },
      expected: ends('Stopped', { observed: false }),
    },
  ]);
});

describe('a VM that looks off', () => {
  const spec = { ...halted, generation: 3 };
  table([
    {
      name: 'is not while KubeVirt has not acted on its present spec',
      vm: { ...spec, observedGeneration: 2 },
      vmi: null,
      seen: { spec: { generation: 3, since: t0 } },
      after: 4_999,
      expected: waits(5 * s),
    },
    {
      name: 'is not while nobody has looked since when its spec is so',
      vm: { ...spec, observedGeneration: 2 },
      vmi: null,
      expected: waits(5 * s),
    },
    {
      name: 'is not while its spec has just changed once more',
      vm: { ...spec, observedGeneration: 2 },
      vmi: null,
      seen: { spec: { generation: 2, since: t0 - 60 * s } },
      expected: waits(5 * s),
    },
    {
      name: 'is when KubeVirt had time for it, as it tells nothing without a VMI',
      vm: { ...spec, observedGeneration: 2 },
      vmi: null,
      seen: { ...ended(), spec: { generation: 3, since: t0 } },
      after: 5 * s,
      expected: ends('Stopped'),
    },
    {
      name: 'is at once when KubeVirt has acted on its spec',
      vm: { ...spec, observedGeneration: 3 },
      vmi: null,
      seen: ended(),
      expected: ends('Stopped'),
    },
    { name: 'is at once where KubeVirt does not tell', vm: spec, vmi: null, seen: ended(), expected: ends('Stopped') },
  ]);
});

describe('a spec that was changed after it was asked', () => {
  const askedOn = { generation: 1, strategy: 'Always', queue: [] };
  const asked = { askedFor: 'one', askedAt: t0, askedOn };
  table([
    { name: 'is answered at once', vm: { generation: 3 }, seen: asked, after: 10, expected: { do: 'ask' } },
    {
      name: 'is answered at once, also by its queue alone',
      vm: { generation: 1, queue: [{ action: 'Start' }] },
      seen: asked,
      after: 10,
      expected: { do: 'ask' },
    },
    {
      name: 'is answered at once while the guest shuts down',
      vm: { generation: 3 },
      vmi: deleting(0),
      seen: asked,
      after: 10,
      expected: { do: 'ask' },
    },
    {
      name: 'is answered at once when no guest is left',
      vm: { generation: 3 },
      vmi: null,
      seen: { ...asked, askedFor: 'none' },
      after: 10,
      expected: { do: 'ask' },
    },
    {
      name: 'is answered at a pace by one who was overtaken five times',
      vm: { generation: 9 },
      seen: { ...asked, overtaken: 5 },
      after: 10,
      expected: { do: 'wait' },
    },
    {
      name: 'is not what the watch still shows of before',
      vm: { generation: 1 },
      seen: asked,
      after: 10,
      expected: { do: 'wait' },
    },
  ]);
});

describe('what is remembered of guests', () => {
  const see = (
    seen: ReturnType<typeof nothingSeen>,
    machine: Machine,
    after: number,
    action: 'start' | 'stop' = 'stop',
  ) => remember(seen, operation({ action, vmiUid: 'one' }), machine, t0 + after);

  it('is how the one to stop ended, when that was first seen, and whether it had been asked', () => {
    const seen = nothingSeen();
    see(seen, machineOf({}, { phase: 'Failed' }), 1);
    see(seen, machineOf(halted, null, deleting(0, { phase: 'Failed' })), 2);
    expect(seen.ended).toEqual({ uid: 'one', phase: 'Failed', at: t0 + 1, unasked: true });
  });

  it('is not how another ended', () => {
    const seen = nothingSeen();
    see(seen, machineOf({}, { uid: 'two' }, { uid: 'zero', phase: 'Failed' }), 1);
    expect(seen.ended).toBeUndefined();
  });

  it('is since when the VM is off, without a break', () => {
    const seen = nothingSeen();
    see(seen, machineOf(halted, null), 1);
    see(seen, machineOf(halted, null), 2);
    expect(seen.offSince).toBe(t0 + 1);
    see(seen, machineOf(), 3);
    expect(seen.offSince).toBeUndefined();
  });

  it('is since when one guest is up, without a break', () => {
    const seen = nothingSeen();
    see(seen, machineOf(), 1, 'start');
    see(seen, machineOf(), 2, 'start');
    expect(seen.up).toEqual({ uid: 'one', since: t0 + 1 });
    see(seen, machineOf({}, { uid: 'two' }), 3, 'start');
    expect(seen.up).toEqual({ uid: 'two', since: t0 + 3 });
    see(seen, machineOf({}, { uid: 'two', ready: 'False' }), 4, 'start');
    expect(seen.up).toBeUndefined();
  });

  it.each([
    ['that ran for a minute and had ended before', { phase: 'Failed', ranAt: t0 - 60 * s, endedAt: t0 }, 0],
    ['that ran for ten seconds and had ended before', { phase: 'Failed', ranAt: t0 - 10 * s, endedAt: t0 }, 1],
    ['that never ran and had ended before', { phase: 'Failed', ranAt: null, endedAt: t0 }, 0],
    [
      'that was stopped soon after it came',
      { ...deleting(-3 * s, { phase: 'Succeeded' }), ranAt: t0 - 5 * s, endedAt: t0 },
      0,
    ],
  ])('a guest %s counts as dead %#', (_, vmi, expected) => {
    const seen = nothingSeen();
    see(seen, machineOf({}, { uid: 'zero', ...vmi }), 1, 'start');
    expect(seen.died.size).toBe(expected);
  });

  it('the guest that was there as the start began counts when it died of itself, and not when it was to go', () => {
    const seen = nothingSeen();
    see(seen, machineOf(), 1, 'start');
    see(seen, machineOf({}, deleting(1, { phase: 'Succeeded' })), 2, 'start');
    expect(seen.died.size).toBe(0);
    see(seen, machineOf({}, { phase: 'Failed' }), 3, 'start');
    expect(seen.died.size).toBe(1);
  });
});

describe('a VMI', () => {
  const transition = (phase: string, at: string) => ({ phase, phaseTransitionTimestamp: at });
  const read = (status: object) => readVmi({ metadata: { name: 'web-vm' }, status } as unknown as KubeObject);

  it('tells when its guest came to run, and when it ended', () => {
    const phaseTransitionTimestamps = [
      transition('Pending', '2026-11-23T20:00:00Z'),
      transition('Running', '2026-11-23T20:00:02Z'),
      transition('Failed', '2026-11-23T20:00:05Z'),
    ];
    expect(read({ phase: 'Failed', phaseTransitionTimestamps })).toMatchObject({
      ranAt: t0 + 2 * s,
      endedAt: t0 + 5 * s,
    });
  });

  it('tells that its guest never ran', () =>
    expect(read({ phase: 'Pending', phaseTransitionTimestamps: [] })).toMatchObject({ ranAt: null }));

  it('of an older KubeVirt tells neither', () => expect(read({ phase: 'Failed' }).ranAt).toBeUndefined());
});
