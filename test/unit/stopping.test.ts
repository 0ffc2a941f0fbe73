import { describe, expect, it } from 'vitest';

import { decideStop } from '../../shared/stop.ts';
import { type Case, decideBy, deleting, ended, ends, halted, s, t0, waits } from './machines.ts';

const decide = decideBy('stop', decideStop);
const table = (cases: Case[]) => it.each(cases)('$name', (one) => expect(decide(one)).toMatchObject(one.expected));

describe('a guest that shuts down', () => {
  table([
    {
      name: 'has its grace, counted from its deletion, and 15 s',
      vm: halted,
      vmi: deleting(2 * s),
      after: 3 * s,
      expected: waits(47 * s),
    },
    {
      name: 'is not forced a millisecond before',
      vm: halted,
      vmi: deleting(2 * s),
      after: 47 * s - 1,
      expected: waits(47 * s),
    },
    { name: 'is forced then', vm: halted, vmi: deleting(2 * s), after: 47 * s, expected: { do: 'force' } },
    {
      name: 'is forced at once when the command says so',
      op: { force: true, graceSeconds: undefined },
      vm: halted,
      vmi: deleting(0, { graceSeconds: 0 }),
      after: 1 * s,
      expected: waits(60 * s),
    },
    {
      name: 'with a period above 0 is asked for none when the command forces',
      op: { force: true },
      vm: halted,
      vmi: deleting(0),
      expected: { do: 'ask', graceSeconds: 0 },
    },
    {
      name: 'and whose owner died before the call is forced by whoever comes next',
      op: { step: 'Forced', stepAt: t0 + 50 * s },
      vm: halted,
      vmi: deleting(0),
      after: 51 * s,
      expected: { do: 'force' },
    },
    {
      name: 'is given 60 s when it is forced',
      op: { step: 'Forced', stepAt: t0 + 50 * s },
      vm: halted,
      vmi: deleting(0, { graceSeconds: 0 }),
      after: 109 * s,
      expected: waits(110 * s),
    },
    {
      name: 'is stuck after them',
      op: { step: 'Forced', stepAt: t0 + 50 * s },
      vm: halted,
      vmi: deleting(0, { graceSeconds: 0, node: 'n1', finalizers: ['f'] }),
      after: 110 * s,
      expected: ends('Failed', {
        reason: 'Stuck',
        message: 'The guest was forced and is still there: VMI web-vm (uid one) on node n1, finalizers f.',
      }),
    },
    {
      name: 'is stuck on an unknown node',
      op: { step: 'Forced', stepAt: t0 + 50 * s },
      vm: halted,
      vmi: deleting(0, { graceSeconds: 0 }),
      after: 110 * s,
      expected: ends('Failed', {
        message: 'The guest was forced and is still there: VMI web-vm (uid one) on node unknown.',
      }),
    },
    {
      name: 'and is forced in this process is waited for',
      op: { step: 'Forced', stepAt: t0 + 50 * s },
      vm: halted,
      vmi: deleting(0),
      seen: { forced: true },
      after: 60 * s,
      expected: waits(110 * s),
    },
    {
      name: 'loses its pod when that is allowed',
      op: { step: 'Forced', stepAt: t0 + 50 * s, deletePodWhenStuck: true },
      vm: halted,
      vmi: deleting(0, { graceSeconds: 0 }),
      after: 110 * s,
      expected: { do: 'deletePod' },
    },
    {
      name: 'loses its pod by whoever comes after a crash',
      op: { step: 'PodDeleted', stepAt: t0 + 110 * s, deletePodWhenStuck: true },
      vm: halted,
      vmi: deleting(0, { graceSeconds: 0 }),
      after: 111 * s,
      expected: { do: 'deletePod' },
    },
    {
      name: 'is given 60 s without its pod',
      op: { step: 'PodDeleted', stepAt: t0 + 110 * s, deletePodWhenStuck: true },
      vm: halted,
      vmi: deleting(0, { graceSeconds: 0 }),
      seen: { podDeleted: true },
      after: 169 * s,
      expected: waits(170 * s),
    },
    {
      name: 'is stuck without its pod too',
      op: { step: 'PodDeleted', stepAt: t0 + 110 * s, deletePodWhenStuck: true },
      vm: halted,
      vmi: deleting(0, { graceSeconds: 0 }),
      seen: { podDeleted: true },
      after: 170 * s,
      expected: ends('Failed', { reason: 'Stuck' }),
    },
    { name: 'under Always is asked to stay off', vmi: deleting(0), expected: { do: 'ask' } },
    { name: 'under Once is asked to stay off', vm: { strategy: 'Once' }, vmi: deleting(0), expected: { do: 'ask' } },
    {
      name: 'under Always that was just asked is waited for',
      vmi: deleting(0),
      seen: { askedFor: 'one', askedAt: t0 },
      after: 1 * s,
      expected: waits(45 * s),
    },
    {
      name: 'gets the period that was asked for',
      op: { graceSeconds: 60 },
      vm: halted,
      vmi: deleting(0),
      expected: { do: 'ask', graceSeconds: 60 },
    },
  ]);
});

describe('an ended VMI', () => {
  table([
    {
      name: 'that is going is waited for, a minute at the most',
      vm: halted,
      vmi: deleting(0, { phase: 'Succeeded' }),
      seen: ended(),
      after: 5 * s,
      expected: waits(64 * s),
    },
    {
      name: 'that something holds is off after a minute',
      vm: halted,
      vmi: deleting(0, { phase: 'Succeeded' }),
      seen: ended(),
      after: 64 * s,
      expected: ends('Stopped'),
    },
    {
      name: 'stays under Manual: off',
      vm: { strategy: 'Manual' },
      vmi: { phase: 'Succeeded' },
      seen: ended(),
      after: 5 * s,
      expected: ends('Stopped'),
    },
    {
      name: 'stays under Once: off',
      vm: { strategy: 'Once' },
      vmi: { phase: 'Failed' },
      seen: ended('Failed'),
      after: 5 * s,
      expected: ends('Stopped'),
    },
    {
      name: 'under Manual that is going is waited for',
      vm: { strategy: 'Manual' },
      vmi: deleting(0, { phase: 'Succeeded' }),
      seen: ended(),
      after: 5 * s,
      expected: waits(64 * s),
    },
  ]);
});
