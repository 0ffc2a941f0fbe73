import { describe, expect, it } from 'vitest';

import { decideStop } from '../../shared/lifecycle/stop.ts';
import { type Case, decideBy, deleting, ended, ends, halted, s, t0, waits } from './machines.ts';

const decide = decideBy('stop', decideStop);
const table = (cases: Case[]) => it.each(cases)('$name', (one) => expect(decide(one)).toMatchObject(one.expected));

describe('no guest', () => {
  table([
    {
      name: 'and nothing that starts one is off',
      vm: halted,
      vmi: null,
      seen: ended(),
      expected: ends('Stopped', { message: 'The guest shut down by itself; off in 4.0 s.' }),
    },
    {
      name: 'but a VM that was deleted is told',
      vm: null,
      vmi: null,
      expected: ends('Failed', { reason: 'NotFound' }),
    },
    {
      name: 'whose end nobody saw is off, and says so',
      vm: halted,
      vmi: null,
      expected: ends('Stopped', { message: 'The VM is off; how its guest ended was not seen.' }),
    },
    {
      name: 'that KubeVirt has not looked at is waited for',
      vm: { observed: false },
      vmi: null,
      expected: waits(600 * s),
    },
    {
      name: 'with a queued Start has its queue cleared',
      vm: { ...halted, queue: [{ action: 'Start' }] },
      vmi: null,
      expected: { do: 'clearQueue' },
    },
    {
      name: 'of RerunOnFailure without its queue becomes Halted',
      vm: { strategy: 'RerunOnFailure' },
      vmi: null,
      seen: { clearedQueue: true },
      expected: { do: 'strategy', value: 'Halted' },
    },
    {
      name: 'of a failed RerunOnFailure becomes Halted',
      vm: { strategy: 'RerunOnFailure' },
      vmi: { phase: 'Failed' },
      expected: { do: 'strategy', value: 'Halted' },
    },
    { name: 'under Always is asked to stay off', vmi: null, expected: { do: 'ask' } },
    {
      name: 'under Always that was just asked is waited for',
      vmi: null,
      seen: { askedFor: 'none', askedAt: t0 },
      after: 1 * s,
      expected: waits(6 * s),
    },
    {
      name: 'under Always is asked again when that came to nothing',
      vmi: null,
      seen: { askedFor: 'none', askedAt: t0 },
      after: 5 * s,
      expected: { do: 'ask' },
    },
    {
      name: 'under Always is asked though its guest just was',
      vmi: null,
      seen: { askedFor: 'one', askedAt: t0 },
      after: 1 * s,
      expected: { do: 'ask' },
    },
    {
      name: 'of a VM that became Halted with its queue cleared is off',
      vm: halted,
      vmi: null,
      seen: { ...ended(), clearedQueue: true },
      expected: ends('Stopped'),
    },
    {
      name: 'that ever was is off, and says so',
      op: { vmiUid: undefined },
      vm: halted,
      vmi: null,
      expected: ends('Stopped', { message: 'The VM is off; it had no guest.' }),
    },
    {
      name: 'under Always that refuses for good is forced',
      vmi: null,
      seen: { invalid: true },
      expected: { do: 'force' },
    },
    {
      name: 'that never comes to rest is given up at the deadline',
      vmi: null,
      after: 600 * s,
      expected: ends('Failed', { reason: 'NotAccepted' }),
    },
    {
      name: 'is not off yet while a superseded start may come through',
      op: { supersedes: [{ requestId: 'old', action: 'start', trigger: 'event', startedAt: t0 }] },
      vm: halted,
      vmi: null,
      after: 34_999,
      expected: waits(35 * s),
    },
    {
      name: 'is off when it cannot any more',
      op: { supersedes: [{ requestId: 'old', action: 'start', trigger: 'event', startedAt: t0 }] },
      vm: halted,
      vmi: null,
      after: 35 * s,
      expected: ends('Stopped'),
    },
    {
      name: 'is off at once when the superseded one wanted the same',
      op: { supersedes: [{ requestId: 'old', action: 'stop', trigger: 'event', startedAt: t0 }] },
      vm: halted,
      vmi: null,
      expected: ends('Stopped'),
    },
  ]);
});

describe('how it ended', () => {
  const off = { vm: halted, vmi: null };
  table([
    {
      name: 'by force of the command',
      ...off,
      op: { force: true },
      seen: ended(),
      expected: ends('ForcedOff', { forceReason: 'Requested' }),
    },
    {
      name: 'by our force',
      ...off,
      op: { step: 'Forced' },
      seen: ended(),
      expected: ends('ForcedOff', { forceReason: 'GuestIgnoredShutdown' }),
    },
    {
      name: 'by our force, as another process saw',
      ...off,
      op: { step: 'Forced', stepAt: t0 + 50 * s },
      expected: ends('ForcedOff', { message: 'The guest ignored the shutdown and was forced off after 50 s.' }),
    },
    {
      name: 'by our force as KubeVirt would not ask',
      ...off,
      op: { step: 'Forced' },
      seen: { ...ended(), invalid: true },
      expected: ends('ForcedOff', { forceReason: 'RefusedGracefully' }),
    },
    {
      name: 'with its pod',
      ...off,
      op: { step: 'PodDeleted', force: true },
      seen: ended(),
      expected: ends('ForcedOff', { forceReason: 'PodDeleted' }),
    },
    {
      name: 'by KubeVirt when its period was over',
      ...off,
      gone: deleting(0, { phase: 'Failed', graceSeconds: 20 }),
      seen: ended('Failed', 20 * s),
      expected: ends('ForcedOff', {
        forceReason: 'GracePeriodExceeded',
        message: 'The guest did not shut down within 20 s, so KubeVirt ended it.',
      }),
    },
    {
      name: 'by KubeVirt when its period was over, and something holds its VMI',
      vm: halted,
      vmi: deleting(0, { phase: 'Failed', graceSeconds: 20 }),
      seen: ended('Failed', 20 * s),
      after: 80 * s,
      expected: ends('ForcedOff', { forceReason: 'GracePeriodExceeded' }),
    },
    {
      name: 'nobody saw, though it failed',
      ...off,
      gone: deleting(0, { phase: 'Failed', graceSeconds: 20 }),
      expected: ends('Stopped', { message: 'The VM is off; how its guest ended was not seen.' }),
    },
    {
      name: 'by a crash before its period was over',
      ...off,
      gone: deleting(0, { phase: 'Failed', graceSeconds: 20 }),
      seen: ended('Failed', 20 * s - 1),
      expected: ends('Stopped'),
    },
    {
      name: 'by itself when its period was over',
      ...off,
      gone: deleting(0, { phase: 'Succeeded', graceSeconds: 20 }),
      seen: ended('Succeeded', 20 * s),
      expected: ends('Stopped'),
    },
    {
      name: 'as another guest did is not told of this one',
      ...off,
      gone: deleting(0, { uid: 'zero', phase: 'Failed', graceSeconds: 2 }),
      seen: ended('Failed', 20 * s),
      expected: ends('Stopped'),
    },
    {
      name: 'as one that was never deleted is by itself',
      ...off,
      gone: { phase: 'Failed', graceSeconds: 2 },
      seen: ended('Failed', 20 * s),
      expected: ends('Stopped'),
    },
    {
      name: 'with a period that was capped',
      ...off,
      op: { cappedFrom: 600, graceSeconds: 60 },
      seen: ended(),
      expected: ends('Stopped', {
        message: expect.stringMatching(/off in 4\.0 s\. The grace period of 600 s was capped at 60 s/) as string,
      }),
    },
    {
      name: 'a long time after it began',
      ...off,
      seen: ended('Succeeded', 61 * s),
      expected: ends('Stopped', { message: 'The guest shut down by itself; off in 61 s.' }),
    },
  ]);
});
