import type { Timers } from '../timers.ts';
import type { Cluster } from './cluster.ts';
import type { Fields } from './object.ts';
import type { Resource } from './resources.ts';
import type { User } from './user.ts';

/** One request as the API server sees it, decoded. */
export interface Call {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: Record<string, string | undefined>;
  body: Buffer;
  user: User;
  /** Answered from caches that lag behind (a fault). */
  stale: boolean;
  /** Waits on the clock, and is not counted as busy meanwhile. */
  sleep: (ms: number) => Promise<void>;
}

/** What a path means. */
export interface Target {
  resource: Resource;
  /** The group and version it was asked under: Events have two. */
  group: string;
  version: string;
  namespace: string | undefined;
  name: string | undefined;
  subresource: string | undefined;
}

export interface Answer {
  status: number;
  type?: string | undefined;
  body: string | Buffer;
  headers?: Record<string, string>;
  warnings?: string[];
}

/** A watch: lines as they come. */
export interface Stream {
  open: (out: { line: (text: string) => void; end: () => void }) => () => void;
}

export interface Scope {
  cluster: Cluster;
  clock: Timers;
}

export const json = (status: number, body: Fields | string, warnings: string[] = []): Answer => ({
  status,
  type: 'application/json',
  body: typeof body === 'string' ? body : JSON.stringify(body),
  warnings,
});

export const text = (status: number, body: string, headers: Record<string, string> = {}): Answer => ({
  status,
  type: 'text/plain; charset=utf-8',
  body,
  headers: { 'X-Content-Type-Options': 'nosniff', ...headers },
});
