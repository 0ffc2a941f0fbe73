import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

import { LifecycleError } from '../domain/errors.ts';
import type { Clock } from '../time/clock.ts';
import type { Answer } from './http.ts';
import type { HttpRequest } from './request.ts';

export interface Where {
  /** 0: any. */
  port: number;
  host?: string | undefined;
  tls?: { cert: string; key: string } | undefined;
}

export interface Listening {
  port: number;
  /** Who is being answered still gets so long. */
  close(leave?: { clock: Clock; ms: number }): Promise<void>;
}

/** Takes requests from now on. @throws when the port is taken. */
export async function listen(
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<unknown>,
  { port, host, tls }: Where,
): Promise<Listening> {
  const watched = { connectionsCheckingInterval: 5_000 }; // how soon a slow request is seen
  const server = tls ? createTlsServer({ ...watched, ...tls }) : createServer(watched);
  server.on('request', (request, response) => void answer(request, response));
  server.requestTimeout = 30_000;
  server.headersTimeout = 10_000;
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async close(leave) {
      const end = () => server.closeAllConnections();
      const cancel = leave ? leave.clock.after(leave.ms, end) : end();
      await new Promise<void>((resolve) => (server.close(() => resolve()), server.closeIdleConnections()));
      cancel?.();
    },
  };
}

export const send = (response: ServerResponse, { statusCode = 500, headers = {}, body = '' }: Answer): void => {
  if (!response.destroyed) response.writeHead(statusCode, headers as Record<string, string>).end(body);
};

/** The text of a body; undefined as soon as it is larger. */
export async function bodyOf(request: IncomingMessage, mostBytes: number): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > mostBytes) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** What is asked for, of paths and whole addresses alike; undefined for what is neither. */
export const urlOf = ({ url = '/' }: IncomingMessage): URL | undefined =>
  URL.parse(url.replace(/^\/+/, '/'), 'http://server') ?? undefined;

const ofTheApi = /^\/namespaces\/([^/]+)\/wukongs(?:\/([^/]+)(?:\/(start|stop|restart))?)?$/;

/**
 * A request as API Gateway hands it to a function, without its body; undefined for a path that the API does not have.
 * `verb`: what is to be done with the Wukong; none: it is only looked at.
 * @throws LifecycleError InvalidAction for a path that is not encoded as it should be.
 */
export function apiRequestOf(request: IncomingMessage) {
  const { method = 'GET', headers } = request;
  const { pathname = '', searchParams = [] } = urlOf(request) ?? {};
  const [known, ...parts] = ofTheApi.exec(pathname) ?? [];
  if (known === undefined) return undefined;
  const [namespace, name, verb] = parts.map((part) => (part === undefined ? part : decoded(part)));
  const http: HttpRequest = {
    version: '2.0',
    rawPath: pathname,
    headers: Object.fromEntries(Object.entries(headers).map(([key, value]) => [key, [value].flat().at(0)])),
    pathParameters: { namespace, ...(name === undefined ? {} : { name }) },
    queryStringParameters: Object.fromEntries(searchParams),
    requestContext: { http: { method, path: pathname } },
  };
  return { http, place: { namespace, name }, verb: verb as 'start' | 'stop' | 'restart' | undefined };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new LifecycleError('InvalidAction', 'path: expected percent-encoded UTF-8');
  }
}
