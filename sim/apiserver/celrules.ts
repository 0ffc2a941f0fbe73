import { type Cel, celValue, firstLine } from './cel.ts';
import { forbidden, missing, wrong } from './fielderror.ts';
import { equal, type Fields, isFields } from './object.ts';
import type { FieldError } from './refusal.ts';
import type { Rule, Schema } from './schema.ts';

const rulesOf = (schema: Schema): Rule[] => schema['x-kubernetes-validations'] ?? [];
export const isTransition = ({ rule }: Rule): boolean => /\boldSelf\b/.test(rule);

/** Whether any rule stands in a schema. */
export const hasRules = (schema: Schema): boolean =>
  rulesOf(schema).length > 0 ||
  Object.values(schema.properties ?? {}).some(hasRules) ||
  (schema.items !== undefined && hasRules(schema.items)) ||
  (isFields(schema.additionalProperties) && hasRules(schema.additionalProperties as Schema));

/** Whether any rule compares with what was there before; of most schemas none does. */
const comparing = new WeakMap<Schema, boolean>();
function compares(schema: Schema): boolean {
  const known = comparing.get(schema);
  if (known !== undefined) return known;
  const extra = isFields(schema.additionalProperties) ? [schema.additionalProperties as Schema] : [];
  const parts = [...Object.values(schema.properties ?? {}), ...(schema.items ? [schema.items] : []), ...extra];
  const found = rulesOf(schema).some(isTransition) || parts.some(compares);
  comparing.set(schema, found);
  return found;
}

/** A value and what it was before, with its schema and its path. */
interface Judged {
  schema: Schema;
  value: unknown;
  old: unknown;
  path?: string;
}

/**
 * Every rule that the value breaks. Of what did not change only those are judged that compare it with what was there
 * before; the others let stand what they once let in, as the API server ratchets.
 */
export function brokenRules(cel: Cel, judged: Judged): FieldError[] {
  const { schema, value, old } = judged;
  if (value === undefined || value === null) return [];
  const isSame = old !== undefined && equal(old, value);
  if (isSame && !compares(schema)) return [];
  const rules = rulesOf(schema).filter((rule) => !isSame || isTransition(rule));
  return [...rules.flatMap((rule) => broken(cel, rule, judged)), ...brokenInside(cel, judged)];
}

function brokenInside(cel: Cel, { schema, value, old, path = '' }: Judged): FieldError[] {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (!items) return [];
    return value.flatMap((item, i) =>
      brokenRules(cel, { schema: items, value: item, old: counterpart(schema, item, old), path: `${path}[${i}]` }),
    );
  }
  if (!isFields(value)) return [];
  return Object.keys(value).flatMap((key) => {
    const known = schema.properties && Object.hasOwn(schema.properties, key) ? schema.properties[key] : undefined;
    const extra = isFields(schema.additionalProperties) ? (schema.additionalProperties as Schema) : undefined;
    const own = known ?? extra;
    const before = isFields(old) && Object.hasOwn(old, key) ? old[key] : undefined;
    const inside = { value: value[key], old: before, path: path ? `${path}.${key}` : key };
    return own ? brokenRules(cel, { schema: own, ...inside }) : [];
  });
}

/** The same item before, where the list is a map. */
function counterpart(schema: Schema, item: unknown, old: unknown): unknown {
  const keys = schema['x-kubernetes-list-map-keys'];
  if (!keys || !Array.isArray(old) || !isFields(item)) return undefined;
  return (old as unknown[]).find((other) => isFields(other) && keys.every((key) => other[key] === item[key]));
}

function broken(cel: Cel, rule: Rule, { schema, value, old, path = '' }: Judged): FieldError[] {
  const { optionalOldSelf = false } = rule;
  if (isTransition(rule) && old === undefined && !optionalOldSelf) return [];
  const before = old === undefined ? undefined : typed(schema, old);
  const self = typed(schema, value);
  const given = {
    self,
    ...(optionalOldSelf ? { oldSelf: cel.optional(before) } : before === undefined ? {} : { oldSelf: before }),
  };
  const field = path + (rule.fieldPath ?? '').replace(/\['([^']*)'\]/g, '.$1') || '<nil>';
  try {
    if (cel.compile(rule.rule, optionalOldSelf)(given) === true) return [];
  } catch (stumble) {
    const why = firstLine(stumble).replace(/^N/, 'n'); // as cel-go says it
    return [
      wrong(path || '<nil>', schema.type ?? '', `${why} evaluating rule: ${rule.message?.trim() ?? rule.rule.trim()}`),
    ];
  }
  const said = messageOf(cel, rule, { self, ...(before === undefined ? {} : { oldSelf: before }) });
  return [byReason(rule.reason, field, schema.type ?? '', said)];
}

/** The reason decides what is said (apiextensions' fieldErrorForReason); the value is told by its type. */
function byReason(reason: Rule['reason'], field: string, type: string, message: string): FieldError {
  switch (reason) {
    case 'FieldValueForbidden':
      return forbidden(field, message);
    case 'FieldValueRequired':
      return missing(field, message);
    case 'FieldValueDuplicate':
      return { field, message: `Duplicate value: ${JSON.stringify(type)}`, reason };
    default:
      return wrong(field, type, message);
  }
}

function messageOf(cel: Cel, { rule, message, messageExpression }: Rule, variables: Record<string, unknown>): string {
  try {
    const said = messageExpression ? cel.compile(messageExpression)(variables) : undefined;
    if (typeof said === 'string' && said.trim() !== '' && !/\n/.test(said)) return said.trim();
  } catch {
    // as the API server: a message that cannot be made falls back to the fixed one
  }
  return message?.trim() ?? `failed rule: ${rule.trim()}`;
}

/** A value as CEL sees it by its schema: ints, doubles, timestamps, maps. */
function typed(schema: Schema, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => (schema.items ? typed(schema.items, item) : celValue(item)));
  if (isFields(value)) {
    const extra = isFields(schema.additionalProperties) ? (schema.additionalProperties as Schema) : undefined;
    const one = (key: string, item: unknown) => {
      const rule = schema.properties && Object.hasOwn(schema.properties, key) ? schema.properties[key] : extra;
      return rule ? typed(rule, item) : celValue(item);
    };
    return Object.fromEntries(Object.entries(value as Fields).map(([key, item]) => [key, one(key, item)]));
  }
  if (schema.type === 'number') return Number(value);
  if (schema.type === 'string' && schema.format === 'date-time') return new Date(String(value));
  return celValue(value);
}
