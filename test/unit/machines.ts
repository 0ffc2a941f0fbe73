import type { Operation } from '../../shared/domain/operation.ts';
import type { Action } from '../../shared/domain/outcome.ts';
import type { Machine, VmiView, VmView } from '../../shared/domain/vm.ts';
import { nothingSeen, type Seen, type Step } from '../../shared/lifecycle/step.ts';

/** The instant at which the operations of the decision tables begin. */
export const t0 = Date.parse('2026-11-23T20:00:00Z');

export const vmOf = (more: Partial<VmView> = {}): VmView => ({
  namespace: 'team-a',
  name: 'web-vm',
  uid: 'vm',
  resourceVersion: '1',
  strategy: 'Always',
  field: 'runStrategy',
  queue: [],
  observed: true,
  deleting: false,
  printableStatus: 'Running',
  conditions: [],
  created: true,
  ...more,
});

export const vmiOf = (more: Partial<VmiView> = {}): VmiView => ({
  namespace: 'team-a',
  name: 'web-vm',
  uid: 'one',
  phase: 'Running',
  graceSeconds: 30,
  ready: 'True',
  paused: false,
  agentConnected: false,
  migrating: false,
  finalizers: [],
  conditions: [],
  ...more,
});

/** null: there is none. */
export const machineOf = (
  vm: Partial<VmView> | null = {},
  vmi: Partial<VmiView> | null = {},
  gone?: Partial<VmiView>,
): Machine => ({
  ...(vm ? { vm: vmOf(vm) } : {}),
  ...(vmi ? { vmi: vmiOf(vmi) } : {}),
  ...(gone ? { gone: vmiOf(gone) } : {}),
});

export const operation = (more: Partial<Operation>): Operation => ({
  requestId: 'request',
  holder: 'holder',
  action: 'stop',
  step: 'Claimed',
  stepAt: t0,
  trigger: 'direct',
  requestedAt: t0,
  startedAt: t0,
  deadline: t0 + 600_000,
  comebacks: 0,
  attempts: 1,
  force: false,
  deletePodWhenStuck: false,
  waitSeconds: 300,
  supersedes: [],
  ...more,
});

export const s = 1_000;

/** One row of a decision table: what is so, and what is to be done. */
export interface Case {
  name: string;
  op?: Partial<Operation>;
  vm?: Partial<VmView> | null;
  vmi?: Partial<VmiView> | null;
  gone?: Partial<VmiView>;
  seen?: Partial<Seen>;
  /** Since the operation began. */
  after?: number;
  expected: object;
}

/** The decision for a row; unless it says otherwise a VM runs under Always and its guest is the one to stop. */
export const decideBy =
  (action: Action, decision: (op: Operation, machine: Machine, seen: Seen, now: number) => Step) =>
  ({ op, vm, vmi, gone, seen, after = 0 }: Case): Step =>
    decision(
      operation({ action, vmiUid: 'one', ...op }),
      machineOf(vm, vmi, gone),
      { ...nothingSeen(), ...seen },
      t0 + after,
    );

export const deleting = (since: number, more: Partial<VmiView> = {}) => ({ deletingSince: t0 + since, ...more });
export const halted = { strategy: 'Halted' };
export const ended = (phase = 'Succeeded', at = 4 * s): Partial<Seen> => ({
  ended: { uid: 'one', phase, at: t0 + at },
});
export const ends = (outcome: string, more: object = {}) => ({ do: 'end', result: { outcome, ...more } });
export const waits = (until: number) => ({ do: 'wait', until: t0 + until });
