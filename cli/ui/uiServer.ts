import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

import * as z from 'zod';

import { keyOf, type Place } from '../../shared/domain/model.ts';
import { bodyOf, listen } from '../../shared/entry/httpServer.ts';
import type { WukongState } from '../../shared/entry/state.ts';

const objectName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);
const act = z.strictObject({
  action: z.enum(['start', 'stop', 'keep running', 'keep stopped', 'clear']),
  namespace: objectName,
  name: objectName,
  for: z
    .string()
    .regex(/^\d{1,3}[hd]$/)
    .default('1h'),
});
export type Act = z.output<typeof act>;

export interface Ui {
  page: string;
  token: string;
  /** 0: any. */
  port: number;
  /** Carries out what somebody wishes, and says what came of it. */
  act(wish: Act): Promise<string>;
}

export interface LiveServer {
  url: string;
  /** Tells every open page what has changed. */
  show(states: WukongState[], gone: Place[]): void;
  close(): Promise<void>;
}

const largestBody = 4_096;
const beatMs = 15_000;

/**
 * Serves one page on 127.0.0.1 and nowhere else. Whoever asks needs the token, which stands in the URL that was printed;
 * a request for another Host or from another Origin is refused, so that no site in the same browser can ask in its
 * user's name.
 */
export async function serveUi({ page, token, port, act: carryOut }: Ui): Promise<LiveServer> {
  const open = new Set<ServerResponse>();
  const known = new Map<string, { state: WukongState; text: string }>();

  async function answer(request: IncomingMessage, response: ServerResponse) {
    const hosts = ['127.0.0.1', 'localhost'].map((host) => `${host}:${server.port}`);
    const { host = '', origin, authorization } = request.headers;
    const url = new URL(request.url ?? '/', 'http://ui');
    if (!hosts.includes(host)) return end(response, 421, { says: 'expected another Host' });
    if (origin !== undefined && !hosts.some((one) => origin === `http://${one}`))
      return end(response, 403, { says: 'expected no other Origin' });
    const given = authorization?.replace(/^Bearer /, '') ?? url.searchParams.get('token') ?? '';
    if (!same(given, token)) return end(response, 403, { says: 'expected the URL that wukong ui has printed' });
    const asked = `${request.method} ${url.pathname}`;
    if (asked === 'GET /') return void response.writeHead(200, { ...headers, 'content-type': 'text/html' }).end(page);
    if (asked === 'GET /events') return stream(response);
    if (asked !== 'POST /act') return end(response, 404, { says: 'there is no such page' });
    // A form of another site cannot send this type, nor the header with the token.
    if (authorization === undefined) return end(response, 403, { says: 'expected the token as Authorization' });
    const wish = act.safeParse(await wishOf(request));
    if (!wish.success) return end(response, 400, { says: `not understood: ${wish.error.issues[0]?.path.join('.')}` });
    end(response, 200, { says: await carryOut(wish.data) });
  }

  function stream(response: ServerResponse) {
    response.writeHead(200, { ...headers, 'content-type': 'text/event-stream' });
    response.write(
      message(
        [...known.values()].map(({ state }) => state),
        [],
      ),
    );
    open.add(response);
    response.on('close', () => open.delete(response));
  }

  const server = await listen(
    (request, response) =>
      answer(request, response).catch(() => end(response, 500, { says: 'wukong ui could not do that' })),
    { port, host: '127.0.0.1' },
  );
  const beat = setInterval(() => open.forEach((one) => one.write(': still here\n\n')), beatMs);
  return {
    url: `http://127.0.0.1:${server.port}/?token=${token}`,
    show(states, gone) {
      const changed: WukongState[] = [];
      for (const state of states) {
        const text = JSON.stringify(state);
        if (known.get(keyOf(state))?.text === text) continue;
        known.set(keyOf(state), { state, text });
        changed.push(state);
      }
      for (const place of gone) known.delete(keyOf(place));
      if (changed.length + gone.length > 0) for (const one of open) one.write(message(changed, gone));
    },
    async close() {
      clearInterval(beat);
      await server.close();
    },
  };
}

const message = (states: WukongState[], gone: Place[]): string =>
  `data: ${JSON.stringify({ states, gone: gone.map(keyOf) })}\n\n`;

const headers = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' };

function end(response: ServerResponse, status: number, body: { says: string }): void {
  if (!response.headersSent) response.writeHead(status, { ...headers, 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

const same = (given: string, wanted: string): boolean => {
  const [one, other] = [given, wanted].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(one!, other!);
};

async function wishOf(request: IncomingMessage): Promise<unknown> {
  try {
    return JSON.parse((await bodyOf(request, largestBody)) ?? '');
  } catch {
    return undefined;
  }
}
