import { createHash } from 'node:crypto';

import { annotationPrefix, type KubeObject } from './model.ts';
import type { Action, OutcomeName } from './outcome.ts';

export const runPhases = ['Running', 'Succeeded', 'Incomplete', 'Missed', 'Skipped'] as const;
export type RunPhase = (typeof runPhases)[number];

/** One VM that is named in a run. */
export interface Failure {
  name: string;
  reason: string;
  message: string;
}

/**
 * What came of one boundary, or of one fleet command. `targets` is the sum of done, already, forced, failed, all that is
 * skipped, and inProgress. Instants are RFC 3339.
 */
export interface RunStatus {
  phase: RunPhase;
  targets: number;
  done: number;
  already: number;
  forced: number;
  failed: number;
  skipped: Record<string, number>;
  inProgress: number;
  startedAt?: string;
  finishedAt?: string;
  /** How long after it was due the last VM was begun. */
  latestSeconds?: number;
  failures: Failure[];
  forcedNames: string[];
  /** So many names of failures and forced VMs were left out to keep the object small. */
  omitted?: number;
  /** Each VM on a line (shared/report/runLines.ts); absent where the object would be too large. */
  vms?: string[];
}

export interface RunSpec {
  /** The schedule's name; absent for a fleet command. */
  schedule?: string;
  action: Action;
  /** RFC 3339: the boundary, or when the fleet was asked for. */
  dueAt: string;
  /** Of a fleet command. */
  requestId?: string;
}

export interface WukongRun extends KubeObject {
  metadata: KubeObject['metadata'] & { ownerReferences?: { kind: string; name: string; uid: string }[] };
  spec: RunSpec;
  status?: RunStatus;
}

/** What one VM came to in a run. Instants in milliseconds. `Pending`: it was not begun yet. */
export interface Member {
  outcome: OutcomeName | 'Pending';
  reason?: string | undefined;
  message?: string | undefined;
  /** False: nobody saw how its guest ended. */
  observed?: false | undefined;
  startedAt?: number | undefined;
  finishedAt?: number | undefined;
}

export const isOver = ({ outcome }: Member): boolean => outcome !== 'Pending' && outcome !== 'InProgress';

/** On runs that a tick still looks at: those that are under way, and the newest of each schedule. */
export const currentKey = `${annotationPrefix}current`;
export const scheduleUidKey = `${annotationPrefix}schedule-uid`;

const longestStem = 200;

/**
 * The name of a run, the same in every process: of a boundary from the schedule's uid, of a fleet command from its
 * request. `office-20261123-2030-stop-1f2e3d4c5b`.
 */
export function runNameOf({ schedule, action, dueAt, requestId = '' }: RunSpec, scheduleUid = ''): string {
  const stem = (schedule ?? 'fleet').slice(0, longestStem).replace(/[^a-z0-9]+$/, '');
  const id = `${schedule === undefined ? requestId : scheduleUid}/${action}/${schedule === undefined ? '' : dueAt}`;
  const hash = createHash('sha256').update(id).digest('hex').slice(0, 10);
  const time = dueAt.slice(0, 16).replaceAll('-', '').replace('T', '-').replace(':', '');
  return `${stem}-${time}-${action}-${hash}`;
}
