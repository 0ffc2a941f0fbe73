import type { Facts } from '../../shared/schedule/decide.ts';
import { problemsText } from '../../shared/schedule/problem.ts';
import { checkSchedule, type Schedule } from '../../shared/schedule/schedule.ts';

export const at = (text: string): number => Date.parse(text);
export const prefix = 'lifecycle.novasphere.dev/';
export const selector = { matchLabels: { env: 'dev' } };
/** On at 8 of a working day, off at 20 every evening: 06:00 and 18:00 UTC in summer. */
export const office = { timeZone: 'Europe/Berlin', start: '0 8 * * 1-5', stop: '0 20 * * *', selector };

export function schedule(spec: object = {}, name = 'office', creationTimestamp?: string): Schedule {
  const { schedule: good, problems } = checkSchedule({
    metadata: { name, namespace: 'dev', creationTimestamp },
    spec: { ...office, ...spec },
  });
  if (!good) throw new Error(problemsText(problems));
  return good;
}

/** One whose crons never happen: parseCron would refuse them. */
export function never(name = 'never'): Schedule {
  const one = schedule({}, name);
  return { ...one, start: { ...one.start!, months: 0 }, stop: { ...one.stop!, months: 0 } };
}

const prefixed = (given: Record<string, string>) =>
  Object.fromEntries(Object.entries(given).map(([key, value]) => [prefix + key, value]));

/** What is known of a Wukong with these annotations, the prefix left out. */
export const facts = (
  annotations: Record<string, string> = {},
  { namespace, ...more }: Partial<Facts> & { namespace?: Record<string, string> } = {},
): Facts => ({
  name: 'dev/db',
  createdAt: 0,
  wukongAnnotations: prefixed(annotations),
  ...(namespace ? { namespaceAnnotations: prefixed(namespace) } : {}),
  ...more,
});
