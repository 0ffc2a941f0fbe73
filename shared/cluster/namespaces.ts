import { asLifecycleError, type LifecycleError } from '../domain/errors.ts';
import type { KubeObject } from '../domain/model.ts';
import type { Annotations } from '../domain/model.ts';
import { each } from '../time/forEachLimited.ts';
import type { Limits } from '../time/wait.ts';
import { bodyOf } from './failure.ts';
import { listPages } from './list.ts';
import { ours } from './ours.ts';
import { apiPath } from './path.ts';
import type { World } from './world.ts';

/** Why something that depends on a namespace is not known, by its name. */
export type Unanswered = Map<string, LifecycleError>;

/** More of them are had by one LIST; who watches some namespaces only may not list them all. */
const worthAList = 10;
const readAtOnce = 16;

/** Of one, or of all. */
export const namespacePath = (name?: string): string => apiPath({ api: 'v1', kind: 'namespaces', name });

export const annotationsOf = (namespaces: KubeObject[]): Map<string, Annotations> =>
  new Map(namespaces.map(({ metadata }) => [metadata.name, metadata.annotations ?? {}]));

/**
 * The annotations of namespaces, where overrides may stand too. What may not be read, or is not there, has none, and a
 * sentence in `problems`. What was not seen is not taken for absent: one for which there was no answer is in `unanswered`,
 * so that it is nobody's trouble but its own. @throws LifecycleError where that is not given, or all are had by one LIST.
 */
export async function readNamespaces(
  { transport, config }: World,
  names: Iterable<string>,
  limits: Partial<Limits>,
  problems: string[],
  unanswered?: Unanswered,
): Promise<Map<string, Annotations>> {
  const wanted = new Set(names);
  const found = new Map<string, Annotations>();
  const keep = ({ metadata }: KubeObject) => found.set(metadata.name, metadata.annotations ?? {});
  const attempt = async (what: string, read: () => Promise<unknown>, name?: string) => {
    try {
      await read();
    } catch (thrown) {
      limits.signal?.throwIfAborted();
      const error = asLifecycleError(thrown);
      const known = error.code === 'Denied' || error.code === 'NotFound';
      if (!known && name !== undefined && unanswered) return void unanswered.set(name, error);
      if (!known) throw error;
      problems.push(`annotations of ${what} are not known: ${error.message}`);
    }
  };
  if (wanted.size > worthAList && !config.watchNamespaces)
    await attempt('namespaces', async () => {
      for await (const { items } of listPages(transport, namespacePath(), limits)) items.forEach(keep);
    });
  else
    await each(wanted, readAtOnce, (name) =>
      attempt(
        `namespace ${name}`,
        async () => {
          const path = namespacePath(name);
          const answer = await transport.call<KubeObject>({ method: 'GET', path, safe: true }, limits);
          const namespace = ours(bodyOf(answer, `namespace ${name}`));
          if (namespace) keep(namespace);
        },
        name,
      ),
    );
  return found;
}
