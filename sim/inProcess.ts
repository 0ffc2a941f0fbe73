import { type Dispatcher, errors } from 'undici';

import type { Arrived, Headers, Reply, Service } from './apiserver/service.ts';
import { checkSize } from './apiserver/wire.ts';
import { mostCalls } from './traffic.ts';

type Controller = Dispatcher.DispatchController;
const gaveUp = new errors.RequestAbortedError();

/**
 * The way to the API server that has no sockets: what undici would send is handed over, and what the server answers is
 * handed back, in the order and with the losses that connections have. Nothing of the server's own is left out.
 */
export class InProcess {
  readonly #service: Service;
  readonly #calls = new Set<Passage>();
  readonly #watches = new Set<Passage>();
  readonly #waiting: Passage[] = [];

  constructor(service: Service) {
    this.#service = service;
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler, watch: boolean): boolean {
    const arrived = arrivedOf(options);
    // Watches share a connection: whoever loses it loses it for all of them.
    const lose = watch ? () => this.#lose(this.#watches) : undefined;
    const passage = new Passage(handler, arrived, lose);
    if (watch) this.#begin(passage, this.#watches);
    else if (this.#calls.size < mostCalls) this.#begin(passage, this.#calls);
    else this.#waiting.push(passage);
    return true;
  }

  /** Every connection is lost at once. */
  disconnect(): void {
    this.#lose(this.#calls);
    this.#lose(this.#watches);
  }

  #lose(passages: Set<Passage>): void {
    for (const passage of [...passages]) passage.lost();
  }

  #begin(passage: Passage, among: Set<Passage>): void {
    among.add(passage);
    passage.onClose(() => {
      among.delete(passage);
      const next = among === this.#calls ? this.#waiting.shift() : undefined;
      if (next) this.#begin(next, among);
    });
    passage.sendTo(this.#service);
  }
}

function arrivedOf({ method, path, headers, body }: Dispatcher.DispatchOptions): Arrived {
  if (body && typeof body !== 'string' && !(body instanceof Uint8Array)) throw new Error('only whole bodies are sent');
  const given = headers as string[];
  const named: Arrived['headers'] = {};
  for (let i = 0; i < given.length; i += 2) named[given[i]!.toLowerCase()] = given[i + 1];
  return {
    ...{ method, url: path, headers: named },
    async body() {
      const bytes = Buffer.from(body ?? '');
      checkSize(bytes.length);
      return bytes;
    },
  };
}

/** One exchange: for the server the way back, for the client what it holds it by. */
class Passage implements Reply, Controller {
  aborted = false;
  paused = false;
  reason: Error | null = null;
  readonly #handler: Dispatcher.DispatchHandler;
  readonly #arrived: Arrived;
  readonly #lose: () => void;
  /** What came while the client did not read on. */
  readonly #held: (() => void)[] = [];
  #closers: (() => void)[] | undefined = [];

  constructor(handler: Dispatcher.DispatchHandler, arrived: Arrived, lose = () => this.lost()) {
    this.#handler = handler;
    this.#arrived = arrived;
    this.#lose = lose;
  }

  sendTo(service: Service): void {
    this.#handler.onRequestStart?.(this, {});
    if (!this.aborted) void service.serve(this.#arrived, this);
  }

  abort(reason?: Error): void {
    if (!this.#closers) return;
    this.aborted = true;
    this.reason = reason ?? gaveUp;
    this.#fail(this.reason);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    while (!this.paused && this.#held.length > 0) this.#held.shift()?.();
  }

  send(status: number, headers: Headers, body: Buffer, half: boolean): void {
    this.begin(status, headers);
    this.write(half ? body.subarray(0, Math.floor(body.length / 2)) : body);
    if (half) this.#tell(() => this.lost());
    else this.end();
  }

  begin(status: number, headers: Headers): void {
    const named = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    this.#tell(() => this.#handler.onResponseStart?.(this, status, named));
  }

  write(bytes: Buffer): void {
    if (bytes.length > 0) this.#tell(() => this.#handler.onResponseData?.(this, bytes));
  }

  end(): void {
    this.#tell(() => {
      this.#close();
      this.#handler.onResponseEnd?.(this, {});
    });
  }

  destroy(): void {
    this.#lose();
  }

  reset(): void {
    this.lost();
  }

  /** Its connection is. */
  lost(): void {
    if (this.#closers) this.#fail(new errors.SocketError('other side closed'));
  }

  onClose(run: () => void): void {
    if (this.#closers) this.#closers.push(run);
    else run();
  }

  #tell(what: () => void): void {
    if (!this.#closers) return;
    if (this.paused || this.#held.length > 0) this.#held.push(what);
    else what();
  }

  #fail(error: Error): void {
    this.#close();
    this.#held.length = 0;
    this.#handler.onResponseError?.(this, error);
  }

  #close(): void {
    const closers = this.#closers ?? [];
    this.#closers = undefined;
    for (const run of closers) run();
  }
}
