import { readConfig } from '../../shared/cluster/config.ts';
import type { BusEntry, Cluster, World } from '../../shared/cluster/world.ts';
import type { KubeObject } from '../../shared/domain/model.ts';
import { silentLog } from '../../shared/report/log.ts';
import { silentMetrics } from '../../shared/report/metrics.ts';

export interface Asked {
  method: string;
  path: string;
  body?: unknown;
}

/** A cluster that gives these answers, one after the other, and keeps what it was asked, within which limits. It is always `now`. */
export function clusterOf(now: number, ...answers: [status: number, body?: KubeObject][]) {
  const asked: Asked[] = [];
  const within: unknown[] = [];
  const call = ({ method, path, body }: Asked, limits: unknown) => {
    asked.push({ method, path, ...(body ? { body } : {}) });
    within.push(limits);
    const answer = answers.shift();
    if (!answer) throw new Error(`not expected: ${method} ${path}`);
    return Promise.resolve({ status: answer[0], body: answer[1], warnings: [] });
  };
  const cluster = { transport: { call }, clock: { now: () => now, after: () => () => undefined }, random: () => 0.5 };
  return { cluster: cluster as unknown as Cluster, asked, within };
}

/** The same as a whole world, with what it put on the bus. */
export function worldOf(now: number, ...answers: [status: number, body?: KubeObject][]) {
  const { cluster, asked, within } = clusterOf(now, ...answers);
  const told: BusEntry[] = [];
  const bus = { put: async (entries: BusEntry[]) => void told.push(...entries) };
  const world: World = { ...cluster, bus, config: readConfig({}), log: silentLog, metrics: silentMetrics };
  return { world, asked, within, told };
}
