import { hashOf } from '../apiserver/object.ts';
import { toldSeconds, type Vmi } from '../kubevirt/kubevirt.ts';

/** Something that a running guest does of itself: it ends in a phase, or its agent comes up. */
export interface Doing {
  afterMs: number;
  what: 'Failed' | 'Succeeded' | 'agent';
}

const doings = [
  ['crash-after-seconds', 'Failed'],
  ['poweroff-after-seconds', 'Succeeded'],
  ['agent-after-seconds', 'agent'],
] as const;

/** What the guest was told to do, counted from Running. `life`: the how manieth guest of its VM it is, from 1. */
export const ownDoings = (vmi: Vmi, life: number, readyMs: number): Doing[] =>
  doings.flatMap(([key, what]) => {
    const seconds = toldSeconds(vmi, key);
    if (seconds === undefined) return [];
    // No guest dies on the millisecond: each has its own, always the same.
    const ownMs = seconds === 0 ? atOnceMs(life, readyMs) : hashOf(vmi.metadata.name) % 100;
    return [{ afterMs: seconds * 1000 + ownMs, what }];
  });

/** A guest that dies at once is Ready for a moment, in three lives of four (KUBEVIRT.md §5). */
const atOnceMs = (life: number, readyMs: number): number => (life % 4 === 1 ? 0 : readyMs + 20);
