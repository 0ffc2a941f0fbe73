/** How a field of somebody else's object is read: what is not of its type counts as absent, what is too large is cut. */

export const textIn = (value: unknown, most = 256): string | undefined =>
  typeof value === 'string' ? value.slice(0, most) : undefined;

export const wholeIn = (value: unknown): number | undefined =>
  Number.isSafeInteger(value) ? (value as number) : undefined;

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

/** An instant; undefined for a text that is none. */
export function instantIn(value: unknown): number | undefined {
  const instant = Date.parse(textIn(value, 64) ?? '');
  return Number.isNaN(instant) ? undefined : instant;
}
