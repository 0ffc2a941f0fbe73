import './lateAnswers.ts';

import { callLimitMs } from '../domain/claimTimes.ts';
import { LifecycleError } from '../domain/errors.ts';
import type { Clock } from '../time/clock.ts';
import { bounded, type Limits, orAborted, sleep } from '../time/wait.ts';
import { Connections, sharerOf } from './connections.ts';
import type { Credentials } from './credentials.ts';
import { request as send } from './undici.ts';
import { connectionFailure } from './unreachable.ts';

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
  /** Asked before each try, with a connection at hand: while it is shut nothing is sent, and the answer is 429. */
  isShut?: () => boolean;
}

/** Any HTTP answer. `body` is parsed JSON, or the text of an answer that is none (KUBEVIRT §1: many are not). */
export interface Answer<T = unknown> {
  status: number;
  body: T;
  warnings: string[];
}

export interface Transport {
  /**
   * Sends one request and returns the answer, whatever its status; safe calls are tried again within the limits. It is
   * back by its deadline, or after a second where that is later, wherever it waits: for a token, a connection, an answer.
   * @throws LifecycleError Unreachable when no answer came, Denied when there are no credentials.
   */
  call<T = unknown>(call: Call, limits?: Partial<Limits>): Promise<Answer<T>>;
  /** Opens a stream of lines; a status other than 200 is an answer. */
  stream(path: string, signal: AbortSignal): Promise<{ status: number; lines: AsyncIterable<string> }>;
}

const attemptLimitMs = 15_000;
const attempts = 5;
/** Even a call whose deadline is past has so long: a record may be written at the last moment. */
const leastMs = 1_000;

/** What a transport has. */
interface Line {
  credentials: Credentials;
  clock: Clock;
  random: () => number;
  connections: Connections;
}

export function transportTo(credentials: Credentials, clock: Clock, random: () => number): Transport {
  const line = { credentials, clock, random, connections: new Connections() };
  return {
    call<T>(call: Call, { deadline = clock.now() + callLimitMs, signal }: Partial<Limits> = {}) {
      // One timer for all tries: a clock that steps back lengthens what is left, but not this.
      const end = Math.max(deadline, clock.now() + leastMs);
      const whole = bounded(clock, { deadline: end, signal }, () => inVain(call));
      return orAborted(tries<T>(call, { deadline, signal: whole.signal }, line), whole.signal).finally(whole.done);
    },
    stream: (path, signal) => openStream(path, signal, credentials),
  };
}

async function tries<T>(
  call: Call,
  { deadline, signal }: { deadline: number; signal: AbortSignal },
  line: Line,
): Promise<Answer<T>> {
  const { clock, credentials, random } = line;
  for (let attempt = 1; ; attempt++) {
    const jitterMs = 100 * 2 ** attempt * (0.5 + random());
    const last = attempt === attempts;
    // Half of what is left, so that an answer that never comes leaves time for another try.
    const begun = clock.now();
    const attemptEnd = begun + Math.min(attemptLimitMs, Math.max(leastMs, (deadline - begun) / 2));
    let pauseMs = jitterMs;
    try {
      const answer = await once<T>(call, { deadline: attemptEnd, signal }, line);
      // A 401 was not carried out: once more, at once, with credentials that were read again.
      if (answer.status === 401 && credentials.refused && attempt === 1) continue;
      if (answer === unsent || last || !worthAnotherTry(answer.status, call.safe)) return answer;
      pauseMs = Math.max(jitterMs, answer.retryAfterMs ?? 0);
      if (clock.now() + pauseMs >= deadline) return answer;
    } catch (thrown) {
      signal.throwIfAborted();
      const failure = connectionFailure(thrown, credentials);
      const again = failure.code === 'Unreachable' && call.safe && !last && clock.now() + pauseMs < deadline;
      if (!again) throw failure;
    }
    await sleep(clock, pauseMs, signal);
  }
}

async function once<T>(
  call: Call,
  limits: Limits,
  { clock, credentials, connections }: Line,
): Promise<Answer<T> & Wait> {
  const limit = bounded(clock, limits, () => inVain(call));
  try {
    const giveBack = await connections.take(sharerOf(call.path), limit.signal);
    if (call.isShut?.()) return (giveBack(), unsent);
    const sentAt = clock.now();
    // undici hears of the signal only when the request has a connection, and then does not send it.
    const answer = await orAborted(exchange<T>(call, limit.signal, credentials), limit.signal).finally(giveBack);
    call.heard?.(answer.status, clock.now() - sentAt);
    return answer;
  } finally {
    limit.done();
  }
}

interface Wait {
  retryAfterMs?: number;
}
const unsent: Answer<never> = {
  status: 429,
  body: 'others were refused a moment ago, so it was not sent' as never,
  warnings: [],
};

async function exchange<T>(call: Call, signal: AbortSignal, credentials: Credentials): Promise<Answer<T> & Wait> {
  const data = call.body === undefined ? undefined : JSON.stringify(call.body);
  const proof = await credentials.headers();
  const answer = await send(credentials.server + call.path, {
    method: call.method,
    dispatcher: credentials.dispatcher,
    signal,
    headers: {
      ...proof,
      accept: 'application/json, */*', // application/json alone is refused by virt-api: 406 (KUBEVIRT §1)
      'user-agent': 'wukong-lifecycle',
      ...(data === undefined ? {} : { 'content-type': call.contentType ?? 'application/json' }),
    },
    ...(data === undefined ? {} : { body: data }),
  });
  const text = await answer.body.text();
  if (answer.statusCode === 401) credentials.refused?.();
  const wait = Number(answer.headers['retry-after']);
  return {
    status: answer.statusCode,
    body: parse<T>(text),
    warnings: [answer.headers['warning'] ?? []].flat(),
    ...(Number.isFinite(wait) && wait > 0 ? { retryAfterMs: wait * 1000 } : {}),
  };
}

async function openStream(path: string, signal: AbortSignal, credentials: Credentials) {
  const open = async () => {
    const proof = await credentials.headers();
    return send(credentials.server + path, {
      dispatcher: credentials.streams ?? credentials.dispatcher,
      signal,
      headers: { ...proof, accept: 'application/json', 'user-agent': 'wukong-lifecycle' },
    });
  };
  const answer = await orAborted(open(), signal).catch((thrown: unknown) => {
    signal.throwIfAborted();
    throw connectionFailure(thrown, credentials);
  });
  if (answer.statusCode === 401) credentials.refused?.();
  return { status: answer.statusCode, lines: linesOf(answer.body) };
}

const inVain = ({ method }: Call) => new LifecycleError('Unreachable', `no answer to ${method} in time`);

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
    for (const line of parts) if (line !== '') yield line; // not yield*, which would wrap each once more
  }
}
