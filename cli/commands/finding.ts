import type { Session } from '../cluster.ts';

/** What one check came to. */
export interface Finding {
  level: 'OK' | 'WARN' | 'FAIL';
  check: string;
  found: string;
  /** What to do about it. */
  next?: string;
}

/** What is looked at. */
export interface Examined extends Omit<Session, 'namespace'> {
  /** Undefined: all. */
  namespace: string | undefined;
  /** A grace period that is asked for, in seconds. */
  grace: number | undefined;
}

export type Check = (at: Examined) => Promise<Finding[]>;
