import { type Answer, type Call, json, type Scope, type Target } from './call.ts';
import type { WriteOptions } from './cluster.ts';
import { equal, type Fields, isFields, type ManagedFields, put, type Thing } from './object.ts';
import { unreadable } from './objectmeta.ts';
import { isOn } from './options.ts';
import { type Leaves, leaves, type Owner, pathsOf, withOwner } from './ownership.ts';
import { badRequest, conflict, notFound, otherName, Refusal } from './refusal.ts';
import { apiVersionOf } from './resources.ts';
import { prune } from './schema.ts';

const managerOf = (call: Call): string =>
  call.query.get('fieldManager') ?? (call.headers['user-agent'] ?? 'unknown').split('/')[0] ?? 'unknown';

/** `next` with the fields that this update changed entered under its manager's name, where managers are told apart. */
export function managed(call: Call, target: Target, old: Thing | undefined, next: Thing): Thing {
  const managers = old?.metadata.managedFields;
  if (!managers?.some((one) => one.operation === 'Apply')) return next; // nobody applies this object
  const before = leaves(old as Thing, target.subresource);
  const after = leaves(next, target.subresource);
  const changed = [...after]
    .filter(([id, { value }]) => !equal(before.get(id)?.value, value))
    .map(([, { path }]) => path);
  if (changed.length === 0) return next;
  const entries = withOwner(managers, {
    manager: managerOf(call),
    operation: 'Update',
    target,
    paths: changed,
    clean: true,
  });
  return { ...next, metadata: { ...next.metadata, managedFields: entries } };
}

/** Server-side apply. @throws Refusal 409 when a field of another manager would change and `force` is not given. */
export function applied(
  scope: Scope,
  target: Target,
  call: Call,
  { body, options, warnings }: { body: Thing; options: WriteOptions; warnings: string[] },
): Answer {
  const { resource, namespace, name = '' } = target;
  const manager = checkedManager(target, call, body);
  checkDeclared(target, body);
  const { cluster, clock } = scope;
  const wanted = leaves(body, target.subresource);
  const paths = [...wanted.values()].map(({ path }) => path);
  const old = cluster.store.get(resource, namespace, name);
  const owner: Owner = { manager, operation: 'Apply', target, paths, clean: false, now: clock.now() };
  if (!old && target.subresource) throw notFound(resource, name);
  if (!old && isFields(body.metadata) && body.metadata.uid)
    throw conflict(
      resource,
      name,
      `uid mismatch: the provided object specified uid ${body.metadata.uid}, and no existing object was found`,
    );
  const named = isFields(body.metadata) ? body.metadata.name : undefined;
  const misnamed = named !== undefined && named !== name ? otherName(named, name) : undefined;
  if (!old && misnamed) throw misnamed;
  if (!old) {
    const metadata = { ...body.metadata, name, managedFields: withOwner([], owner) };
    return json(201, cluster.create(resource, namespace, { ...body, metadata }, options), warnings);
  }
  const entries = old.metadata.managedFields ?? [];
  const force = isOn(call.query, 'force');
  const others = entries.some((entry) => entry.operation === 'Apply') ? entries : [...entries, ...assumed(old, target)];
  const clashes = conflicts(others, wanted, old, owner);
  if (clashes.length > 0 && !force) throw applyConflict(clashes);
  if (misnamed) throw misnamed;
  const next = mergedWith(
    old,
    wanted,
    entries.find((entry) => entry.manager === manager && entry.operation === 'Apply'),
  );
  const managedFields = withOwner(others, { ...owner, clean: force });
  const metadata = { ...next.metadata, managedFields, resourceVersion: body.metadata?.resourceVersion ?? '' };
  const unchanged =
    equal({ ...old, metadata: 0 }, { ...next, metadata: 0 }) &&
    equal(managedFields.map(timeless), entries.map(timeless));
  const stored = unchanged ? old : cluster.update(resource, namespace, name, { ...next, metadata }, options);
  return json(200, JSON.stringify(stored), warnings);
}

/** Who applies. @throws Refusal 400 for what is no object of the path's kind as it is written by hand. */
function checkedManager(target: Target, call: Call, body: Thing): string {
  if (!isFields(body)) throw badRequest('error decoding YAML: the applied object is not an object');
  checkKind(target, body);
  const why = unreadable(body.metadata);
  if (why) throw badRequest(why);
  if (isFields(body.metadata) && body.metadata.managedFields) throw badRequest('metadata.managedFields must be nil');
  return call.query.get('fieldManager') ?? '';
}

/** @throws Refusal 400 for an object of another kind than the path says. */
function checkKind({ resource, group, version }: Target, { apiVersion, kind }: Thing): void {
  const expected = apiVersionOf({ group, version });
  if (apiVersion !== expected)
    throw badRequest(
      `Incorrect version specified in apply patch. Specified patch version: ${apiVersion ?? ''}, expected: ${expected}`,
    );
  if (kind !== resource.kind)
    throw badRequest(`${resource.kind} in version "${version}" cannot be handled as a ${kind ?? ''}`);
}

/** Apply knows only typed objects: what the schema does not declare cannot have an owner. @throws Refusal 500 */
function checkDeclared({ resource, group, version, namespace = '', name = '' }: Target, body: Thing): void {
  const schema = resource.custom?.schema ?? resource.typed;
  const unknown: string[] = [];
  if (schema) prune(schema, body, unknown);
  if (unknown.length === 0) return;
  const fields = unknown.map((field) => `.${field}: field not declared in schema`);
  const said = fields.length === 1 ? fields[0] : `errors:\n${fields.map((one) => `  ${one}`).join('\n')}`;
  const what = `${namespace}/${name}; ${apiVersionOf({ group, version })}, Kind=${resource.kind}`;
  throw new Refusal(500, '', `failed to create typed patch object (${what}): ${said}`);
}

const timeless = ({ time: _, ...entry }: ManagedFields) => entry;

/** An object that nobody applied yet belongs to whoever wrote it, known only as before the first apply. */
function assumed(old: Thing, target: Target): ManagedFields[] {
  const paths = [...leaves(old, target.subresource).values()].map(({ path }) => path);
  return withOwner([], { manager: 'before-first-apply', operation: 'Update', target, paths, clean: false });
}

interface Clash {
  manager: string;
  operation: ManagedFields['operation'];
  apiVersion: string;
  path: string[];
}

function conflicts(entries: ManagedFields[], wanted: Leaves, old: Thing, owner: Owner): Clash[] {
  const current = leaves(old, owner.target.subresource);
  return entries
    .filter((entry) => entry.manager !== owner.manager || entry.operation !== 'Apply')
    .flatMap((entry) =>
      pathsOf(entry.fieldsV1)
        .filter((path) => {
          const id = JSON.stringify(path);
          const mine = wanted.get(id);
          return mine !== undefined && !equal(mine.value, current.get(id)?.value);
        })
        .map((path) => ({ ...entry, path })),
    );
}

/** A manager as a conflict names him: of one that applies, the version is not told. */
const said = ({ manager, operation, apiVersion }: Clash): string =>
  `${JSON.stringify(manager)}${operation === 'Update' ? ` using ${apiVersion}` : ''}`;

function applyConflict(clashes: Clash[]): Refusal {
  const dotted = (path: string[]) => `.${path.join('.')}`;
  const managers = [...new Set(clashes.map(said))].sort();
  const pathsOfOne = (manager: string) => clashes.filter((one) => said(one) === manager).map(({ path }) => path);
  const text =
    clashes.length === 1
      ? `1 conflict: conflict with ${managers[0]}: ${dotted(clashes[0]?.path ?? [])}`
      : `${clashes.length} conflicts: ${managers
          .map((one) => [`conflicts with ${one}:`, ...pathsOfOne(one).map((path) => `- ${dotted(path)}`)].join('\n'))
          .join('\n')}`;
  const causes = clashes.map((one) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${said(one)}`,
    field: dotted(one.path),
  }));
  return new Refusal(409, 'Conflict', `Apply failed with ${text}`, { details: { causes } });
}

/** What is wanted, laid over what is there; what this manager applied before and no longer wants goes. */
function mergedWith(old: Thing, wanted: Leaves, before: ManagedFields | undefined): Thing {
  const next = structuredClone(old) as unknown as Fields;
  for (const path of before ? pathsOf(before.fieldsV1) : [])
    if (!wanted.has(JSON.stringify(path))) removeAt(next, path);
  for (const { path, value } of wanted.values()) {
    let level = next;
    for (const key of path.slice(0, -1)) {
      if (!isFields(level[key])) put(level, key, {});
      level = level[key] as Fields;
    }
    const last = path.at(-1) as string;
    if (!(isFields(value) && isFields(level[last]))) put(level, last, value);
  }
  return next as unknown as Thing;
}

function removeAt(fields: Fields, path: string[]): void {
  let level: unknown = fields;
  for (const key of path.slice(0, -1)) level = isFields(level) ? level[key] : undefined;
  if (isFields(level)) delete level[path.at(-1) as string];
}
