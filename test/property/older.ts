import { rmSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

import type { reconcileState } from '../../functions/reconcileState/handler.ts';
import type { startVm } from '../../functions/startVm/handler.ts';
import type { readConfig } from '../../shared/cluster/config.ts';
import type { credentialsOf, parseKubeConfig } from '../../shared/cluster/credentials.ts';
import type { Transport, transportTo } from '../../shared/cluster/transport.ts';
import type { World } from '../../shared/cluster/world.ts';
import type { Action } from '../../shared/domain/outcome.ts';
import type { Clock } from '../../shared/time/clock.ts';
import type { Sim } from '../../sim/sim.ts';
import { dice } from '../dice.ts';
import { outOfHistory } from '../upgrade/outOfHistory.ts';
import type { OlderSpan } from './mixedHistory.ts';

const minuteMs = 60_000;

/** The functions of version 0.1.0 themselves, and what they reach a cluster with. */
export interface Older {
  config: World['config'];
  handle: Record<Action, typeof startVm>;
  reconcileState: typeof reconcileState;
  transportOn(sim: Sim, random: () => number): Promise<(clock: Clock) => Transport>;
}

/** What is meant here is under the same name in both versions. */
interface Parts {
  startVm: typeof startVm;
  stopVm: typeof startVm;
  reconcileState: typeof reconcileState;
  readConfig: typeof readConfig;
  credentialsOf: typeof credentialsOf;
  parseKubeConfig: typeof parseKubeConfig;
  transportTo: typeof transportTo;
}

const names = ['startVm', 'stopVm', 'reconcileState'].map((name) => `functions/${name}/handler`);
const files = [...names, 'shared/config', 'shared/kube/credentials', 'shared/kube/transport'];

/** Version 0.1.0 out of the history of this repository. */
export async function olderVersion(): Promise<Older> {
  const folder = outOfHistory();
  try {
    const part = async (file: string) => (await import(pathToFileURL(`${folder}/${file}.ts`).href)) as Partial<Parts>;
    const all = Object.assign({}, ...(await Promise.all(files.map(part)))) as Parts;
    return {
      config: all.readConfig({}),
      handle: { start: all.startVm, stop: all.stopVm },
      reconcileState: all.reconcileState,
      async transportOn(sim, random) {
        const credentials = await all.credentialsOf(all.parseKubeConfig(sim.kubeconfig()), sim.inProcess());
        return (clock) => all.transportTo(credentials, clock, random);
      },
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Version 0.1.0 between two instants. */
export interface Acting {
  version: Older;
  connect: (clock: Clock) => Transport;
  from: number;
  until: number;
}

export async function actingIn(
  version: Older,
  span: OlderSpan,
  { sim, begin }: { sim: Sim; begin: number },
): Promise<Acting> {
  const from = begin + span.from * minuteMs;
  const connect = await version.transportOn(sim, dice());
  return { version, connect, from, until: from + span.minutes * minuteMs };
}
