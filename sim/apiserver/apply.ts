import { type Answer, type Call, json, type Scope, type Target } from './call.ts';
import type { WriteOptions } from './cluster.ts';
import { equal, type Fields, isFields, type ManagedFields, put, type Thing } from './object.ts';
import { isOn } from './options.ts';
import { type Leaves, leaves, type Owner, pathsOf, withOwner } from './ownership.ts';
import { badRequest, notFound, Refusal } from './refusal.ts';
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
  const manager = checkedManager(call, body);
  checkDeclared(target, body);
  const { cluster, clock } = scope;
  const wanted = leaves(body, target.subresource);
  const paths = [...wanted.values()].map(({ path }) => path);
  const old = cluster.store.get(resource, namespace, name);
  const owner: Owner = { manager, operation: 'Apply', target, paths, clean: false, now: clock.now() };
  if (!old && target.subresource) throw notFound(resource, name);
  if (!old) {
    const metadata = { ...body.metadata, name, managedFields: withOwner([], owner) };
    return json(201, cluster.create(resource, namespace, { ...body, metadata }, options), warnings);
  }
  const entries = old.metadata.managedFields ?? [];
  const force = isOn(call.query, 'force');
  const others = entries.some((entry) => entry.operation === 'Apply') ? entries : [...entries, ...assumed(old, target)];
  const clashes = conflicts(others, wanted, old, owner);
  if (clashes.length > 0 && !force) throw applyConflict(clashes);
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

/** Who applies. @throws Refusal 400 where that is not said, or what is applied is no object as it is written by hand. */
function checkedManager(call: Call, body: Thing): string {
  const manager = call.query.get('fieldManager');
  if (!manager) throw badRequest('fieldManager is required for apply patch');
  if (!isFields(body)) throw badRequest('the applied object is not an object');
  if (isFields(body.metadata) && body.metadata.managedFields) throw badRequest('metadata.managedFields must be nil');
  return manager;
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
        .map((path) => ({ manager: entry.manager, apiVersion: entry.apiVersion, path })),
    );
}

function applyConflict(clashes: Clash[]): Refusal {
  const dotted = (path: string[]) => `.${path.join('.')}`;
  const [first] = clashes as [Clash];
  const many = clashes.length > 1;
  const text = many
    ? `conflicts with ${JSON.stringify(first.manager)} using ${first.apiVersion}:\n${clashes.map(({ path }) => `- ${dotted(path)}`).join('\n')}`
    : `conflict with ${JSON.stringify(first.manager)} using ${first.apiVersion}: ${dotted(first.path)}`;
  const causes = clashes.map(({ manager, apiVersion, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${JSON.stringify(manager)} using ${apiVersion}`,
    field: dotted(path),
  }));
  return new Refusal(409, 'Conflict', `Apply failed with ${clashes.length} conflict${many ? 's' : ''}: ${text}`, {
    details: { causes },
  });
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
