import type { Client } from './client.ts';

export const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
export const toys = '/apis/example.com/v1/namespaces/default/toys';

/** A CRD of toys, whose one version has this schema, and what else is said of it. */
export const crdOf = (openAPIV3Schema: object, more: object = {}) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'toys.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { kind: 'Toy', plural: 'toys' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema }, ...more }],
  },
});
/** The same, with rules of their spec. */
export const crd = (rules: object[], properties: object = {}) =>
  crdOf({
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        properties: {
          start: { type: 'string' },
          stop: { type: 'string' },
          size: { type: 'integer' },
          share: { type: 'number' },
          until: { type: 'string', format: 'date-time' },
          ...properties,
        },
        'x-kubernetes-validations': rules,
      },
    },
  });
/** One of them. */
export const toy = (spec: object, name = 'ball') => ({
  apiVersion: 'example.com/v1',
  kind: 'Toy',
  metadata: { name },
  spec,
});
export const make = (send: Client['send'], spec: object, name?: string) =>
  send('POST', toys, { body: toy(spec, name) });
