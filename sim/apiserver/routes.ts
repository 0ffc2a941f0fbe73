import type { Power } from '../kubevirt/power.ts';
import { type Answer, type Call, type Scope, type Stream, type Target, text } from './call.ts';
import type { Discovery } from './discovery.ts';
import { isOn } from './options.ts';
import type { Access } from './rbac.ts';
import { type Lists, read } from './reading.ts';
import { methodNotAllowed, noSuchPath, noSuchResource, notFound, Refusal } from './refusal.ts';
import { reviewOf } from './reviews.ts';
import { nameSelected } from './selectors.ts';
import { builtinSubresources } from './subresources.ts';
import { tokenRequested } from './tokens.ts';
import { watch } from './watching.ts';
import { create, patch, remove, replace } from './writing.ts';

export interface Served extends Scope {
  access: Access;
  lists: Lists;
  power: Power;
  discovery: Discovery;
}

/** Carries out one call that has a user. @throws Refusal */
export async function route(served: Served, call: Call): Promise<Answer | Stream> {
  const { path } = call;
  const parts = path.split('/').filter(Boolean).map(decodeURIComponent);
  const place = placeOf(parts);
  if (!place) served.access.checkUrl(call);
  if (/^\/(healthz|livez|readyz)(\/|$)/.test(path)) return text(200, 'ok');
  const known = served.discovery.answer(call);
  if (known) return known;
  if (parts[0] === 'apis' && parts[1] === 'subresources.kubevirt.io') return served.power.answer(call, parts);
  if (parts[0] === 'apis' && /^auth(oriz|entic)ation\.k8s\.io$/.test(parts[1] ?? ''))
    return reviewOf(served.access, call, parts);
  const token = tokenRequested(served, served.access, call);
  if (token) return token;
  if (!place) throw noSuchPath();
  // Asked before it is known whether there is such a kind: who may not, learns nothing of it.
  served.access.check(call.user, { verb: verbOf(call, place), ...attributesOf(place, call) });
  const target = targetOf(served, place, call);
  // Who names one object gets it, whatever else is asked: only a list is watched.
  const watching = verbOf(call, place) === 'watch';
  if (!acceptable.test(call.headers['accept'] ?? '*/*')) throw notAcceptable();
  const special = builtinSubresources[`${target.resource.plural}/${target.subresource ?? ''}`];
  if (special) return special(served, target, call);
  if (watching) return watch(served, target, call);
  return carryOut(served, target, call);
}

const acceptable = /\*\/\*|application\/(\*|json|yaml|cbor|vnd\.kubernetes\.protobuf)/;
const notAcceptable = (): Refusal =>
  new Refusal(
    406,
    'NotAcceptable',
    'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf',
  );

export const isWatch = (query: URLSearchParams): boolean => isOn(query, 'watch');

function carryOut(served: Served, target: Target, call: Call): Answer {
  // The routes of built-in kinds know no HEAD; that of custom resources reads.
  switch (call.method === 'HEAD' && target.resource.custom ? 'GET' : call.method) {
    case 'GET':
      return target.name === undefined ? served.lists.list(target, call) : read(served, target, call);
    case 'POST':
      return create(served, target, call);
    case 'PUT':
      return replace(served, target, call);
    case 'PATCH':
      return patch(served, target, call);
    case 'DELETE':
      return remove(served, target, call);
    default:
      throw methodNotAllowed();
  }
}

const verbs: Record<string, string> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

/** As RBAC knows it: HEAD reads, and what Kubernetes has no verb for is none. */
function verbOf({ method, query }: Call, { name }: Place): string {
  if (method === 'GET' || method === 'HEAD') return name !== undefined ? 'get' : isWatch(query) ? 'watch' : 'list';
  if (method === 'DELETE' && name === undefined) return 'deletecollection';
  return verbs[method] ?? '';
}

function attributesOf({ plural, group, namespace, name, subresource }: Place, call: Call) {
  const pinned = name ?? nameSelected(call.query.get('fieldSelector'));
  // A namespace is authorised in itself, as the API server does.
  const home = plural === 'namespaces' ? name : namespace;
  return { group, resource: plural, subresource, namespace: home, name: pinned };
}

/** What a path of objects says, whether there are such objects or not. */
interface Place {
  group: string;
  version: string;
  namespace: string | undefined;
  plural: string;
  name: string | undefined;
  subresource: string | undefined;
  /** Something stands behind it that nobody serves. */
  longer: boolean;
}

/** `/api/v1/…` and `/apis/group/version/…`: kind, namespace, name, subresource; undefined for any other path. */
function placeOf(parts: string[]): Place | undefined {
  const core = parts[0] === 'api';
  if (!core && parts[0] !== 'apis') return undefined;
  const [group = '', version = ''] = core ? ['', parts[1]] : [parts[1], parts[2]];
  let rest = parts.slice(core ? 2 : 3);
  if (rest.length === 0) return undefined;
  let namespace: string | undefined;
  if (rest[0] === 'namespaces' && rest.length > 2 && rest[2] !== 'status' && rest[2] !== 'finalize') {
    namespace = rest[1];
    rest = rest.slice(2);
  }
  const [plural = '', name, subresource] = rest;
  return { group, version, namespace, plural, name, subresource, longer: rest.length > 3 };
}

/** @throws Refusal 404 for what is not served: a Status where a built-in group answers, and plain text where nobody does. */
function targetOf({ cluster }: Scope, place: Place, call: Call): Target {
  const { group, version, namespace, plural, name, subresource, longer } = place;
  const resource = cluster.registry.find(group, version, plural);
  const missing = () => {
    const isBuiltIn = cluster.registry
      .all()
      .some((one) => !one.custom && (one.group === group || one.alias?.group === group));
    return isBuiltIn ? noSuchResource() : noSuchPath();
  };
  if (!resource || longer) throw missing();
  // Of a namespaced kind all namespaces are read at once, and nothing else is done to them.
  const isAcross = name === undefined && (!resource.custom || ['list', 'watch'].includes(verbOf(call, place)));
  if (resource.namespaced ? namespace === undefined && !isAcross : namespace !== undefined) throw missing();
  const isSpecial = builtinSubresources[`${plural}/${subresource ?? ''}`] !== undefined;
  if (subresource === 'status' ? !resource.status : subresource !== undefined && !isSpecial)
    throw resource.custom ? notFound(resource, name ?? '') : noSuchResource();
  return { resource, group, version, namespace, name, subresource };
}
