import { type Fields, isFields, put } from './object.ts';

/**
 * Bodies in Kubernetes' protobuf encoding, which kubectl uses when it makes built-in objects itself (`create namespace`,
 * `auth can-i`), and client-go whenever it writes them. Field numbers are those of the API's generated.proto files; kinds that are not here are refused.
 */
type Shape = Record<number, [name: string, type: string]>;

const messages: Record<string, Shape> = {
  Unknown: { 1: ['typeMeta', 'TypeMeta'], 2: ['raw', 'bytes'] },
  TypeMeta: { 1: ['apiVersion', 'string'], 2: ['kind', 'string'] },
  ObjectMeta: {
    1: ['name', 'string'],
    2: ['generateName', 'string'],
    3: ['namespace', 'string'],
    5: ['uid', 'string'],
    6: ['resourceVersion', 'string'],
    8: ['creationTimestamp', 'second'],
    11: ['labels', 'map'],
    12: ['annotations', 'map'],
    13: ['ownerReferences', 'OwnerReference[]'],
    14: ['finalizers', 'string[]'],
  },
  OwnerReference: {
    1: ['kind', 'string'],
    3: ['name', 'string'],
    4: ['uid', 'string'],
    5: ['apiVersion', 'string'],
    6: ['controller', 'bool'],
    7: ['blockOwnerDeletion', 'bool'],
  },
  Timestamp: { 1: ['seconds', 'int'], 2: ['nanos', 'int'] },
  Namespace: { 1: ['metadata', 'ObjectMeta'] },
  ServiceAccount: { 1: ['metadata', 'ObjectMeta'] },
  ConfigMap: { 1: ['metadata', 'ObjectMeta'], 2: ['data', 'map'], 3: ['binaryData', 'bytesMap'] },
  Secret: { 1: ['metadata', 'ObjectMeta'], 2: ['data', 'bytesMap'], 3: ['type', 'string'], 4: ['stringData', 'map'] },
  Role: { 1: ['metadata', 'ObjectMeta'], 2: ['rules', 'PolicyRule[]'] },
  ClusterRole: { 1: ['metadata', 'ObjectMeta'], 2: ['rules', 'PolicyRule[]'] },
  RoleBinding: { 1: ['metadata', 'ObjectMeta'], 2: ['subjects', 'Subject[]'], 3: ['roleRef', 'RoleRef'] },
  ClusterRoleBinding: { 1: ['metadata', 'ObjectMeta'], 2: ['subjects', 'Subject[]'], 3: ['roleRef', 'RoleRef'] },
  PolicyRule: {
    1: ['verbs', 'string[]'],
    2: ['apiGroups', 'string[]'],
    3: ['resources', 'string[]'],
    4: ['resourceNames', 'string[]'],
    5: ['nonResourceURLs', 'string[]'],
  },
  Subject: { 1: ['kind', 'string'], 2: ['apiGroup', 'string'], 3: ['name', 'string'], 4: ['namespace', 'string'] },
  RoleRef: { 1: ['apiGroup', 'string'], 2: ['kind', 'string'], 3: ['name', 'string'] },
  SelfSubjectAccessReview: { 1: ['metadata', 'ObjectMeta'], 2: ['spec', 'AccessSpec'] },
  AccessSpec: {
    1: ['resourceAttributes', 'ResourceAttributes'],
    2: ['nonResourceAttributes', 'NonResourceAttributes'],
  },
  ResourceAttributes: {
    1: ['namespace', 'string'],
    2: ['verb', 'string'],
    3: ['group', 'string'],
    4: ['version', 'string'],
    5: ['resource', 'string'],
    6: ['subresource', 'string'],
    7: ['name', 'string'],
  },
  NonResourceAttributes: { 1: ['path', 'string'], 2: ['verb', 'string'] },
  SelfSubjectRulesReview: { 1: ['metadata', 'ObjectMeta'], 2: ['spec', 'RulesSpec'] },
  RulesSpec: { 1: ['namespace', 'string'] },
  SelfSubjectReview: { 1: ['metadata', 'ObjectMeta'] },
  TokenRequest: { 1: ['metadata', 'ObjectMeta'], 2: ['spec', 'TokenRequestSpec'] },
  TokenRequestSpec: { 1: ['audiences', 'string[]'], 4: ['expirationSeconds', 'int'] },
  TokenReview: { 1: ['metadata', 'ObjectMeta'], 2: ['spec', 'TokenReviewSpec'] },
  TokenReviewSpec: { 1: ['token', 'string'], 2: ['audiences', 'string[]'] },
  SubjectAccessReview: { 1: ['metadata', 'ObjectMeta'], 2: ['spec', 'SubjectAccessSpec'] },
  LocalSubjectAccessReview: { 1: ['metadata', 'ObjectMeta'], 2: ['spec', 'SubjectAccessSpec'] },
  SubjectAccessSpec: {
    1: ['resourceAttributes', 'ResourceAttributes'],
    2: ['nonResourceAttributes', 'NonResourceAttributes'],
    3: ['user', 'string'],
    4: ['groups', 'string[]'],
  },
  Deployment: { 1: ['metadata', 'ObjectMeta'], 2: ['spec', 'DeploymentSpec'] },
  DeploymentSpec: { 1: ['replicas', 'int'], 2: ['selector', 'LabelSelector'], 3: ['template', 'PodTemplateSpec'] },
  LabelSelector: { 1: ['matchLabels', 'map'] },
  PodTemplateSpec: { 1: ['metadata', 'ObjectMeta'], 2: ['spec', 'PodSpec'] },
  PodSpec: { 2: ['containers', 'Container[]'] },
  Container: { 1: ['name', 'string'], 2: ['image', 'string'] },
  Scale: { 1: ['metadata', 'ObjectMeta'], 2: ['spec', 'ScaleSpec'] },
  ScaleSpec: { 1: ['replicas', 'int'] },
  DeleteOptions: {
    1: ['gracePeriodSeconds', 'int'],
    2: ['preconditions', 'Preconditions'],
    4: ['propagationPolicy', 'string'],
    5: ['dryRun', 'string[]'],
  },
  Preconditions: { 1: ['uid', 'string'], 2: ['resourceVersion', 'string'] },
  Lease: { 1: ['metadata', 'ObjectMeta'], 2: ['spec', 'LeaseSpec'] },
  LeaseSpec: {
    1: ['holderIdentity', 'string'],
    2: ['leaseDurationSeconds', 'int'],
    3: ['acquireTime', 'microsecond'],
    4: ['renewTime', 'microsecond'],
    5: ['leaseTransitions', 'int'],
  },
  Event: {
    1: ['metadata', 'ObjectMeta'],
    2: ['involvedObject', 'ObjectReference'],
    3: ['reason', 'string'],
    4: ['message', 'string'],
    5: ['source', 'EventSource'],
    6: ['firstTimestamp', 'second'],
    7: ['lastTimestamp', 'second'],
    8: ['count', 'int'],
    9: ['type', 'string'],
    10: ['eventTime', 'microsecond'],
    12: ['action', 'string'],
    14: ['reportingComponent', 'string'],
    15: ['reportingInstance', 'string'],
  },
  ObjectReference: {
    1: ['kind', 'string'],
    2: ['namespace', 'string'],
    3: ['name', 'string'],
    4: ['uid', 'string'],
    5: ['apiVersion', 'string'],
    6: ['resourceVersion', 'string'],
    7: ['fieldPath', 'string'],
  },
  EventSource: { 1: ['component', 'string'], 2: ['host', 'string'] },
};

export const isProtobuf = (contentType: string | undefined): boolean =>
  contentType?.includes('application/vnd.kubernetes.protobuf') ?? false;

/** @throws Error for a kind whose shape is not known here. */
export function decodeProtobuf(body: Buffer): Fields {
  if (body.subarray(0, 4).toString('latin1') !== 'k8s\0') throw new Error('not a Kubernetes protobuf');
  const envelope = message('Unknown', body.subarray(4));
  const type = envelope['typeMeta'] as { apiVersion: string; kind: string };
  // An Event of events.k8s.io has other fields.
  const known = messages[type.kind] && (type.kind !== 'Event' || type.apiVersion === 'v1');
  if (!known) throw new Error(`protobuf bodies of kind ${type.kind} are not understood; send JSON`);
  return { ...type, ...message(type.kind, envelope['raw'] as Buffer) };
}

function message(kind: string, bytes: Buffer): Fields {
  const shape = messages[kind] ?? {};
  const fields: Fields = {};
  for (const { number, value } of parts(bytes)) {
    const [name, type] = shape[number] ?? [];
    if (name && type) enter(fields, name, type, value);
  }
  return fields;
}

function enter(fields: Fields, name: string, type: string, value: number | Buffer): void {
  if (type.endsWith('[]')) {
    const list = (fields[name] ?? []) as unknown[];
    fields[name] = [...list, one(type.slice(0, -2), value)];
  } else if (type === 'map' || type === 'bytesMap') {
    const [key, item] = entry(value as Buffer);
    const map = isFields(fields[name]) ? fields[name] : {};
    put(map, key, type === 'map' ? item.toString('utf8') : item.toString('base64'));
    fields[name] = map;
  } else {
    const decoded = one(type, value);
    if (decoded !== '') fields[name] = decoded;
  }
}

function one(type: string, value: number | Buffer): unknown {
  if (type === 'bool') return value === 1;
  if (typeof value === 'number') return value;
  if (type === 'second' || type === 'microsecond') return timeOf(message('Timestamp', value), type);
  if (type === 'string') return value.toString('utf8');
  return type === 'bytes' ? value : message(type, value);
}

/** Nothing for a time that was never set, which Go sends as the year 1. */
function timeOf({ seconds = 0, nanos = 0 }: Fields, precision: 'second' | 'microsecond'): string {
  if (Number(seconds) <= 0) return '';
  const second = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  const fraction = String(Math.floor(Number(nanos) / 1000)).padStart(6, '0');
  return precision === 'second' ? `${second}Z` : `${second}.${fraction}Z`;
}

function entry(bytes: Buffer): [string, Buffer] {
  let key = '';
  let item: Buffer = Buffer.alloc(0);
  for (const { number, value } of parts(bytes)) {
    if (number === 1) key = value.toString();
    else item = value as Buffer;
  }
  return [key, item];
}

function* parts(bytes: Buffer): Iterable<{ number: number; value: number | Buffer }> {
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; at < bytes.length; shift += 7n) {
      const byte = bytes[at++] as number;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return Number(BigInt.asIntN(64, value));
  };
  while (at < bytes.length) {
    const tag = varint();
    const wire = tag & 7;
    if (wire === 0) yield { number: tag >> 3, value: varint() };
    else if (wire === 2) {
      const length = varint();
      yield { number: tag >> 3, value: bytes.subarray(at, at + length) };
      at += length;
    } else if (wire === 1 || wire === 5) at += wire === 1 ? 8 : 4;
    else throw new Error('malformed protobuf');
  }
}
