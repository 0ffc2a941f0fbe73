import type { Result } from '../domain/outcome.ts';

/**
 * What to do next for one VM. Both stories (stop, start) are a pure function from the record, the live objects and what
 * this process has seen to one of these; so a process that takes over comes to the same step.
 */
export type Step =
  | { do: 'end'; result: Result }
  /** `until` is when something must be decided although nothing changed. */
  | { do: 'wait'; until: number; for: string }
  | { do: 'ask'; graceSeconds?: number; again?: boolean }
  | { do: 'force' }
  | { do: 'deletePod' }
  /** Another VMI than the one that was to be stopped is there. */
  | { do: 'retarget'; uid: string; cameBack: boolean }
  | { do: 'clearQueue' }
  | { do: 'strategy'; value: string };

/** What this process has seen and done; nothing that correctness needs after a crash. */
export interface Seen {
  /** The last accepted request, and for which VMI. */
  askedAt?: number;
  askedFor?: string;
  /** The VMI whose end was watched, and when it had ended. */
  ended?: { uid: string; phase: string; at: number };
  /** VMIs that were there, and not asked to go. */
  lived: Set<string>;
  /** VMIs that died while a start was waited for. */
  died: Set<string>;
  clearedQueue: boolean;
  /** The aggregated API is not there. */
  noSubresource: boolean;
  /** What KubeVirt last refused with. */
  refusal?: string;
  /** How often in a row. */
  refusals: number;
  /** KubeVirt called our request invalid: asking again is no use. */
  invalid: boolean;
  forced: boolean;
  podDeleted: boolean;
}

export const nothingSeen = (): Seen => ({
  lived: new Set(),
  died: new Set(),
  refusals: 0,
  clearedQueue: false,
  noSubresource: false,
  invalid: false,
  forced: false,
  podDeleted: false,
});

/** Of another guest than the one before, nothing of this was seen. */
export function forgetGuest(seen: Seen): void {
  Object.assign(seen, { invalid: false, forced: false, podDeleted: false } satisfies Partial<Seen>);
}

/** Whether this process has asked KubeVirt for anything: before that it cannot say that KubeVirt did not take it. */
export const hasTried = ({ askedAt, refusal }: Seen): boolean => askedAt !== undefined || refusal !== undefined;

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
