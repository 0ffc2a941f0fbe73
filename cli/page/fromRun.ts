import type { KubeObject } from '../../shared/domain/model.ts';
import type { OutcomeName } from '../../shared/domain/outcome.ts';
import { instantIn } from '../../shared/domain/read.ts';
import { runNameOf, type WukongRun } from '../../shared/domain/run.ts';
import { readLines, runCounts } from '../../shared/report/runLines.ts';
import { boundaryIdOf } from '../../shared/schedule/calendar.ts';
import { clusterKind } from '../../shared/schedule/ruling.ts';
import type { Happening } from './happening.ts';

/** Whether a run is named as the lifecycle names it: what somebody else made is not counted. */
export function isGenuine(run: WukongRun): boolean {
  try {
    return isNamedSo(run);
  } catch {
    return false; // nobody can read it
  }
}

function isNamedSo({ metadata, spec }: WukongRun): boolean {
  if ((spec?.action !== 'start' && spec?.action !== 'stop') || instantIn(spec.dueAt) === undefined) return false;
  const uid = metadata.ownerReferences?.find(({ name }) => name === spec.schedule)?.uid;
  if (spec.schedule !== undefined && uid === undefined) return false;
  return (spec.schedule !== undefined || typeof spec.requestId === 'string') && metadata.name === runNameOf(spec, uid);
}

/** What a WukongRun tells of each of its VMs; empty for one that is not genuine, or that nobody can read. */
export function fromRun(object: KubeObject): Happening[] {
  const run = object as WukongRun;
  return isGenuine(run) ? happeningsOf(run) : [];
}

function happeningsOf(run: WukongRun): Happening[] {
  const { metadata, spec, status } = run;
  const { namespace = '' } = metadata;
  const dueAt = Date.parse(spec.dueAt);
  const { failures } = runCounts.parse(status ?? {});
  const messages = new Map(failures.map(({ name, message }) => [name, message]));
  const ofCluster = metadata.ownerReferences?.some(({ kind }) => kind === clusterKind);
  const key = ofCluster ? `${spec.schedule}` : `${namespace}/${spec.schedule}`;
  const requestId = spec.schedule === undefined ? spec.requestId! : boundaryIdOf({ key }, dueAt);
  const found: Happening[] = [];
  for (const [name, { outcome, reason, observed, startedAt, finishedAt }] of readLines(status?.vms, dueAt)) {
    if (outcome === 'Pending') continue;
    found.push({
      ...{ namespace, name, action: spec.action, outcome: outcome as OutcomeName, requestId },
      ...(reason ? { reason } : {}),
      ...(observed === false ? { observed } : {}),
      message: messages.get(name) ?? '',
      trigger: spec.schedule === undefined ? 'fleet' : 'schedule',
      ...(startedAt === undefined ? {} : { startedAt }),
      finishedAt: finishedAt ?? startedAt ?? dueAt,
    });
  }
  return found;
}
