import { describe, expect, it } from 'vitest';

import { decideStop } from '../../shared/lifecycle/stop.ts';
import { type Case, decideBy, ends, halted, s, t0, waits } from './machines.ts';

const decide = decideBy('stop', decideStop);
const table = (cases: Case[]) => it.each(cases)('$name', (one) => expect(decide(one)).toMatchObject(one.expected));

describe('a running guest', () => {
  table([
    { name: 'is asked to go', expected: { do: 'ask' } },
    {
      name: 'is asked with the period of the command',
      op: { graceSeconds: 60 },
      expected: { do: 'ask', graceSeconds: 60 },
    },
    {
      name: 'is asked with no period when the command forces',
      op: { force: true },
      expected: { do: 'ask', graceSeconds: 0 },
    },
    {
      name: 'of another uid than the one to stop is taken over',
      op: { vmiUid: 'zero' },
      expected: { do: 'retarget', uid: 'one', cameBack: false },
    },
    {
      name: 'that came back is stopped again',
      op: { vmiUid: 'zero', comebacks: 1 },
      seen: { askedFor: 'zero' },
      expected: { do: 'retarget', cameBack: true },
    },
    {
      name: 'that came back for the third time is left, and told',
      op: { vmiUid: 'zero', comebacks: 2 },
      seen: { askedFor: 'zero' },
      expected: ends('Failed', {
        reason: 'RestartedItself',
        message: 'The VM was stopped 3 times and came back each time.',
      }),
    },
    {
      name: 'is the one to stop where none was there before',
      op: { vmiUid: undefined },
      expected: { do: 'retarget', uid: 'one', cameBack: false },
    },
    {
      name: 'that replaced one we never asked has not come back',
      op: { vmiUid: 'zero', comebacks: 2 },
      expected: { do: 'retarget', uid: 'one', cameBack: false },
    },
    ...(['AskedAgain', 'Forced', 'PodDeleted'] as const).map((step) => ({
      name: `that replaced one for which the record says ${step} has come back, and is begun with anew`,
      op: { vmiUid: 'zero', step },
      expected: { do: 'retarget', uid: 'one', cameBack: true },
    })),
    { name: 'of RerunOnFailure is asked too', vm: { strategy: 'RerunOnFailure' }, expected: { do: 'ask' } },
    {
      name: 'that was asked is waited for',
      vm: halted,
      seen: { askedFor: 'one', askedAt: t0 },
      after: 1 * s,
      expected: waits(120 * s),
    },
    {
      name: 'is asked once more when nothing began within 120 s',
      vm: halted,
      seen: { askedFor: 'one', askedAt: t0 },
      after: 120 * s,
      expected: { do: 'ask', graceSeconds: 29, again: true },
    },
    {
      name: 'is asked once more under Manual with the same period',
      vm: { strategy: 'Manual', queue: [{ action: 'Stop', uid: 'one' }] },
      seen: { askedFor: 'one', askedAt: t0 },
      after: 120 * s,
      expected: { do: 'ask', graceSeconds: undefined, again: true },
    },
    {
      name: 'is not given up before another 120 s',
      op: { step: 'AskedAgain', stepAt: t0 + 120 * s },
      vm: halted,
      after: 239 * s,
      expected: waits(240 * s),
    },
    {
      name: 'is given up after another 120 s',
      op: { step: 'AskedAgain', stepAt: t0 + 120 * s },
      vm: halted,
      after: 240 * s,
      expected: ends('Failed', {
        reason: 'NotAccepted',
        message: 'KubeVirt took the stop and began no shutdown, although it was asked again.',
      }),
    },
    {
      name: 'is given its 120 s from the request on',
      vm: halted,
      seen: { askedFor: 'one', askedAt: t0 + 10 * s },
      after: 20 * s,
      expected: waits(130 * s),
    },
    {
      name: 'is asked once more with no period where it has one second',
      vm: halted,
      vmi: { graceSeconds: 1 },
      seen: { askedFor: 'one', askedAt: t0 },
      after: 120 * s,
      expected: { do: 'ask', graceSeconds: 0, again: true },
    },
    {
      name: 'is asked though another one just was',
      seen: { askedFor: 'zero', askedAt: t0 },
      after: 1 * s,
      expected: { do: 'ask' },
    },
    {
      name: 'is asked again where the request left no trace',
      seen: { askedFor: 'one', askedAt: t0 },
      after: 5 * s,
      expected: { do: 'ask' },
    },
    {
      name: 'is waited for as long as the watch may lag',
      seen: { askedFor: 'one', askedAt: t0 },
      after: 4_999,
      expected: { do: 'wait' },
    },
    {
      name: 'that cannot be asked for 240 s is given up, with what KubeVirt said',
      seen: { refusal: 'no' },
      after: 240 * s,
      expected: ends('Failed', { reason: 'NotAccepted', message: 'KubeVirt did not take the stop. It said: no' }),
    },
    { name: 'that nobody has asked yet is asked, however late', after: 400 * s, expected: { do: 'ask' } },
    {
      name: 'that came back and left no trace of the request still has its time',
      op: { comebacks: 1 },
      seen: { askedFor: 'one', askedAt: t0 + 230 * s },
      after: 240 * s,
      expected: { do: 'ask' },
    },
    {
      name: 'that took the request late and shows nothing of it is given up',
      seen: { askedFor: 'one', askedAt: t0 + 400 * s },
      after: 405 * s,
      expected: ends('Failed', { reason: 'NotAccepted', message: 'KubeVirt did not take the stop.' }),
    },
    { name: 'that came back late still has its time', op: { comebacks: 1 }, after: 240 * s, expected: { do: 'ask' } },
    {
      name: 'gets the period that was asked for, where it still has another',
      op: { graceSeconds: 10 },
      vm: halted,
      after: 10 * s,
      expected: { do: 'ask', graceSeconds: 10 },
    },
    {
      name: 'whose period is that of the command is left to it',
      op: { graceSeconds: 30 },
      vm: halted,
      after: 10 * s,
      expected: waits(120 * s),
    },
    {
      name: 'that just got another period is waited for',
      op: { graceSeconds: 10 },
      vm: halted,
      seen: { askedFor: 'one', askedAt: t0 },
      after: 1 * s,
      expected: waits(120 * s),
    },
    {
      name: 'without a period gets no longer one',
      op: { graceSeconds: 60 },
      vm: halted,
      vmi: { graceSeconds: 0 },
      after: 10 * s,
      expected: waits(120 * s),
    },
    {
      name: 'with a second gets the period that was asked for',
      op: { graceSeconds: 10 },
      vm: halted,
      vmi: { graceSeconds: 1 },
      after: 10 * s,
      expected: { do: 'ask', graceSeconds: 10 },
    },
    { name: 'whose request is invalid is forced', seen: { invalid: true }, expected: { do: 'force' } },
    {
      name: 'whose force is invalid too is told',
      op: { step: 'Forced' },
      seen: { invalid: true, refusal: 'bad' },
      expected: ends('Failed', { reason: 'Refused', message: 'KubeVirt refused the stop: bad' }),
    },
    {
      name: 'whose force by command is invalid is told',
      op: { force: true },
      seen: { invalid: true },
      expected: ends('Failed', { reason: 'Refused', message: 'KubeVirt refused the stop: ' }),
    },
    {
      name: 'that is to be restarted has its queue replaced',
      vm: { queue: [{ action: 'Stop', uid: 'one' }, { action: 'Start' }] },
      expected: expect.not.objectContaining({ graceSeconds: 29 }) as object,
    },
    {
      name: 'that is to be restarted and was just asked is waited for',
      vm: { queue: [{ action: 'Start' }] },
      seen: { askedFor: 'one', askedAt: t0 },
      after: 1 * s,
      expected: waits(120 * s),
    },
    {
      name: 'that is to be restarted although Halted gets a shorter period down to one second',
      vm: { ...halted, queue: [{ action: 'Start' }] },
      vmi: { graceSeconds: 2 },
      expected: { do: 'ask', graceSeconds: 1 },
    },
    {
      name: 'that is to be restarted although Halted gets a shorter period',
      vm: { ...halted, queue: [{ action: 'Start' }] },
      expected: { do: 'ask', graceSeconds: 29 },
    },
    {
      name: 'that is to be restarted and has no shorter period has its queue cleared',
      vm: { ...halted, queue: [{ action: 'Start' }] },
      vmi: { graceSeconds: 1 },
      expected: { do: 'clearQueue' },
    },
    {
      name: 'is still asked for when a Stop for another uid is queued',
      vm: { strategy: 'Manual', queue: [{ action: 'Stop', uid: 'other' }] },
      after: 10 * s,
      expected: { do: 'ask' },
    },
  ]);
});
