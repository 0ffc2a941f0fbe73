import { describe, expect, it } from 'vitest';

import type { Condition } from '../../shared/domain/model.ts';
import type { VmiView, VmView } from '../../shared/domain/vm.ts';
import { causeOf, loadsCluster } from '../../shared/lifecycle/diagnosis.ts';
import { nothingSeen, type Seen } from '../../shared/lifecycle/step.ts';
import { halted, machineOf } from './machines.ts';

const booting = { phase: 'Scheduling', ready: 'False' } as const;
interface Row {
  vm?: Partial<VmView> | null;
  vmi?: Partial<VmiView> | null;
  seen?: Partial<Seen>;
  died?: number;
  requireAgent?: boolean;
}
function cause(
  { vm = {}, vmi = booting, seen, died, requireAgent = false }: Row,
  wukongSays?: Parameters<typeof causeOf>[3]['wukongSays'],
) {
  const op = { waitSeconds: 300, ...(died === undefined ? {} : { died }) };
  const machine = machineOf(vm && { printableStatus: '', ...vm }, vmi);
  const { reason, message } = causeOf(machine, { ...nothingSeen(), ...seen }, op, {
    requireAgent,
    ...(wukongSays ? { wukongSays } : {}),
  });
  return `${reason}: ${message}`;
}
const condition = (type: string, status: Condition['status'], reason?: string, message?: string): Condition => ({
  type,
  status,
  ...(reason === undefined ? {} : { reason }),
  ...(message === undefined ? {} : { message }),
});
const says = (...conditions: Condition[]): Row => ({ vmi: { ...booting, conditions } });
const vmSays = (...conditions: Condition[]): Row => ({ vm: { conditions }, vmi: null });
const label = (printableStatus: string): Row => ({ vm: { printableStatus } });

const image = 'ImageUnavailable: A container image cannot be pulled.';
const claim = 'StorageNotReady: A PVC of the VM does not exist.';
const node = 'Unschedulable: No node fits.';
const volume = 'StorageNotReady: A DataVolume of the VM failed.';
const disk = 'StorageNotReady: A disk of the VM is not bound or imported yet.';
const pod = 'Refused: The pod was refused.';
const timedOut = 'TimedOut: Not ready after 300 s: VMI Scheduling, VM reads nothing yet.';

describe('why a VM did not come up is what KubeVirt says of it', () => {
  it.each<[string, Row, string]>([
    ['its image cannot be pulled', label('ErrImagePull'), image],
    ['its image cannot be pulled again', label('ImagePullBackOff'), image],
    ['its VMI says so', says(condition('Synchronized', 'False', 'ErrImagePull')), image],
    [
      'its VMI says so again',
      says(condition('Synchronized', 'False', 'ImagePullBackOff', 'no such tag')),
      'ImageUnavailable: no such tag',
    ],
    ['its PVC is not there', label('ErrorPvcNotFound'), claim],
    ['its VMI lacks a PVC', says(condition('Synchronized', 'False', 'FailedPvcNotFound')), claim],
    ['its pod lacks a PVC', says(condition('PodScheduled', 'False', 'UnboundPvc')), claim],
    ['no node fits', label('ErrorUnschedulable'), node],
    [
      'no node fits, as its pod says',
      says(condition('PodScheduled', 'False', 'Unschedulable', '0/3 nodes')),
      'Unschedulable: 0/3 nodes',
    ],
    ['its DataVolume failed', label('DataVolumeError'), volume],
    ['its DataVolumes are not ready', says(condition('DataVolumesReady', 'False')), volume],
    ['its disk is being imported', label('Provisioning'), disk],
    ['its disk waits to be bound', label('WaitingForVolumeBinding'), disk],
    [
      'its VMI was refused',
      vmSays(condition('Failure', 'True', 'FailedCreate', 'exceeded quota')),
      'Refused: exceeded quota',
    ],
    [
      'its VMI was refused for nothing',
      vmSays(condition('Failure', 'True')),
      'Refused: The VMI was refused by admission.',
    ],
    ['its pod was refused', says(condition('Synchronized', 'False', 'FailedCreate')), pod],
    ['nothing of its own, as its pod is scheduled', says(condition('PodScheduled', 'True', 'Unschedulable')), timedOut],
    ['nothing of its own, as that says no reason', says(condition('PodScheduled', 'False')), timedOut],
    [
      'nothing of its own, as its pod waits at a gate',
      says(condition('PodScheduled', 'False', 'SchedulingGated')),
      timedOut,
    ],
    ['nothing of its own, as it is synchronized', says(condition('Synchronized', 'True', 'ErrImagePull')), timedOut],
    [
      'nothing of its own, as nothing failed',
      says(condition('Failure', 'False'), condition('DataVolumesReady', 'True')),
      timedOut,
    ],
    [
      'nothing of its own by what only resembles such a word',
      label('NoErrImagePullErrorPvcNotFoundErrorUnschedulableDataVolumeErrorProvisioningToo'),
      timedOut.replace('nothing yet', 'NoErrImagePullErrorPvcNotFoundErrorUnschedulableDataVolumeErrorProvisioningToo'),
    ],
  ])('%s', (_what, row, expected) => expect(cause(row)).toBe(expected));

  it('in the words of another complaint, where the label says it alone', () => {
    const complaint = (...conditions: Condition[]) => cause({ ...label('Provisioning'), ...says(...conditions) });
    expect(complaint(condition('Other', 'False', '', 'disk-0 waits'))).toBe('StorageNotReady: disk-0 waits');
    const silentFirst = [condition('Other', 'False'), condition('Third', 'False', '', 'disk-1 waits')];
    expect(complaint(...silentFirst)).toBe('StorageNotReady: disk-1 waits');
    for (const silent of [
      condition('Other', 'True', '', 'x'),
      condition('Ready', 'False', '', 'x'),
      condition('Other', 'False'),
    ])
      expect(complaint(silent)).toBe(disk);
  });

  it('of the VMI before the VM, and not of a guest that has ended', () => {
    const of = (message: string) => [condition('PodScheduled', 'False', 'Unschedulable', message)];
    const both = (phase: string) =>
      cause({ vm: { conditions: of('the VM') }, vmi: { ...booting, phase, conditions: of('the VMI') } });
    expect([both('Scheduling'), both('Failed')]).toEqual(['Unschedulable: the VMI', 'Unschedulable: the VM']);
  });

  it('before what the Wukong says, which is before that nothing tells', () => {
    const wukongSays = { reason: 'NetworkNotReady', message: 'no NAD' } as const;
    expect(cause(label('ErrImagePull'), wukongSays)).toBe(image);
    expect(cause({}, wukongSays)).toBe('NetworkNotReady: no NAD');
    expect(cause({})).toBe(timedOut);
  });
});

describe('a guest that ends again and again', () => {
  const crash = (rest: string) => `GuestCrashLoop: The guest ${rest}`;
  it.each<[string, Row, string]>([
    ['as KubeVirt counts', { vm: { startFailure: { failures: 3 } } }, crash('failed to start 3 times in a row.')],
    [
      'once, and is tried again',
      { vm: { startFailure: { failures: 1, retryAfter: '20:05' } } },
      crash('failed to start once. KubeVirt tries again at 20:05.'),
    ],
    ['as its label says', label('CrashLoopBackOff'), crash('failed to start again and again.')],
    [
      'as was seen',
      { seen: { died: new Set(['a', 'b']) } },
      crash('ended 2 times soon after it came up; KubeVirt restarts it each time.'),
    ],
    [
      'as the record says',
      { died: 3, seen: { died: new Set(['a', 'b']) } },
      crash('ended 3 times soon after it came up; KubeVirt restarts it each time.'),
    ],
    ['once is not again', { died: 1 }, timedOut],
  ])('%s', (_what, row, expected) => expect(cause(row)).toBe(expected));
});

describe('a guest whose node does not answer', () => {
  const lost = 'NodeLost: Node unknown does not answer.';
  it.each<[string, Row, string]>([
    [
      'is ready or not',
      { vmi: { ready: 'Unknown', conditions: [condition('Ready', 'Unknown', '', 'no heartbeat')] } },
      `${lost} no heartbeat`,
    ],
    ['runs or not', { vmi: { phase: 'Unknown', node: 'node01' } }, 'NodeLost: Node node01 does not answer.'],
    ['has a VM that says so', { ...label('Unknown') }, lost],
    [
      'is none where there is no guest',
      { ...label('Unknown'), vmi: null },
      'TimedOut: Not ready after 300 s: no VMI, VM reads Unknown.',
    ],
  ])('%s', (_what, row, expected) => expect(cause(row)).toBe(expected));
});

describe('a guest of which nothing tells why it is not up', () => {
  it.each<[string, Row, string]>([
    ['is paused', { vmi: { paused: true } }, 'The VM is paused after 300 s; resume it with: virtctl unpause vm web-vm'],
    [
      'is paused, and its VM is gone',
      { vm: null, vmi: { paused: true } },
      'The VM is paused after 300 s; resume it with: virtctl unpause vm ',
    ],
    ['still shuts down', { vmi: { deletingSince: 0 } }, 'The old guest is still shutting down after 300 s.'],
    [
      'lacks its agent',
      { vmi: {}, requireAgent: true },
      'The guest runs, but its agent has not connected after 300 s.',
    ],
    ['need have no agent', { vmi: {} }, 'Not ready after 300 s: VMI Running, VM reads nothing yet.'],
    [
      'has its agent',
      { vmi: { agentConnected: true }, requireAgent: true },
      'Not ready after 300 s: VMI Running, VM reads nothing yet.',
    ],
    [
      'boots, with an agent to come',
      { requireAgent: true },
      'Not ready after 300 s: VMI Scheduling, VM reads nothing yet.',
    ],
    [
      'is not there, and need have an agent',
      { vmi: null, requireAgent: true, ...{ vm: { printableStatus: 'Stopped' } } },
      'Not ready after 300 s: no VMI, VM reads Stopped.',
    ],
    [
      'has no phase yet',
      { vmi: { ...booting, phase: '' } },
      'Not ready after 300 s: VMI Pending, VM reads nothing yet.',
    ],
    ['has no VM', { vm: null }, 'Not ready after 300 s: VMI Scheduling, VM reads nothing yet.'],
    [
      'was refused',
      { seen: { refusal: 'busy (409)' } },
      'Not ready after 300 s: VMI Scheduling, VM reads nothing yet. KubeVirt said: busy (409)',
    ],
  ])('%s', (_what, row, expected) => expect(cause(row)).toBe(`TimedOut: ${expected}`));
});

describe('an operation takes the place of one that loads the cluster', () => {
  const unschedulable = { ...booting, conditions: [condition('PodScheduled', 'False', 'Unschedulable')] };
  it.each<[string, 'start' | 'stop', Partial<VmView>, Partial<VmiView> | null, Partial<Seen>, boolean]>([
    ['a stop while its guest runs', 'stop', {}, {}, {}, true],
    ['not while that shuts down', 'stop', {}, { deletingSince: 0 }, {}, false],
    ['not without a guest', 'stop', {}, null, {}, false],
    ['not one whose guest has ended', 'stop', {}, { phase: 'Failed' }, {}, false],
    ['a stop that KubeVirt has refused once', 'stop', {}, {}, { refusals: 1 }, true],
    ['not one that it has refused twice', 'stop', {}, {}, { refusals: 2 }, false],
    ['a start', 'start', {}, null, {}, true],
    ['not one that waits for an old guest', 'start', {}, { deletingSince: 0 }, {}, false],
    ['one whose guest had died once', 'start', {}, null, { died: new Set(['a']) }, true],
    ['not one whose guest goes nowhere', 'start', {}, unschedulable, {}, false],
    ['not one whose guest dies again and again', 'start', {}, null, { died: new Set(['a', 'b']) }, false],
    [
      'a start of what is switched off, whatever that says of its last one',
      'start',
      { ...halted, printableStatus: 'ErrImagePull' },
      null,
      {},
      true,
    ],
    ['not where it is switched off and its guest still goes nowhere', 'start', halted, unschedulable, {}, false],
  ])('%s', (_what, action, vm, vmi, seen, expected) =>
    expect(loadsCluster(action, machineOf(vm, vmi), { ...nothingSeen(), ...seen })).toBe(expected),
  );

  it('a start of a VM that is not there', () => {
    expect(loadsCluster('start', machineOf(null, null), nothingSeen())).toBe(true);
  });
});
