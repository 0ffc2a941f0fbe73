import type * as z from 'zod';

import type { Condition, KubeObject } from '../domain/model.ts';
import { type Selector } from '../domain/selector.ts';
import { type Cron } from '../time/cron.ts';
import { parseZone } from '../time/parseZone.ts';
import { type Zone } from '../time/zone.ts';
import type { DefaultZone } from './defaultZone.ts';
import { type Exception, readExceptions } from './exception.ts';
import { type FindText, readHolidays } from './holiday.ts';
import type { HolidayRule } from './holidayRule.ts';
import { firstProblems, type Problem, problemsOf } from './problem.ts';
import { type ClusterScope, isClusterSchedule } from './ruling.ts';
import { about, clusterSpec, contradictions, invalid, lacksBoth, spec } from './scheduleFields.ts';

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
  const { exceptions, problems: wrong } = readExceptions(read.data.exceptions, zone);
  problems.push(...wrong);
  const { rest, cluster } = scopeIn(read.data);
  if (cluster && cluster.namespaces.length === 0 && rest.selector.length === 0)
    problems.push(invalid('spec.namespaceSelector', 'expected it, selector, or both: without them it means every VM'));
  problems.push(...contradictions(read.data));
  if (problems.length > 0) return { problems: firstProblems([...problems, ...holidays.problems]) };
  return {
    schedule: {
      ...plainFields(rest),
      ...(cluster ? { cluster } : {}),
      key: namespace ? `${namespace}/${name}` : name!,
      namespace,
      name: name!,
      createdAt: Date.parse(creationTimestamp ?? '') || 0,
      zone,
      ...(zoneFrom ? { zoneFrom } : {}),
      holidays: holidays.dates,
      holidayRules: holidays.rules,
      holidayAction: holidays.action,
      exceptions,
    },
    ...(holidays.problems.length > 0 ? { problems: firstProblems(holidays.problems) } : {}),
  };
}

/** Those that need nothing but another name or unit. */
function plainFields(given: z.output<typeof spec>) {
  const { timeZone: _zone, holidays: _holidays, exceptions: _exceptions, ...rest } = given;
  const { suspend, startingDeadlineSeconds, waves, skipWhileInUse: inUse, ...same } = rest;
  return {
    ...same,
    suspended: suspend,
    startingDeadlineMs: startingDeadlineSeconds * 1000,
    waves: { maxInFlight: waves.maxInFlight, delayMs: waves.delaySeconds * 1000 },
    ...(inUse ? { skipWhileInUse: { ...inUse, maxDelayMs: inUse.maxDelaySeconds * 1000 } } : {}),
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
