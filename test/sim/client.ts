import { request } from 'undici';

import { type Sim, type SimOptions, startSim, VirtualClock } from '../../sim/sim.ts';

export interface Reply {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  /** The body as JSON; the text where it is none. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers of an API, looked into freely by tests
  body: any;
}

export interface Sending {
  body?: unknown;
  type?: string;
  token?: string;
  accept?: string;
  /** More of them, or others than `token` and `accept` say. */
  headers?: Record<string, string>;
}

export type Send = (method: string, path: string, sending?: Sending) => Promise<Reply>;

const merge = 'application/merge-patch+json';

/** A plain HTTP client of a sim: no retries, nothing hidden. */
export function clientOf(sim: Sim) {
  const dispatcher = sim.dispatcher();
  const send: Send = async (
    method,
    path,
    { body, type, token = sim.adminToken, accept = 'application/json, */*', headers = {} } = {},
  ) => {
    const raw = body === undefined || typeof body === 'string' || body instanceof Buffer ? body : JSON.stringify(body);
    const answer = await request(sim.url + path, {
      method: method as 'GET',
      dispatcher,
      headers: {
        accept,
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(raw === undefined ? {} : { 'content-type': type ?? 'application/json' }),
        ...headers,
      },
      ...(raw === undefined ? {} : { body: raw as string | Buffer }),
    });
    const text = await answer.body.text();
    let parsed: unknown = text;
    try {
      parsed = JSON.parse(text);
    } catch {
      parsed = text;
    }
    return { status: answer.statusCode, headers: answer.headers, text, body: parsed };
  };
  const patch = (path: string, body: unknown, type = merge) => send('PATCH', path, { body, type });
  const power = (namespace: string, vm: string, verb: string, body?: unknown) =>
    send('PUT', `/apis/subresources.kubevirt.io/v1/namespaces/${namespace}/virtualmachines/${vm}/${verb}`, { body });
  return { send, patch, power };
}

export type Client = ReturnType<typeof clientOf>;

/** A watch's events as they come, until `enough` says so. */
export async function watched<E>(sim: Sim, path: string, enough: (events: E[]) => boolean): Promise<E[]> {
  const events: E[] = [];
  const headers = { authorization: `Bearer ${sim.adminToken}` };
  const answer = await request(sim.url + path, { dispatcher: sim.dispatcher(), headers });
  let rest = '';
  for await (const chunk of answer.body) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    events.push(...lines.map((line) => JSON.parse(line) as E));
    if (enough(events)) break;
  }
  return events;
}

export const wait = (clock: VirtualClock, ms: number): Promise<void> =>
  new Promise((resolve) => clock.after(ms, resolve));

/** Runs a story on a cluster of its own whose time is virtual. */
export async function story(
  options: SimOptions,
  tell: (stage: Client & { sim: Sim; clock: VirtualClock; sleep: (ms: number) => Promise<void> }) => Promise<void>,
): Promise<void> {
  const clock = new VirtualClock('2026-03-02T19:00:00Z');
  const sim = await startSim({ clock, ...options });
  try {
    await clock.run(() => tell({ ...clientOf(sim), sim, clock, sleep: (ms) => wait(clock, ms) }), { sims: [sim] });
  } finally {
    await sim.close();
  }
}
