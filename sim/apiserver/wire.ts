import { constants, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { Socket } from 'node:net';

import type { Answer } from './call.ts';
import type { RequestRecord } from './http.ts';
import { Refusal } from './refusal.ts';

const longestBody = 3 * 1024 * 1024;

/** @throws Refusal 413 */
export async function bodyOf(request: Http2ServerRequest): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > longestBody)
      throw new Refusal(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${longestBody}`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export function send(response: Http2ServerResponse, answer: Answer, record: RequestRecord, cutHalf = false): void {
  const body = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body;
  record.status = answer.status;
  record.bytesOut += body.length;
  const headers: Record<string, string | string[]> = { 'Cache-Control': 'no-cache, private', ...answer.headers };
  if (answer.type) headers['Content-Type'] = answer.type;
  if (answer.warnings?.length)
    headers['Warning'] = answer.warnings.map((text) => `299 - "${text.replace(/["\\]/g, '\\$&')}"`);
  if (response.destroyed || response.headersSent) return;
  response.writeHead(answer.status, { ...headers, 'Content-Length': String(body.length) });
  if (!cutHalf) return void response.end(body);
  response.write(body.subarray(0, Math.floor(body.length / 2)), () => destroy(response));
}

/** As if the connection had been lost. */
export function destroy(response: Http2ServerResponse): void {
  const stream = response.stream as { session?: { destroy(): void } } | undefined;
  if (stream?.session) stream.session.destroy();
  else (response as unknown as { socket?: Socket | null }).socket?.destroy();
}

/** This one alone is lost: over HTTP/2 others are on the same connection. */
export function reset(response: Http2ServerResponse): void {
  const stream = response.stream as { close?(code: number): void } | undefined;
  if (stream?.close) stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  else destroy(response);
}
