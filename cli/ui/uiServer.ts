import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

import * as z from 'zod';

import { keyOf, type Place } from '../../shared/domain/model.ts';
import { bodyOf, listen } from '../../shared/entry/httpServer.ts';
import type { WukongState } from '../../shared/entry/state.ts';
import { type Parts, partsOf } from './liveParts.ts';
import { type LiveRow, rowOf } from './liveRows.ts';
import type { RunsSeen } from './liveRuns.ts';

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
  /** The same of runs. */
  showRuns(seen: RunsSeen): void;
  close(): Promise<void>;
}

const largestBody = 4_096;
const beatMs = 15_000;

/**
 * Serves one page on 127.0.0.1 and nowhere else. Whoever asks needs the token, which stands in the URL that was printed;
 * a request for another Host or from another Origin is refused, so that no site in the same browser can ask in its
 * user's name.
 */
export async function serveUi(ui: Ui): Promise<LiveServer> {
  const live = new LiveStream();
  const server = await listen(
    (request, response) =>
      answer(request, response, { ...ui, ownPort: server.port, live }).catch(() =>
        end(response, 500, { says: 'wukong ui could not do that' }),
      ),
    { port: ui.port, host: '127.0.0.1' },
  );
  const beat = setInterval(() => live.beat(), beatMs);
  return {
    url: `http://127.0.0.1:${server.port}/?token=${ui.token}`,
    show: (states, gone) => live.show(states, gone),
    showRuns: (seen) => live.showRuns(seen),
    async close() {
      clearInterval(beat);
      await server.close();
    },
  };
}

type Serving = Ui & { ownPort: number; live: LiveStream };

async function answer(request: IncomingMessage, response: ServerResponse, ui: Serving): Promise<void> {
  const { page, token, ownPort, live } = ui;
  const hosts = ['127.0.0.1', 'localhost'].map((host) => `${host}:${ownPort}`);
  const { host = '', origin, authorization } = request.headers;
  const url = new URL(request.url ?? '/', 'http://ui');
  if (!hosts.includes(host)) return end(response, 421, { says: 'expected another Host' });
  if (origin !== undefined && !hosts.some((one) => origin === `http://${one}`))
    return end(response, 403, { says: 'expected no other Origin' });
  const given = authorization?.replace(/^Bearer /, '') ?? url.searchParams.get('token') ?? '';
  if (!same(given, token)) return end(response, 403, { says: 'expected the URL that wukong ui has printed' });
  const asked = `${request.method} ${url.pathname}`;
  if (asked === 'GET /') return void response.writeHead(200, { ...headers, 'content-type': 'text/html' }).end(page);
  if (asked === 'GET /events') return live.open(response);
  if (asked !== 'POST /act') return end(response, 404, { says: 'there is no such page' });
  // A form of another site cannot send this type, nor the header with the token.
  if (authorization === undefined) return end(response, 403, { says: 'expected the token as Authorization' });
  const wish = act.safeParse(await wishOf(request));
  if (!wish.success) return end(response, 400, { says: `not understood: ${wish.error.issues[0]?.path.join('.')}` });
  end(response, 200, { says: await ui.act(wish.data) });
}

/** What every open page is told. */
class LiveStream {
  readonly #open = new Set<ServerResponse>();
  readonly #known = new Map<string, { state: WukongState; row: LiveRow; text: string }>();
  #parts: Partial<Parts> = {};
  #runs: RunsSeen = { runs: [] };
  /** Runs may be read before VMs are: that there are none is said only when it is so. */
  #isReady = false;

  /** A page that was opened: it is told all. */
  open(response: ServerResponse): void {
    response.writeHead(200, { ...headers, 'content-type': 'text/event-stream' });
    const rows = [...this.#known.values()].map(({ row }) => row);
    response.write(message({ whole: true, rows, gone: [], parts: this.#parts }));
    this.#open.add(response);
    response.on('close', () => this.#open.delete(response));
  }

  show(states: WukongState[], gone: Place[]): void {
    const changed: LiveRow[] = [];
    for (const state of states) {
      const text = JSON.stringify(state);
      if (this.#known.get(keyOf(state))?.text === text) continue;
      const row = rowOf(state);
      this.#known.set(keyOf(state), { state, row, text });
      changed.push(row);
    }
    for (const place of gone) this.#known.delete(keyOf(place));
    this.#isReady = true;
    this.#tell(changed, gone);
  }

  showRuns(seen: RunsSeen): void {
    this.#runs = seen;
    this.#tell([], []);
  }

  beat(): void {
    this.#tell([], []); // what was to come may be over
    for (const one of this.#open) one.write(': still here\n\n');
  }

  /** What has changed, to every open page; nothing where nothing has. */
  #tell(rows: LiveRow[], gone: Place[]): void {
    if (!this.#isReady) return;
    const states = [...this.#known.values()].map(({ state }) => state);
    const now = partsOf(states, this.#runs, Date.now());
    const before = this.#parts;
    const changed = Object.fromEntries(
      Object.entries(now).filter(([place, html]) => before[place as keyof Parts] !== html),
    );
    this.#parts = now;
    if (rows.length + gone.length + Object.keys(changed).length === 0) return;
    for (const one of this.#open) one.write(message({ rows, gone, parts: changed }));
  }
}

interface Message {
  /** These are all: a page that was cut off does not know who has gone since. */
  whole?: true;
  rows: LiveRow[];
  gone: Place[];
  parts: Partial<Parts>;
}

const message = ({ gone, ...rest }: Message): string =>
  `data: ${JSON.stringify({ ...rest, gone: gone.map(keyOf) })}\n\n`;

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
