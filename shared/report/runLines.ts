import * as z from 'zod';

import { outcomeNames } from '../domain/outcome.ts';
import type { Member } from '../domain/run.ts';

/**
 * A run's `status.vms`: a line a VM, for people and for `wukong report`. `web ForcedOff/GracePeriodExceeded 2 47` began
 * 2 s after it was due and had ended 47 s after it was due; `unseen` behind it: nobody saw how its guest ended.
 */
export function lineOf(name: string, { outcome, reason, observed, startedAt, finishedAt }: Member, dueAt: number) {
  const after = (instant: number | undefined) =>
    instant === undefined ? '' : ` ${Math.floor(instant / 1000) - Math.floor(dueAt / 1000)}`;
  const times = startedAt === undefined ? '' : after(startedAt) + after(finishedAt);
  return `${name} ${outcome}${reason ? `/${reason}` : ''}${times}${observed === false ? ' unseen' : ''}`;
}

const line =
  /^(?<name>[a-z0-9][-.a-z0-9]{0,252}) (?<outcome>[A-Za-z]{1,20})(?:\/(?<reason>[A-Za-z]{1,40}))?(?: (?<start>-?\d{1,9}))?(?: (?<end>-?\d{1,9}))?(?<unseen> unseen)?$/;
const known = new Set<string>(['Pending', ...outcomeNames]);
const mostLines = 10_000;

/** The lines of a run by VM; what is not such a line is passed over, as anybody may have written it. */
export function readLines(vms: unknown, dueAt: number): Map<string, Member> {
  const members = new Map<string, Member>();
  if (!Array.isArray(vms)) return members;
  for (const text of vms.slice(0, mostLines)) {
    const { name, outcome, reason, start, end, unseen } = (typeof text === 'string' && line.exec(text)?.groups) || {};
    if (!name || !outcome || !known.has(outcome)) continue;
    const instant = (seconds: string) => dueAt + Number(seconds) * 1000;
    members.set(name, {
      outcome: outcome as Member['outcome'],
      ...(reason ? { reason } : {}),
      ...(unseen ? { observed: false } : {}),
      ...(start === undefined ? {} : { startedAt: instant(start) }),
      ...(end === undefined ? {} : { finishedAt: instant(end) }),
    });
  }
  return members;
}

const count = z.int().min(0).catch(0);
/** A run of 64 KB has room for no more. */
const mostFailures = 2_000;
const mostNames = 32_000;
/** A list of no more than that, else an empty one: zod would make a problem of each of its million entries. */
const listOf = <T extends z.ZodType>(one: T, most: number, fits: (given: unknown) => boolean = () => true) =>
  z
    .unknown()
    .transform((given) =>
      Array.isArray(given) && given.length <= most && given.every(fits) ? (given as unknown[]) : [],
    )
    .pipe(z.array(one).catch([]))
    .prefault([]);
/** Of reasons there are a dozen. */
const mostReasons = 100;
const isSmall = (given: unknown) =>
  typeof given === 'object' && given !== null && Object.keys(given).length <= mostReasons;
const failure = z.object({ name: z.string(), reason: z.string(), message: z.string().catch('') });

/** The counts of a run's status as they can be trusted to be numbers. */
export const runCounts = z.object({
  targets: count,
  done: count,
  already: count,
  forced: count,
  failed: count,
  inProgress: count,
  skipped: z
    .unknown()
    .transform((given) => (isSmall(given) ? given : {}))
    .pipe(z.record(z.string(), count).catch({}))
    .prefault({}),
  latestSeconds: z.number().optional().catch(undefined),
  failures: listOf(failure, mostFailures),
  forcedNames: listOf(z.string(), mostNames, (name) => typeof name === 'string'),
});
