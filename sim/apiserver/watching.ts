import type { Call, Scope, Stream, Target } from './call.ts';
import { checkMatch, checkRevision } from './listoptions.ts';
import type { Fields, Thing } from './object.ts';
import { isOn, wholeNumber } from './options.ts';
import { selected, shown } from './reading.ts';
import { expired, Refusal } from './refusal.ts';
import { apiVersionOf } from './resources.ts';
import { fieldMatcher, labelMatcher } from './selectors.ts';
import type { StoreEvent } from './store.ts';
import { tableOf, tableWanted } from './table.ts';

const bookmarkEveryMs = 60_000;
/** How far a stale cache is behind. */
const lagMs = 1_000;
const longestWatchMs = 45 * 60_000;

/** A watch as the API server serves it: what there is, then what happens, bookmarks, and an end. */
export function watch(scope: Scope, target: Target, call: Call): Stream {
  const { query } = call;
  const { store } = scope.cluster;
  const from = query.get('resourceVersion') ?? '';
  const initial = isOn(query, 'sendInitialEvents');
  checkMatch(query, true);
  if (initial) checkRevision(scope, from);
  else if (from && !/^\d+$/.test(from)) throw unparsable(from);
  const byLabel = labelMatcher(query.get('labelSelector'));
  const byField = fieldMatcher(target.resource, query.get('fieldSelector'));
  const seconds = wholeNumber(query, 'timeoutSeconds') ?? 0;
  const home = target.namespace;
  const matches = (thing: Thing | undefined) =>
    thing !== undefined &&
    (home === undefined || thing.metadata.namespace === home) &&
    byLabel(thing) &&
    byField(thing);

  return {
    open(out) {
      const revision = Number(from || 0);
      const say = printer(scope, target, call, out.line);
      const tell = (event: StoreEvent) => {
        if (event.revision <= revision) return; // from the future: nothing has happened since
        const before = matches(event.previous);
        const after = event.type !== 'DELETED' && matches(event.object);
        if (after) say(before ? 'MODIFIED' : 'ADDED', event.object);
        else if (before) say('DELETED', event.type === 'DELETED' ? event.object : at(event));
      };
      const bookmark = (annotations?: Record<string, string>) => say.bookmark(store.revision, annotations);
      const compactedTo = store.compactedTo(target.resource);
      if (revision > 0 && !initial && revision < compactedTo) {
        const gone = expired(`too old resource version: ${revision} (${compactedTo})`);
        out.line(JSON.stringify({ type: 'ERROR', object: gone.body() }));
        out.end();
        return () => undefined;
      }
      // Who asks for no initial events, without a revision, hears of what comes from now on.
      if (initial || (revision === 0 && !query.has('sendInitialEvents')))
        for (const thing of selected(scope, target, call)) say('ADDED', thing);
      else if (revision > 0) for (const event of store.since(target.resource, revision)) tell(event);
      if (initial && isOn(query, 'allowWatchBookmarks')) bookmark({ 'k8s.io/initial-events-end': 'true' });

      const unsubscribe = store.subscribe(target.resource, tell);
      // A cache that lags catches up: what a watch began with may be old, but what came since is told.
      const catchUp = () => {
        for (const thing of selected(scope, target, { ...call, stale: false })) say('MODIFIED', thing);
      };
      const cancelCatchUp = call.stale ? scope.clock.after(lagMs, catchUp) : () => undefined;
      const cancelBookmarks = isOn(query, 'allowWatchBookmarks') ? everyMinute(scope, bookmark) : () => undefined;
      const arm = seconds > 0 ? scope.clock.after.bind(scope.clock) : scope.clock.background.bind(scope.clock);
      const cancelEnd = arm(seconds > 0 ? seconds * 1000 : longestWatchMs, () => out.end());
      return () => {
        unsubscribe();
        cancelCatchUp();
        cancelBookmarks();
        cancelEnd();
      };
    },
  };
}

/** Returns how to end it. */
function everyMinute({ clock }: Scope, run: () => void): () => void {
  let cancel: () => void;
  const arm = () => {
    cancel = clock.background(bookmarkEveryMs, () => {
      run();
      arm();
    });
  };
  arm();
  return () => cancel();
}

const unparsable = (from: string): Refusal =>
  new Refusal(
    500,
    'InternalError',
    `resourceVersion: Invalid value: ${JSON.stringify(from)}: strconv.ParseUint: parsing ${JSON.stringify(from)}: invalid syntax`,
  );

/** The object as it was when it left the selection, at the revision at which it did. */
const at = ({ object, previous, revision }: StoreEvent): Thing => {
  const last = previous ?? object;
  return { ...last, metadata: { ...last.metadata, resourceVersion: String(revision) } };
};

function printer(scope: Scope, target: Target, call: Call, line: (text: string) => void) {
  const { resource, group, version } = target;
  const { store } = scope.cluster;
  const table = tableWanted(call);
  let first = true;
  const say = (type: string, thing: Thing) => {
    if (table) {
      const of = { now: scope.clock.now(), resourceVersion: thing.metadata.resourceVersion };
      const printed: Fields = tableOf(resource, [shown(target, thing)], call, of);
      if (!first) printed['columnDefinitions'] = null;
      first = false;
      line(JSON.stringify({ type, object: printed }));
    } else if (resource.alias?.group === group) line(JSON.stringify({ type, object: shown(target, thing) }));
    else line(`{"type":"${type}","object":${store.text(thing)}}`);
  };
  say.bookmark = (revision: number, annotations?: Record<string, string>) => {
    const metadata = {
      resourceVersion: String(revision),
      creationTimestamp: null,
      ...(annotations ? { annotations } : {}),
    };
    const kind = table
      ? { kind: 'Table', apiVersion: 'meta.k8s.io/v1', columnDefinitions: null, rows: [] }
      : { kind: resource.kind, apiVersion: apiVersionOf({ group, version }) };
    line(JSON.stringify({ type: 'BOOKMARK', object: { ...kind, metadata } }));
  };
  return say;
}
