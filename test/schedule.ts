import type { Sim } from '../sim/sim.ts';

/** One of the whole cluster: of everything in namespaces that `spec` chooses, or with its labels. */
export const createClusterSchedule = (sim: Sim, name: string, spec: object): unknown =>
  sim.create({
    apiVersion: 'vm.novasphere.dev/v1alpha1',
    kind: 'ClusterWukongSchedule',
    metadata: { name },
    spec: { stop: '1 20 * * *', ...spec },
  });

/** A schedule in the embedded cluster: that of what is labelled env=dev, and stops at 20:01 UTC, unless `spec` differs. */
export const createSchedule = (sim: Sim, namespace: string, name: string, spec: object = {}): unknown =>
  sim.create({
    apiVersion: 'vm.novasphere.dev/v1alpha1',
    kind: 'WukongSchedule',
    metadata: { namespace, name },
    spec: { stop: '1 20 * * *', selector: { matchLabels: { env: 'dev' } }, ...spec },
  });
