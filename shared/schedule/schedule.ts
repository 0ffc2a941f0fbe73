import * as z from 'zod';

import type { Condition, KubeObject } from '../domain/model.ts';
import { readLabelSelector, type Selector } from '../domain/selector.ts';
import { type Cron, parseCron, sharedWall } from '../time/cron.ts';
import { wallDate, wallTime } from '../time/wallclock.ts';
import { parseZone, type Zone } from '../time/zone.ts';
import type { DefaultZone } from './defaultZone.ts';
import { type Exception, readExceptions } from './exception.ts';
import { type FindText, readHolidays } from './holiday.ts';
import type { HolidayRule } from './holidayRule.ts';
import { firstProblems, type Problem, problemsOf, type ScheduleReason } from './problem.ts';
import { type ClusterScope, isClusterSchedule } from './ruling.ts';

/** A WukongSchedule that was checked and can be evaluated. */
export interface Schedule {
  /** `namespace/name`, or the name alone where no namespace is given. */
  key: string;
  namespace: string | undefined;
  name: string;
  /** Instant; boundaries before it are never due: its creation, or a later change of it. 0 for one from a file. */
  createdAt: number;
  zone: Zone;
  /** Whose word the zone is, where it is not the schedule's. */
  zoneFrom?: string;
  start?: Cron;
  stop?: Cron;
  selector: Selector;
  /** Of a ClusterWukongSchedule: it selects in many namespaces. */
  cluster?: ClusterScope;
  suspended: boolean;
  /** Local dates, YYYY-MM-DD, on which start does not happen. */
  holidays: ReadonlySet<string>;
  /** Beside them what is a holiday every year, or on certain weekdays. */
  holidayRules: HolidayRule[];
  /** Whether VMs are stopped on holidays, or only not started. */
  holidayAction: 'skipStart' | 'stopped';
  /** In which they are on or off whatever else is said. */
  exceptions: Exception[];
  policy: 'Respect' | 'Enforce';
  startingDeadlineMs: number;
  /** For its stops; the VMI's own period where absent. */
  gracePeriodSeconds?: number;
  waves: { maxInFlight: number; delayMs: number };
  jitterSeconds: number;
  /** So many WukongRuns are kept. */
  runsHistoryLimit: number;
  /** Stops are announced so long before; 0: not at all. */
  announceBeforeSeconds: number;
  /** Its stops wait so long while somebody uses the VM. */
  skipWhileInUse?: { loggedIn: boolean; annotation?: string | undefined; maxDelayMs: number };
}

/**
 * A schedule with problems goes on without what is wrong with it: its holidays, on which only starts depend. One whose
 * other fields are wrong cannot be evaluated at all.
 */
export type Checked = { schedule: Schedule; problems?: Problem[] } | { schedule?: undefined; problems: Problem[] };

export type { FindText } from './holiday.ts';
export { type Problem, problemsText, type ScheduleReason } from './problem.ts';

/** The object as the API gives it: nothing in it is trusted. */
export interface WukongSchedule extends KubeObject {
  spec?: unknown;
  status?: {
    nextStart?: string;
    nextStop?: string;
    lastHandled?: string;
    matched?: number;
    /** The zone that counts, where the schedule names none. */
    timeZone?: string;
    /** Of a ClusterWukongSchedule: how many it selects in each namespace, and how many of them it rules. */
    namespaces?: NamespaceCount[];
    omittedNamespaces?: number;
    /** The generation that a tick has seen, and from when on its boundaries count. */
    observedGeneration?: number;
    observedSince?: string;
    /** The newest stop that all its VMs were told of before. */
    lastAnnounced?: string;
    conditions?: Condition[];
  };
}

export interface NamespaceCount {
  name: string;
  matched: number;
  ruled: number;
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
const spec = z.strictObject(fields, words('expected the fields of a schedule'));
/** Of a whole cluster: Wukongs are chosen by their namespaces' labels, by their own, or by both. */
const clusterSpec = spec.extend({
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
const about = {
  under: ['spec'],
  reasonOf: (field: string) => reasons.get(field) ?? ('InvalidSpec' as const),
};

/**
 * A WukongSchedule that can be evaluated, and all that is wrong with it, the first ten problems. Without `findText` a
 * configMapRef is taken for empty; with it, a ConfigMap that is missing is a problem.
 */
export function checkSchedule(object: WukongSchedule, findText?: FindText, defaultZone?: DefaultZone): Checked {
  const { name, namespace, creationTimestamp } = object.metadata ?? {};
  const problems: Problem[] = [];
  if (typeof name !== 'string' || name === '') problems.push(invalid('metadata.name', 'expected a name'));
  const shape = isClusterSchedule(object) ? clusterSpec : spec;
  const read = shape.safeParse(object.spec);
  const { zone, zoneFrom, wrong: zoneWrong } = zoneFor(read.data?.timeZone, defaultZone);
  if (zoneWrong) problems.push(zoneWrong);
  const holidays = readHolidays(
    (object.spec as { holidays?: unknown } | undefined)?.holidays,
    namespace,
    zone,
    findText,
  );
  if (!read.success) {
    const found = problemsOf(read.error.issues, { ...about, known: Object.keys(shape.shape) });
    if (object.spec && lacksBoth(object.spec)) found.push(invalid('spec.start', 'expected start, stop, or both'));
    return { problems: firstProblems([...problems, ...found, ...holidays.problems]) };
  }
  const {
    timeZone: _zone,
    start,
    stop,
    waves,
    suspend,
    startingDeadlineSeconds,
    exceptions: given,
    ...others
  } = read.data;
  const { holidays: _read, skipWhileInUse: inUse, ...own } = others;
  const { exceptions, problems: wrong } = readExceptions(given, zone);
  problems.push(...wrong);
  const { rest, cluster } = scopeIn(own);
  if (cluster && cluster.namespaces.length === 0 && rest.selector.length === 0)
    problems.push(invalid('spec.namespaceSelector', 'expected it, selector, or both: without them it means every VM'));
  problems.push(...contradictions(read.data));
  if (problems.length > 0) return { problems: firstProblems([...problems, ...holidays.problems]) };
  return {
    schedule: {
      ...rest,
      ...(cluster ? { cluster } : {}),
      key: namespace ? `${namespace}/${name}` : name!,
      namespace,
      name: name!,
      createdAt: Date.parse(creationTimestamp ?? '') || 0,
      zone,
      ...(zoneFrom ? { zoneFrom } : {}),
      start,
      stop,
      suspended: suspend,
      holidays: holidays.dates,
      holidayRules: holidays.rules,
      holidayAction: holidays.action,
      exceptions,
      ...(inUse ? { skipWhileInUse: { ...inUse, maxDelayMs: inUse.maxDelaySeconds * 1000 } } : {}),
      startingDeadlineMs: startingDeadlineSeconds * 1000,
      waves: { maxInFlight: waves.maxInFlight, delayMs: waves.delaySeconds * 1000 },
    },
    ...(holidays.problems.length > 0 ? { problems: firstProblems(holidays.problems) } : {}),
  };
}

/** Its own zone, else the default, else UTC. A default that is none is a problem: nobody knows when it is meant. */
function zoneFor(
  own: Zone | undefined,
  given: DefaultZone | undefined,
): { zone: Zone; zoneFrom?: string; wrong?: Problem } {
  if (own || !given) return { zone: own ?? parseZone('UTC') };
  try {
    return { zone: parseZone(given.name), zoneFrom: given.from };
  } catch (thrown) {
    const message = `not given, and ${given.from}: ${(thrown as Error).message}`;
    return { zone: parseZone('UTC'), wrong: { field: 'spec.timeZone', reason: 'InvalidTimeZone', message } };
  }
}

/** The two fields that only a ClusterWukongSchedule has, apart from the others. */
function scopeIn<T extends object>(given: T & { namespaceSelector?: Selector; enforceOverNamespaces?: boolean }) {
  const { namespaceSelector, enforceOverNamespaces, ...rest } = given;
  const cluster: ClusterScope | undefined = namespaceSelector && {
    namespaces: namespaceSelector,
    overNamespaces: enforceOverNamespaces === true,
  };
  return { rest, cluster };
}

/** What is right field by field, and cannot be so together: three at the most. */
function contradictions({
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

const invalid = (field: string, message: string): Problem => ({ field, reason: 'InvalidSpec', message });

function lacksBoth(given: unknown): boolean {
  const { start, stop } = given as { start?: unknown; stop?: unknown };
  return typeof given === 'object' && start === undefined && stop === undefined;
}
