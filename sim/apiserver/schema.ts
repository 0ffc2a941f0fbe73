import { clone, type Fields, isFields, put } from './object.ts';
import { prunedMetadata } from './objectmeta.ts';
import type { FieldError } from './refusal.ts';

/** One of `x-kubernetes-validations`. */
export interface Rule {
  rule: string;
  message?: string;
  messageExpression?: string;
  reason?: FieldError['reason'];
  fieldPath?: string;
  optionalOldSelf?: boolean;
}

/** The part of an OpenAPI v3 schema that custom resources use (structural schemas). */
export interface Schema {
  type?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  required?: string[];
  enum?: unknown[];
  default?: unknown;
  nullable?: boolean;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: boolean;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  minProperties?: number;
  maxProperties?: number;
  pattern?: string;
  format?: string;
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
  not?: Schema;
  description?: string;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-embedded-resource'?: boolean;
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-validations'?: Rule[];
}

const child = (path: string, key: string): string => (path ? `${path}.${key}` : key);
const rootKeys = new Set(['apiVersion', 'kind', 'metadata']);

/** The value without the fields that the schema does not know; their paths are added to `unknown`. */
export function prune(schema: Schema, value: unknown, unknown: string[], path = ''): unknown {
  if (Array.isArray(value))
    return schema.items ? value.map((item, i) => prune(schema.items as Schema, item, unknown, `${path}[${i}]`)) : value;
  if (!isFields(value)) return value;
  const kept: Fields = {};
  const embedded = path === '' || schema['x-kubernetes-embedded-resource'];
  for (const key of Object.keys(value)) {
    const known = schema.properties && Object.hasOwn(schema.properties, key) ? schema.properties[key] : undefined;
    const extra = schema.additionalProperties;
    if (embedded && key === 'metadata') put(kept, key, prunedMetadata(value[key], unknown, child(path, key)));
    else if (embedded && rootKeys.has(key)) put(kept, key, value[key]);
    else if (known) put(kept, key, prune(known, value[key], unknown, child(path, key)));
    else if (extra) put(kept, key, extra === true ? value[key] : prune(extra, value[key], unknown, child(path, key)));
    else if (schema['x-kubernetes-preserve-unknown-fields']) put(kept, key, value[key]);
    else unknown.push(child(path, key));
  }
  return kept;
}

/** The value with the schema's defaults filled in where a field is absent. */
export function withDefaults(schema: Schema, value: unknown): unknown {
  if (Array.isArray(value))
    return schema.items ? value.map((item) => withDefaults(schema.items as Schema, item)) : value;
  if (!isFields(value)) return value;
  let filled = value;
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    const old = Object.hasOwn(value, key) ? value[key] : undefined;
    const next = old === undefined && property.default !== undefined ? clone(property.default) : old;
    const deep = next === undefined ? undefined : withDefaults(property, next);
    if (deep !== old) filled = { ...filled, [key]: deep };
  }
  if (isFields(schema.additionalProperties)) {
    const extra = schema.additionalProperties as Schema;
    for (const key of Object.keys(filled)) {
      const deep = withDefaults(extra, filled[key]);
      if (deep !== filled[key]) filled = { ...filled, [key]: deep };
    }
  }
  return filled;
}

/** Every rule that the value breaks, in the API server's words. */
export function violations(schema: Schema, value: unknown, path = ''): FieldError[] {
  if (value === null && schema.nullable) return [];
  const wrongType = typeViolation(schema, value, path);
  if (wrongType) return [wrongType];
  return [...valueViolations(schema, value, path), ...composed(schema, value, path), ...nested(schema, value, path)];
}

function typeViolation(schema: Schema, value: unknown, path: string): FieldError | undefined {
  const kind = kindOf(value);
  if (schema['x-kubernetes-int-or-string']) {
    if (kind === 'integer' || kind === 'string') return undefined;
    return mustBe(path, kind, 'of type integer,string');
  }
  if (!schema.type || kind === schema.type || (schema.type === 'number' && kind === 'integer')) return undefined;
  return mustBe(path, kind, `of type ${schema.type}`);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

const mustBe = (path: string, kind: string, what: string): FieldError => ({
  field: path || '<nil>',
  message: `Invalid value: ${JSON.stringify(kind)}: ${path} in body must be ${what}: ${JSON.stringify(kind)}`,
});

function valueViolations(schema: Schema, value: unknown, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const breaks = (rule: string) =>
    errors.push({ field: path, message: `Invalid value: ${JSON.stringify(value)}: ${path} in body ${rule}` });
  if (schema.enum && !schema.enum.includes(value)) {
    const values = schema.enum.map((item) => JSON.stringify(item)).join(', ');
    const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${values}`;
    errors.push({ field: path, message, reason: 'FieldValueNotSupported' });
  }
  if (typeof value === 'number') {
    if (schema.minimum !== undefined && value < schema.minimum)
      breaks(`should be greater than or equal to ${schema.minimum}`);
    if (schema.maximum !== undefined && value > schema.maximum)
      breaks(`should be less than or equal to ${schema.maximum}`);
  }
  if (typeof value === 'string') {
    if (schema.minLength !== undefined && value.length < schema.minLength)
      breaks(`should be at least ${schema.minLength} chars long`);
    if (schema.maxLength !== undefined && value.length > schema.maxLength)
      errors.push({ field: path, message: `Too long: may not be more than ${schema.maxLength} bytes` });
    if (schema.pattern && !new RegExp(schema.pattern).test(value)) breaks(`should match '${schema.pattern}'`);
    if (schema.format === 'date-time' && !/^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?(Z|z|[+-]\d\d:\d\d)$/.test(value))
      breaks(`must be of type date-time: ${JSON.stringify(value)}`);
  }
  if (Array.isArray(value)) {
    if (schema.minItems !== undefined && value.length < schema.minItems)
      breaks(`should have at least ${schema.minItems} items`);
    if (schema.maxItems !== undefined && value.length > schema.maxItems)
      errors.push({ field: path, message: `Too many: ${value.length}: must have at most ${schema.maxItems} items` });
  }
  if (isFields(value) && schema.minProperties !== undefined && Object.keys(value).length < schema.minProperties)
    breaks(`should have at least ${schema.minProperties} properties`);
  return errors;
}

function composed(schema: Schema, value: unknown, path: string): FieldError[] {
  const ok = (one: Schema) => violations(one, value, path).length === 0;
  const errors = (schema.allOf ?? []).flatMap((one) => violations(one, value, path));
  const says = (rule: string) =>
    errors.push({ field: path, message: `Invalid value: "${kindOf(value)}": ${path} in body ${rule}` });
  if (schema.oneOf && schema.oneOf.filter(ok).length !== 1) says('must validate one and only one schema (oneOf)');
  if (schema.anyOf && !schema.anyOf.some(ok)) says('must validate at least one schema (anyOf)');
  if (schema.not && ok(schema.not)) says('must not validate the schema (not)');
  return errors;
}

function nested(schema: Schema, value: unknown, path: string): FieldError[] {
  if (Array.isArray(value))
    return schema.items ? value.flatMap((item, i) => violations(schema.items as Schema, item, `${path}[${i}]`)) : [];
  if (!isFields(value)) return [];
  const errors: FieldError[] = [];
  for (const key of schema.required ?? [])
    if (!Object.hasOwn(value, key) || value[key] === undefined)
      errors.push({ field: child(path, key), message: 'Required value', reason: 'FieldValueRequired' });
  for (const key of Object.keys(value)) {
    if (path === '' && rootKeys.has(key)) continue;
    const known = schema.properties && Object.hasOwn(schema.properties, key) ? schema.properties[key] : undefined;
    const rule = known ?? (isFields(schema.additionalProperties) ? (schema.additionalProperties as Schema) : undefined);
    if (rule && value[key] !== undefined) errors.push(...violations(rule, value[key], child(path, key)));
  }
  return errors;
}
