import type { Fault, Harm } from '../../sim/sim.ts';

/** What can befall one API call. `lasting`: it holds from this call on, until the process has ended. */
export interface Misfortune {
  name: string;
  short: string;
  does: Harm;
  lasting?: boolean;
}

export const misfortunes: Misfortune[] = [
  { name: 'lost before the server', short: 'before', does: { kind: 'dropBefore' } },
  { name: 'lost after the server', short: 'after', does: { kind: 'dropAfter' } },
  { name: '409', short: '409', does: { kind: 'status', status: 409 } },
  { name: '422', short: '422', does: { kind: 'status', status: 422 } },
  { name: '429 with Retry-After', short: '429', does: { kind: 'status', status: 429, retryAfterSeconds: 2 } },
  { name: '500', short: '500', does: { kind: 'status', status: 500 } },
  { name: '503', short: '503', does: { kind: 'status', status: 503 } },
  { name: '30 s delay', short: 'delay', does: { kind: 'delay', ms: 30_000 } },
  { name: 'cut in the middle of the body', short: 'cut', does: { kind: 'cutBody' } },
  { name: 'stale read', short: 'stale', does: { kind: 'stale' } },
  { name: 'token expired', short: 'token', does: { kind: 'status', status: 401 }, lasting: true },
];

/** The fault that befalls the nth call that this user makes from now on. */
export const befalls = ({ does, lasting }: Misfortune, user: string, nth: number): Fault =>
  lasting ? { when: { user, from: nth }, does } : { when: { user, nth }, times: 1, does };
