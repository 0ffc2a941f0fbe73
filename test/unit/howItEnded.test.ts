import { describe, expect, it } from 'vitest';

import type { Operation } from '../../shared/domain/operation.ts';
import type { VmiView } from '../../shared/domain/vm.ts';
import { endingOf } from '../../shared/lifecycle/ending.ts';
import { nothingSeen, type Seen } from '../../shared/lifecycle/step.ts';
import { deleting, ended, halted, machineOf, operation, s, t0 } from './machines.ts';

interface Case {
  name: string;
  op?: Partial<Operation>;
  gone?: Partial<VmiView>;
  seen?: Partial<Seen>;
  /** Its reason where it was forced, else what it came to; `unseen` behind it where nobody saw that. */
  is: string;
}

/** How a VM that is off, and whose guest is gone, is told to have come to that. */
function told({ op, gone, seen }: Omit<Case, 'name' | 'is'>) {
  const result = endingOf(operation({ vmiUid: 'one', ...op }), machineOf(halted, null, gone), {
    ...nothingSeen(),
    ...seen,
  });
  const reason = 'forceReason' in result ? result.forceReason : result.outcome;
  return { is: `${reason}${'observed' in result ? ' unseen' : ''}`, message: result.message };
}
const table = (cases: Case[]) => it.each(cases)('$name', (one) => expect(told(one).is).toBe(one.is));

const traced = (phase: string, at: number, since?: number): Partial<Seen> => ({
  trace: { end: { phase, at: t0 + at }, ...(since === undefined ? {} : { since: t0 + since }) },
});
const over20 = deleting(0, { phase: 'Failed', graceSeconds: 20, endedAt: t0 + 20 * s });

describe('a guest that was gone before the step that the record speaks of', () => {
  const at = (step: Operation['step'], stepAt: number) => ({ step, stepAt: t0 + stepAt });
  table([
    {
      name: 'by a second was not forced, though nobody but the Events tells',
      op: at('Forced', 21 * s),
      seen: traced('Succeeded', 20 * s),
      is: 'Stopped',
    },
    {
      name: 'by less than a second was forced, and that was seen',
      op: at('Forced', 21 * s - 1),
      seen: traced('Succeeded', 20 * s),
      is: 'GuestIgnoredShutdown',
    },
    {
      name: 'was forced all the same where this process has done it',
      op: at('Forced', 40 * s),
      seen: { ...ended('Succeeded', 20 * s), forced: true },
      is: 'GuestIgnoredShutdown',
    },
    {
      name: 'was ended by the force before its pod was to be deleted',
      op: at('PodDeleted', 90 * s),
      seen: ended('Succeeded', 70 * s),
      is: 'GuestIgnoredShutdown',
    },
    {
      name: 'was ended with its pod all the same where this process has deleted that',
      op: at('PodDeleted', 90 * s),
      seen: { ...ended('Succeeded', 70 * s), podDeleted: true },
      is: 'PodDeleted',
    },
    {
      name: 'was not forced where KubeVirt was but asked again',
      op: at('AskedAgain', 120 * s),
      seen: ended('Succeeded', 100 * s),
      is: 'Stopped',
    },
  ]);
});

describe('a guest of which nobody saw the end', () => {
  table([
    {
      name: 'was forced where the answer to the force alone was lost',
      op: { step: 'Forced' },
      seen: { recorded: 'Forced' },
      is: 'GuestIgnoredShutdown unseen',
    },
    {
      name: 'lost its pod where the answer to that alone was lost',
      op: { step: 'PodDeleted' },
      seen: { recorded: 'PodDeleted' },
      is: 'PodDeleted unseen',
    },
    {
      name: 'lost its pod where another process recorded that, and this one came too late for the force',
      op: { step: 'PodDeleted' },
      seen: { recorded: 'Forced', missed: true },
      is: 'PodDeleted unseen',
    },
    {
      name: 'was forced though the record does not say which guest it was',
      op: { step: 'Forced', vmiUid: undefined },
      is: 'GuestIgnoredShutdown unseen',
    },
    {
      name: 'is not told by how another ended',
      seen: { ended: { uid: 'two', phase: 'Succeeded', at: t0 } },
      is: 'Stopped unseen',
    },
  ]);

  it.each<[string, Partial<Operation>, number, boolean]>([
    ['of the grace that was asked for', { graceSeconds: 20, periodSeconds: 5 }, 19 * s, true],
    ['of its own', { periodSeconds: 20 }, 20 * s - 1, true],
    ['which was over as it was found', { periodSeconds: 20 }, 20 * s, false],
    ['of a request that had to be repeated', { periodSeconds: 20, step: 'AskedAgain' }, 19 * s, false],
    ['of which nobody knows', {}, 1 * s, false],
  ])('but which was found gone, in a period %s', (_, op, after, inTime) => {
    const { message } = told({ op, seen: { offSince: t0 + after } });
    expect(message.includes('gone before its grace period was over')).toBe(inTime);
  });
});

describe('a guest that had', () => {
  table([
    {
      name: 'ended in the second in which it was asked shut down by itself',
      gone: deleting(5 * s, { phase: 'Failed', endedAt: t0 + 5 * s }),
      seen: ended('Failed', 5 * s),
      is: 'Stopped',
    },
    {
      name: 'its period to the end was ended by KubeVirt',
      gone: over20,
      seen: ended('Failed', 21 * s),
      is: 'GracePeriodExceeded',
    },
    {
      name: 'its period to the end, of a request between two seconds, was ended by KubeVirt',
      op: { forceAt: t0 + 35_400 },
      seen: traced('Failed', 20 * s),
      is: 'GracePeriodExceeded',
    },
  ]);

  it('ended before it was asked, of which no more is known than that, is told so', () => {
    const unasked = { ended: { uid: 'one', phase: 'Succeeded', at: t0, unasked: true } };
    expect(told({ seen: unasked }).message).toMatch(/before it was asked/);
  });

  it('ended as it was asked is told as one that was asked', () => {
    const gone = deleting(5 * s, { phase: 'Succeeded', endedAt: t0 + 5 * s });
    expect(told({ gone, seen: ended('Succeeded', 5 * s) }).message).toMatch(/shut down by itself; off in/);
  });
});

describe('the period that counts from the shutdown that the Events tell is', () => {
  const grace20 = { graceSeconds: 20, periodSeconds: 60 };
  it.each<[string, Partial<Operation>, number, RegExp]>([
    ['the grace that was asked for, and was over', grace20, 22 * s, /did not shut down within 20 s/],
    ['the grace that was asked for, and was not over', grace20, 22 * s - 1, /crashed/],
    ["the guest's own, and was over", { periodSeconds: 20 }, 22 * s, /did not shut down within 20 s/],
    ["the guest's own, and was not over", { periodSeconds: 20 }, 22 * s - 1, /crashed/],
  ])('%s', (_, op, after, message) =>
    expect(told({ op, seen: traced('Failed', after, 2 * s) }).message).toMatch(message),
  );
});
