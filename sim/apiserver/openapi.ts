import { type Answer, type Call, json } from './call.ts';
import type { Cluster } from './cluster.ts';
import { apiVersionOf, type Resource } from './resources.ts';

const title = 'Kubernetes';
const version = 'v1.34.1';
// Not with the @ that clients ask for: their own MIME parsers refuse it in an answer.
const protobuf = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

/** A length-delimited protobuf field. */
const field = (number: number, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from([(number << 3) | 2, content.length]), content]);

/** An empty document: old clients then leave validation to the server. Document{swagger=1, info=2{title=1, version=2}, paths=8}. */
const emptyDocument = Buffer.concat([
  field(1, Buffer.from('2.0')),
  field(2, Buffer.concat([field(1, Buffer.from(title)), field(2, Buffer.from(version))])),
  field(8, Buffer.alloc(0)),
]);

export function openApiV2(call: Call): Answer {
  const accept = call.headers['accept'] ?? '';
  if (accept.includes('protobuf')) return { status: 200, type: protobuf, body: emptyDocument };
  return json(200, { swagger: '2.0', info: { title, version }, paths: {}, definitions: {} });
}

const pathOf = (groupVersion: string): string =>
  groupVersion.includes('/') ? `apis/${groupVersion}` : `api/${groupVersion}`;

/** The index, or one group's document: paths and their parameters, from which clients learn of server-side validation. */
export function openApiV3(groups: string[], parts: string[], cluster: Cluster): Answer | undefined {
  if (parts.length === 0) {
    const entries = groups.map((one) => [pathOf(one), { serverRelativeURL: `/openapi/v3/${pathOf(one)}?hash=0` }]);
    return json(200, { paths: Object.fromEntries(entries) as Record<string, unknown> });
  }
  const groupVersion = groups.find((one) => pathOf(one) === parts.join('/'));
  if (!groupVersion) return undefined;
  const served = cluster.registry.all().filter((one) => apiVersionOf(one) === groupVersion);
  const paths = Object.fromEntries(served.flatMap((resource) => pathsOf(resource, groupVersion)));
  return json(200, { openapi: '3.0.0', info: { title, version }, paths, components: { schemas: schemasOf(served) } });
}

const query = (name: string) => ({ name, in: 'query', schema: { type: 'string', uniqueItems: true } });

function pathsOf(resource: Resource, groupVersion: string): [string, unknown][] {
  const kind = { group: resource.group, version: resource.version, kind: resource.kind };
  const parameters = ['dryRun', 'fieldManager', 'fieldValidation'].map(query);
  const operation = (action: string, more = parameters) => ({
    parameters: more,
    responses: { 200: { description: 'OK' } },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': kind,
  });
  const place = `/${pathOf(groupVersion)}${resource.namespaced ? '/namespaces/{namespace}' : ''}/${resource.plural}`;
  return [
    [place, { get: operation('list', []), post: operation('post') }],
    [
      `${place}/{name}`,
      {
        get: operation('get', []),
        put: operation('put'),
        patch: operation('patch', [...parameters, query('force')]),
        delete: operation('delete', []),
      },
    ],
  ];
}

const schemasOf = (resources: Resource[]): Record<string, unknown> =>
  Object.fromEntries(
    resources.map((resource) => [
      `${resource.group || 'core'}.${resource.version}.${resource.kind}`,
      {
        ...(resource.custom?.schema ?? { type: 'object' }),
        'x-kubernetes-group-version-kind': [{ group: resource.group, version: resource.version, kind: resource.kind }],
      },
    ]),
  );
