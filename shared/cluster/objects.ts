import { LifecycleError } from '../domain/errors.ts';
import { type Condition, group, type KubeObject, version, type Wukong } from '../domain/model.ts';
import { type Limits, sleep } from '../time/wait.ts';
import { bodyOf } from './failure.ts';
import { ours } from './ours.ts';
import { apiPath } from './path.ts';
import type { Answer } from './transport.ts';
import type { Cluster } from './world.ts';

/** WukongRuns, or one of them. */
export const runPath = (namespace?: string, name?: string, query?: Record<string, string>): string =>
  apiPath({ api: `${group}/${version}`, namespace, kind: 'wukongruns', name, query });

/** Paths and small calls for the objects that are not VMs. */
export const wukongPath = (namespace?: string, name?: string, subresource?: string): string =>
  apiPath({ api: `${group}/${version}`, namespace, kind: 'wukongs', name, subresource });

/** @throws LifecycleError NotFound when there is none. */
export async function readWukong(
  { transport }: Cluster,
  { namespace, name }: { namespace: string; name: string },
  limits: Partial<Limits>,
): Promise<Wukong> {
  const what = `Wukong ${namespace}/${name}`;
  const path = wukongPath(namespace, name);
  const answer = await transport.call<Wukong>({ method: 'GET', path, safe: true }, limits);
  const wukong = ours<Wukong>(bodyOf(answer, what));
  if (wukong) return wukong;
  throw new LifecycleError('Refused', `${what}: the answer of the API server is no such object`);
}

/** Any other object; undefined when there is none. @throws LifecycleError as `bodyOf`. */
export async function readObject<T extends KubeObject>(
  { transport }: Pick<Cluster, 'transport'>,
  path: string,
  what: string,
  limits: Partial<Limits>,
): Promise<T | undefined> {
  const answer = await transport.call<T>({ method: 'GET', path, safe: true }, limits);
  return answer.status === 404 ? undefined : ours<T>(bodyOf(answer, what));
}

const applied = 'kubectl.kubernetes.io/last-applied-configuration';

/** Of a Wukong what is needed to decide, to claim and to end, so that ten thousand fit into memory. */
export function slim({ metadata, spec, status }: Wukong): Wukong {
  const { annotations, name, namespace, uid, resourceVersion, generation, creationTimestamp, labels } = metadata;
  const { deletionTimestamp, finalizers } = metadata;
  const { [applied]: _applied, ...kept } = annotations ?? {};
  return {
    metadata: {
      ...{ name, namespace, uid, resourceVersion, generation, creationTimestamp, labels, annotations: kept },
      ...(deletionTimestamp ? { deletionTimestamp } : {}),
      ...(finalizers ? { finalizers } : {}),
    },
    spec: { startStrategy: spec?.startStrategy, lifecycleAction: spec?.lifecycleAction },
    status,
  };
}

export interface JsonPatchStep {
  op: 'test' | 'add' | 'remove' | 'replace';
  path: string;
  value?: unknown;
}

/** RFC 6901: `/` and `~` inside one step of a JSON pointer. */
export const pointer = (...steps: string[]): string =>
  steps.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

const mostConflicts = 5;

/**
 * A JSON patch; with a `test` in it sending it twice comes to the same, so it is tried again when the answer is lost. So
 * it is after a 409: it names no resourceVersion, and the API server lost its own race against other writers.
 */
export async function jsonPatch<T extends KubeObject>(
  { transport, clock, random }: Cluster,
  path: string,
  body: JsonPatchStep[],
  limits: Partial<Limits>,
): Promise<Answer<T>> {
  const call = { method: 'PATCH', path, body, contentType: 'application/json-patch+json', safe: true } as const;
  for (let attempt = 1; ; attempt++) {
    const answer = await transport.call<T>(call, limits);
    if (answer.status !== 409 || attempt === mostConflicts) return answer;
    await sleep(clock, 50 * 2 ** attempt * (0.5 + random()), limits.signal);
  }
}

/** A merge patch. Safe only because each of ours names the resourceVersion that it builds on, or says all it means. */
export const mergePatch = <T extends KubeObject>(
  { transport }: Cluster,
  path: string,
  body: unknown,
  limits: Partial<Limits>,
): Promise<Answer<T>> =>
  transport.call<T>({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json', safe: true }, limits);

/** The list with `changed` in the place of the condition of the same type; the time only moves with the status. */
export function withCondition(conditions: Condition[] = [], changed: Condition, now: string): Condition[] {
  const before = conditions.find(({ type }) => type === changed.type);
  const lastTransitionTime = before?.status === changed.status ? before.lastTransitionTime : now;
  return [...conditions.filter(({ type }) => type !== changed.type), { ...changed, lastTransitionTime }];
}
