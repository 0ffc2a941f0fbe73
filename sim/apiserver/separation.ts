import { randomUUID } from 'node:crypto';

import { forbidden, wrong } from './fielderror.ts';
import { equal, isFields, type Metadata, type Thing } from './object.ts';
import { ownerFaults, unnamedObject } from './objectmeta.ts';
import { badRequest, type FieldError, invalid, type Refusal } from './refusal.ts';
import type { Resource } from './resources.ts';

export const otherNamespace = (): Refusal =>
  badRequest('the namespace of the provided object does not match the namespace sent on the request');

/** The metadata of a new object, named. @throws Refusal */
export function nameOf(resource: Resource, namespace: string | undefined, body: Thing): Metadata {
  const metadata: Partial<Metadata> = isFields(body.metadata) ? { ...body.metadata } : {};
  if (metadata.namespace !== undefined && metadata.namespace !== '' && metadata.namespace !== namespace)
    throw otherNamespace();
  if (!metadata.name && metadata.generateName)
    metadata.name = `${metadata.generateName}${randomUUID().replaceAll('-', '').slice(0, 5)}`;
  const name = metadata.name;
  if (!name) throw invalid(resource, '', [unnamedObject]);
  const longest = resource.plural === 'namespaces' ? 63 : 253;
  if (name.length > longest)
    throw invalid(resource, name, [wrong('metadata.name', name, `must be no more than ${longest} bytes`)]);
  if (resource.plural === 'namespaces' && !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name))
    throw invalid(resource, name, [wrong('metadata.name', name, badLabel)]);
  if (!resource.group.startsWith('rbac.') && !/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name))
    throw invalid(resource, name, [wrong('metadata.name', name, badName)]);
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  return { ...(metadata as Metadata), name, ...(resource.namespaced ? { namespace } : { namespace: undefined }) };
}

/** Through which of an object's two doors a write comes. */
interface Door {
  subresource?: string | undefined;
}

/** What a writer may not change stays; through a subresource nothing but that (and finalizers never there). */
export function keptMetadata(old: Metadata, sent: Partial<Metadata>, { subresource }: Door): Metadata {
  const base = subresource ? old : { ...(sent as Metadata) };
  const { name, namespace, uid, creationTimestamp, generation, deletionTimestamp, deletionGracePeriodSeconds } = old;
  const kept: Metadata = {
    ...base,
    name,
    namespace,
    uid,
    creationTimestamp,
    generation,
    deletionTimestamp,
    deletionGracePeriodSeconds,
    resourceVersion: old.resourceVersion,
    managedFields: sent.managedFields ?? old.managedFields,
  };
  for (const key of Object.keys(kept) as (keyof Metadata)[]) if (kept[key] === undefined) delete kept[key];
  return kept;
}

/** Status through its own door only, everything else through the other; a changed spec is a new generation. */
export function separated(resource: Resource, old: Thing, body: Thing, { subresource }: Door): Thing {
  const head = { apiVersion: old.apiVersion, kind: old.kind, metadata: body.metadata };
  if (subresource === 'status') {
    const { status: _, ...rest } = old;
    return { ...rest, ...head, ...(body.status === undefined ? {} : { status: body.status }) };
  }
  const { status, ...rest } = body;
  const keptStatus = resource.status ? old.status : status;
  const next: Thing = { ...rest, ...head, ...(keptStatus === undefined ? {} : { status: keptStatus }) };
  const bare = ({ metadata: _, status: __, ...spec }: Thing) => spec;
  const all = ({ metadata: _, ...spec }: Thing) => spec;
  const bumps = resource.custom && !resource.status ? !equal(all(old), all(next)) : !equal(bare(old), bare(next));
  if (bumps && old.metadata.generation !== undefined)
    next.metadata = { ...next.metadata, generation: old.metadata.generation + 1 };
  return next;
}

/** @throws Refusal 422 for finalizers that come when the object is already going. */
export function checkFinalizers(resource: Resource, old: Metadata, { finalizers = [] }: Partial<Metadata>): void {
  const added = finalizers.filter((one) => !old.finalizers?.includes(one));
  if (!old.deletionTimestamp || added.length === 0) return;
  const found = `[]string{${added.map((one) => JSON.stringify(one)).join(', ')}}`;
  throw invalid(resource, old.name, [
    forbidden(
      'metadata.finalizers',
      `no new finalizers can be added if the object is being deleted, found new finalizers ${found}`,
    ),
  ]);
}

const largestAnnotations = 256 * 1024;
const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;
const labelKey = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** @throws Refusal 422 for labels and annotations that Kubernetes does not take. */
export function checkLabels(resource: Resource, { metadata }: Thing): void {
  const errors: FieldError[] = ownerFaults(metadata);
  const says = (field: string, value: unknown, rule: string) =>
    errors.push({ field: `metadata.${field}`, message: `Invalid value: ${JSON.stringify(value)}: ${rule}` });
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    if (!labelKey.test(key)) says('labels', key, "name part must consist of alphanumeric characters, '-', '_' or '.'");
    if (typeof value !== 'string' || value.length > 63 || !labelValue.test(value))
      says('labels', value, 'a valid label must be an empty string or consist of alphanumeric characters, at most 63');
  }
  let size = 0;
  for (const [key, value] of Object.entries(metadata.annotations ?? {})) {
    if (!labelKey.test(key))
      says('annotations', key, "name part must consist of alphanumeric characters, '-', '_' or '.'");
    if (typeof value !== 'string')
      throw badRequest(`${resource.kind}: metadata.annotations: expected string, got ${typeof value}`);
    size += key.length + Buffer.byteLength(value);
  }
  if (size > largestAnnotations)
    errors.push({
      field: 'metadata.annotations',
      message: `Too long: may not be more than ${largestAnnotations} bytes`,
    });
  if (errors.length > 0) throw invalid(resource, metadata.name, errors);
}

const badLabel =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const badName =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
