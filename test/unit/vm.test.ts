import { describe, expect, it } from 'vitest';

import {
  isEnded,
  isOff,
  isOn,
  isSpecObserved,
  living,
  startQueued,
  stateOf,
  type VmiView,
  type VmView,
} from '../../shared/domain/vm.ts';
import { machineOf, vmiOf, vmOf } from './machines.ts';

const on = (more: Partial<VmiView> = {}) => machineOf({}, more);
const halted = (more: Partial<VmView> = {}, vmi: Partial<VmiView> | null = null) =>
  machineOf({ strategy: 'Halted', ...more }, vmi);
const ended = { phase: 'Succeeded', ready: 'False' } as const;
const failed = { phase: 'Failed', ready: 'False' } as const;

it('a guest has ended in either final phase, and lives in all others', () => {
  expect(['Succeeded', 'Failed', 'Running', 'Unknown', undefined].map(isEnded)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
  const [alive, dead] = [vmiOf(), vmiOf(ended)];
  expect([living(alive), living(dead), living(undefined)]).toEqual([alive, undefined, undefined]);
});

describe('a VM is on', () => {
  it.each<[boolean, Partial<VmiView>]>([
    [true, {}],
    [false, { phase: 'Scheduled' }],
    [false, { deletingSince: 0 }],
    [false, { ready: 'False' }],
    [false, { ready: 'Unknown' }],
    [false, { paused: true }],
  ])('%s: %j', (expected, more) => expect(isOn(on(more))).toBe(expected));

  it('with a guest alone', () => expect([isOn({}), isOn({ vmi: vmiOf() })]).toEqual([false, true]));
});

describe('a VM is off', () => {
  it.each<[boolean, Partial<VmView>, (Partial<VmiView> | null)?]>([
    [true, {}],
    [true, { strategy: 'Manual' }],
    [false, { strategy: 'Always' }],
    [false, { observed: false }],
    [false, { queue: [{ action: 'Start' }] }],
    [true, { queue: [{ action: 'Stop' }] }],
    [false, {}, {}],
    [true, {}, ended],
    [true, { strategy: 'Manual' }, failed],
    [true, { strategy: 'RerunOnFailure' }],
    [true, { strategy: 'RerunOnFailure' }, ended],
    [false, { strategy: 'RerunOnFailure' }, failed],
    [false, { strategy: 'Once' }],
    [true, { strategy: 'Once' }, ended],
    [true, { strategy: 'Once' }, failed],
    [false, { strategy: 'Once' }, { ...ended, deletingSince: 0 }],
    [false, { strategy: 'Always' }, ended],
    [false, { strategy: 'Odd' }, ended],
  ])('%s: %j, %j', (expected, vm, vmi) => expect(isOff(halted(vm, vmi ?? null))).toBe(expected));

  it('where it is there', () => expect(isOff({})).toBe(false));
  it('unless a start is queued', () =>
    expect([startQueued(vmOf({ queue: [{ action: 'Stop' }, { action: 'Start' }] })), startQueued(vmOf())]).toEqual([
      true,
      false,
    ]));
});

it.each<[Partial<VmView>, boolean]>([
  [{}, true],
  [{ generation: 3 }, true],
  [{ observedGeneration: 3 }, true],
  [{ generation: 3, observedGeneration: 2 }, false],
  [{ generation: 3, observedGeneration: 3 }, true],
  [{ generation: 3, observedGeneration: 4 }, true],
])('the controller has acted on the spec of %j: %s', (more, expected) =>
  expect(isSpecObserved(vmOf(more))).toBe(expected),
);

describe('the state of a VM', () => {
  const failure = { conditions: [{ type: 'Failure', status: 'True' as const }] };
  it.each<[string, Partial<VmView>, Partial<VmiView> | null]>([
    ['Running', {}, {}],
    ['Stopping', {}, { deletingSince: 0, paused: true }],
    ['Paused', {}, { paused: true, ready: 'Unknown' }],
    ['Unknown', {}, { phase: 'Unknown' }],
    ['Unknown', {}, { ready: 'Unknown' }],
    ['Starting', {}, { phase: 'Scheduling' }],
    ['Starting', {}, { ready: 'False' }],
    ['Failed', { printableStatus: 'ErrImagePull' }, { ready: 'False' }],
    ['Failed', failure, { phase: 'Scheduling' }],
    ['Running', failure, {}],
    ['Stopped', { strategy: 'Halted' }, null],
    ['Stopped', { strategy: 'Halted' }, ended],
    ['Starting', {}, null],
    ['Starting', {}, ended],
    ['Failed', { printableStatus: 'ErrorUnschedulable' }, null],
    ['Failed', { printableStatus: 'ImagePullBackOff' }, null],
    ['Failed', { printableStatus: 'CrashLoopBackOff' }, failed],
    ['Failed', { printableStatus: 'DataVolumeError' }, null],
    ['Failed', failure, null],
    ['Starting', { conditions: [{ type: 'Failure', status: 'False' }] }, null],
    ['Starting', { printableStatus: 'WaitingForErr' }, null],
  ])('is %s: %j, %j', (expected, vm, vmi) => expect(stateOf(machineOf(vm, vmi))).toBe(expected));

  it('is unknown where there is none', () => expect(stateOf({ vmi: vmiOf() })).toBe('Unknown'));
});
