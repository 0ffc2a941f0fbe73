import { type Answer, type Call, json, type Scope, type Target } from './call.ts';
import { newEvent } from './events.ts';
import { checkMatch, checkRevision, readToken } from './listoptions.ts';
import { at, type Fields, type Thing } from './object.ts';
import { wholeNumber } from './options.ts';
import { badRequest, expired, notFound } from './refusal.ts';
import { apiVersionOf, type Resource } from './resources.ts';
import { fieldMatcher, labelMatcher } from './selectors.ts';
import { tableOf, tableWanted } from './table.ts';

/** The object as it is asked for: Events of the newer group look otherwise. */
export const shown = (target: Target, thing: Thing): Thing =>
  target.resource.alias?.group === target.group ? newEvent(thing) : thing;

export function read(scope: Scope, target: Target, call: Call): Answer {
  const { resource, namespace, name = '', subresource } = target;
  const { store } = scope.cluster;
  checkRevision(scope, call.query.get('resourceVersion'));
  const newest = scope.cluster.get(resource, namespace, name);
  if (subresource === 'scale' || (subresource && subresource !== 'status')) throw notFound(resource, name);
  const thing = call.stale ? (store.stale(resource, namespace, name) ?? newest) : newest;
  if (tableWanted(call)) {
    const of = { now: scope.clock.now(), resourceVersion: thing.metadata.resourceVersion };
    return json(200, tableOf(resource, [shown(target, thing)], call, of));
  }
  return json(200, resource.alias?.group === target.group ? JSON.stringify(shown(target, thing)) : store.text(thing));
}

interface Snapshot {
  things: Thing[];
  revision: number;
  until: number;
}

/** A list in pages is the list of one moment; what that was is kept for five minutes. */
const snapshotKeptMs = 5 * 60_000;

export class Lists {
  #snapshots = new Map<string, Snapshot>();
  #next = 0;
  #scope: Scope;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** As if etcd had been compacted: every continue token is too old from now on. */
  expire(): void {
    this.#snapshots.clear();
  }

  list(target: Target, call: Call): Answer {
    const { resource } = target;
    const token = call.query.get('continue');
    const limit = wholeNumber(call.query, 'limit') ?? 0;
    checkMatch(call.query, false);
    const revision = call.query.get('resourceVersion');
    if (token && revision && revision !== '0')
      throw badRequest('specifying resource version is not allowed when using continue');
    if (!token) checkRevision(this.#scope, revision);
    const page = token ? this.#continued(target, call, token) : this.#fresh(target, call, limit);
    const things = limit > 0 ? page.things.slice(0, limit) : page.things;
    const rest = page.things.slice(things.length);
    const metadata: Fields = { resourceVersion: String(page.revision) };
    if (rest.length > 0) {
      const last = things.at(-1) as Thing;
      metadata['continue'] = this.#keep(rest, page.revision, last);
      if (!call.query.get('labelSelector') && !call.query.get('fieldSelector'))
        metadata['remainingItemCount'] = rest.length;
    }
    if (tableWanted(call)) {
      const printed = things.map((thing) => shown(target, thing));
      const table = tableOf(resource, printed, call, { now: this.#scope.clock.now(), resourceVersion: '' });
      return json(200, { ...table, metadata });
    }
    return json(200, this.#text(target, things, metadata));
  }

  /** As it is now; of the moment that is asked for where that is exact, or where pages are (its older form). */
  #fresh(target: Target, call: Call, limit: number): { things: Thing[]; revision: number } {
    const { store } = this.#scope.cluster;
    const asked = Number(call.query.get('resourceVersion') ?? 0);
    const match = call.query.get('resourceVersionMatch');
    const isExact = asked > 0 && asked < store.revision && (match === 'Exact' || (!match && limit > 0));
    if (!isExact) return { things: selected(this.#scope, target, call), revision: store.revision };
    if (asked < store.compactedTo(target.resource))
      throw expired('The resourceVersion for the provided list is too old.');
    return { things: chosen(target, call, store.at(target.resource, target.namespace, asked)), revision: asked };
  }

  #keep(things: Thing[], revision: number, last: Thing): string {
    const id = String(++this.#next);
    this.#snapshots.set(id, { things, revision, until: this.#scope.clock.now() + snapshotKeptMs });
    for (const [old, { until }] of this.#snapshots) if (until < this.#scope.clock.now()) this.#snapshots.delete(old);
    const start = `${last.metadata.namespace ?? ''}/${last.metadata.name}`;
    return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start, id })).toString('base64url');
  }

  #continued(target: Target, call: Call, token: string): { things: Thing[]; revision: number } {
    const parsed = readToken(token);
    const kept = parsed.id === undefined ? undefined : this.#snapshots.get(parsed.id);
    if (kept && kept.until >= this.#scope.clock.now()) return kept;
    if (parsed.id !== undefined) {
      const rest = Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: -1, start: parsed.start })).toString(
        'base64url',
      );
      throw expired(
        'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
        rest,
      );
    }
    const all = selected(this.#scope, target, call);
    const things = all.filter((thing) => `${thing.metadata.namespace ?? ''}/${thing.metadata.name}` > parsed.start);
    return { things, revision: this.#scope.cluster.store.revision };
  }

  #text(target: Target, things: Thing[], metadata: Fields): string {
    const { resource, group, version } = target;
    const { store } = this.#scope.cluster;
    const head = JSON.stringify({ apiVersion: apiVersionOf({ group, version }), kind: resource.listKind, metadata });
    const items = things.map((thing) => {
      if (resource.custom) return store.text(thing);
      const { apiVersion: _, kind: __, ...bare } = shown(target, thing);
      return JSON.stringify(bare);
    });
    return `${head.slice(0, -1)},"items":[${items.join(',')}]}`;
  }
}

/** What a list finds now. */
export function selected(scope: Scope, target: Target, call: Call): Thing[] {
  const { store } = scope.cluster;
  const { resource, namespace } = target;
  const all = store.list(resource, namespace);
  if (!call.stale) return chosen(target, call, all);
  const seen = all.map((thing) => store.stale(resource, thing.metadata.namespace, thing.metadata.name) ?? thing);
  return chosen(target, call, seen);
}

/** @throws Refusal 400 for a selector that cannot be read. */
function chosen({ resource }: Target, { query }: Call, things: Thing[]): Thing[] {
  const byLabel = labelMatcher(query.get('labelSelector'));
  const byField = fieldMatcher(resource, query.get('fieldSelector'));
  return things.filter((thing) => byLabel(thing) && byField(thing));
}

/** The printed name of a stored object's place, for messages. */
export const placeOf = (resource: Resource, thing: Thing): string =>
  `${resource.plural}/${String(at(thing, 'metadata', 'namespace') ?? '')}/${thing.metadata.name}`;
