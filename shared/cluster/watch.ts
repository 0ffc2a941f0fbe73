import { LifecycleError } from '../domain/errors.ts';
import type { KubeObject } from '../domain/model.ts';
import { silence } from './silence.ts';
import type { Cluster } from './world.ts';

export interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  object: KubeObject;
}

interface ErrorEvent {
  type: 'ERROR';
  object?: { code?: number; message?: string };
}

/** Of every watch; the server ends it after four minutes. */
export const watchQuery = { watch: 'true', allowWatchBookmarks: 'true', timeoutSeconds: '240' };

/** The place where the watch was to go on is no more. */
export class Expired extends Error {}

/**
 * One stream, from its opening to its end: calls `take` for each event, and returns the status of the answer; with
 * another than 200 there are no events. One that is still `telling` all that there is may not pause for long.
 * @throws LifecycleError, Expired; what `take` throws.
 */
export async function watch(
  { clock, transport }: Cluster,
  path: string,
  closing: AbortSignal,
  take: (event: WatchEvent) => void,
  telling = () => false,
): Promise<number> {
  const quiet = silence(clock, closing);
  try {
    const { status, lines } = await transport.stream(path, quiet.signal);
    quiet.heard(!telling());
    for await (const line of lines) {
      if (status !== 200) continue; // only frees the connection
      const event = JSON.parse(line) as WatchEvent | ErrorEvent;
      if (event.type === 'ERROR') throw endOf(event);
      take(event);
      quiet.heard(!telling());
    }
    return status;
  } finally {
    quiet.done();
  }
}

function endOf({ object: { code, message } = {} }: ErrorEvent): Error {
  if (code === 410) return new Expired();
  return new LifecycleError('Unreachable', `watch: ${message ?? 'the server ended it'}`, { status: code });
}
