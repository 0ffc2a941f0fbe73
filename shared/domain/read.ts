import { mostSeconds, writable } from './instant.ts';

/** How a field of somebody else's object is read: what is not of its type counts as absent, what is too large is cut. */

export const textIn = (value: unknown, most = 256): string | undefined =>
  typeof value === 'string' ? value.slice(0, most) : undefined;

export const wholeIn = (value: unknown): number | undefined =>
  Number.isSafeInteger(value) ? (value as number) : undefined;

/** So many whole seconds, of 64 bits as Kubernetes has them, but at most as many as anybody waits. */
export const secondsIn = (value: unknown): number | undefined =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 2 ** 63
    ? Math.min(value as number, mostSeconds)
    : undefined;

export const fieldsIn = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;

/** The objects of a list, the first hundred. */
export const listIn = (value: unknown): Record<string, unknown>[] =>
  Array.isArray(value)
    ? value
        .slice(0, 100)
        .map(fieldsIn)
        .filter((one) => one !== undefined)
    : [];

/** An instant that can be written down again; undefined for a text that is none. */
export function instantIn(value: unknown): number | undefined {
  const instant = Date.parse(textIn(value, 64) ?? '');
  return instant === writable(instant) ? instant : undefined;
}
