import type { Stage } from './stage.ts';

/** One sentence about VMs that must hold on every cluster. */
export interface Case {
  area: string;
  name: string;
  /** It needs guests that do as annotations say (DESIGN §12). */
  guests?: boolean;
  /** It changes CRDs and puts them back: nothing else runs meanwhile. */
  crds?: boolean;
  /** It ends a process of its own. */
  process?: boolean;
  /** In a namespace of its own: a tick looks at all that is there. */
  alone?: boolean;
  /** How long it may take; default three minutes. */
  limitMs?: number;
  run(stage: Stage): Promise<void>;
}

/** Thrown by a case that finds that this cluster lacks what it needs. */
export class NotApplicable extends Error {}

/** Cases of one area. */
export const cases = (area: string, list: Omit<Case, 'area'>[]): Case[] => list.map((one) => ({ area, ...one }));
