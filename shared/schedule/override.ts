import * as z from 'zod';

import { annotationPrefix, type Annotations } from '../domain/model.ts';
import { leaseKey } from '../domain/operation.ts';
import type { Action } from '../domain/outcome.ts';
import { textOf } from './configMap.ts';

/** What people write on a Wukong, or on its namespace for all Wukongs there, to overrule its schedules. */
export const overrideKeys = {
  keepRunning: `${annotationPrefix}keep-running-until`,
  keepStopped: `${annotationPrefix}keep-stopped-until`,
  skipNext: `${annotationPrefix}skip-next`,
  protected: `${annotationPrefix}protected`,
} as const;

export type Level = 'Wukong' | 'namespace';

/** An override of one action until an instant; Infinity where the time cannot be read. */
export interface Hold {
  key: string;
  level: Level;
  until: number;
}

export interface Override {
  /** The scheduled stop, or start, is held back. */
  holds: Partial<Record<Action, Hold>>;
  /** The last that ended, by the action that it held back: from then on the schedule rules again. */
  ended: Partial<Record<Action, Hold>>;
  protected?: Level;
  skipNext?: Level;
  problems: { field: string; message: string }[];
}

const time = z.iso.datetime({ offset: true });

/** RFC 3339 with an offset or Z; undefined when it is not that. */
export const readInstant = (text: string): number | undefined =>
  time.safeParse(text).success ? Date.parse(text) : undefined;

const keys = [...Object.values(overrideKeys), leaseKey];
function mayOverride(annotations: Annotations | undefined): boolean {
  if (annotations) for (const key of keys) if (annotations[key] !== undefined) return true;
  return false;
}
/** Of nearly all Wukongs, at each instant that is looked at for them. */
const none: Override = Object.freeze({ holds: Object.freeze({}), ended: Object.freeze({}), problems: [] });

/**
 * The overrides that hold at `now`. An annotation on the Wukong counts before the same one on its namespace, unless it
 * has expired. One that cannot be read is a problem, and is taken as it was surely meant: leave this machine alone,
 * until somebody mends it.
 */
export function overrideFor(given: {
  wukongAnnotations?: Annotations | undefined;
  namespaceAnnotations?: Annotations | undefined;
  now: number;
}): Override {
  if (!mayOverride(given.wukongAnnotations) && !mayOverride(given.namespaceAnnotations)) return none;
  const levels: [Level, Annotations][] = [
    ['Wukong', given.wukongAnnotations ?? {}],
    ['namespace', given.namespaceAnnotations ?? {}],
  ];
  const override: Override = { holds: {}, ended: {}, problems: [] };
  const read = (action: Action, key: string, [level, annotations]: [Level, Annotations]): boolean => {
    const text = annotations[key];
    if (text === undefined) return false;
    const instant = readInstant(text);
    if (instant === undefined)
      override.problems.push(problemOf(level, key, text, 'an RFC 3339 time such as 2026-03-29T01:00:00Z'));
    const hold = { key, level, until: instant ?? Infinity };
    const into = hold.until > given.now ? override.holds : override.ended;
    if ((into[action]?.until ?? -Infinity) < hold.until) into[action] = hold;
    return into === override.holds;
  };
  for (const [action, key] of [
    ['stop', overrideKeys.keepRunning] as const,
    ['start', overrideKeys.keepStopped] as const,
  ])
    for (const level of levels) if (read(action, key, level)) break;
  // The lease of a start on demand is kept on the Wukong alone.
  read('stop', leaseKey, levels[0]!);
  override.protected = flag(override, overrideKeys.protected, levels);
  override.skipNext = flag(override, overrideKeys.skipNext, levels);
  return override;
}

function flag(override: Override, key: string, levels: [Level, Annotations][]): Level | undefined {
  for (const [level, annotations] of levels) {
    const text = annotations[key];
    if (text === undefined) continue;
    if (text !== 'true' && text !== 'false') override.problems.push(problemOf(level, key, text, '"true" or "false"'));
    return text === 'false' ? undefined : level;
  }
  return undefined;
}

const problemOf = (level: Level, key: string, text: string, expected: string): Override['problems'][number] => ({
  field: key,
  message: `${key} on the ${level} is ${JSON.stringify(text.slice(0, 60))}: expected ${expected}`,
});

/** The ConfigMap, in the namespace of the lifecycle functions, that can stop all schedules at once. */
export const freezeConfigMap = { name: 'wukong-lifecycle', key: 'freezeUntil' };

/** Until when no schedule acts; one that cannot be read holds until it is mended. */
export function freezeFrom(data: Record<string, string> | undefined): { until?: number; problem?: string } {
  const text = textOf(data, freezeConfigMap.key);
  if (text === undefined || text.trim() === '') return {};
  const until = readInstant(text.trim());
  if (until !== undefined) return { until };
  const found = JSON.stringify(text.slice(0, 60));
  return {
    until: Infinity,
    problem: `ConfigMap ${freezeConfigMap.name}, ${freezeConfigMap.key}: ${found} is no RFC 3339 time; schedules stay frozen until it is one`,
  };
}
