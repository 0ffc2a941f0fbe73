import type { Cluster } from './apiserver/cluster.ts';
import { GarbageCollector } from './apiserver/garbage.ts';
import { Quotas } from './apiserver/quota.ts';
import { VmController } from './kubevirt/controller.ts';
import { limitedBusyMs, limitedWorkers } from './kubevirt/limits.ts';
import { Recorder } from './kubevirt/recorder.ts';
import { NodeSide } from './node/node.ts';

export interface ControllerOptions {
  /** `limited` as the real control plane was measured; default `unlimited`. */
  limits?: 'limited' | 'unlimited';
  /** How long it takes until the VM controller looks at a changed VM; default 40. */
  controllerDelayMs?: number;
  /** The VM controller hears of a changed VM up to so much later, each time another time; default 50. */
  controllerLagMs?: number;
  /** Whether virt-handler writes Events on VMIs whose guest begins or ends (read in KubeVirt's source); default false. */
  guestEvents?: boolean;
}

/** Starts what works on a cluster beside its API server: Kubernetes' controllers, KubeVirt's, and the nodes. */
export function startControllers(cluster: Cluster, options: ControllerOptions): NodeSide {
  const { controllerDelayMs, controllerLagMs = 50, limits, guestEvents } = options;
  const limited = limits === 'limited';
  const lag = pseudoRandom(2);
  new GarbageCollector(cluster);
  new Quotas(cluster);
  new VmController(cluster, new Recorder(cluster, 'virtualmachine-controller'), {
    delayMs: controllerDelayMs ?? 40,
    vmiDelayMs: controllerDelayMs ?? 22, // KUBEVIRT.md §2: a VMI's change is on its VM 15 to 22 ms later
    lagMs: () => Math.floor(lag() * (controllerLagMs + 1)),
    workers: limited ? limitedWorkers : Infinity,
    busyMs: limited ? limitedBusyMs : 0,
    random: pseudoRandom(),
  });
  return new NodeSide(cluster, { guestEvents });
}

/** The same numbers in every run (mulberry32). */
function pseudoRandom(seed = 1): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let value = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}
