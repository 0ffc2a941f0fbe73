/** The instants that RFC 3339 can say, as its years have four digits. */
export const firstInstant = Date.parse('0000-01-01T00:00:00Z');
export const lastInstant = Date.parse('9999-12-31T23:59:59.999Z');

/** The nearest instant that can be written down: what an object says may be years of any length, or be added to. */
export const writable = (instant: number): number => Math.min(Math.max(instant, firstInstant), lastInstant);

/** In RFC 3339 with milliseconds, which order depends on. */
export const instantText = (instant: number): string => new Date(writable(instant)).toISOString();

/** Thirty years: longer nobody waits. */
export const mostSeconds = 1_000_000_000;
