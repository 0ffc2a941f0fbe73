/** The text of a key: its own, not what every object has (`constructor`). */
export function textOf(data: Record<string, string> | undefined, key: string): string | undefined {
  const text: unknown = data && Object.hasOwn(data, key) ? data[key] : undefined;
  return typeof text === 'string' ? text : undefined;
}
