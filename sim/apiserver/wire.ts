import { constants, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { Socket } from 'node:net';

import { Refusal } from './refusal.ts';
import type { Headers, Reply } from './service.ts';

const longestBody = 3 * 1024 * 1024;

/** @throws Refusal 413 */
export function checkSize(bytes: number): void {
  if (bytes > longestBody)
    throw new Refusal(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${longestBody}`);
}

/** @throws Refusal 413 */
export async function bodyOf(request: Http2ServerRequest): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    checkSize(size);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** An answer over HTTP/2 or HTTP/1.1. */
export class HttpReply implements Reply {
  readonly #response: Http2ServerResponse;
  #closed = false;

  constructor(response: Http2ServerResponse) {
    this.#response = response;
    response.on('close', () => (this.#closed = true));
  }

  send(status: number, headers: Headers, body: Buffer, half: boolean): void {
    const response = this.#response;
    if (response.destroyed || response.headersSent) return;
    response.writeHead(status, headers);
    if (!half) return void response.end(body);
    response.write(body.subarray(0, Math.floor(body.length / 2)), () => this.destroy());
  }

  begin(status: number, headers: Headers): void {
    if (this.#closed) return;
    this.#response.writeHead(status, headers);
    (this.#response as unknown as { flushHeaders?: () => void }).flushHeaders?.();
  }

  write(bytes: Buffer): void {
    this.#response.write(bytes);
  }

  end(): void {
    this.#response.end();
  }

  destroy(): void {
    const stream = this.#response.stream as { session?: { destroy(): void } } | undefined;
    if (stream?.session) stream.session.destroy();
    else (this.#response as unknown as { socket?: Socket | null }).socket?.destroy();
  }

  reset(): void {
    const stream = this.#response.stream as { close?(code: number): void } | undefined;
    if (stream?.close) stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    else this.destroy();
  }

  onClose(run: () => void): void {
    if (this.#closed) run();
    else this.#response.on('close', run);
  }
}
