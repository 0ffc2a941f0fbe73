import { annotationPrefix, type KubeObject } from '../domain/model.ts';
import type { Action } from '../domain/outcome.ts';

export const waveKey = `${annotationPrefix}wave`;

export interface Waves<T> {
  /** In the order in which they are worked on: start ascending, stop descending. */
  waves: { wave: number; targets: T[] }[];
  problems: { target: T; message: string }[];
}

/** Groups by the annotation `lifecycle.novasphere.dev/wave`, a whole number; absent or unreadable is 0. */
export function waves<T extends KubeObject>(targets: T[], action: Action): Waves<T> {
  const groups = new Map<number, T[]>();
  const problems: Waves<T>['problems'] = [];
  for (const target of targets) {
    const text = target.metadata.annotations?.[waveKey] ?? '0';
    const fine = /^[+-]?\d{1,6}$/.test(text);
    if (!fine)
      problems.push({
        target,
        message: `${waveKey} is ${JSON.stringify(text.slice(0, 60))}: expected a whole number; taken as 0`,
      });
    const wave = fine ? Number(text) : 0;
    groups.set(wave, [...(groups.get(wave) ?? []), target]);
  }
  const order = [...groups.keys()].sort((a, b) => (action === 'start' ? a - b : b - a));
  return { waves: order.map((wave) => ({ wave, targets: groups.get(wave)! })), problems };
}

/**
 * How much later than the boundary this machine starts: 0 to `jitterSeconds`, in milliseconds. Made from the name and
 * the boundary, so that a second look gives the same instant, and another evening another order.
 */
export function jitterMs(name: string, boundaryAt: number, jitterSeconds: number): number {
  if (jitterSeconds === 0) return 0;
  let hash = 0x811c9dc5; // FNV-1a, then mixed as its low bits alone are poor
  for (const char of `${name}@${boundaryAt}`) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % (jitterSeconds * 1000);
}
