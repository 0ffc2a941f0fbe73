import type * as z from 'zod';

import type { Annotations } from './model.ts';

/** What was read of an object's annotations, by their key: a tick asks for the same record many times. */
const records = new WeakMap<Annotations, Map<string, { text: string; record: unknown }>>();

/** The record that an annotation holds. One that is not ours to understand any more (edited by hand) is as good as none. */
export function readAnnotation<T>(
  schema: z.ZodType<T>,
  annotations: Annotations | undefined,
  key: string,
): T | undefined {
  const text = annotations?.[key];
  if (annotations === undefined || text === undefined) return undefined;
  const known = records.get(annotations) ?? new Map<string, { text: string; record: unknown }>();
  records.set(annotations, known);
  const found = known.get(key);
  if (found?.text === text) return found.record as T | undefined;
  const record = parsed(schema, text);
  known.set(key, { text, record });
  return record;
}

function parsed<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return Object.freeze(schema.parse(JSON.parse(text)));
  } catch {
    return undefined;
  }
}
