import type { World } from '../cluster/world.ts';
import { runNameOf, type RunSpec, type RunStatus } from '../domain/run.ts';
import { isClusterSchedule } from '../schedule/ruling.ts';
import type { WukongSchedule } from '../schedule/schedule.ts';
import { rfc3339 } from '../time/clock.ts';
import type { Limits } from '../time/wait.ts';
import { putEvent } from './events.ts';
import { plain } from './plain.ts';

export const runType = 'Wukong VM Lifecycle Run';
const runNotice = 'dev.novasphere.wukong.run.v1';

export interface RunTold {
  namespace: string;
  spec: RunSpec;
  status: RunStatus;
  owner?: WukongSchedule | undefined;
}

/** What somebody should look at. */
export const endedBadly = ({ phase }: RunStatus): boolean => phase === 'Incomplete' || phase === 'Missed';

/** An event holds 256 KB, and nobody reads more names: the others are counted. */
const mostNames = 50;

/** The detail of a run's event; its schema is infra/events/run.schema.json. `id` is the same however often it is sent. */
export function runDetailOf({ namespace, spec, status, owner }: RunTold) {
  const { failures, forcedNames, omitted = 0, vms: _lines, ...counts } = status;
  const rest = Math.max(0, failures.length - mostNames) + Math.max(0, forcedNames.length - mostNames);
  return {
    version: '1',
    id: `${namespace}/${runNameOf(spec, owner?.metadata.uid)}/${status.phase}`,
    namespace,
    name: runNameOf(spec, owner?.metadata.uid),
    ...spec,
    ...counts,
    failures: failures.slice(0, mostNames),
    forcedNames: forcedNames.slice(0, mostNames),
    omitted: omitted + rest,
  };
}

/** `stop of 2026-11-23T20:30:00Z: 5 VMs: 3 done, 1 failed (db: Unschedulable), 1 skipped (Stale)`. */
export function runSentence({ spec, status }: Pick<RunTold, 'spec' | 'status'>): string {
  const { targets, skipped } = status;
  const counted = (['done', 'already', 'forced', 'failed', 'inProgress'] as const).flatMap((field) =>
    status[field] > 0 ? [`${status[field]} ${field === 'inProgress' ? 'in progress' : field}`] : [],
  );
  const left = Object.entries(skipped).map(([reason, count]) => `${count} ${reason}`);
  if (left.length > 0) counted.push(`left alone: ${left.join(', ')}`);
  const named = status.failures.slice(0, 5).map(({ name, reason }) => `${name} ${reason}`);
  const what = `${spec.action} of ${spec.dueAt}: ${targets} VM${targets === 1 ? '' : 's'}: ${counted.join(', ') || 'none'}`;
  return plain(named.length > 0 ? `${what}; failed: ${named.join(', ')}` : what);
}

/**
 * Tells a run that ended Incomplete or Missed: an Event on its schedule, once; an event on the bus, which receivers know
 * again by its id; a log line and a metric. What cannot be told is logged, and keeps nobody from working.
 */
export async function tellRun(world: World, run: RunTold, name: string, limits: Limits): Promise<void> {
  const { log, metrics, bus, clock, webhook } = world;
  const { namespace, status, owner } = run;
  const reason = `Run${status.phase}`;
  const message = runSentence(run);
  log.warn(`run ${namespace}/${name}: ${status.phase}`, { namespace, name, reason, says: message });
  metrics.count('BadRuns', 1);
  const event = {
    id: `run/${name}/${status.phase}`,
    type: 'Warning',
    reason,
    message: message.slice(0, 1024),
  } as const;
  // A team looks in its own namespace for what came of a ClusterWukongSchedule there.
  const on =
    owner && !isClusterSchedule(owner)
      ? { kind: 'WukongSchedule', metadata: owner.metadata }
      : { kind: 'WukongRun', metadata: { name, namespace } };
  const id = `${namespace}/${name}/${status.phase}`;
  const text = `Run ${namespace}/${owner?.metadata.name ?? name} ended ${status.phase}: ${message}`;
  const detail = runDetailOf(run);
  webhook?.put({ id, type: runNotice, subject: `${namespace}/${name}`, time: clock.now(), text, detail });
  try {
    await putEvent(world, on, event, { teller: `runs/${rfc3339(clock.now())}`, limits });
    await bus?.put([{ type: runType, detail, time: clock.now() }]);
  } catch (thrown) {
    log.error('the end of a run could not be told', { namespace, name, problem: (thrown as Error).message });
  }
}
