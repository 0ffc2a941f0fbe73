import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { V1ConfigMap, V1CronJob, V1ObjectMeta } from '@kubernetes/client-node';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';

import { readConfig } from '../../shared/cluster/config.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import { type Sim, startSim } from '../../sim/sim.ts';
import { assemble, type Ended, start } from './image.ts';

interface Rendered {
  kind: string;
  metadata: V1ObjectMeta;
}

const folder = process.env['RENDERED'] ?? '';
const objectsOf = (overlay: string) =>
  (
    [...parseAllDocuments(readFileSync(join(folder, `${overlay}.yaml`), 'utf8'))].map(
      (one) => one.toJS() as unknown,
    ) as (Rendered | null)[]
  ).filter((object) => object !== null);

let app: string;
let sim: Sim;
beforeAll(() => void (app = assemble()));
afterAll(() => rmSync(app, { recursive: true, force: true }));
beforeEach(async () => {
  sim = await startSim();
});
afterEach(() => sim.close());

const isOff = (namespace: string) => sim.get('virtualmachineinstances', namespace, 'web-vm') === undefined;

/** Runs a CronJob's container as the kubelet would: its arguments, its ConfigMap, the token of its account. */
async function run(name: string, home: string): Promise<Ended> {
  const job = sim.get<V1CronJob>('cronjobs', home, name);
  const pod = job?.spec?.jobTemplate.spec?.template.spec;
  const container = pod?.containers[0];
  if (!pod?.serviceAccountName || !container) throw new Error(`no CronJob ${home}/${name}`);
  expect(sim.get('serviceaccounts', home, pod.serviceAccountName)).toBeDefined();
  const maps = (container.envFrom ?? []).map(({ configMapRef }) =>
    sim.get<V1ConfigMap>('configmaps', home, configMapRef?.name ?? ''),
  );
  const env = Object.assign({}, ...maps.map((map) => map?.data)) as Record<string, string>;
  expect(maps.every((map) => map !== undefined)).toBe(true);
  readConfig(env);
  const file = join(app, `kubeconfig-${pod.serviceAccountName}`);
  writeFileSync(file, sim.kubeconfig(sim.tokenFor(home, pod.serviceAccountName)));
  return start(app, container.args ?? [], { ...env, KUBECONFIG: file });
}

const refused = () =>
  sim.requests.filter(({ status }) => status === 403).map(({ method, path }) => `403 ${method} ${path}`);

const scopes = [
  { overlay: 'cluster-wide', home: 'wukong-lifecycle', reached: ['team-a', 'team-b'], spared: [] },
  { overlay: 'namespaced', home: 'team-a', reached: ['team-a'], spared: ['team-b'] },
];

describe.each(scopes)('the overlay $overlay', ({ overlay, home, reached, spared }) => {
  beforeEach(() => {
    for (const object of objectsOf(overlay)) if (object.kind !== 'CustomResourceDefinition') sim.create(object);
    for (const namespace of ['team-a', 'team-b'])
      sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', labels: { env: 'dev' } });
  });

  it('is whole: every kind that is needed, in the right place', () => {
    const objects = objectsOf(overlay);
    const kinds = new Set(objects.map(({ kind }) => kind));
    expect([...kinds]).toEqual(expect.arrayContaining(['ServiceAccount', 'ConfigMap', 'CronJob', 'NetworkPolicy']));
    expect(kinds.has('ClusterRole')).toBe(overlay === 'cluster-wide');
    expect(kinds.has('Role')).toBe(overlay === 'namespaced');
    const homes = new Set(objects.map(({ metadata }) => metadata.namespace));
    expect(homes).toEqual(new Set(overlay === 'namespaced' ? [home] : [home, undefined]));
  });

  it('has CronJobs that do not overlap, end in time and keep no heaps of Jobs', () => {
    for (const { spec } of sim.list<V1CronJob>('cronjobs', home)) {
      const job = spec?.jobTemplate.spec;
      expect(spec).toMatchObject({ concurrencyPolicy: 'Forbid' });
      // The CronJob controller looks every 10 s: with less it might never start one.
      expect(spec?.startingDeadlineSeconds).toBeGreaterThan(10);
      expect(job).toMatchObject({ backoffLimit: 0 });
      expect(job?.activeDeadlineSeconds).toBeGreaterThan(0);
      expect(spec?.successfulJobsHistoryLimit).toBeLessThanOrEqual(3);
      expect(spec?.failedJobsHistoryLimit).toBeLessThanOrEqual(3);
      if (spec?.schedule !== '* * * * *') expect(spec).toMatchObject({ timeZone: 'Europe/Berlin', suspend: true });
    }
  });

  it('stops a fleet in the evening and starts it in the morning, with its own accounts', async () => {
    const evening = await run('wukong-evening-stop', home);
    expect(evening, evening.stderr).toMatchObject({ code: 0 });
    for (const namespace of reached) expect(isOff(namespace)).toBe(true);
    for (const namespace of spared) expect(isOff(namespace)).toBe(false);
    const morning = await run('wukong-morning-start', home);
    expect(morning, morning.stderr).toMatchObject({ code: 0 });
    for (const namespace of reached) expect(isOff(namespace)).toBe(false);
    expect(refused()).toEqual([]);
  });

  it('carries out at its tick what is declared and what schedules want, with its own account', async () => {
    for (const namespace of ['team-a', 'team-b']) {
      sim.create({
        apiVersion: 'vm.novasphere.dev/v1alpha1',
        kind: 'WukongSchedule',
        metadata: { namespace, name: 'office' },
        spec: { timeZone: 'Europe/Berlin', stop: '0 20 * * *', selector: { matchLabels: { env: 'dev' } } },
      });
      sim.change<Wukong>('wukongs', namespace, 'web', ({ spec = {} }) => (spec.lifecycleAction = { action: 'stop' }));
    }
    const ended = await run('wukong-reconcile', home);
    expect(ended, ended.stderr).toMatchObject({ code: 0 });
    const lines = ended.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines.at(-1)).toMatchObject({ wukongs: reached.length, problems: [] });
    expect(lines.slice(0, -1)).toEqual(reached.map(() => expect.objectContaining({ outcome: 'Stopped' }) as object));
    for (const namespace of reached) {
      expect(isOff(namespace)).toBe(true);
      expect(sim.get('wukongschedules', namespace, 'office')).toMatchObject({ status: { matched: 1 } });
    }
    for (const namespace of spared) expect(isOff(namespace)).toBe(false);
    expect(refused()).toEqual([]);
  });
});
