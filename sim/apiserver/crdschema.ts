// What a CustomResourceDefinition may say: its fields, so that others are dropped or refused, and no more of JSON Schema.
import type { Schema } from './schema.ts';

const text: Schema = { type: 'string' };
const number: Schema = { type: 'number' };
const flag: Schema = { type: 'boolean' };
const texts: Schema = { type: 'array', items: text };
const anything: Schema = { 'x-kubernetes-preserve-unknown-fields': true };
const object = (properties: Record<string, Schema>): Schema => ({ type: 'object', properties });
const listOf = (items: Schema): Schema => ({ type: 'array', items });

const each = (names: string, schema: Schema) => Object.fromEntries(names.split(' ').map((name) => [name, schema]));

/** JSONSchemaProps of apiextensions.k8s.io/v1; it holds itself. */
const jsonSchema: Schema = { type: 'object' };
const map: Schema = { type: 'object', additionalProperties: jsonSchema };
jsonSchema.properties = {
  ...each('id $schema $ref description type format title pattern', text),
  ...each('maximum minimum multipleOf maxLength minLength maxItems minItems maxProperties minProperties', number),
  ...each('exclusiveMaximum exclusiveMinimum uniqueItems nullable', flag),
  ...each('default example', anything),
  ...each('items not additionalProperties additionalItems', jsonSchema),
  ...each('allOf anyOf oneOf', listOf(jsonSchema)),
  ...each('properties patternProperties definitions dependencies', map),
  enum: listOf(anything),
  required: texts,
  externalDocs: object(each('description url', text)),
  ...each('x-kubernetes-preserve-unknown-fields x-kubernetes-embedded-resource x-kubernetes-int-or-string', flag),
  ...each('x-kubernetes-list-type x-kubernetes-map-type', text),
  'x-kubernetes-list-map-keys': texts,
  'x-kubernetes-validations': listOf(
    object({ ...each('rule message messageExpression reason fieldPath', text), optionalOldSelf: flag }),
  ),
};

const version = object({
  name: text,
  ...each('served storage deprecated', flag),
  deprecationWarning: text,
  schema: object({ openAPIV3Schema: jsonSchema }),
  subresources: object({
    status: object({}),
    scale: object(each('specReplicasPath statusReplicasPath labelSelectorPath', text)),
  }),
  additionalPrinterColumns: listOf(
    object({ ...each('name type format description jsonPath', text), priority: number }),
  ),
  selectableFields: listOf(object({ jsonPath: text })),
});

const names = object({ ...each('plural singular kind listKind', text), ...each('shortNames categories', texts) });

export const crdSchema: Schema = object({
  spec: object({
    group: text,
    names,
    scope: text,
    versions: listOf(version),
    conversion: object({ strategy: text, webhook: anything }),
    preserveUnknownFields: flag,
  }),
  status: anything,
});
