import * as z from 'zod';

import { isForging } from '../domain/oneLine.ts';
import type { Action } from '../domain/outcome.ts';
import { dayMs, wallToInstant, type Zone } from '../time/zone.ts';
import { mostProblems, type Problem, problemsOf } from './problem.ts';

/** A stretch of time in which VMs are on, or off, whatever the crons and holidays of their schedule say. */
export interface Exception {
  /** Instants; `to` is the first at which it is over. */
  from: number;
  to: number;
  action: Action;
  reason?: string;
}

export const mostExceptions = 100;

const entry = z.strictObject(
  {
    from: z.string({ error: 'expected a day or a time' }),
    to: z.string({ error: 'expected a day or a time' }),
    state: z.enum(['Running', 'Stopped'], { error: 'expected Running or Stopped' }),
    reason: z
      .string({ error: 'expected a text' })
      .max(256, 'expected at most 256 characters')
      .refine((given) => !isForging(given), 'expected no control characters')
      .optional(),
  },
  { error: 'expected {from, to, state, reason}' },
);

/**
 * `spec.exceptions`: whole days (`to` is the last of them) or instants, local ones in the schedule's zone. One that is
 * wrong is a problem of the whole schedule: a VM would be on or off against its owner's word.
 */
export function readExceptions(given: unknown, zone: Zone): { exceptions: Exception[]; problems: Problem[] } {
  if (given === undefined) return { exceptions: [], problems: [] };
  const problems: Problem[] = [];
  const wrong = (field: string, message: string) => {
    if (problems.length <= mostProblems)
      problems.push({ field: `spec.exceptions${field}`, reason: 'InvalidException', message });
  };
  if (!Array.isArray(given)) wrong('', 'expected a list of {from, to, state, reason}');
  const list: unknown[] = Array.isArray(given) ? given : [];
  if (list.length > mostExceptions) wrong('', `expected at most ${mostExceptions}`);
  const exceptions = list.slice(0, mostExceptions).flatMap((one, i): Exception[] => {
    const read = entry.safeParse(one);
    if (!read.success) {
      const about = {
        under: ['spec', `exceptions[${i}]`],
        known: Object.keys(entry.shape),
        reasonOf: () => 'InvalidException' as const,
      };
      for (const { field, message } of problemsOf(read.error.issues, about))
        wrong(field.slice('spec.exceptions'.length), message);
      return [];
    }
    const { state, reason } = read.data;
    const from = readEdge(read.data.from, zone, 0);
    const to = readEdge(read.data.to, zone, 1);
    const shown = 'expected a day (2026-12-24), a local time (2026-12-24T18:00), or RFC 3339';
    if (from === undefined) wrong(`[${i}].from`, `${JSON.stringify(read.data.from.slice(0, 40))}: ${shown}`);
    if (to === undefined) wrong(`[${i}].to`, `${JSON.stringify(read.data.to.slice(0, 40))}: ${shown}`);
    if (from === undefined || to === undefined) return [];
    if (to <= from) wrong(`[${i}].to`, 'expected a time after from');
    return [{ from, to, action: state === 'Running' ? 'start' : 'stop', ...(reason ? { reason } : {}) }];
  });
  return { exceptions, problems };
}

const local = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2})(?::(\d{2}))?)?$/;
const offset = z.iso.datetime({ offset: true });

/** `after`: how many days after a whole day its edge is. */
function readEdge(text: string, zone: Zone, after: 0 | 1): number | undefined {
  if (text.length > 40) return undefined;
  const [all, day, time, seconds = '00'] = local.exec(text) ?? [];
  if (all === undefined) return offset.safeParse(text).success ? Date.parse(text) : undefined;
  const wall = Date.parse(`${day}T${time ?? '00:00'}:${seconds}Z`);
  if (Number.isNaN(wall) || new Date(wall).toISOString().slice(0, 10) !== day) return undefined;
  return wallToInstant(zone, wall + (time === undefined ? after * dayMs : 0)).at;
}
