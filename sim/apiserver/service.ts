import type { Faults, Harm } from '../faults.ts';
import { exchangeHeader, type Traffic } from '../traffic.ts';
import { injected, refused } from './answers.ts';
import type { Answer, Call, Stream } from './call.ts';
import type { Access } from './rbac.ts';
import { Refusal } from './refusal.ts';
import { isWatch, route, type Served } from './routes.ts';

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

/** A request as it arrived, by whatever way. */
export interface Arrived {
  method: string;
  /** Path and query. */
  url: string;
  /** Names in lower case. */
  headers: Record<string, string | undefined>;
  /** @throws Refusal 413 */
  body(): Promise<Buffer>;
}

export type Headers = Record<string, string | string[]>;

/** The way back to who asked. What comes too late, or to somebody who has gone away, does nothing. */
export interface Reply {
  /** All of an answer; or the head and half of the body, and then the connection is lost. */
  send(status: number, headers: Headers, body: Buffer, half: boolean): void;
  /** The head of a stream. */
  begin(status: number, headers: Headers): void;
  write(bytes: Buffer): void;
  end(): void;
  /** As if the connection had been lost. */
  destroy(): void;
  /** This one alone is lost: others may be on the same connection. */
  reset(): void;
  /** Told once, when the exchange is over, however it ends. */
  onClose(run: () => void): void;
}

/** One request under way. */
interface Exchange {
  record: RequestRecord;
  reply: Reply;
  life: ReturnType<Traffic['served']>;
}

export interface ServiceOptions {
  served: Served;
  access: Access;
  faults: Faults;
  traffic: Traffic;
  requests: RequestRecord[];
}

const private_ = { 'Cache-Control': 'no-cache, private' };

/** What the API server does with a request, whatever way it came: who asks, faults, the answer, and a record of it. */
export class Service {
  readonly #options: ServiceOptions;
  readonly #streams = new Map<Reply, string>();

  constructor(options: ServiceOptions) {
    this.#options = options;
  }

  /** Cuts the open watches of a user. */
  cut(user: string): void {
    for (const [reply, owner] of [...this.#streams]) if (owner === user) reply.reset();
  }

  async serve({ method, url, headers, body: read }: Arrived, reply: Reply): Promise<void> {
    const { traffic, served, requests } = this.#options;
    const life = traffic.served(headers[exchangeHeader]);
    reply.onClose(() => life.done());
    const { pathname: path, searchParams: query } = new URL(url, 'https://sim');
    const watch = method === 'GET' && isWatch(query);
    const at = served.clock.now();
    const record = { at, method, path, query: query.toString(), status: 0, user: '', watch, bytesIn: 0, bytesOut: 0 };
    requests.push(record);
    try {
      const body = await read();
      record.bytesIn = body.length;
      const sleep = async (ms: number) => {
        life.park();
        await served.clock.sleep(ms);
        life.resume();
      };
      const user = { name: '', groups: [] };
      await this.#answer({ method, path, query, headers, body, user, stale: false, sleep }, { record, reply, life });
    } catch (error) {
      send(reply, refused(error), record);
    }
  }

  async #answer(call: Call, exchange: Exchange): Promise<void> {
    const { record, reply } = exchange;
    const { access, faults, served } = this.#options;
    call.user = access.userOf(call.headers);
    record.user = call.user.name;
    if (faults.isDead(record.user)) return reply.destroy();
    const harm = faults.next(call, record.user, record.watch);
    if (harm?.kind === 'delay') await call.sleep(harm.ms);
    if (harm?.kind === 'dropBefore') return reply.destroy();
    if (harm?.kind === 'crash') faults.kill(record.user);
    if (harm?.kind === 'crash' && harm.before) return reply.destroy();
    if (harm?.kind === 'status') return send(reply, injected(harm), record);
    if (harm?.kind === 'expireWatch') return this.#stream(expiredStream, exchange);
    call.stale = harm?.kind === 'stale';
    const answer = await route(served, call).catch(refused);
    if (harm?.kind === 'dropAfter' || harm?.kind === 'crash') return reply.destroy();
    if ('open' in answer) return this.#stream(answer, exchange, harm);
    send(reply, answer, record, harm?.kind === 'cutBody');
  }

  #stream(stream: Stream, { record, reply, life }: Exchange, harm?: Harm): void {
    let left = harm?.kind === 'cutWatch' ? harm.afterEvents : harm?.kind === 'cutBody' ? 0 : Infinity;
    let over = false;
    record.status = 200;
    life.stream();
    reply.begin(200, { 'Content-Type': 'application/json', ...private_ });
    this.#streams.set(reply, record.user);
    const ending = (finish: () => void) => () => {
      if (over) return;
      over = true;
      life.ended();
      finish();
    };
    const end = ending(() => reply.end());
    const cut = ending(() => reply.reset());
    const line = (text: string) => {
      if (over) return;
      if (left <= 0) return cut();
      const bytes = Buffer.from(`${text}\n`);
      record.bytesOut += bytes.length;
      life.sent(bytes.length);
      reply.write(bytes);
      if (--left <= 0) setImmediate(cut); // what was written first gets out
    };
    const close = stream.open({ line, end });
    if (over) close();
    reply.onClose(() => {
      over = true;
      close();
      this.#streams.delete(reply);
    });
    if (left <= 0) setImmediate(cut);
  }
}

/** What a header cannot hold is not warned of (apimachinery's NewWarningHeader). */

const isPrintable = (text: string): boolean => !/[\u0000-\u001f\u007f]/.test(text);
/** In UTF-8, each byte as a character: so a header is written. */
const warningHeader = (text: string): string =>
  Buffer.from(`299 - "${text.replace(/["\\]/g, '\\$&')}"`).toString('latin1');

function send(reply: Reply, answer: Answer, record: RequestRecord, half = false): void {
  const body = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body;
  record.status = answer.status;
  record.bytesOut += body.length;
  const headers: Headers = { ...private_, ...answer.headers };
  if (answer.type) headers['Content-Type'] = answer.type;
  const warnings = (answer.warnings ?? []).filter(isPrintable);
  if (warnings.length > 0) headers['Warning'] = warnings.map(warningHeader);
  reply.send(answer.status, { ...headers, 'Content-Length': String(body.length) }, body, half);
}

const expiredStream: Stream = {
  open({ line, end }) {
    const gone = new Refusal(410, 'Expired', 'too old resource version: 1 (2)');
    line(JSON.stringify({ type: 'ERROR', object: gone.body() }));
    end();
    return () => undefined;
  },
};
