import type { KubeObject } from '../domain/model.ts';
import type { Limits } from '../time/wait.ts';
import { bodyOf } from './failure.ts';
import { ours } from './ours.ts';
import type { Transport } from './transport.ts';

interface ListBody<T> {
  metadata?: { continue?: string; resourceVersion?: string };
  items?: T[];
}

export const pageSize = 500;

/**
 * All objects of a collection, a page of 500 at a time. When the server has forgotten the list meanwhile (410), goes on
 * with the token it offers for the rest, as of now: what changed in between may be missing or doubled by name.
 * @throws LifecycleError as `bodyOf`.
 */
export async function* listPages<T extends KubeObject = KubeObject>(
  transport: Transport,
  path: string,
  limits: Partial<Limits>,
): AsyncGenerator<{ items: T[]; resourceVersion: string }> {
  const paged = `${path}${path.includes('?') ? '&' : '?'}limit=${pageSize}`;
  let next: string | undefined;
  do {
    const more = next === undefined ? '' : `&continue=${encodeURIComponent(next)}`;
    const answer = await transport.call<ListBody<T>>({ method: 'GET', path: paged + more, safe: true }, limits);
    const rest = (answer.body as { metadata?: { continue?: string } } | undefined)?.metadata?.continue;
    if (answer.status === 410 && next !== undefined && rest) {
      next = rest;
      continue;
    }
    const list = bodyOf(answer, `list of ${path.split('?')[0]}`);
    const items: unknown[] = Array.isArray(list?.items) ? list.items : [];
    yield {
      items: items.flatMap((one) => ours<T>(one) ?? []),
      resourceVersion: textOr(list?.metadata?.resourceVersion),
    };
    next = textOr(list?.metadata?.continue) || undefined;
  } while (next !== undefined);
}

const textOr = (value: unknown): string => (typeof value === 'string' ? value : '');

/** All objects of a collection at once. @throws LifecycleError as `bodyOf`. */
export async function listAll<T extends KubeObject = KubeObject>(
  transport: Transport,
  path: string,
  limits: Partial<Limits>,
): Promise<T[]> {
  const found: T[] = [];
  for await (const { items } of listPages<T>(transport, path, limits))
    // One by one: a server may give them all on one page, too many for the arguments of one call.
    for (const item of items) found.push(item);
  return found;
}
