import { isDeepStrictEqual } from 'node:util';

import type { Unanswered } from '../cluster/namespaces.ts';
import type { World } from '../cluster/world.ts';
import { asLifecycleError } from '../domain/errors.ts';
import type { Place } from '../domain/model.ts';
import { currentKey, isOver, type RunStatus, scheduleUidKey, type WukongRun } from '../domain/run.ts';
import { memberOf } from '../domain/runTrace.ts';
import type { Executed } from '../execute/sink.ts';
import { endedBadly, tellRun } from '../report/run.ts';
import { createRun } from '../report/runObject.ts';
import { runStatusOf } from '../report/runStatus.ts';
import { eachApart } from '../time/forEachLimited.ts';
import type { Limits } from '../time/wait.ts';
import type { Problem } from './problems.ts';
import { type Planned, type Planning, planRuns, type RunPlan } from './runPlans.ts';
import { deleteRun, pruneRuns, readCurrentRuns, readRun, updateRun } from './runWrites.ts';

/** So many of a namespace are written, or deleted, at once. */
const atOnce = 20;
const forgedAtOnce = 2;

export interface Keeping extends Planned {
  problems: Problem[];
}

const minor = (thrown: unknown, what: string): Problem => {
  const { code, message } = asLifecycleError(thrown);
  return { message: `${what}: ${message}`, reason: code, minor: true };
};

export interface Read {
  /** Undefined: runs are not kept. */
  runs?: WukongRun[] | undefined;
  /** Namespaces of whose runs, or VMs, not all is known: there no run is made, told or looked at. */
  unread?: Set<string>;
  problem?: Problem;
}

/** What is known where the runs of some namespaces are `unanswered`. */
export function readApart(runs: WukongRun[] | undefined, unanswered: Unanswered): Read {
  const [first] = unanswered;
  if (!first) return { runs };
  const problem = minor(first[1], `runs of namespace ${first[0]} are not kept`);
  return { runs, unread: new Set(unanswered.keys()), problem };
}

/** Reads the runs that ticks look at, beside all else that is read. What cannot be read keeps nobody from working. */
export async function readRuns(world: World, limits: Limits): Promise<Read> {
  const unanswered: Unanswered = new Map();
  try {
    return readApart(await readCurrentRuns(world, limits, unanswered), unanswered);
  } catch (thrown) {
    return { problem: minor(thrown, 'runs are not kept') };
  }
}

/** Which runs are to be made or looked at: said before the tick's work, as that forgets what it was begun from. */
export function openRuns({ runs, unread = new Set(), problem }: Read, seen: Omit<Planning, 'runs'>): Keeping {
  const problems = problem ? [problem] : [];
  try {
    if (!runs) return { plans: [], forged: [], problems };
    const { plans, forged } = planRuns({ runs, ...seen });
    return { plans: plans.filter(({ namespace }) => !unread.has(namespace)), forged, problems };
  } catch (thrown) {
    return { plans: [], forged: [], problems: [...problems, minor(thrown, 'runs are not kept')] };
  }
}

/**
 * Makes each run true after the tick's work: one write at the most, none where it is true already. A run that ends
 * Incomplete or Missed is told before that is written, so that a crash in between tells it again, never not.
 */
export async function keepRuns(
  world: World,
  { plans, forged, problems }: Keeping,
  { done, unsaid }: { done: Executed; unsaid: Place[] },
  limits: Limits,
): Promise<Problem[]> {
  const found = [...problems];
  const attempt = (what: string, work: () => Promise<void>) =>
    work().catch((thrown: unknown) => void found.push(minor(thrown, what)));
  const untold = new Set(unsaid.map(({ namespace, name }) => `${namespace}/${name}`));
  const outcomes = Map.groupBy(done.outcomes, ({ requestId, namespace }) => `${namespace} ${requestId}`);
  // Whoever makes runs that are none has a namespace, and calls that fail there hold up no other's.
  const deleting = eachApart(
    forged,
    ({ metadata }) => metadata.namespace,
    forgedAtOnce,
    (run) => attempt('a run of somebody else', () => deleteRun(world, run, limits)),
  );
  await eachApart(
    plans,
    ({ namespace }) => namespace,
    atOnce,
    (plan) =>
      attempt(`run ${plan.namespace}/${plan.name}`, async () => {
        for (const outcome of outcomes.get(`${plan.namespace} ${plan.requestId}`) ?? []) {
          if (outcome.outcome === 'Skipped' && outcome.reason === 'Duplicate') continue;
          const unreached = outcome.outcome === 'Failed' && outcome.reason === 'Unreachable';
          plan.members.set(outcome.name, unreached ? { outcome: 'Pending' } : memberOf(outcome));
        }
        for (const [name, member] of plan.members)
          if (member.outcome === 'Skipped' && untold.has(`${plan.namespace}/${name}`))
            plan.members.set(name, { outcome: 'Pending' });
        await keep(world, plan, limits);
      }),
  );
  await deleting;
  return found;
}

async function keep(world: World, plan: RunPlan, limits: Limits): Promise<void> {
  const { namespace, spec, owner, dueAt, stored, newest } = plan;
  const status = runStatusOf(plan.members, { dueAt, now: world.clock.now(), before: stored?.status });
  const over = [...plan.members.values()].every(isOver);
  const run = { namespace, spec, status, owner, current: newest || !over };
  if (stored && isTrue(stored, run)) return;
  if (endedBadly(status) && !isDeepStrictEqual(stored?.status, status)) await tellRun(world, run, plan.name, limits);
  if (stored && !isFinished(stored)) return updateRun(world, stored, run, limits);
  // One that is over does not change any more, whoever asks: what is not true of it is made anew.
  if (stored && !isDeepStrictEqual(stored.status, status)) await deleteRun(world, stored, limits);
  else if (stored) return updateRun(world, stored, run, limits);
  if (await createRun(world, run, limits)) {
    if (owner) await pruneRuns(world, { ...plan, owner }, limits);
    return;
  }
  if (newest && !stored) await takeBack(world, plan, limits);
}

/** The newest run without the label by which ticks find it: somebody took that off, or made the run. */
async function takeBack(world: World, { namespace, name, owner }: RunPlan, limits: Limits): Promise<void> {
  const found = await readRun(world, namespace, name, limits);
  if (!found) return;
  const { labels, ownerReferences = [] } = found.metadata;
  const uid = owner?.metadata.uid;
  const ours = labels?.[scheduleUidKey] === uid && ownerReferences.some((reference) => reference.uid === uid);
  if (ours && found.status) await updateRun(world, found, { status: found.status, current: true }, limits);
  else await deleteRun(world, found, limits);
}

const isFinished = ({ status }: WukongRun): boolean => status?.phase !== undefined && status.phase !== 'Running';

const isTrue = ({ metadata, status }: WukongRun, wanted: { status: RunStatus; current: boolean }): boolean =>
  isDeepStrictEqual(status, wanted.status) && (metadata.labels?.[currentKey] === 'true') === wanted.current;
