import { applied, managed } from './apply.ts';
import { type Answer, type Call, json, type Scope, type Target } from './call.ts';
import type { DeleteOptions } from './cluster.ts';
import { decoded, decodedApply, decodedObject } from './decoding.ts';
import { coreEvent } from './events.ts';
import { unsupported, wrong } from './fielderror.ts';
import { type Fields, isFields, type Thing } from './object.ts';
import { unreadable, unrevised } from './objectmeta.ts';
import { wholeNumber } from './options.ts';
import { jsonPatch, mergePatch, strategicPatch } from './patch.ts';
import { checkPolicies } from './policies.ts';
import { selected, shown } from './reading.ts';
import { badRequest, invalid, methodNotAllowed, type Refusal, unsupportedType } from './refusal.ts';
import { apiVersionOf, type Resource } from './resources.ts';
import { checkOptions, optionsOf, patchTypes, strictApply, strictBody, strictPatch } from './writeoptions.ts';

const answered = (target: Target, status: number, thing: Thing, warnings: string[]): Answer =>
  json(status, JSON.stringify(shown(target, thing)), warnings);

export function create(scope: Scope, target: Target, call: Call): Answer {
  if (target.name !== undefined || (target.resource.namespaced && !target.namespace)) throw methodNotAllowed();
  checkOptions(call, 'CreateOptions');
  const warnings: string[] = [];
  const body = decodedObject(target, call);
  const options = optionsOf(call, target, warnings, strictBody(target.resource));
  const made = scope.cluster.create(target.resource, target.namespace, managed(call, target, undefined, body), options);
  return answered(target, 201, made, warnings);
}

const conditional = new Set(['leases', 'customresourcedefinitions', 'poddisruptionbudgets']);
/** Most built-in kinds may be replaced without saying what one has read (helm does so with its Secrets). */
const isUnconditional = ({ custom, group, plural }: Resource): boolean =>
  !custom && !conditional.has(plural) && group !== 'admissionregistration.k8s.io';

export function replace(scope: Scope, target: Target, call: Call): Answer {
  const { resource, namespace, name } = target;
  if (name === undefined) throw unnamed(resource);
  checkOptions(call, 'UpdateOptions');
  const warnings: string[] = [];
  const body = decodedObject(target, call);
  const options = optionsOf(call, target, warnings, strictBody(resource));
  const old = scope.cluster.get(resource, namespace, name);
  if (!body.metadata.resourceVersion && !isUnconditional(resource)) throw invalid(resource, name, [unrevised]);
  const next = managed(call, target, old, body);
  return answered(target, 200, scope.cluster.update(resource, namespace, name, next, options), warnings);
}

const unnamed = ({ custom }: Resource): Refusal => (custom ? badRequest('name must be provided') : methodNotAllowed());

export function patch(scope: Scope, target: Target, call: Call): Answer {
  const { resource, namespace, name } = target;
  if (name === undefined) throw unnamed(resource);
  const type = (call.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
  const accepted = resource.custom ? [patchTypes.json, patchTypes.merge, patchTypes.apply] : Object.values(patchTypes);
  if (!accepted.includes(type)) throw unsupportedType(accepted);
  checkOptions(call, 'PatchOptions', type);
  const warnings: string[] = [];
  const body = type === patchTypes.apply ? decodedApply(call) : decoded(call);
  const options = optionsOf(call, target, warnings, type === patchTypes.apply ? strictApply : strictPatch(body));
  if (type === patchTypes.apply) return applied(scope, target, call, { body: body as Thing, options, warnings });
  const old = scope.cluster.get(resource, namespace, name);
  const base = shown(target, old);
  if (type !== patchTypes.json && !isFields(body)) throw badRequest('error decoding patch: not an object');
  const changed =
    type === patchTypes.json
      ? jsonPatch(base, body)
      : type === patchTypes.merge
        ? mergePatch(base, body)
        : strategicPatch(base, body);
  const fresh = changed as Thing;
  const why = unreadable(fresh.metadata);
  if (why) throw invalid({ group: '', plural: '', kind: '' }, '', [wrong('patch', JSON.stringify(changed), why)]);
  if (!fresh.metadata?.resourceVersion && !isUnconditional(resource)) throw invalid(resource, name, [unrevised]);
  checkUid(resource, old, fresh);
  const next = options.alias ? coreEvent(fresh) : fresh;
  return answered(
    target,
    200,
    scope.cluster.update(resource, namespace, name, managed(call, target, old, next), options),
    warnings,
  );
}

/** A patch does not name the object it is for by its uid: it would change it. @throws Refusal 422 */
function checkUid(resource: Resource, old: Thing, next: Thing): void {
  const uid = isFields(next.metadata) ? next.metadata.uid : undefined;
  if (!uid || uid === old.metadata.uid) return;
  const message = `Invalid value: ${JSON.stringify(uid)}: field is immutable`;
  throw invalid(resource, old.metadata.name, [{ field: 'metadata.uid', message }]);
}

const policies = ['Foreground', 'Background', 'Orphan'];

/** @throws Refusal 422 for options that nobody knows (apimachinery's ValidateDeleteOptions). */
function deleteOptions(call: Call): DeleteOptions {
  const body = decoded(call);
  const sent: DeleteOptions & { dryRun?: unknown } = isFields(body) ? (body as DeleteOptions) : {};
  const { gracePeriodSeconds = wholeNumber(call.query, 'gracePeriodSeconds'), preconditions } = sent;
  const propagationPolicy = sent.propagationPolicy ?? call.query.get('propagationPolicy') ?? 'Background';
  const dryRun = [...call.query.getAll('dryRun'), ...(Array.isArray(sent.dryRun) ? (sent.dryRun as unknown[]) : [])];
  const errors = [
    ...(policies.includes(propagationPolicy)
      ? []
      : [unsupported('propagationPolicy', propagationPolicy, [...policies, 'nil'])]),
    ...(dryRun.every((one) => one === 'All') ? [] : [unsupported('dryRun', dryRun, ['All'])]),
  ];
  if (errors.length > 0)
    throw invalid({ group: 'meta.k8s.io', plural: 'deleteoptions', kind: 'DeleteOptions' }, '', errors);
  return {
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(preconditions ? { preconditions } : {}),
    propagationPolicy,
    dryRun: dryRun.length > 0,
  };
}

export function remove(scope: Scope, target: Target, call: Call): Answer {
  const { resource, namespace, name } = target;
  if (name === undefined) return removeAll(scope, target, call);
  const warnings: string[] = [];
  const options = deleteOptions(call);
  askPolicies(scope, target, call, warnings);
  const gone = scope.cluster.remove(resource, namespace, name, options);
  const left = scope.cluster.store.get(resource, namespace, name);
  if (left?.metadata.uid === gone.metadata.uid || !resource.custom)
    return answered(target, 200, left ?? gone, warnings);
  const details: Fields = {
    name,
    ...(resource.group ? { group: resource.group } : {}),
    kind: resource.plural,
    uid: gone.metadata.uid,
  };
  return json(
    200,
    JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details }),
    warnings,
  );
}

function askPolicies(
  { cluster }: Scope,
  { resource, namespace, name = '' }: Target,
  call: Call,
  warnings: string[],
): void {
  const old = cluster.get(resource, namespace, name);
  const warn = (text: string) => void warnings.push(text);
  const more = { operation: 'DELETE', subresource: undefined, next: undefined, user: call.user, warn } as const;
  checkPolicies(cluster, { resource, old, dryRun: call.query.has('dryRun'), ...more });
}

function removeAll(scope: Scope, target: Target, call: Call): Answer {
  if (target.resource.namespaced && !target.namespace) throw methodNotAllowed();
  const options = deleteOptions(call);
  const things = selected(scope, target, call);
  for (const thing of things)
    scope.cluster.remove(target.resource, thing.metadata.namespace, thing.metadata.name, options);
  const { group, version, resource } = target;
  const metadata = { resourceVersion: String(scope.cluster.store.revision) };
  return json(200, { apiVersion: apiVersionOf({ group, version }), kind: resource.listKind, metadata, items: things });
}
