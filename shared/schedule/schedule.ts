import * as z from 'zod';

import type { Condition, KubeObject } from '../domain/model.ts';
import { readLabelSelector, type Selector } from '../domain/selector.ts';
import { type Cron, parseCron, sharedWall } from '../time/cron.ts';
import { wallDate, wallTime } from '../time/wallclock.ts';
import { parseZone, type Zone } from '../time/zone.ts';
import { type FindText, holidaysKey, readDate, readHolidays } from './holiday.ts';

/** The reasons of a WukongSchedule's condition Ready: the closed set. */
export type ScheduleReason =
  | 'Scheduled' // the only one with status True
  | 'InvalidCron'
  | 'InvalidTimeZone'
  | 'SameMinute'
  | 'InvalidHoliday'
  | 'ConfigMapMissing'
  | 'InvalidSelector'
  | 'InvalidSpec'
  | 'NothingMatched';

/** What is wrong with one field, and what was expected there. */
export interface Problem {
  field: string;
  reason: ScheduleReason;
  message: string;
}

/** A WukongSchedule that was checked and can be evaluated. */
export interface Schedule {
  /** `namespace/name`, or the name alone where no namespace is given. */
  key: string;
  namespace: string | undefined;
  name: string;
  /** Instant; boundaries before it are never due. 0 for one that comes from a file. */
  createdAt: number;
  zone: Zone;
  start?: Cron;
  stop?: Cron;
  selector: Selector;
  suspended: boolean;
  /** Local dates, YYYY-MM-DD, on which start does not happen. */
  holidays: ReadonlySet<string>;
  policy: 'Respect' | 'Enforce';
  startingDeadlineMs: number;
  /** For its stops; the VMI's own period where absent. */
  gracePeriodSeconds?: number;
  waves: { maxInFlight: number; delayMs: number };
  jitterSeconds: number;
}

export type Checked = { schedule: Schedule; problems?: undefined } | { schedule?: undefined; problems: Problem[] };

export type { FindText } from './holiday.ts';

/** The object as the API gives it: nothing in it is trusted. */
export interface WukongSchedule extends KubeObject {
  spec?: unknown;
  status?: {
    nextStart?: string;
    nextStop?: string;
    lastHandled?: string;
    matched?: number;
    conditions?: Condition[];
  };
}

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
const date = parsed(readDate);

const spec = z.strictObject(
  {
    timeZone: parsed((value) => parseZone(value)).optional(),
    start: parsed((value) => parseCron(value)).optional(),
    stop: parsed((value) => parseCron(value)).optional(),
    selector: parsed((value) => readLabelSelector(value)),
    suspend: z.boolean({ error: 'expected true or false' }).default(false),
    holidays: z
      .strictObject(
        {
          dates: z.array(date, { error: 'expected a list of dates' }).default([]),
          configMapRef: z
            .strictObject(
              {
                name: z
                  .string({ error: 'expected the name of a ConfigMap' })
                  .min(1, 'expected the name of a ConfigMap'),
                key: z
                  .string({ error: 'expected a key of the ConfigMap' })
                  .min(1, 'expected a key of the ConfigMap')
                  .default(holidaysKey),
              },
              words('expected {name, key}'),
            )
            .optional(),
        },
        words('expected {dates, configMapRef}'),
      )
      .optional(),
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
  },
  words('expected the fields of a schedule'),
);

const reasonOf: Record<string, ScheduleReason> = {
  start: 'InvalidCron',
  stop: 'InvalidCron',
  timeZone: 'InvalidTimeZone',
  selector: 'InvalidSelector',
  holidays: 'InvalidHoliday',
};

/**
 * A WukongSchedule that can be evaluated, or all that is wrong with it. Without `findText` a configMapRef is taken for
 * empty; with it, a ConfigMap that is missing is a problem.
 */
export function checkSchedule(object: WukongSchedule, findText?: FindText): Checked {
  const { name, namespace, creationTimestamp } = object.metadata ?? {};
  const problems: Problem[] = [];
  if (typeof name !== 'string' || name === '') problems.push(invalid('metadata.name', 'expected a name'));
  const read = spec.safeParse(object.spec);
  if (!read.success) {
    problems.push(...read.error.issues.flatMap(problemsOf));
    if (object.spec && lacksBoth(object.spec)) problems.push(invalid('spec.start', 'expected start, stop, or both'));
    return { problems };
  }
  const { timeZone, start, stop, holidays, waves, suspend, startingDeadlineSeconds, ...rest } = read.data;
  if (!start && !stop) problems.push(invalid('spec.start', 'expected start, stop, or both'));
  const createdAt = Date.parse(creationTimestamp ?? '') || 0;
  const same = start && stop && sharedWall(start, stop, Date.UTC(2026, 0, 1));
  if (same) {
    const when = `${wallDate(same)} ${wallTime(same)}`;
    const message = `"${start.text}" and stop "${stop.text}" both happen on ${when}: expected two different minutes`;
    problems.push({ field: 'spec.start', reason: 'SameMinute', message });
  }
  if (rest.jitterSeconds >= startingDeadlineSeconds)
    problems.push(
      invalid(
        'spec.jitterSeconds',
        `${rest.jitterSeconds} would reach startingDeadlineSeconds: expected less than ${startingDeadlineSeconds}`,
      ),
    );
  const dates = new Set(holidays?.dates);
  if (holidays?.configMapRef && findText) {
    const read = readHolidays({ namespace, ...holidays.configMapRef }, findText);
    for (const each of read.dates) dates.add(each);
    problems.push(...read.problems.map((problem) => ({ field: 'spec.holidays.configMapRef', ...problem })));
  }
  if (problems.length > 0) return { problems };
  return {
    schedule: {
      ...rest,
      key: namespace ? `${namespace}/${name}` : name!,
      namespace,
      name: name!,
      createdAt,
      zone: timeZone ?? parseZone('UTC'),
      start,
      stop,
      suspended: suspend,
      holidays: dates,
      startingDeadlineMs: startingDeadlineSeconds * 1000,
      waves: { maxInFlight: waves.maxInFlight, delayMs: waves.delaySeconds * 1000 },
    },
  };
}

/** All problems in one line, for the condition's message and the log. */
export const problemsText = (problems: Problem[]): string =>
  problems.map(({ field, message }) => `${field}: ${message}`).join('; ');

const invalid = (field: string, message: string): Problem => ({ field, reason: 'InvalidSpec', message });

function lacksBoth(given: unknown): boolean {
  const { start, stop } = given as { start?: unknown; stop?: unknown };
  return typeof given === 'object' && start === undefined && stop === undefined;
}

function problemsOf(issue: z.core.$ZodIssue): Problem[] {
  const path = ['spec', ...issue.path]
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .slice(1);
  const reason = reasonOf[String(issue.path[0])] ?? 'InvalidSpec';
  if (issue.code !== 'unrecognized_keys') return [{ field: path, reason, message: issue.message }];
  return issue.keys.map((key) => {
    const meant = Object.keys(spec.shape).find((known) => known.toLowerCase() === key.toLowerCase());
    return {
      field: `${path}.${key.slice(0, 64)}`,
      reason,
      message: meant ? `unknown: did you mean ${meant}?` : 'unknown',
    };
  });
}
