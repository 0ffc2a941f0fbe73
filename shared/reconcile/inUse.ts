import { apiPath } from '../cluster/path.ts';
import { asLifecycleError } from '../domain/errors.ts';
import { keyOf, type KubeObject, vmNameOf, type Wukong } from '../domain/model.ts';
import { readVmi } from '../domain/readVm.ts';
import type { VmiView } from '../domain/vm.ts';
import type { Job } from '../execute/job.ts';
import { newHolder } from '../lifecycle/claim.ts';
import { putEvent } from '../report/events.ts';
import { boundaryId } from '../schedule/calendar.ts';
import type { Acting } from '../schedule/decide.ts';
import type { Timetable } from '../schedule/timetable.ts';
import { rfc3339 } from '../time/clock.ts';
import { eachApart } from '../time/forEachLimited.ts';
import { problemOf, type Ticking } from './problems.ts';

/** So many of a namespace are asked, or told, at once. */
const atOnce = 8;
/** So long a tick asks who is logged in: nobody's stop waits longer for what a neighbour's guests answer. */
const askingMs = 2_000;

export interface Unused {
  jobs: Job[];
  /** How many the others are. */
  waiting: number;
  /** Tells the owners of the others that their stop waits: when all jobs were begun, as it is none of their business. */
  tellWaiting(): Promise<void>;
}

/**
 * The jobs without the scheduled stops of VMs that are in use, as long as their schedule lets them wait: those stay open,
 * and the next tick looks again. That they wait is told once for each boundary.
 */
export async function withoutThoseInUse(
  { table, jobs }: { table: Timetable; jobs: Job[] },
  to: Ticking,
): Promise<Unused> {
  const { world, limits } = to;
  const waiting = new Map<Job, () => Promise<unknown>>();
  const soon = { ...to, limits: { ...limits, deadline: Math.min(limits.deadline, world.clock.now() + askingMs) } };
  const look = async (job: Job) => {
    const { wukong } = job;
    const rule = wukong && table.ruled.get(wukong);
    const acting = rule?.decision;
    if (!wukong || !rule || job.work.do !== 'command' || acting?.do !== 'stop' || acting.enforced) return;
    const { skipWhileInUse } = acting.boundary.schedule;
    const until = acting.boundary.at + (skipWhileInUse?.maxDelayMs ?? 0);
    if (!skipWhileInUse || table.at >= until) return;
    const why = await useOf(wukong, skipWhileInUse, soon);
    if (why === undefined) return;
    rule.decision = { do: 'nothing', because: why, until };
    const told = `${why}; at the latest it is carried out at ${rfc3339(until)}`;
    waiting.set(job, () => tell(wukong, acting, told, to).catch(() => {}));
  };
  await eachApart(jobs, ({ place }) => place.namespace, atOnce, look);
  return {
    jobs: jobs.filter((job) => !waiting.has(job)),
    waiting: waiting.size,
    tellWaiting: () =>
      eachApart(
        waiting,
        ([{ place }]) => place.namespace,
        atOnce,
        async ([, telling]) => void (await telling()),
      ),
  };
}

const tell = (wukong: Wukong, { boundary }: Acting, why: string, { world, limits }: Ticking) =>
  putEvent(
    world,
    wukong,
    {
      id: `${boundaryId(boundary)}/in-use`,
      type: 'Normal',
      reason: 'StopWaits',
      message: `The stop of ${boundary.wall} by schedule ${boundary.schedule.key} waits: ${why}.`,
    },
    { teller: newHolder(world), limits },
  );

/** Why it counts as in use; what cannot be found out counts too, as the delay has an end. */
export async function useOf(
  wukong: Wukong,
  { loggedIn, annotation }: { loggedIn: boolean; annotation?: string | undefined },
  { world, limits, problems }: Ticking,
): Promise<string | undefined> {
  const { annotations = {}, namespace } = wukong.metadata;
  const said = annotation !== undefined && Object.hasOwn(annotations, annotation) ? annotations[annotation] : undefined;
  if (said !== undefined && said !== '' && said !== 'false')
    return `the annotation ${annotation} says that it is in use`;
  if (!loggedIn) return undefined;
  if (world.clock.now() >= limits.deadline) return 'nobody could tell in time who is logged in';
  const guest = { namespace, name: vmNameOf(wukong), kind: 'virtualmachineinstances' };
  const ask = <T>(path: string) => world.transport.call<T>({ method: 'GET', path, safe: true }, limits);
  try {
    // virt-api answers 500 for a guest that is off or has no agent, as for a fault: such a guest is not asked.
    const there = await ask<KubeObject>(apiPath({ api: 'kubevirt.io/v1', ...guest }));
    if (there.status === 404 || (there.status === 200 && !canTell(readVmi(there.body)))) return undefined;
    const subresource = { api: 'subresources.kubevirt.io/v1', ...guest, subresource: 'userlist' };
    const answer = there.status === 200 ? await ask<{ items?: unknown[] }>(apiPath(subresource)) : there;
    const items = answer.status === 200 ? (answer.body as { items?: unknown[] }).items : undefined;
    const count = Array.isArray(items) ? items.length : 0;
    if (count > 0) return `${count} user${count === 1 ? ' is' : 's are'} logged in, as its guest agent reports`;
    if (answer.status !== 403 && answer.status < 500) return undefined;
    if (answer.status === 403)
      problems.push({
        message: `who is logged in to ${keyOf(wukong.metadata)} may not be read (403): grant get on ${answer === there ? guest.kind : `${guest.kind}/userlist`}`,
        reason: 'Denied',
        minor: true,
      });
    return `nobody can tell who is logged in (${answer.status})`;
  } catch (thrown) {
    limits.signal?.throwIfAborted();
    problems.push({ ...problemOf(asLifecycleError(thrown), wukong), minor: true }); // the stop waits, as for a 500
    return 'nobody can tell who is logged in';
  }
}

const canTell = ({ phase, agentConnected }: VmiView): boolean => phase === 'Running' && agentConnected;
