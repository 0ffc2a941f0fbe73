import type { FailureCode } from './errors.ts';

export type Action = 'start' | 'stop';

/** Why nothing was done, on purpose. */
export const skipReasons = ['Protected', 'Override', 'Stale', 'NotDue', 'DryRun', 'Duplicate'] as const;
export type SkipReason = (typeof skipReasons)[number];

/** Why a guest did not end by itself. */
export const forceReasons = [
  'Requested', // the command said force
  'GracePeriodExceeded', // KubeVirt ended the guest when its grace period was over
  'GuestIgnoredShutdown', // still there 15 s after the grace period: forced by us
  'RefusedGracefully', // asking gracefully failed for good
  'PodDeleted', // the launcher pod was deleted, as the command allowed
] as const;
export type ForceReason = (typeof forceReasons)[number];

/** `observed: false` where the VM is off, and neither a watch nor KubeVirt's own records tell how its guest ended. */
interface Ended {
  observed?: false;
  message: string;
}

/** The closed set of what a command can come to. `InProgress` is the only one that is not final. */
export type Result =
  | { outcome: 'Started' | 'AlreadyOn' | 'AlreadyOff' | 'InProgress' | 'Superseded'; message: string }
  | ({ outcome: 'Stopped' } & Ended)
  | ({ outcome: 'ForcedOff'; forceReason: ForceReason } & Ended)
  | { outcome: 'Skipped'; reason: SkipReason; message: string }
  | { outcome: 'Failed'; reason: FailureCode; message: string };
export type OutcomeName = Result['outcome'];

export const outcomeNames = [
  'Started',
  'AlreadyOn',
  'Stopped',
  'AlreadyOff',
  'ForcedOff',
  'InProgress',
  'Superseded',
  'Skipped',
  'Failed',
] as const satisfies readonly OutcomeName[];

/** What is told of one Wukong at the end of a command: the return value, the log line and the event's detail. */
export type Outcome = Result & {
  namespace: string;
  name: string;
  action: Action;
  forced: boolean;
  requestId: string;
  trigger: string;
  /** When it was due, where a schedule says so: what comes after is lateness. */
  dueAt?: number;
  startedAt: number;
  finishedAt: number;
  /** True when this outcome was told before, or to nobody: a duplicate delivery, a dry run. */
  quiet?: boolean;
};

export const reasonOf = (result: Result): SkipReason | FailureCode | undefined =>
  'reason' in result ? result.reason : undefined;

/** Whether the VM is off and nobody can say how its guest ended. */
export const isUnobserved = (result: Result): boolean => 'observed' in result && result.observed === false;

export const isFinal = (result: Result): boolean => result.outcome !== 'InProgress';
