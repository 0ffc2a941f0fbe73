/** The text of a key: its own, not what every object has (`constructor`). */
export function textOf(data: Record<string, string> | undefined, key: string): string | undefined {
  const text: unknown = data && Object.hasOwn(data, key) ? data[key] : undefined;
  return typeof text === 'string' ? text : undefined;
}

/**
 * Who owns a ConfigMap says by this label, `"true"`, that schedules may use its dates. No Role can say so: whoever may
 * write schedules would else learn something of every ConfigMap of the namespace.
 */
export const holidaysLabel = 'lifecycle.novasphere.dev/holidays';

interface ConfigMapLike {
  metadata?: { labels?: Record<string, string> };
  data?: Record<string, string>;
}

/** The text of a key of a ConfigMap that is for holidays; null for another, and for one that is not there. */
export function holidayText(map: ConfigMapLike | undefined, key: string): string | undefined | null {
  return textOf(map?.metadata?.labels, holidaysLabel) === 'true' ? textOf(map?.data, key) : null;
}
