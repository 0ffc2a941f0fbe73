import type { Power } from '../kubevirt/power.ts';
import { type Answer, type Call, type Scope, type Stream, type Target, text } from './call.ts';
import type { Discovery } from './discovery.ts';
import { isOn } from './options.ts';
import { type Access, open } from './rbac.ts';
import { type Lists, read } from './reading.ts';
import { noSuchPath, Refusal } from './refusal.ts';
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
  if (/^\/(healthz|livez|readyz)(\/|$)/.test(path)) return text(200, 'ok');
  if (!open.test(path) && !isResource(path)) served.access.checkKnown(call);
  const known = served.discovery.answer(call);
  if (known) return known;
  const parts = path.split('/').filter(Boolean).map(decodeURIComponent);
  if (parts[0] === 'apis' && parts[1] === 'subresources.kubevirt.io') return served.power.answer(call, parts);
  if (parts[0] === 'apis' && /^auth(oriz|entic)ation\.k8s\.io$/.test(parts[1] ?? ''))
    return reviewOf(served.access, call, parts);
  const token = tokenRequested(served, served.access, call);
  if (token) return token;
  const target = targetOf(served, parts);
  if (!target) {
    served.access.checkKnown(call);
    throw noSuchPath();
  }
  // Who names one object gets it, whatever else is asked: only a list is watched.
  const watching = isWatch(call.query) && call.method === 'GET' && target.name === undefined;
  served.access.check(call.user, { verb: verbOf(call, target, watching), ...attributesOf(target, call) });
  const special = builtinSubresources[`${target.resource.plural}/${target.subresource ?? ''}`];
  if (special) return special(served, target, call);
  if (watching) return watch(served, target, call);
  return carryOut(served, target, call);
}

/** Whether a path is that of objects, which RBAC knows by kind. */
const isResource = (path: string): boolean => /^\/(api\/[^/]+|apis\/[^/]+\/[^/]+)\/./.test(path);

export const isWatch = (query: URLSearchParams): boolean => isOn(query, 'watch');

function carryOut(served: Served, target: Target, call: Call): Answer {
  switch (call.method) {
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
      throw new Refusal(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource');
  }
}

const verbs: Record<string, string> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

function verbOf({ method }: Call, { name }: Target, watching: boolean): string {
  if (watching) return 'watch';
  if (method === 'GET') return name === undefined ? 'list' : 'get';
  if (method === 'DELETE' && name === undefined) return 'deletecollection';
  return verbs[method] ?? method.toLowerCase();
}

function attributesOf({ resource, group, namespace, name, subresource }: Target, call: Call) {
  const pinned = name ?? nameSelected(call.query.get('fieldSelector'));
  // A namespace is authorised in itself, as the API server does.
  const home = resource.plural === 'namespaces' ? name : namespace;
  return { group, resource: resource.plural, subresource, namespace: home, name: pinned };
}

/** `/api/v1/…` and `/apis/group/version/…`: kind, namespace, name, subresource. */
function targetOf({ cluster }: Scope, parts: string[]): Target | undefined {
  const core = parts[0] === 'api';
  if (!core && parts[0] !== 'apis') return undefined;
  const [group = '', version = ''] = core ? ['', parts[1]] : [parts[1], parts[2]];
  let rest = parts.slice(core ? 2 : 3);
  let namespace: string | undefined;
  if (rest[0] === 'namespaces' && rest.length > 2 && rest[2] !== 'status' && rest[2] !== 'finalize') {
    namespace = rest[1];
    rest = rest.slice(2);
  }
  const [plural = '', name, subresource] = rest;
  const resource = cluster.registry.find(group, version, plural);
  if (!resource || rest.length > 3) return undefined;
  const isSpecial = builtinSubresources[`${plural}/${subresource ?? ''}`] !== undefined;
  if (subresource === 'status' ? !resource.status : subresource !== undefined && !isSpecial) return undefined;
  if (resource.namespaced ? name !== undefined && namespace === undefined : namespace !== undefined) return undefined;
  return { resource, group, version, namespace, name, subresource };
}
