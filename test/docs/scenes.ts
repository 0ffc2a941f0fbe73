import type { Sim } from '../../sim/sim.ts';

const office = (namespace: string, times: object = { start: '0 8 * * 1-5' }) => ({
  apiVersion: 'vm.novasphere.dev/v1alpha1',
  kind: 'WukongSchedule',
  metadata: { name: 'office', namespace },
  spec: { timeZone: 'Europe/Berlin', stop: '0 20 * * *', ...times, selector: { matchLabels: { env: 'dev' } } },
});

const night = {
  apiVersion: 'vm.novasphere.dev/v1alpha1',
  kind: 'WukongRun',
  metadata: { name: 'office-20261123-2030-stop-bebfd96a6b', namespace: 'default' },
  spec: { schedule: 'office', action: 'stop', dueAt: '2026-11-23T20:30:00Z', targets: 2 },
  status: { phase: 'Succeeded' },
};

const space = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

const vm = (name: string, labels: object, runStrategy: string, cores: number, memory: string) => ({
  apiVersion: 'kubevirt.io/v1',
  kind: 'VirtualMachine',
  metadata: { name, namespace: 'team-a', labels },
  spec: { runStrategy, template: { spec: { domain: { devices: {}, cpu: { cores }, memory: { guest: memory } } } } },
});

const pair = (sim: Sim, namespace: string) => {
  for (const name of ['web', 'db']) sim.createWukong({ namespace, name, labels: { env: 'dev' } });
  sim.create(office(namespace));
};

/** What is in the cluster where a page begins, by the words of its hidden comment. */
export const scenes: Record<string, (sim: Sim) => void> = {
  'a cluster with the Wukong CRD alone, and the namespace team-a': (sim) => {
    for (const ours of ['wukongschedules', 'clusterwukongschedules', 'wukongruns'])
      sim.remove('customresourcedefinitions', '', `${ours}.vm.novasphere.dev`);
    sim.create(space('team-a'));
  },
  'web and db run in the namespace default': (sim) => pair(sim, 'default'),
  'web and db run in team-a': (sim) => pair(sim, 'team-a'),
  'web and db run in the namespace default, and a night of theirs is over': (sim) => {
    pair(sim, 'default');
    sim.create(night);
    sim.create(space('wukong-lifecycle'));
  },
  'VMs of plain KubeVirt run in team-a': (sim) => {
    sim.create(vm('web-vm', { env: 'dev' }, 'Always', 2, '4Gi'));
    sim.create(vm('mail', { env: 'dev' }, 'RerunOnFailure', 1, '1Gi'));
  },
  'VMs of plain KubeVirt run in team-a, one with office hours': (sim) => {
    sim.create(vm('web-vm', { env: 'dev' }, 'Always', 2, '4Gi'));
    sim.create(vm('mail', {}, 'RerunOnFailure', 1, '1Gi'));
    sim.create(office('team-a', {})); // so that a stop comes next, whatever the hour
  },
};
