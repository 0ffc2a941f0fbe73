import { annotationPrefix, type KubeObject, type Wukong } from '../domain/model.ts';
import { lastOf, operationOf } from '../domain/operation.ts';
import type { Action } from '../domain/outcome.ts';

export const waveKey = `${annotationPrefix}wave`;

export interface Waves<T> {
  /** In the order in which they are worked on: start ascending, stop descending. */
  waves: { wave: number; targets: T[] }[];
  problems: { target: T; message: string }[];
}

function waveOf({ metadata }: KubeObject): { wave: number; wrong?: string } {
  const text = metadata.annotations?.[waveKey] ?? '0';
  if (/^[+-]?\d{1,6}$/.test(text)) return { wave: Number(text) };
  const found = JSON.stringify(text.slice(0, 60));
  return { wave: 0, wrong: `${waveKey} is ${found}: expected a whole number; taken as 0` };
}

/** The place of a Wukong's wave in the order of an action: the lowest is first. */
export const rankOf = (target: KubeObject, action: Action): number =>
  waveOf(target).wave * (action === 'start' ? 1 : -1) || 0;

/** Groups by the annotation `lifecycle.novasphere.dev/wave`, a whole number; absent or unreadable is 0. */
export function waves<T extends KubeObject>(targets: T[], action: Action): Waves<T> {
  const groups = new Map<number, T[]>();
  const problems: Waves<T>['problems'] = [];
  for (const target of targets) {
    const { wave, wrong } = waveOf(target);
    if (wrong) problems.push({ target, message: wrong });
    const group = groups.get(wave) ?? [];
    groups.set(wave, group);
    group.push(target);
  }
  const order = [...groups.keys()].sort((a, b) => (action === 'start' ? a - b : b - a));
  return { waves: order.map((wave) => ({ wave, targets: groups.get(wave)! })), problems };
}

/** What was done of a boundary with a Wukong, by its record. Instants; Infinity: it has not ended. */
function workOf(wukong: Wukong): { requestedAt: number; startedAt: number; endedAt: number } | undefined {
  const running = operationOf(wukong);
  if (running) return { ...running, endedAt: Infinity };
  const last = lastOf(wukong);
  return last && { ...last, endedAt: last.finishedAt };
}

/**
 * When the turn of each Wukong's wave came at a boundary: the last sign of work in that wave and those before it. So who
 * waits for earlier waves, or for a place in its own, is not late.
 */
export function turnsOf(
  targets: Wukong[],
  { at, action }: { at: number; action: Action },
  now: number,
): [Wukong, number][] {
  let turnAt = at;
  return waves(targets, action).waves.flatMap(({ targets: mine }) => {
    for (const work of mine.map(workOf))
      if (work?.requestedAt === at) turnAt = Math.max(turnAt, Math.min(now, work.endedAt));
    return mine.map((wukong): [Wukong, number] => [wukong, turnAt]);
  });
}

/** When a wave fell due, and when its first Wukong was begun, as far as that is known. Instants, by rank. */
export type KnownWaves = Map<number, { dueAt?: number; begunAt?: number }>;

/** What earlier ticks have left of the waves of one boundary. `isOpen`: it is to be done, or being done. */
export function knownWaves(
  targets: Wukong[],
  { at, action, schedule }: { at: number; action: Action; schedule: { waves: { delayMs: number } } },
  isOpen: (wukong: Wukong) => boolean,
): KnownWaves {
  const known: KnownWaves = new Map();
  let dueAt: number | undefined = at;
  for (const { targets: mine } of waves(targets, action).waves) {
    const done = mine.flatMap((wukong) => workOf(wukong) ?? []).filter(({ requestedAt }) => requestedAt >= at);
    const begunAt = done.reduce((first, { startedAt }) => Math.min(first, startedAt), Infinity);
    known.set(rankOf(mine[0]!, action), {
      ...(dueAt === undefined ? {} : { dueAt }),
      ...(done.length === 0 ? {} : { begunAt }),
    });
    if (dueAt !== undefined && mine.some(isOpen)) dueAt = undefined;
    else if (dueAt !== undefined)
      dueAt = done.reduce((latest, { endedAt }) => Math.max(latest, endedAt), dueAt) + schedule.waves.delayMs;
  }
  return known;
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
