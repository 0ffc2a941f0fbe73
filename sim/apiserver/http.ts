import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2';
import type { Socket } from 'node:net';

import type { Identity } from './certificate.ts';
import type { Service } from './service.ts';
import { bodyOf, HttpReply } from './wire.ts';

/** The API server's door: TLS, HTTP/2 and HTTP/1.1. */
export class HttpServer {
  readonly #service: Service;
  readonly #server: Http2SecureServer;
  readonly #sockets = new Set<Socket>();

  constructor(service: Service, { key, certificate }: Identity) {
    this.#service = service;
    this.#server = createSecureServer({ allowHTTP1: true, key, cert: certificate });
    this.#server.on('secureConnection', (socket: Socket) => {
      this.#keep(socket);
      this.#count(socket);
    });
    this.#server.on('connection', (socket: Socket) => this.#keep(socket));
    this.#server.on('sessionError', () => undefined);
    this.#server.on('tlsClientError', () => undefined);
    this.#server.on('request', (request, response) => this.#serve(request, response));
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

  #serve(request: Http2ServerRequest, response: Http2ServerResponse): void {
    response.on('error', () => undefined);
    request.on('error', () => undefined);
    const headers = request.headers as Record<string, string | undefined>;
    const { method, url } = request;
    void this.#service.serve({ method, url, headers, body: () => bodyOf(request) }, new HttpReply(response));
  }
}
