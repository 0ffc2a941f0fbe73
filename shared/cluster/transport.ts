import { request as send } from 'undici';

import { LifecycleError } from '../domain/errors.ts';
import type { Clock } from '../time/clock.ts';
import { bounded, type Limits, sleep } from '../time/wait.ts';
import type { Credentials } from './credentials.ts';
import { connectionFailure } from './failure.ts';

export interface Call {
  method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  /** With its query. */
  path: string;
  body?: unknown;
  contentType?: string;
  /**
   * Whether sending it twice comes to the same. Only then is it sent again when nobody knows if the first one was
   * carried out (connection lost, 500, 502, 504). A 429 or 503 was not carried out and is always sent again.
   */
  safe: boolean;
  /** Told the status of each try and how long it took: what flow control learns from. */
  heard?: (status: number, ms: number) => void;
}

/** Any HTTP answer. `body` is parsed JSON, or the text of an answer that is none (KUBEVIRT §1: many are not). */
export interface Answer<T = unknown> {
  status: number;
  body: T;
  warnings: string[];
}

export interface Transport {
  /**
   * Sends one request and returns the answer, whatever its status; safe calls are tried again within the limits.
   * @throws LifecycleError Unreachable when no answer came, Denied when there are no credentials.
   */
  call<T = unknown>(call: Call, limits?: Partial<Limits>): Promise<Answer<T>>;
  /** Opens a stream of lines; a status other than 200 is an answer. */
  stream(path: string, signal: AbortSignal): Promise<{ status: number; lines: AsyncIterable<string> }>;
}

const callLimitMs = 30_000;
const attemptLimitMs = 15_000;
const attempts = 5;
const headersKeptMs = 10_000;

export function transportTo(credentials: Credentials, clock: Clock, random: () => number): Transport {
  let known: { headers: Record<string, string | string[]>; until: number } | undefined;
  const headers = async () => {
    if (!known || known.until < clock.now())
      known = { headers: await credentials.headers(), until: clock.now() + headersKeptMs };
    return known.headers;
  };
  const notAccepted = () => {
    known = undefined;
    credentials.refused?.();
  };

  async function once<T>(call: Call, limits: Limits): Promise<Answer<T> & { retryAfterMs?: number }> {
    const limit = bounded(
      clock,
      limits,
      () => new LifecycleError('Unreachable', `no answer to ${call.method} in time`),
    );
    try {
      const data = call.body === undefined ? undefined : JSON.stringify(call.body);
      const proof = await headers();
      const answer = await send(credentials.server + call.path, {
        method: call.method,
        dispatcher: credentials.dispatcher,
        signal: limit.signal,
        headers: {
          ...proof,
          accept: 'application/json, */*', // application/json alone is refused by virt-api: 406 (KUBEVIRT §1)
          'user-agent': 'wukong-lifecycle',
          ...(data === undefined ? {} : { 'content-type': call.contentType ?? 'application/json' }),
        },
        ...(data === undefined ? {} : { body: data }),
      });
      const text = await answer.body.text();
      if (answer.statusCode === 401) notAccepted();
      const wait = Number(answer.headers['retry-after']);
      return {
        status: answer.statusCode,
        body: parse<T>(text),
        warnings: [answer.headers['warning'] ?? []].flat(),
        ...(Number.isFinite(wait) && wait > 0 ? { retryAfterMs: wait * 1000 } : {}),
      };
    } finally {
      limit.done();
    }
  }

  return {
    async call<T>(call: Call, { deadline = clock.now() + callLimitMs, signal }: Partial<Limits> = {}) {
      for (let attempt = 1; ; attempt++) {
        const jitterMs = 100 * 2 ** attempt * (0.5 + random());
        const last = attempt === attempts;
        // Half of what is left, so that an answer that never comes leaves time for another try.
        const begun = clock.now();
        const attemptEnd = begun + Math.min(attemptLimitMs, Math.max(1_000, (deadline - begun) / 2));
        let pauseMs = jitterMs;
        try {
          const answer = await once<T>(call, { deadline: attemptEnd, signal });
          call.heard?.(answer.status, clock.now() - begun);
          // A 401 was not carried out: once more, at once, with credentials that were read again.
          if (answer.status === 401 && credentials.refused && attempt === 1) continue;
          if (last || !worthAnotherTry(answer.status, call.safe)) return answer;
          pauseMs = Math.max(jitterMs, answer.retryAfterMs ?? 0);
          if (clock.now() + pauseMs >= deadline) return answer;
        } catch (thrown) {
          signal?.throwIfAborted();
          const failure = connectionFailure(thrown, credentials);
          const again = failure.code === 'Unreachable' && call.safe && !last && clock.now() + pauseMs < deadline;
          if (!again) throw failure;
        }
        await sleep(clock, pauseMs, signal);
      }
    },

    async stream(path, signal) {
      const proof = await headers();
      const answer = await send(credentials.server + path, {
        dispatcher: credentials.dispatcher,
        signal,
        headers: { ...proof, accept: 'application/json', 'user-agent': 'wukong-lifecycle' },
      }).catch((thrown: unknown) => {
        signal.throwIfAborted();
        throw connectionFailure(thrown, credentials);
      });
      if (answer.statusCode === 401) notAccepted();
      return { status: answer.statusCode, lines: linesOf(answer.body) };
    },
  };
}

const worthAnotherTry = (status: number, safe: boolean): boolean =>
  status === 429 || status === 503 || (safe && (status === 500 || status === 502 || status === 504));

function parse<T>(text: string): T {
  if (text === '') return undefined as T; // an accepted power call: 202 with nothing (KUBEVIRT §1)
  try {
    return JSON.parse(text) as T;
  } catch {
    return text as T;
  }
}

async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    yield* parts.filter((line) => line !== '');
  }
}
