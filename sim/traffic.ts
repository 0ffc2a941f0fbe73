import { createSecureContext } from 'node:tls';

import { Agent, type Dispatcher } from 'undici';

/** One dispatcher's connections: how many of them hold an exchange. */
interface Pool {
  taken: number;
}

const connections = 64;

interface Exchange {
  pool: Pool;
  /** 'queued' has no connection yet, 'parked' waits for the clock, 'streaming' is an open watch. */
  state: 'queued' | 'under way' | 'parked' | 'streaming';
  sent: number;
  received: number;
}

/** The header that ties a request to its exchange; never recorded. */
export const exchangeHeader = 'x-sim-exchange';

/**
 * What is under way between clients and server, counted on both sides, so that a virtual clock knows when everything
 * sent was received: bytes, not milliseconds.
 */
export class Traffic {
  #exchanges = new Map<string, Exchange>();
  /** Requests of clients that do not count, kubectl for one. */
  #uncounted = new Set<object>();
  #next = 0;
  #dispatchers: { agent: Agent; counted: Dispatcher }[] = [];

  quiet(): boolean {
    if (this.#uncounted.size > 0) return false;
    for (const { state, sent, received, pool } of this.#exchanges.values()) {
      if (state === 'queued' && pool.taken < connections) return false; // else it waits for one that waits
      if (state === 'under way') return false;
      if (state === 'streaming' && sent !== received) return false;
    }
    return true;
  }

  /** For the server: one request's life. `id` is the request's exchange header. */
  served(id: string | undefined) {
    const exchange = id === undefined ? undefined : this.#exchanges.get(id);
    const token = {};
    let over = false;
    const busy = () => {
      if (over) return; // the client has gone away while it was parked: nobody would say that it is done
      if (exchange) exchange.state = 'under way';
      this.#uncounted.add(token);
    };
    const idle = () => this.#uncounted.delete(token);
    busy();
    return {
      /** Nothing happens with this request until the clock moves on. */
      park() {
        idle();
        if (exchange) exchange.state = 'parked';
      },
      resume: busy,
      /** The head of a stream goes out; from now on its bytes are counted. */
      stream() {
        idle();
        if (exchange) exchange.state = 'streaming';
      },
      sent(bytes: number) {
        if (exchange) exchange.sent += bytes;
      },
      /** The stream is over: quiet again when the client has heard of it. */
      ended() {
        if (exchange) exchange.state = 'under way';
      },
      /** Answered, or the connection is gone. */
      done() {
        over = true;
        idle();
      },
    };
  }

  /** Pooled connections that trust `ca`, and count. */
  dispatcher(ca: string): Dispatcher {
    const agent = new Agent({
      connections,
      allowH2: false,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: 600_000,
      // Made once: a watch that ends takes its connection with it, and the next one shakes hands anew.
      connect: { secureContext: createSecureContext({ ca }), timeout: 0 },
    });
    const pool: Pool = { taken: 0 };
    const counted = agent.compose((dispatch) => (options, handler) => this.#counted(pool, dispatch, options, handler));
    this.#dispatchers.push({ agent, counted });
    return counted;
  }

  async close(): Promise<void> {
    await Promise.all(this.#dispatchers.map(({ agent }) => agent.destroy()));
    this.#dispatchers = [];
    this.#exchanges.clear();
  }

  #counted(
    pool: Pool,
    dispatch: Dispatcher['dispatch'],
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ): boolean {
    const id = String(++this.#next);
    const exchange: Exchange = { pool, state: 'queued', sent: 0, received: 0 };
    this.#exchanges.set(id, exchange);
    let holds = false;
    const over = () => {
      if (holds) pool.taken--;
      holds = false;
      this.#exchanges.delete(id);
    };
    const headers = [...flat(options.headers), exchangeHeader, id];
    try {
      return dispatch(
        { ...options, headers },
        {
          onRequestStart: (controller, context) => {
            if (!holds) pool.taken++;
            holds = true;
            if (exchange.state === 'queued') exchange.state = 'under way';
            handler.onRequestStart?.(controller, context);
          },
          onRequestUpgrade: (controller, status, head, socket) =>
            handler.onRequestUpgrade?.(controller, status, head, socket),
          onResponseStart: (controller, status, head, message) =>
            handler.onResponseStart?.(controller, status, head, message),
          onResponseData: (controller, chunk) => {
            exchange.received += chunk.length;
            handler.onResponseData?.(controller, chunk);
          },
          onResponseEnd: (controller, trailers) => {
            over();
            handler.onResponseEnd?.(controller, trailers);
          },
          onResponseError: (controller, error) => {
            over();
            handler.onResponseError?.(controller, error);
          },
        },
      );
    } catch (error) {
      over();
      throw error;
    }
  }
}

/** Headers in any of undici's forms, as name, value, name, value. */
function flat(headers: Dispatcher.DispatchOptions['headers']): string[] {
  if (!headers) return [];
  if (Array.isArray(headers)) return headers.flat() as string[];
  const pairs = Symbol.iterator in headers ? [...headers] : Object.entries(headers);
  return pairs.flatMap(([name, value]) =>
    value === undefined || value === null
      ? []
      : Array.isArray(value)
        ? value.flatMap((one) => [name, one])
        : [name, String(value)],
  );
}
