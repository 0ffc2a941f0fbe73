import { readConfig } from '../../shared/cluster/config.ts';
import { type Credentials, credentialsOf, parseKubeConfig } from '../../shared/cluster/credentials.ts';
import { transportTo } from '../../shared/cluster/transport.ts';
import type { World } from '../../shared/cluster/world.ts';
import { silentLog } from '../../shared/report/log.ts';
import { silentMetrics } from '../../shared/report/metrics.ts';
import { VirtualClock } from '../../sim/clock.ts';
import { type Sim, startSim } from '../../sim/sim.ts';
import { dice } from '../dice.ts';

const dayMs = 86_400_000;
/** Histories that one embedded cluster sees before it is made anew, so that what they leave does not add up. */
const mostHistories = 150;

/** An embedded cluster on which many histories happen, each on a day of its own, at the same hour. */
export interface Ground {
  sim: Sim;
  clock: VirtualClock;
  credentials: Credentials;
  day: number;
}

let current: Ground | undefined;

/** Where the next history happens: 20:00 UTC of a day that nothing has happened on. */
export async function nextGround(): Promise<Ground> {
  if (current && current.day >= mostHistories) await leave();
  current ??= await open();
  current.day++;
  current.clock.jumpTo(Date.UTC(2026, 0, 1, 20) + current.day * dayMs);
  current.sim.requests.length = 0;
  return current;
}

async function open(): Promise<Ground> {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1));
  const sim = await startSim({ clock, operator: (_namespace, name) => name.startsWith('operated') });
  return { sim, clock, credentials: await credentialsOf(parseKubeConfig(sim.kubeconfig()), sim.inProcess()), day: 0 };
}

export async function leave(): Promise<void> {
  await current?.sim.close();
  current = undefined;
}

/** Everything outside the program, with the same luck in every history. */
export function worldOf({ clock, credentials }: Ground, namespace: string): World {
  const random = dice();
  return {
    config: readConfig({ WATCH_NAMESPACES: namespace }),
    clock,
    random,
    log: silentLog,
    metrics: silentMetrics,
    transport: transportTo(credentials, clock, random),
  };
}
