import type * as z from 'zod';

/** The reasons of a WukongSchedule's condition Ready: the closed set. */
export type ScheduleReason =
  | 'Scheduled' // the only one with status True
  | 'InvalidCron'
  | 'InvalidTimeZone'
  | 'SameMinute'
  | 'InvalidHoliday'
  | 'InvalidException'
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

/** Whatever somebody writes, nobody reads more of it. */
export const mostProblems = 10;

/** The first ten, and how many there are besides. */
export function firstProblems(problems: Problem[]): Problem[] {
  const [first] = problems;
  if (!first || problems.length <= mostProblems) return problems;
  const more = { field: 'spec', reason: first.reason, message: `${problems.length - mostProblems} more problems` };
  return [...problems.slice(0, mostProblems), more];
}

/** All problems in one line, for the condition's message and the log. */
export const problemsText = (problems: Problem[]): string =>
  problems.map(({ field, message }) => `${field}: ${message}`).join('; ');

/** What zod found, by the field it found it in; `known` are the fields that an unknown one may have meant. */
export function problemsOf(
  issues: z.core.$ZodIssue[],
  { under, known, reasonOf }: { under: string[]; known: string[]; reasonOf: (field: string) => ScheduleReason },
): Problem[] {
  return issues.slice(0, mostProblems + 1).flatMap((issue): Problem[] => {
    const field = [...under, ...issue.path]
      .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
      .join('')
      .slice(1);
    const reason = reasonOf(String(issue.path[0]));
    if (issue.code !== 'unrecognized_keys') return [{ field, reason, message: issue.message }];
    return issue.keys.slice(0, mostProblems + 1).map((key) => {
      const meant = known.find((one) => one.toLowerCase() === key.toLowerCase());
      const message = meant ? `unknown: did you mean ${meant}?` : 'unknown';
      return { field: `${field}.${key.slice(0, 64)}`, reason, message };
    });
  });
}
