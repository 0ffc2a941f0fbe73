import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2';
import type { Socket } from 'node:net';

import type { Faults, Harm } from '../faults.ts';
import { exchangeHeader, type Traffic } from '../traffic.ts';
import { injected, refused } from './answers.ts';
import type { Call, Stream } from './call.ts';
import type { Identity } from './certificate.ts';
import type { Access } from './rbac.ts';
import { Refusal } from './refusal.ts';
import { isWatch, route, type Served } from './routes.ts';
import { bodyOf, destroy, reset, send } from './wire.ts';

/** One API request that was served. */
export interface RequestRecord {
  at: number;
  method: string;
  /** Without its query. */
  path: string;
  query: string;
  /** 0 while it is being served, and where the connection was destroyed. */
  status: number;
  user: string;
  watch: boolean;
  bytesIn: number;
  bytesOut: number;
}

type Life = ReturnType<Traffic['served']>;

export interface HttpOptions {
  served: Served;
  access: Access;
  faults: Faults;
  traffic: Traffic;
  identity: Identity;
  requests: RequestRecord[];
}

/** The API server's door: TLS, HTTP/2 and HTTP/1.1, faults, and a record of every request. */
export class HttpServer {
  readonly #options: HttpOptions;
  readonly #server: Http2SecureServer;
  readonly #sockets = new Set<Socket>();
  readonly #streams = new Map<Http2ServerResponse, string>();

  constructor(options: HttpOptions) {
    this.#options = options;
    const { key, certificate } = options.identity;
    this.#server = createSecureServer({ allowHTTP1: true, key, cert: certificate });
    this.#server.on('secureConnection', (socket: Socket) => {
      this.#keep(socket);
      this.#count(socket);
    });
    this.#server.on('connection', (socket: Socket) => this.#keep(socket));
    this.#server.on('sessionError', () => undefined);
    this.#server.on('tlsClientError', () => undefined);
    this.#server.on('request', (request, response) => void this.#serve(request, response));
    this.#server.setTimeout(0);
    // Connections stay open: when one goes is decided by clients and faults, never by the machine's clock.
    Object.assign(this.#server, { keepAliveTimeout: 0, headersTimeout: 0, requestTimeout: 0 });
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }

  listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', () => resolve((this.#server.address() as { port: number }).port));
    });
  }

  close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    return closed;
  }

  /** Cuts the open watches of a user. */
  cut(user: string): void {
    for (const [response, owner] of [...this.#streams]) if (owner === user) reset(response);
  }

  /** Every connection is lost at once. */
  disconnect(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Clients' connections that are open, and the most that were at once. */
  readonly connections = { open: 0, most: 0 };

  #count(socket: Socket): void {
    const { connections } = this;
    connections.most = Math.max(connections.most, ++connections.open);
    socket.on('close', () => connections.open--);
  }

  async #serve(request: Http2ServerRequest, response: Http2ServerResponse): Promise<void> {
    const { traffic, served } = this.#options;
    const headers = request.headers as Record<string, string | undefined>;
    const life = traffic.served(headers[exchangeHeader]);
    response.on('error', () => undefined);
    request.on('error', () => undefined);
    response.on('close', () => life.done());
    const url = new URL(request.url, 'https://sim');
    const watching = request.method === 'GET' && isWatch(url.searchParams);
    const record: RequestRecord = {
      at: served.clock.now(),
      method: request.method,
      path: url.pathname,
      query: url.searchParams.toString(),
      status: 0,
      user: '',
      watch: watching,
      bytesIn: 0,
      bytesOut: 0,
    };
    this.#options.requests.push(record);
    try {
      const body = await bodyOf(request);
      record.bytesIn = body.length;
      const sleep = async (ms: number) => {
        life.park();
        await served.clock.sleep(ms);
        life.resume();
      };
      const call: Call = {
        method: request.method,
        path: url.pathname,
        query: url.searchParams,
        headers,
        body,
        user: { name: '', groups: [] },
        stale: false,
        sleep,
      };
      await this.#answer(call, record, response, life);
    } catch (error) {
      send(response, refused(error), record);
    }
  }

  async #answer(call: Call, record: RequestRecord, response: Http2ServerResponse, life: Life): Promise<void> {
    const { access, faults, served } = this.#options;
    call.user = access.userOf(call.headers);
    record.user = call.user.name;
    if (faults.isDead(record.user)) return destroy(response);
    const harm = faults.next(call, record.user, record.watch);
    if (harm?.kind === 'delay') await call.sleep(harm.ms);
    if (harm?.kind === 'dropBefore') return destroy(response);
    if (harm?.kind === 'crash') faults.kill(record.user);
    if (harm?.kind === 'crash' && harm.before) return destroy(response);
    if (harm?.kind === 'status') return send(response, injected(harm), record);
    if (harm?.kind === 'expireWatch') return this.#stream(expiredStream, record, response, life, undefined);
    call.stale = harm?.kind === 'stale';
    const answer = await route(served, call).catch(refused);
    if (harm?.kind === 'dropAfter' || harm?.kind === 'crash') return destroy(response);
    if ('open' in answer) return this.#stream(answer, record, response, life, harm);
    send(response, answer, record, harm?.kind === 'cutBody');
  }

  #stream(
    stream: Stream,
    record: RequestRecord,
    response: Http2ServerResponse,
    life: Life,
    harm: Harm | undefined,
  ): void {
    let left = harm?.kind === 'cutWatch' ? harm.afterEvents : harm?.kind === 'cutBody' ? 0 : Infinity;
    let over = false;
    record.status = 200;
    response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-cache, private' });
    (response as unknown as { flushHeaders?: () => void }).flushHeaders?.();
    life.stream();
    this.#streams.set(response, record.user);
    const end = () => {
      if (over) return;
      over = true;
      life.ended();
      response.end();
    };
    const cut = () => {
      over = true;
      life.ended();
      reset(response);
    };
    const line = (text: string) => {
      if (over) return;
      if (left <= 0) return cut();
      const bytes = Buffer.from(`${text}\n`);
      record.bytesOut += bytes.length;
      life.sent(bytes.length);
      response.write(bytes);
      if (--left <= 0) setImmediate(cut); // what was written first gets out
    };
    const close = stream.open({ line, end });
    if (over) close();
    response.on('close', () => {
      over = true;
      close();
      this.#streams.delete(response);
    });
    if (left <= 0) setImmediate(cut);
  }
}

const expiredStream: Stream = {
  open({ line, end }) {
    const gone = new Refusal(410, 'Expired', 'too old resource version: 1 (2)');
    line(JSON.stringify({ type: 'ERROR', object: gone.body() }));
    end();
    return () => undefined;
  },
};
