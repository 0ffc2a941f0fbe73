import { type Cel, celValue } from './cel.ts';
import { equal, type Fields, isFields } from './object.ts';
import type { FieldError } from './refusal.ts';
import type { Rule, Schema } from './schema.ts';

const rulesOf = (schema: Schema): Rule[] => schema['x-kubernetes-validations'] ?? [];
const isTransition = ({ rule }: Rule): boolean => /\boldSelf\b/.test(rule);

/** Rules of a CRD that do not compile, as the API server refuses them. */
export function uncompiledRules(cel: Cel, schema: Schema, path: string): FieldError[] {
  const own = rulesOf(schema).flatMap(({ rule }, i) => {
    try {
      cel.compile(rule);
      return [];
    } catch (wrong) {
      const message = `Invalid value: ${JSON.stringify(rule)}: compilation failed: ${(wrong as Error).message.split('\n')[0]}`;
      return [{ field: `${path}.x-kubernetes-validations[${i}].rule`, message }];
    }
  });
  const children = Object.entries(schema.properties ?? {}).flatMap(([name, one]) =>
    uncompiledRules(cel, one, `${path}.properties[${name}]`),
  );
  const items = schema.items ? uncompiledRules(cel, schema.items, `${path}.items`) : [];
  const extra = schema.additionalProperties;
  const additional = isFields(extra) ? uncompiledRules(cel, extra as Schema, `${path}.additionalProperties`) : [];
  return [...own, ...children, ...items, ...additional];
}

/** Whether any rule stands in a schema. */
export const hasRules = (schema: Schema): boolean =>
  rulesOf(schema).length > 0 ||
  Object.values(schema.properties ?? {}).some(hasRules) ||
  (schema.items !== undefined && hasRules(schema.items)) ||
  (isFields(schema.additionalProperties) && hasRules(schema.additionalProperties as Schema));

/** A value and what it was before, with its schema and its path. */
interface Judged {
  schema: Schema;
  value: unknown;
  old: unknown;
  path?: string;
}

/** Every rule that the value breaks. What did not change is not judged again, as the API server ratchets. */
export function brokenRules(cel: Cel, judged: Judged): FieldError[] {
  const { schema, value, old } = judged;
  if (value === undefined || value === null) return [];
  if (old !== undefined && equal(old, value)) return [];
  return [...rulesOf(schema).flatMap((rule) => broken(cel, rule, judged)), ...brokenInside(cel, judged)];
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
  if (isTransition(rule) && old === undefined && !rule.optionalOldSelf) return [];
  const self = typed(schema, value);
  const variables = { self, ...(old === undefined ? {} : { oldSelf: typed(schema, old) }) };
  const field = `${path}${rule.fieldPath ?? ''}` || '<nil>';
  const shown = Array.isArray(value) ? '"array"' : isFields(value) ? '"object"' : JSON.stringify(value);
  const says = (message: string): FieldError[] => [
    { field, message: `Invalid value: ${shown}: ${message}`, ...(rule.reason ? { reason: rule.reason } : {}) },
  ];
  try {
    if (cel.compile(rule.rule)(variables) === true) return [];
  } catch (wrong) {
    return says(`rule evaluation error: ${(wrong as Error).message.split('\n')[0]}`);
  }
  return says(messageOf(cel, rule, variables));
}

function messageOf(cel: Cel, { rule, message, messageExpression }: Rule, variables: Record<string, unknown>): string {
  try {
    const said = messageExpression ? cel.compile(messageExpression)(variables) : undefined;
    if (typeof said === 'string' && said !== '') return said;
  } catch {
    // as the API server: a message that cannot be made falls back to the fixed one
  }
  return message ?? `failed rule: ${rule}`;
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
