import { describe, expect, it } from 'vitest';

import { decideStart, type StartOptions } from '../../shared/lifecycle/start.ts';
import { type Case, decideBy, deleting, ends, halted, s, t0, waits } from './machines.ts';

const table = (cases: (Case & { options?: Partial<StartOptions> })[]) =>
  it.each(cases)('$name', ({ options, ...one }) => {
    const decide = decideBy('start', (op, machine, seen, now) =>
      decideStart(op, machine, seen, now, { requireAgent: false, ...options }),
    );
    expect(decide(one)).toMatchObject(one.expected);
  });

const booting = { phase: 'Scheduled', ready: 'False' as const };
const limit = waits(300 * s);
const old = (action: 'start' | 'stop') => ({ requestId: 'old', action, trigger: 'event', startedAt: t0 });

describe('a guest that is up', () => {
  table([
    {
      name: 'is started',
      after: 1_250,
      expected: ends('Started', { message: 'The guest is up and ready after 1.3 s.' }),
    },
    { name: 'is not, while its VM is Halted', vm: halted, expected: { ...limit, for: 'the accepted stop to end' } },
    {
      name: 'is not, while a Stop is queued',
      vm: { queue: [{ action: 'Stop' }] },
      expected: { ...limit, for: 'the guest to be ready' },
    },
    { name: 'is, while a Start is queued', vm: { queue: [{ action: 'Start' }] }, expected: ends('Started') },
    { name: 'is not, while it is going', vmi: deleting(0), expected: { ...limit, for: 'the old guest to go' } },
    {
      name: 'is not without its agent, where that is required',
      options: { requireAgent: true },
      expected: { ...limit, for: 'the guest agent' },
    },
    {
      name: 'is with its agent',
      options: { requireAgent: true },
      vmi: { agentConnected: true },
      expected: ends('Started'),
    },
    {
      name: 'is not sure while a superseded stop may come through',
      op: { supersedes: [old('stop')] },
      after: 34_999,
      expected: waits(35 * s),
    },
    {
      name: 'is sure when it cannot any more',
      op: { supersedes: [old('stop')] },
      after: 35 * s,
      expected: ends('Started'),
    },
    {
      name: 'is sure at once when the superseded one wanted the same',
      op: { supersedes: [old('start')] },
      expected: ends('Started'),
    },
    {
      name: 'is not there yet, so that no superseded stop matters',
      op: { supersedes: [old('stop')] },
      vmi: booting,
      after: 1 * s,
      expected: limit,
    },
    {
      name: 'that nobody has asked for yet is asked for, however late',
      vm: { strategy: 'Halted' },
      vmi: null,
      after: 330 * s,
      expected: { do: 'ask' },
    },
    {
      name: 'that was refused, and is late, is given up',
      vm: { strategy: 'Halted' },
      vmi: null,
      seen: { refusal: 'no', refusals: 1 },
      after: 300 * s,
      expected: ends('Failed'),
    },
    {
      name: 'that is queued, and late, is given up',
      vm: { strategy: 'Manual', queue: [{ action: 'Start' as const }] },
      vmi: null,
      after: 330 * s,
      expected: ends('Failed', { reason: 'TimedOut' }),
    },
    { name: 'that runs by itself, and is late, is given up', vmi: null, after: 330 * s, expected: ends('Failed') },
    {
      name: 'that was asked for in time has its time from the beginning',
      vmi: booting,
      seen: { askedFor: 'none', askedAt: t0 + 10 * s },
      after: 20 * s,
      expected: limit,
    },
    {
      name: 'that was asked for at the last moment has its time from then',
      vmi: { phase: 'Scheduling' },
      seen: { askedFor: 'none', askedAt: t0 + 300 * s },
      after: 340 * s,
      expected: waits(600 * s),
    },
    {
      name: 'that was asked for late has its time from then',
      vmi: { phase: 'Scheduling' },
      seen: { askedFor: 'none', askedAt: t0 + 330 * s },
      after: 340 * s,
      expected: waits(630 * s),
    },
    { name: 'is started even at the deadline', after: 300 * s, expected: ends('Started') },
    {
      name: 'after one that died has to stay up',
      seen: { died: new Set(['zero']), up: { uid: 'one', since: t0 } },
      after: 9_999,
      expected: waits(10 * s),
    },
    {
      name: 'after one that died has to stay up, although the time is over',
      seen: { died: new Set(['zero']), up: { uid: 'one', since: t0 + 299 * s } },
      after: 300 * s,
      expected: waits(309 * s),
    },
    {
      name: 'after one that died, and came up before this process looked, has to stay up',
      seen: { died: new Set(['zero']) },
      vmi: { readySince: t0 },
      after: 9_999,
      expected: waits(10 * s),
    },
    {
      name: 'that is not ready, after one that died, is waited for until the time is over',
      seen: { died: new Set(['zero']) },
      vmi: { ready: 'False', readySince: t0 },
      after: 5 * s,
      expected: { ...waits(300 * s), for: 'the guest to be ready' },
    },
    {
      name: 'after one that died is not waited for longer by a clock that is ahead',
      seen: { died: new Set(['zero']) },
      vmi: { readySince: t0 + 900 * s },
      expected: waits(310 * s),
    },
    { name: 'where none died is started at once', vmi: { readySince: t0 }, expected: ends('Started') },
    {
      name: 'after one that died, as the record says, has to stay up',
      op: { died: 1 },
      seen: { up: { uid: 'one', since: t0 } },
      expected: waits(10 * s),
    },
    {
      name: 'after one that died and stayed up is started',
      seen: { died: new Set(['zero']), up: { uid: 'one', since: t0 } },
      after: 10 * s,
      expected: ends('Started'),
    },
  ]);
});

describe('a guest that is not up yet', () => {
  table([
    {
      name: 'is waited for until the deadline',
      vmi: booting,
      after: 299 * s,
      expected: { ...limit, for: 'the guest to be ready' },
    },
    {
      name: 'is given up at the deadline',
      vmi: booting,
      after: 300 * s,
      expected: ends('Failed', { reason: 'TimedOut' }),
    },
    {
      name: 'has the time that the command gives',
      op: { waitSeconds: 20 },
      vmi: booting,
      after: 20 * s,
      expected: ends('Failed'),
    },
    {
      name: 'and boots is not asked again, where an agent is required',
      options: { requireAgent: true },
      vmi: booting,
      expected: { ...limit, for: 'the guest to be ready' },
    },
  ]);
});

describe('no guest', () => {
  const none = { vmi: null };
  table([
    { name: 'and no VM is told', vm: null, vmi: null, expected: ends('Failed', { reason: 'NotFound' }) },
    { name: 'under Halted is asked for', ...none, vm: halted, expected: { do: 'ask' } },
    {
      name: 'under Halted gets back the strategy that was remembered',
      ...none,
      vm: halted,
      op: { restore: 'Once' },
      expected: { do: 'strategy', value: 'Once' },
    },
    {
      name: 'under running: false has none to get back',
      ...none,
      vm: { ...halted, field: 'running' },
      op: { restore: 'Once' },
      expected: { do: 'ask' },
    },
    {
      name: 'whose remembered strategy is Always is asked for',
      ...none,
      vm: halted,
      op: { restore: 'Always' },
      expected: { do: 'ask' },
    },
    {
      name: 'under Halted is patched where there are no subresources',
      ...none,
      vm: halted,
      seen: { noSubresource: true },
      expected: { do: 'strategy', value: 'Always' },
    },
    {
      name: 'under Halted that was Manual is patched to run where there are none',
      ...none,
      vm: halted,
      op: { restore: 'Manual' },
      seen: { noSubresource: true },
      expected: { do: 'strategy', value: 'Always' },
    },
    {
      name: 'under Halted that was Once becomes Once there',
      ...none,
      vm: halted,
      op: { restore: 'Once' },
      seen: { noSubresource: true },
      expected: { do: 'strategy', value: 'Once' },
    },
    { name: 'under Manual is asked for', ...none, vm: { strategy: 'Manual' }, expected: { do: 'ask' } },
    {
      name: 'under Manual is patched where there are no subresources',
      ...none,
      vm: { strategy: 'Manual' },
      seen: { noSubresource: true },
      expected: { do: 'strategy', value: 'Always' },
    },
    { name: 'under RerunOnFailure is asked for', ...none, vm: { strategy: 'RerunOnFailure' }, expected: { do: 'ask' } },
    {
      name: 'under RerunOnFailure is waited for where there are no subresources',
      ...none,
      vm: { strategy: 'RerunOnFailure' },
      seen: { noSubresource: true },
      expected: limit,
    },
    {
      name: 'that failed under RerunOnFailure comes back by itself',
      vm: { strategy: 'RerunOnFailure' },
      vmi: { phase: 'Failed' },
      expected: { ...limit, for: 'KubeVirt to restart the failed guest' },
    },
    {
      name: 'that went under RerunOnFailure is asked for',
      vm: { strategy: 'RerunOnFailure' },
      vmi: { phase: 'Succeeded' },
      expected: { do: 'ask' },
    },
    {
      name: 'that ended under Once needs Once anew',
      vm: { strategy: 'Once' },
      vmi: { phase: 'Succeeded' },
      expected: { do: 'strategy', value: 'Halted' },
    },
    {
      name: 'that ended under Once is not made Once anew before it has gone',
      vm: halted,
      vmi: { phase: 'Failed' },
      op: { restore: 'Once' },
      expected: { ...limit, for: 'the ended VMI to go' },
    },
    {
      name: 'that ended is asked for at once where its VM was Always',
      vm: halted,
      vmi: { phase: 'Failed' },
      expected: { do: 'ask' },
    },
    {
      name: 'that ended under Once and is going becomes Once anew',
      vm: halted,
      vmi: deleting(0, { phase: 'Failed' }),
      op: { restore: 'Once' },
      expected: { do: 'strategy', value: 'Once' },
    },
    {
      name: 'whose VM says something else than when it was asked is not waited for',
      ...none,
      vm: { ...halted, generation: 2 },
      seen: { askedAt: t0, askedOn: { generation: 1, strategy: 'Once', queue: [] } },
      after: 10,
      expected: { do: 'ask' },
    },
    {
      name: 'that is going under Once is waited for',
      vm: { strategy: 'Once' },
      vmi: deleting(0, { phase: 'Succeeded' }),
      expected: limit,
    },
    { name: 'under Once comes by itself', ...none, vm: { strategy: 'Once' }, expected: limit },
    { name: 'under Always comes by itself', ...none, expected: { ...limit, for: 'KubeVirt to begin the start' } },
    {
      name: 'with a queued Start is waited for',
      ...none,
      vm: { strategy: 'Manual', queue: [{ action: 'Start' }] },
      expected: limit,
    },
    {
      name: 'that KubeVirt has not looked at is waited for',
      ...none,
      vm: { ...halted, observed: false },
      expected: limit,
    },
    {
      name: 'that was just asked for is waited for',
      ...none,
      vm: halted,
      seen: { askedAt: t0 },
      after: 4_999,
      expected: waits(9_999),
    },
    {
      name: 'that was just asked for is waited for until the deadline at the most',
      ...none,
      vm: halted,
      op: { waitSeconds: 7 },
      seen: { askedAt: t0 },
      after: 4 * s,
      expected: waits(7 * s),
    },
    {
      name: 'is asked for again after that',
      ...none,
      vm: halted,
      seen: { askedAt: t0 },
      after: 5 * s,
      expected: { do: 'ask' },
    },
    {
      name: 'whose start is refused for good is told',
      ...none,
      vm: halted,
      seen: { invalid: true, refusal: 'bad' },
      expected: ends('Failed', { reason: 'Refused', message: 'KubeVirt refused the start: bad' }),
    },
    {
      name: 'whose start is refused for good without a word is told',
      ...none,
      vm: halted,
      seen: { invalid: true },
      expected: ends('Failed', { message: 'KubeVirt refused the start: ' }),
    },
    {
      name: 'of a Manual that was stopped becomes Manual again',
      ...none,
      vm: halted,
      op: { restore: 'Manual' },
      expected: { do: 'strategy', value: 'Manual' },
    },
  ]);
});
