import type { Cel } from './cel.ts';
import { ruleFaults } from './celfaults.ts';
import { forbidden, missing, unsupported, wrong } from './fielderror.ts';
import { at, isFields, type Thing } from './object.ts';
import type { FieldError } from './refusal.ts';
import { prune, type Schema, violations } from './schema.ts';

type Level = 'root' | 'item' | 'field';
/** Every rule of apiextensions.k8s.io/v1 that a CustomResourceDefinition breaks: its schemas must be structural. */
export function crdFaults(crd: Thing, cel: Cel | undefined): FieldError[] {
  const versions = at(crd, 'spec', 'versions');
  const [group, plural] = [at(crd, 'spec', 'group'), at(crd, 'spec', 'names', 'plural')];
  const errors: FieldError[] = [];
  if (!group) errors.push(missing('spec.group', ''));
  if (!at(crd, 'spec', 'names', 'kind')) errors.push(missing('spec.names.kind', ''));
  if (!Array.isArray(versions) || versions.length === 0) return [...errors, missing('spec.versions', '')];
  if (crd.metadata.name !== `${String(plural)}.${String(group)}`)
    errors.push(wrong('metadata.name', crd.metadata.name, 'must be spec.names.plural+"."+spec.group'));
  if (versions.filter((one) => at(one, 'storage') === true).length !== 1)
    errors.push(wrong('spec.versions', versions.length, 'must have exactly one version marked as storage version'));
  const faults = versions.flatMap((one, i) => {
    const path = `spec.versions[${i}].schema.openAPIV3Schema`;
    const schema = at(one, 'schema', 'openAPIV3Schema');
    if (!isFields(schema)) return [missing(path, 'schemas are required')];
    const faults = schemaFaults(schema as Schema, path);
    return faults.length === 0 && cel ? ruleFaults(cel, schema as Schema, path) : faults;
  });
  return [...errors, ...faults];
}

/** Why a schema is not structural, or is wrong in itself; empty where it may be served. */
export const schemaFaults = (schema: Schema, path: string, level: Level = 'root'): FieldError[] => [
  ...typeFaults(schema, path, level),
  ...unsupportedParts(schema, path),
  ...listFaults(schema, path),
  ...defaultFaults(schema, path),
  ...childFaults(schema, path),
  ...(['allOf', 'anyOf', 'oneOf'] as const).flatMap((key) =>
    (schema[key] ?? []).flatMap((one, i) => junctorFaults(one, schema, `${path}.${key}[${i}]`)),
  ),
  ...(schema.not ? junctorFaults(schema.not, schema, `${path}.not`) : []),
];

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const emptyType: Record<Level, string> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
};

function typeFaults(schema: Schema, path: string, level: Level): FieldError[] {
  const { type } = schema;
  const free = schema['x-kubernetes-int-or-string'] || schema['x-kubernetes-preserve-unknown-fields'];
  if (!type && schema['x-kubernetes-embedded-resource'])
    return [missing(`${path}.type`, 'must be object if x-kubernetes-embedded-resource is true')];
  if (!type) return free && level !== 'root' ? [] : [missing(`${path}.type`, emptyType[level])];
  if (!types.includes(type)) return [unsupported(`${path}.type`, type, types)];
  if (level === 'root' && type !== 'object') return [wrong(`${path}.type`, type, 'must be object at the root')];
  if (schema['x-kubernetes-int-or-string'])
    return [wrong(`${path}.type`, type, 'must be empty if x-kubernetes-int-or-string is true')];
  return type === 'array' && !schema.items ? [missing(`${path}.items`, 'must be specified')] : [];
}

const never: Record<string, string> = {
  id: 'id is not supported',
  $ref: '$ref is not supported',
  definitions: 'definitions is not supported',
  dependencies: 'dependencies is not supported',
  patternProperties: 'patternProperties is not supported',
  additionalItems: 'additionalItems is not supported',
};

function unsupportedParts(schema: Schema, path: string): FieldError[] {
  const fields = schema as Record<string, unknown>;
  const errors = Object.keys(never)
    .filter((key) => fields[key] !== undefined)
    .map((key) => forbidden(`${path}.${key}`, never[key] ?? ''));
  if (fields['uniqueItems'] === true)
    errors.push(
      forbidden(
        `${path}.uniqueItems`,
        'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ),
    );
  const { additionalProperties } = schema;
  if (additionalProperties === false)
    errors.push(forbidden(`${path}.additionalProperties`, 'additionalProperties cannot be set to false'));
  if (additionalProperties !== undefined && Object.keys(schema.properties ?? {}).length > 0)
    errors.push(forbidden(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'));
  return errors;
}

function listFaults(schema: Schema, path: string): FieldError[] {
  const kind = schema['x-kubernetes-list-type'];
  const keys = schema['x-kubernetes-list-map-keys'];
  const errors: FieldError[] = [];
  if (kind !== undefined && !['atomic', 'set', 'map'].includes(kind))
    errors.push(unsupported(`${path}.x-kubernetes-list-type`, kind, ['atomic', 'map', 'set']));
  if (kind !== undefined && schema.type !== 'array')
    errors.push(wrong(`${path}.type`, schema.type ?? '', 'must be array if x-kubernetes-list-type is specified'));
  if (keys !== undefined && kind !== 'map')
    errors.push(
      wrong(`${path}.x-kubernetes-list-type`, kind ?? '', 'must be map if x-kubernetes-list-map-keys is non-empty'),
    );
  if (kind !== 'map') return errors;
  if (!keys?.length)
    errors.push(missing(`${path}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map'));
  for (const key of keys ?? []) {
    const property = schema.items?.properties?.[key];
    const place = `${path}.items.properties[${key}]`;
    if (!property)
      errors.push(wrong(`${path}.x-kubernetes-list-map-keys`, key, 'entries must all be names of item properties'));
    else if (!schema.items?.required?.includes(key) && property.default === undefined)
      errors.push(
        missing(
          `${place}.default`,
          'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
        ),
      );
  }
  return errors;
}

function defaultFaults(schema: Schema, path: string): FieldError[] {
  if (schema.default === undefined) return [];
  const unknown: string[] = [];
  prune(schema, schema.default, unknown, 'default');
  const broken = violations(schema, schema.default, 'default');
  return [
    ...unknown.map((one) => wrong(`${path}.default`, schema.default, `must not have unknown fields: ${one}`)),
    ...broken.map(({ message }) => ({ field: `${path}.default`, message })),
  ];
}

function childFaults(schema: Schema, path: string): FieldError[] {
  const properties = Object.entries(schema.properties ?? {}).flatMap(([name, one]) =>
    schemaFaults(one, `${path}.properties[${name}]`, 'field'),
  );
  const items = isFields(schema.items) ? schemaFaults(schema.items, `${path}.items`, 'item') : [];
  const extra = schema.additionalProperties;
  const additional = isFields(extra) ? schemaFaults(extra as Schema, `${path}.additionalProperties`, 'field') : [];
  return [...properties, ...items, ...additional];
}

/** Inside allOf, anyOf, oneOf and not only values are judged, and only of fields that are declared outside. */
function junctorFaults(part: Schema, outside: Schema, path: string): FieldError[] {
  const fields = part as Record<string, unknown>;
  const banned = ['description', 'title', 'default', 'nullable', 'additionalProperties', 'type'];
  const intOrString = outside['x-kubernetes-int-or-string'] && Object.keys(part).every((key) => key === 'type');
  const errors = banned
    .filter((key) => fields[key] !== undefined && !intOrString)
    .map((key) => forbidden(`${path}.${key}`, 'must be empty to be structural'));
  for (const [name, one] of Object.entries(part.properties ?? {})) {
    const place = `${path}.properties[${name}]`;
    const declared = outside.properties?.[name];
    if (!declared)
      errors.push(
        missing(place.replace(/\.(allOf|anyOf|oneOf)\[\d+\]|\.not/g, ''), `because it is defined in ${place}`),
      );
    else errors.push(...junctorFaults(one, declared, place));
  }
  return errors;
}
