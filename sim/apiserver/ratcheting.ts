import type { Cel } from './cel.ts';
import { brokenRules, hasRules } from './celrules.ts';
import type { Thing } from './object.ts';
import type { FieldError } from './refusal.ts';
import { type Schema, violations } from './schema.ts';

/** What breaks the schema and its rules, but for what was there before and did not change (ratcheting). */
export function newFaults(
  cel: Cel | undefined,
  schema: Schema,
  { old, next }: { old: Thing | undefined; next: Thing },
  { unchecked = false, warn = () => undefined }: { unchecked?: boolean; warn?: (text: string) => void },
): FieldError[] {
  if (unchecked) return [];
  const before = new Set(old ? violations(schema, old).map(({ field, message }) => `${field} ${message}`) : []);
  const errors = violations(schema, next).filter(({ field, message }) => !before.has(`${field} ${message}`));
  if (errors.length > 0) return errors;
  if (cel) return brokenRules(cel, { schema, value: next, old });
  if (hasRules(schema)) warn(`x-kubernetes-validations of ${next.kind} are not evaluated here: no CEL`);
  return [];
}
