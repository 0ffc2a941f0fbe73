import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';

import type { World } from '../cluster/world.ts';
import type { PrometheusMetrics } from '../report/prometheus.ts';
import { newAccess } from './serveAccess.ts';
import { answerRequest, executor } from './serveHttp.ts';
import { lead } from './serveLease.ts';
import { newLoop } from './serveLoop.ts';
import { openView, type View } from './serveView.ts';

export interface ServeOptions {
  /** 0: any. */
  port: number;
  host?: string;
  tls?: { cert: string; key: string } | undefined;
  /** For whom tokens of callers have to be. */
  audience: string;
  /** What proves a sender of events that has no token. */
  secret?: string | undefined;
  /** Of the Lease that says who ticks. */
  leaseName?: string;
  identity?: string;
  metrics: PrometheusMetrics;
  /** Aborted to drain: what is under way is left in progress. */
  signal: AbortSignal;
  /** Told once, when requests are taken. */
  listening?: (port: number) => void;
}

/** Once a whole tick is not over after so long, it hangs: it ends itself within a minute. */
const stuckMs = 180_000;
const openingMs = 120_000;
const callersLeaveMs = 2_000;

/**
 * Keeps every Wukong of a cluster as it is wished, at once instead of every minute, and answers callers over HTTP.
 * Resolves when the signal was aborted and everything has been left in order.
 * @throws LifecycleError when a watch cannot be had, or failed for good: to be started again.
 */
export async function serve(world: World, options: ServeOptions): Promise<void> {
  const { signal, metrics } = options;
  const loop = newLoop(world);
  let view: View | undefined;
  let leading = false;
  const carryOut = executor(world, { machines: () => view?.machines, busy: loop.busy });
  const isReady = () => {
    try {
      view?.check();
      return view !== undefined && !signal.aborted;
    } catch {
      return false;
    }
  };
  const serving = {
    world,
    access: newAccess(world, options),
    carryOut: (command: Parameters<typeof carryOut>[0], limits: { deadline: number }) =>
      carryOut(command, { ...limits, signal }),
    healthy: () => !leading || world.clock.now() - loop.turnedAt() < stuckMs,
    ready: isReady,
    metrics: () => metrics.text(),
  };
  metrics.gauge('wukong_leader', () => Number(leading));
  metrics.gauge('wukong_wukongs', () => view?.wukongs() ?? 0);
  metrics.gauge('wukong_operations_in_flight', () => loop.busy.size);

  const listen = options.tls ? createTlsServer(options.tls) : createServer();
  listen.on('request', (request, response) => void answerRequest(request, response, serving));
  listen.requestTimeout = 30_000;
  listen.headersTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    listen.once('error', reject).listen(options.port, options.host, resolve);
  });
  options.listening?.((listen.address() as AddressInfo).port);
  try {
    view = await openView(world, loop, { deadline: world.clock.now() + openingMs, signal });
    const mine = view;
    const identity = options.identity ?? `${hostname()}_${randomBytes(4).toString('hex')}`;
    const lease = {
      namespace: world.config.lifecycleNamespace,
      name: options.leaseName ?? 'wukong-lifecycle',
      identity,
    };
    await lead(world, lease, signal, async (led) => {
      leading = true;
      await loop.run(mine, led).finally(() => (leading = false));
    });
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  } finally {
    const cancel = world.clock.after(callersLeaveMs, () => listen.closeAllConnections());
    await new Promise<void>((resolve) => (listen.close(() => resolve()), listen.closeIdleConnections()));
    cancel();
    view?.close();
  }
}
