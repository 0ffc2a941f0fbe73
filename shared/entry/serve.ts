import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { hostname } from 'node:os';

import type { World } from '../cluster/world.ts';
import type { Command } from '../domain/command.ts';
import { keyOf } from '../domain/model.ts';
import { type Commanding, executeCommand } from '../execute/command.ts';
import type { PrometheusMetrics } from '../report/prometheus.ts';
import { refusal, refusalAnswer } from './http.ts';
import { listen, send, type Where } from './httpServer.ts';
import { type Callers, newAccess } from './serveAccess.ts';
import { answerTo, type Serving } from './serveHttp.ts';
import { lead } from './serveLease.ts';
import { newLoop } from './serveLoop.ts';
import { openView, type View } from './serveView.ts';

export interface ServeOptions extends Where, Callers {
  identity?: string;
  metrics: PrometheusMetrics;
  /** Aborted to drain: what is under way is left in progress. */
  signal: AbortSignal;
  /** Told once, when requests are taken. */
  listening?: (port: number) => void;
}

/** Once no tick of all was begun for so long, one hangs: it ends itself within a minute. */
const stuckMs = 180_000;
const openingMs = 120_000;
const callersLeaveMs = 2_000;

/**
 * Keeps every Wukong of a cluster as it is wished, at once instead of every minute, and answers callers over HTTP.
 * Resolves when the signal was aborted and everything has been left in order.
 * @throws LifecycleError when a watch cannot be had, or failed for good: to be started again.
 */
export async function serve(world: World, options: ServeOptions): Promise<void> {
  const { clock } = world;
  const { signal, metrics, identity = `${hostname()}_${randomBytes(4).toString('hex')}` } = options;
  const loop = newLoop(world);
  let view: View | undefined;
  let leading = false;
  metrics.gauge('wukong_leader', () => Number(leading));
  metrics.gauge('wukong_wukongs', () => view?.wukongs() ?? 0);
  metrics.gauge('wukong_operations_in_flight', () => loop.busy.size);

  const turns = () => !leading || clock.now() - loop.turnedAt() < stuckMs;
  const open = {
    '/healthz': () => (turns() ? 'ok\n' : undefined),
    '/readyz': () => (view?.check(), view && !signal.aborted ? 'ok\n' : undefined),
    '/metrics': () => metrics.text(),
  };
  const carryOut: Serving['carryOut'] = (command, deadline) =>
    carryOutBeside(loop.busy, command, world, {
      limits: { deadline, signal },
      ...(view && { machines: view.machines }),
    });
  const serving = { world, access: newAccess(world, options), carryOut, open };
  const listening = await listen(
    async (request, response) => send(response, await answered(request, serving)),
    options,
  );
  options.listening?.(listening.port);
  try {
    const seen = (view = await openView(world, loop.changed, { deadline: clock.now() + openingMs, signal }));
    const lease = { namespace: world.config.lifecycleNamespace, name: 'wukong-lifecycle', identity };
    await lead(world, lease, signal, async (led) => {
      leading = true;
      await loop.run(seen, led).finally(() => (leading = false));
    });
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  } finally {
    await listening.close({ clock, ms: callersLeaveMs });
    view?.close();
  }
}

/** Carries a command out beside the ticks, which leave its Wukong alone meanwhile. */
async function carryOutBeside(busy: Set<string>, command: Command, world: World, options: Commanding) {
  const key = 'name' in command.target && keyOf(command.target);
  const mine = key && !busy.has(key) && busy.add(key);
  try {
    return await executeCommand(command, world, options);
  } catch (thrown) {
    if (!options.limits.signal?.aborted) throw thrown;
    const says = 'this server is ending, and the next one goes on with what was begun: ask again with the same key';
    throw refusal(503, 'Unreachable', says, { 'retry-after': '5' });
  } finally {
    if (mine) busy.delete(key);
  }
}

/** Whatever is thrown is an answer too. */
const answered = (request: IncomingMessage, serving: Serving) =>
  answerTo(request, serving).catch((thrown: unknown) => {
    const refused = refusalAnswer(thrown);
    // Who has hung up in the middle of a request hears nothing, and nothing of ours has failed.
    if (refused.statusCode === 500 && !request.readableAborted)
      serving.world.log.error('a request failed', { cause: (thrown as Error).stack });
    return refused;
  });
