import { createSecureContext } from 'node:tls';

import { Agent, Dispatcher } from 'undici';

/** The connections for calls, or for watches, of one dispatcher: how many exchanges hold one, and how many may. */
interface Pool {
  taken: number;
  most: number;
}

/** As many calls are under way at once; more wait for their turn. */
export const mostCalls = 64;
const isWatch = ({ path }: Dispatcher.DispatchOptions) => /[?&]watch=true/.test(path);

/** A way to the server that has no connections. */
interface Way {
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler, watch: boolean): boolean;
}

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
  #agents: Agent[] = [];

  quiet(): boolean {
    if (this.#uncounted.size > 0) return false;
    for (const { state, sent, received, pool } of this.#exchanges.values()) {
      if (state === 'queued' && pool.taken < pool.most) return false; // else it waits for one that waits
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

  /** Connections that trust `ca`, and count: calls have some of their own, and watches, as the product has it. */
  dispatcher(ca: string): Dispatcher {
    const calls = this.#pool(ca, { connections: mostCalls, allowH2: false }, mostCalls);
    const watches = this.#pool(ca, { allowH2: true }, Infinity);
    return calls.agent.compose((dispatch) => (options, handler) => {
      if (!isWatch(options)) return this.#counted(calls, dispatch, options, handler);
      return this.#counted(watches, watches.agent.dispatch.bind(watches.agent), options, handler);
    });
  }

  /** The same without connections. */
  inProcess(way: Way): Dispatcher {
    const calls = { taken: 0, most: mostCalls };
    const watches = { taken: 0, most: Infinity };
    const dispatch: Dispatcher['dispatch'] = (options, handler) => {
      const watch = isWatch(options);
      const on: Dispatcher['dispatch'] = (...given) => way.dispatch(...given, watch);
      return this.#counted(watch ? watches : calls, on, options, handler);
    };
    const closed = () => Promise.resolve();
    return Object.assign(new Dispatcher(), { dispatch, close: closed, destroy: closed });
  }

  #pool(ca: string, options: Agent.Options, most: number): Pool & { agent: Agent } {
    const agent = new Agent({
      ...options,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: 600_000,
      connect: { secureContext: createSecureContext({ ca }), preferH2: options.allowH2 ?? false, timeout: 0 },
    });
    this.#agents.push(agent);
    return { agent, taken: 0, most };
  }

  async close(): Promise<void> {
    await Promise.all(this.#agents.map((agent) => agent.destroy()));
    this.#agents = [];
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
    const begun = () => {
      if (!holds) pool.taken++;
      holds = true;
      if (exchange.state === 'queued') exchange.state = 'under way';
    };
    const over = () => {
      if (holds) pool.taken--;
      holds = false;
      this.#exchanges.delete(id);
    };
    const received = (bytes: number) => (exchange.received += bytes);
    const headers = [...flat(options.headers), exchangeHeader, id];
    try {
      return dispatch({ ...options, headers }, overheard(handler, { begun, received, over }));
    } catch (error) {
      over();
      throw error;
    }
  }
}

/** The handler, and whoever counts is told first. */
function overheard(
  handler: Dispatcher.DispatchHandler,
  count: { begun: () => void; received: (bytes: number) => void; over: () => void },
): Dispatcher.DispatchHandler {
  return {
    onRequestStart: (controller, context) => {
      count.begun();
      handler.onRequestStart?.(controller, context);
    },
    onRequestUpgrade: (controller, status, head, socket) =>
      handler.onRequestUpgrade?.(controller, status, head, socket),
    onResponseStart: (controller, status, head, message) =>
      handler.onResponseStart?.(controller, status, head, message),
    onResponseData: (controller, chunk) => {
      count.received(chunk.length);
      handler.onResponseData?.(controller, chunk);
    },
    onResponseEnd: (controller, trailers) => {
      count.over();
      handler.onResponseEnd?.(controller, trailers);
    },
    onResponseError: (controller, error) => {
      count.over();
      handler.onResponseError?.(controller, error);
    },
  };
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
