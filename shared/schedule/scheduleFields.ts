import * as z from 'zod';

import { readLabelSelector } from '../domain/selector.ts';
import { parseCron, sharedWall } from '../time/cron.ts';
import { parseZone } from '../time/parseZone.ts';
import { wallDate, wallTime } from '../time/wallclock.ts';
import { type Problem, type ScheduleReason } from './problem.ts';

/** A field that `read` understands or says in words why not. */
const parsed = <T>(read: (value: unknown) => T) =>
  z.unknown().transform((value, context) => {
    try {
      return read(value);
    } catch (wrong) {
      context.addIssue({ code: 'custom', message: (wrong as Error).message });
      return z.NEVER;
    }
  });

const whole = (low: number, high: number) => {
  const error = `expected a whole number from ${low} to ${high}`;
  return z.int({ error }).min(low, error).max(high, error);
};

/** Of unknown keys problemsOf says its own. */
const words = (error: string) => ({ error });

const fields = {
  timeZone: parsed((value) => parseZone(value)).optional(),
  start: parsed((value) => parseCron(value)).optional(),
  stop: parsed((value) => parseCron(value)).optional(),
  selector: parsed((value) => readLabelSelector(value)),
  suspend: z.boolean({ error: 'expected true or false' }).default(false),
  // Read apart: what is wrong with them costs only what depends on them.
  holidays: z.unknown().optional(),
  // Read once the zone is known.
  exceptions: z.unknown().optional(),
  policy: z.enum(['Respect', 'Enforce'], { error: 'expected Respect or Enforce' }).default('Respect'),
  startingDeadlineSeconds: whole(60, 604_800).default(3_600),
  gracePeriodSeconds: whole(0, 86_400).optional(),
  waves: z
    .strictObject(
      { maxInFlight: whole(1, 1_000).default(50), delaySeconds: whole(0, 3_600).default(0) },
      words('expected {maxInFlight, delaySeconds}'),
    )
    .prefault({}),
  jitterSeconds: whole(0, 3_600).default(0),
  runsHistoryLimit: whole(1, 10_000).default(60),
  announceBeforeSeconds: whole(0, 86_400).default(0),
  skipWhileInUse: z
    .strictObject(
      {
        loggedIn: z.boolean({ error: 'expected true or false' }).default(false),
        annotation: z
          .string({ error: 'expected the key of an annotation' })
          .regex(
            /^([a-z0-9.-]{1,253}\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/,
            'expected the key of an annotation',
          )
          .optional(),
        maxDelaySeconds: whole(60, 604_800).default(1_800),
      },
      words('expected {loggedIn, annotation, maxDelaySeconds}'),
    )
    .optional(),
};

export const spec = z.strictObject(fields, words('expected the fields of a schedule'));

/** Of a whole cluster: Wukongs are chosen by their namespaces' labels, by their own, or by both. */
export const clusterSpec = spec.extend({
  selector: parsed((value) => readLabelSelector(value, { mayBeEmpty: true })).prefault({}),
  namespaceSelector: parsed((value) => readLabelSelector(value, { mayBeEmpty: true })).prefault({}),
  enforceOverNamespaces: z.boolean({ error: 'expected true or false' }).default(false),
});

const reasons = new Map<string, ScheduleReason>([
  ['start', 'InvalidCron'],
  ['stop', 'InvalidCron'],
  ['timeZone', 'InvalidTimeZone'],
  ['selector', 'InvalidSelector'],
  ['namespaceSelector', 'InvalidSelector'],
]);

export const about = {
  under: ['spec'],
  reasonOf: (field: string) => reasons.get(field) ?? ('InvalidSpec' as const),
};

/** What is right field by field, and cannot be so together: three at the most. */
export function contradictions({
  start,
  stop,
  jitterSeconds,
  startingDeadlineSeconds,
  skipWhileInUse,
}: z.output<typeof spec>): Problem[] {
  const problems: Problem[] = [];
  if (!start && !stop) problems.push(invalid('spec.start', 'expected start, stop, or both'));
  const same = start && stop && sharedWall(start, stop, Date.UTC(2026, 0, 1));
  if (same) {
    const when = `${wallDate(same)} ${wallTime(same)}`;
    const message = `"${start.text}" and stop "${stop.text}" both happen on ${when}: expected two different minutes`;
    problems.push({ field: 'spec.start', reason: 'SameMinute', message });
  }
  if (skipWhileInUse && !skipWhileInUse.loggedIn && skipWhileInUse.annotation === undefined)
    problems.push(invalid('spec.skipWhileInUse', 'expected loggedIn: true, annotation, or both'));
  if (skipWhileInUse && skipWhileInUse.maxDelaySeconds >= startingDeadlineSeconds)
    problems.push(
      invalid(
        'spec.skipWhileInUse.maxDelaySeconds',
        `expected less than startingDeadlineSeconds, ${startingDeadlineSeconds}`,
      ),
    );
  const less = `${jitterSeconds} would reach startingDeadlineSeconds: expected less than ${startingDeadlineSeconds}`;
  if (jitterSeconds >= startingDeadlineSeconds) problems.push(invalid('spec.jitterSeconds', less));
  return problems;
}

export const invalid = (field: string, message: string): Problem => ({ field, reason: 'InvalidSpec', message });

export function lacksBoth(given: unknown): boolean {
  const { start, stop } = given as { start?: unknown; stop?: unknown };
  return typeof given === 'object' && start === undefined && stop === undefined;
}
