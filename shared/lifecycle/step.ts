import type { Operation } from '../domain/operation.ts';
import type { Result } from '../domain/outcome.ts';
import type { Machine, VmView } from '../domain/vm.ts';

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

/** How a guest ended, and when that was seen. */
export interface Ended {
  phase: string;
  at: number;
  /** It had not been asked to go by then. */
  unasked?: boolean;
}

/** What KubeVirt's own Events tell of a stop that nobody watched. */
export interface Trace {
  /** When the shutdown began. */
  since?: number;
  end?: Ended;
}

/** What a VM's spec and queue said. */
export type Wish = Pick<VmView, 'generation' | 'strategy' | 'queue'>;

/** What this process has seen and done; nothing that correctness needs after a crash. */
export interface Seen {
  /** The last accepted request, and for which VMI. */
  askedAt?: number;
  askedFor?: string;
  /** What the VM said when it was asked, and how many requests in a row were overtaken by somebody else's change. */
  askedOn?: Wish;
  overtaken?: number;
  /** The generation of the VM's spec, and since when it has been seen. */
  spec?: { generation: number; since: number };
  /** The VMI whose end was watched, and when it had ended. */
  ended?: Ended & { uid: string };
  /** Since when the VM has been off at every look. */
  offSince?: number;
  /** Since when this guest has been up at every look. */
  up?: { uid: string; since: number };
  /** The guests that had ended before the first look: one that had lived for long is no crash. */
  before?: Set<string>;
  trace?: Trace;
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
  /** The step that this process has recorded, and whether it then found its guest gone and did nothing. */
  recorded?: Operation['step'];
  missed?: boolean;
}

export const nothingSeen = (): Seen => ({
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
  Object.assign(seen, {
    invalid: false,
    forced: false,
    podDeleted: false,
    missed: undefined,
    trace: undefined,
  } satisfies Partial<Seen>);
}

/** How long the watch may lag behind a request that was accepted before we ask again. */
export const lagMs = 5_000;
/** Where a guest has died before, the next one counts as started when it has stayed up for as long. */
export const settleMs = 10_000;
/** Somebody who takes every request back at once is answered at once so often; then at the pace of `lagMs`. */
const mostOvertaken = 5;

/** Whether the answer to the last accepted request may not have come by the watch yet. */
export const isRecent = ({ askedAt }: Seen, now: number): boolean => askedAt !== undefined && now < askedAt + lagMs;

/** Whether the VM says something else than when it was asked: what was asked then is no answer to what it says now. */
export function isOvertaken({ askedOn, overtaken = 0 }: Seen, { generation, strategy, queue }: VmView): boolean {
  if (!askedOn || overtaken >= mostOvertaken) return false;
  const same = askedOn.generation === generation && askedOn.strategy === strategy;
  return !same || JSON.stringify(askedOn.queue) !== JSON.stringify(queue);
}

/** Whether this process has asked KubeVirt for anything: before that it cannot say that KubeVirt did not take it. */
export const hasTried = ({ askedAt, refusal }: Seen): boolean => askedAt !== undefined || refusal !== undefined;

/** The VM of an operation under way is gone, or another stands in its place. */
export const without = ({ foreign }: Machine): { reason: 'NotFound' | 'NotOwned'; message: string } =>
  foreign === undefined
    ? { reason: 'NotFound', message: 'The VM was deleted meanwhile.' }
    : { reason: 'NotOwned', message: `VM ${foreign} is not this Wukong's any more; it was left as it is.` };

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
