import { type Answer, type Call, json, type Scope, type Target, text } from './call.ts';
import { decoded } from './decoding.ts';
import { at, type Fields, isFields, stamp, type Thing } from './object.ts';
import { wholeNumber } from './options.ts';
import { mergePatch } from './patch.ts';
import { badRequest, methodNotAllowed } from './refusal.ts';

/** Subresources of built-in kinds beside status, by `plural/subresource`: `kubectl logs` and `kubectl scale`. */
export const builtinSubresources: Record<string, (scope: Scope, target: Target, call: Call) => Answer> = {
  'pods/log': logOf,
  'deployments/scale': scale,
};

const thingOf = ({ cluster }: Scope, { resource, namespace, name = '' }: Target): Thing =>
  cluster.get(resource, namespace, name);

/** No process writes here: a pod tells what it is, and since when. */
function logOf(scope: Scope, target: Target, call: Call): Answer {
  if (call.method !== 'GET') throw methodNotAllowed();
  const pod = thingOf(scope, target);
  const containers = at(pod, 'spec', 'containers') as { name: string }[] | undefined;
  const wanted = call.query.get('container') ?? containers?.[0]?.name ?? '';
  if (!containers?.some(({ name }) => name === wanted))
    throw badRequest(`container ${wanted} is not valid for pod ${pod.metadata.name}`);
  const phase = String(at(pod, 'status', 'phase') ?? 'Pending');
  if (phase === 'Pending')
    throw badRequest(`container "${wanted}" in pod "${pod.metadata.name}" is waiting to start: ContainerCreating`);
  const lines = [
    `${pod.metadata.creationTimestamp} ${wanted} of pod ${pod.metadata.name} was created`,
    `${stamp(scope.clock.now())} it is ${phase}`,
  ];
  const tail = wholeNumber(call.query, 'tailLines');
  return text(
    200,
    lines
      .slice(tail === undefined ? 0 : Math.max(lines.length - tail, 0))
      .map((line) => `${line}\n`)
      .join(''),
  );
}

function scale(scope: Scope, target: Target, call: Call): Answer {
  const shownScale = (thing: Thing): Fields => ({
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: {
      name: thing.metadata.name,
      namespace: thing.metadata.namespace,
      uid: thing.metadata.uid,
      resourceVersion: thing.metadata.resourceVersion,
      creationTimestamp: thing.metadata.creationTimestamp,
    },
    spec: { replicas: at(thing, 'spec', 'replicas') ?? 1 },
    status: { replicas: at(thing, 'status', 'replicas') ?? 0 },
  });
  const there = thingOf(scope, target);
  if (call.method === 'GET') return json(200, shownScale(there));
  if (call.method !== 'PUT' && call.method !== 'PATCH') throw methodNotAllowed();
  const body = decoded(call);
  const wanted = call.method === 'PATCH' ? mergePatch(shownScale(there), body) : body;
  const replicas = at(wanted, 'spec', 'replicas');
  if (!isFields(wanted) || !Number.isInteger(replicas)) throw badRequest('spec.replicas: expected a whole number');
  const resourceVersion = String(at(wanted, 'metadata', 'resourceVersion') ?? '');
  const next = { ...there, metadata: { ...there.metadata, resourceVersion }, spec: { ...there.spec, replicas } };
  const options = { user: call.user, dryRun: call.query.has('dryRun') };
  return json(
    200,
    shownScale(scope.cluster.update(target.resource, target.namespace, target.name ?? '', next, options)),
  );
}
