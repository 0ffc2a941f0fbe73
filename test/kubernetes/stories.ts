import { request } from 'undici';

import { getState } from '../../functions/getState/handler.ts';
import { reconcileState } from '../../functions/reconcileState/handler.ts';
import { startVm } from '../../functions/startVm/handler.ts';
import { stopVm } from '../../functions/stopVm/handler.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import { currentKey, type WukongRun } from '../../shared/domain/run.ts';
import type { Invocation } from '../../shared/entry/entry.ts';
import { serve } from '../../shared/entry/serve.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import { prometheusMetrics } from '../../shared/report/prometheus.ts';
import type { WukongOptions } from '../../sim/sim.ts';
import type { Extra, FunctionName } from '../flow/roles.ts';
import { namespace, type Scene } from '../flow/scene.ts';
import { createClusterSchedule, createSchedule } from '../schedule.ts';
import { audience, home, tokenOf } from '../serve/serving.ts';

/** What one function is asked for. Together they need each verb of its Role. */
export interface Story {
  name: string;
  by: FunctionName;
  /** Roles that it needs besides. */
  extras?: Extra[];
  env?: Record<string, string>;
  /** Before the function is called, with all rights. */
  given(at: Scene): Promise<unknown>;
  when(at: Scene, invocation: Invocation): Promise<unknown>;
}

const target = { namespace, name: 'web' };
const fleet = { selector: 'env=dev' };

async function vm(at: Scene, options: Partial<WukongOptions> = {}): Promise<void> {
  at.sim.createWukong({ ...target, runStrategy: 'Always', labels: { env: 'dev' }, ...options });
  await at.pass(5_000);
}

/** In more namespaces than are read one by one. */
function elsewhere(at: Scene): void {
  for (let i = 1; i <= 10; i++)
    at.sim.createWukong({ namespace: `more-${i}`, name: 'web', runStrategy: 'Halted', labels: { env: 'dev' } });
}

/** Its guest never came up, and KubeVirt has the next start in its queue. */
async function crashed(at: Scene): Promise<void> {
  await vm(at, { runStrategy: 'RerunOnFailure', guest: { 'never-running': 'true' } });
  const queued = () => (at.vm('web').status?.['stateChangeRequests'] as unknown[] | undefined)?.length;
  for (let i = 0; i < 2_000 && !(queued() && !at.vmi('web')); i++) await at.pass(25);
}

const hanging = (at: Scene) => vm(at, { terminationGracePeriodSeconds: 2, guest: { hang: 'true' } });

async function onceStopped(at: Scene): Promise<void> {
  await vm(at, { runStrategy: 'Once' });
  await at.perform('stop', 'web');
}

const answerLost = (at: Scene) =>
  at.sim.faults.add({ when: { method: 'POST', path: /events/ }, times: 1, does: { kind: 'dropAfter' } });
/** As servers before Kubernetes 1.32. */
const noInitialEvents = (at: Scene) =>
  at.sim.faults.add({ when: { watch: true }, times: 2, does: { kind: 'status', status: 422 } });
/** The first write finds that somebody else has written since. */
const conflict = (at: Scene) =>
  at.sim.faults.add({ when: { method: 'PATCH', path: /wukongs/ }, times: 1, does: { kind: 'status', status: 409 } });
const declare = (at: Scene, lifecycleAction: object) =>
  at.sim.change<Wukong>('wukongs', namespace, 'web', (wukong) => (wukong.spec = { ...wukong.spec, lifecycleAction }));
const onNamespace = (at: Scene, annotations: Record<string, string>) =>
  at.sim.change<Wukong>('namespaces', '', namespace, ({ metadata }) => (metadata.annotations = annotations));

const labelNamespace = (at: Scene, labels: Record<string, string>) =>
  at.sim.change<Wukong>('namespaces', '', namespace, ({ metadata }) => (metadata.labels = labels));

/** An evening stop that falls due, with a calendar of holidays. */
async function due(at: Scene): Promise<void> {
  await vm(at);
  const metadata = { namespace, name: 'free', labels: { 'lifecycle.novasphere.dev/holidays': 'true' } };
  at.sim.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { holidays: '2026-12-25' } });
  createSchedule(at.sim, namespace, 'office', { holidays: { configMapRef: { name: 'free' } } });
  await at.pass(60_000);
}

/** The same, once it was done. */
async function ran(at: Scene): Promise<void> {
  await due(at);
  const { bus: _bus, ...world } = at.world;
  await at.run(reconcile(world, { deadline: at.clock.now() + 50_000 }));
}
const changeRun = (at: Scene, change: (run: WukongRun) => void) =>
  at.sim.change('wukongruns', namespace, at.sim.list<WukongRun>('wukongruns', namespace)[0]!.metadata.name, change);

async function dueEverywhere(at: Scene): Promise<void> {
  elsewhere(at);
  for (let i = 1; i <= 10; i++) createSchedule(at.sim, `more-${i}`, 'office');
  await due(at);
}

const keepRunning = { 'lifecycle.novasphere.dev/keep-running-until': '2026-11-25T00:00:00Z' };
const oneNamespace = { WATCH_NAMESPACES: namespace };

const stops: Omit<Story, 'by'>[] = [
  { name: 'a stop', given: vm, when: (_, by) => stopVm({ target }, by) },
  {
    name: 'a stop of a fleet in all namespaces',
    extras: ['all-namespaces'],
    given: (at) => (elsewhere(at), vm(at)),
    when: (_, by) => stopVm({ target: fleet }, by),
  },
  {
    name: 'a stop of a fleet whose namespace is to keep running',
    env: oneNamespace,
    given: async (at) => (await vm(at), onNamespace(at, keepRunning)),
    when: (_, by) => stopVm({ target: fleet }, by),
  },
  { name: 'a stop of a crashed guest', given: crashed, when: (_, by) => stopVm({ target }, by) },
  { name: 'a stop of a hanging guest', given: hanging, when: (_, by) => stopVm({ target }, by) },
  {
    name: 'a stop that deletes the pod',
    extras: ['stuck-pods'],
    given: hanging,
    when: (_, by) => stopVm({ target, deletePodWhenStuck: true }, by),
  },
  {
    name: 'a stop whose Event is told with a lost answer',
    given: async (at) => (await vm(at), answerLost(at)),
    when: (_, by) => stopVm({ target }, by),
  },
  { name: 'a stop whose end nobody could watch', given: unwatched, when: (_, by) => stopVm({ target }, by) },
  {
    name: 'a stop on a server without initial events',
    given: async (at) => (await vm(at), noInitialEvents(at)),
    when: (_, by) => stopVm({ target }, by),
  },
];

/** KubeVirt ended its guest; virt-handler says so in an Event on the VMI. */
function failedInEvents(at: Scene): void {
  const { name = '', uid } = at.vmi('web')?.metadata ?? {};
  at.sim.create({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { namespace, name: `${name}.ended` },
    involvedObject: { kind: 'VirtualMachineInstance', namespace, name, uid },
    type: 'Warning',
    reason: 'Stopped',
    message: 'The VirtualMachineInstance crashed.',
    source: { component: 'virt-handler' },
    lastTimestamp: '2026-11-23T20:00:09Z',
  });
}

const deaf = (at: Scene) => vm(at, { terminationGracePeriodSeconds: 2, guest: { 'ignore-acpi': 'true' } });

/** The watch breaks while the guest shuts down, and what it missed is not to be had any more. */
async function unwatched(at: Scene): Promise<void> {
  await deaf(at);
  failedInEvents(at);
  const { faults } = at.sim;
  const when = { watch: true, path: /virtualmachineinstances/ };
  const now = at.clock.now();
  faults.add({ when: { ...when, nth: 1 }, does: { kind: 'cutWatch', afterEvents: 3 } });
  faults.add({ when: { ...when, from: 2, untilInstant: now + 8_000 }, does: { kind: 'status', status: 503 } });
  at.clock.after(7_000, () => at.sim.compact());
}

/** A stop was asked for, and its process went away before the guest had ended. */
async function leftAlone(at: Scene): Promise<void> {
  await deaf(at);
  failedInEvents(at);
  await at.perform('stop', 'web', {}, { leftMs: 100 });
  await at.pass(60_000);
}

const halted = (at: Scene) => vm(at, { runStrategy: 'Halted' });
const starts: Omit<Story, 'by'>[] = [
  { name: 'a start', given: halted, when: (_, by) => startVm({ target }, by) },
  { name: 'a start that restores the strategy', given: onceStopped, when: (_, by) => startVm({ target }, by) },
  {
    name: 'a start of a fleet in all namespaces',
    extras: ['all-namespaces'],
    given: (at) => (elsewhere(at), halted(at)),
    when: (_, by) => startVm({ target: fleet }, by),
  },
  {
    name: 'a start of a fleet whose namespace is to stay off',
    env: oneNamespace,
    given: async (at) => (
      await halted(at),
      onNamespace(at, { 'lifecycle.novasphere.dev/keep-stopped-until': '2026-11-25T00:00:00Z' })
    ),
    when: (_, by) => startVm({ target: fleet }, by),
  },
  {
    name: 'a start whose Event is told with a lost answer',
    given: async (at) => (await halted(at), answerLost(at)),
    when: (_, by) => startVm({ target }, by),
  },
  {
    name: 'a start on a server without initial events',
    given: async (at) => (await halted(at), noInitialEvents(at)),
    when: (_, by) => startVm({ target }, by),
  },
];

const tick = (_: Scene, by: Invocation) => reconcileState({}, by);
const ticks: Omit<Story, 'by'>[] = [
  { name: 'a declared stop', given: async (at) => (await vm(at), declare(at, { action: 'stop' })), when: tick },
  {
    name: 'a declared stop that meets another writer',
    given: async (at) => (await vm(at), declare(at, { action: 'stop' }), conflict(at)),
    when: tick,
  },
  {
    name: 'a declared stop of a crashed guest',
    given: async (at) => (await crashed(at), declare(at, { action: 'stop' })),
    when: tick,
  },
  {
    name: 'a declared stop of a hanging guest',
    given: async (at) => (await hanging(at), declare(at, { action: 'stop' })),
    when: tick,
  },
  { name: 'a declared start', given: async (at) => (await halted(at), declare(at, { action: 'start' })), when: tick },
  {
    name: 'a declared start that restores the strategy',
    given: async (at) => (await onceStopped(at), declare(at, { action: 'start' })),
    when: tick,
  },
  {
    name: 'what deletes a pod and was interrupted',
    extras: ['stuck-pods'],
    given: async (at) => (
      await hanging(at),
      at.perform('stop', 'web', { deletePodWhenStuck: true }, { leftMs: 1_000 })
    ),
    when: tick,
  },
  {
    name: 'a tick whose Event is told with a lost answer',
    given: async (at) => (await vm(at), declare(at, { action: 'stop' }), answerLost(at)),
    when: tick,
  },
  { name: 'a stop that was left alone', given: leftAlone, when: tick },
  {
    name: 'a tick on a server without initial events',
    given: async (at) => (await vm(at), noInitialEvents(at)),
    when: tick,
  },
  { name: 'a schedule', env: oneNamespace, given: due, when: tick },
  {
    name: 'a schedule whose run goes on',
    env: oneNamespace,
    given: async (at) => {
      await hanging(at);
      createSchedule(at.sim, namespace, 'office');
      await at.pass(60_000);
      await at.run(reconcile(at.world, { deadline: at.clock.now() + 10_000 }));
      await at.pass(180_000);
    },
    when: tick,
  },
  {
    name: 'a schedule whose run somebody has replaced',
    env: oneNamespace,
    given: async (at) => {
      await ran(at);
      changeRun(at, (run) => (run.status = { ...run.status!, done: 7 }));
    },
    when: tick,
  },
  {
    name: 'a schedule whose run somebody has hidden',
    env: oneNamespace,
    given: async (at) => {
      await ran(at);
      changeRun(at, ({ metadata }) => delete metadata.labels?.[currentKey]);
    },
    when: tick,
  },
  {
    name: 'a schedule in a frozen cluster',
    env: { ...oneNamespace, LIFECYCLE_NAMESPACE: namespace },
    given: async (at) => {
      await due(at);
      const metadata = { namespace, name: 'wukong-lifecycle' };
      at.sim.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { freezeUntil: '2026-11-25T00:00:00Z' } });
    },
    when: tick,
  },
  {
    name: 'a schedule whose namespace is to keep running',
    env: oneNamespace,
    given: async (at) => (await due(at), onNamespace(at, keepRunning)),
    when: tick,
  },
  {
    name: 'a schedule of all namespaces, one of which is to keep running',
    extras: ['all-namespaces'],
    given: async (at) => (await dueEverywhere(at), onNamespace(at, keepRunning)),
    when: tick,
  },
  {
    name: 'a schedule that waits for users',
    env: oneNamespace,
    given: async (at) => {
      await vm(at, { guest: { users: 'kim', 'agent-after-seconds': '1' } });
      createSchedule(at.sim, namespace, 'office', { skipWhileInUse: { loggedIn: true } });
      await at.pass(60_000);
    },
    when: tick,
  },
  {
    name: 'a schedule of the whole cluster',
    extras: ['all-namespaces', 'cluster-schedules'],
    given: async (at) => {
      await vm(at);
      createClusterSchedule(at.sim, 'night', { namespaceSelector: { matchLabels: { tier: 'dev' } } });
      labelNamespace(at, { tier: 'dev' });
      await at.pass(60_000);
    },
    when: tick,
  },
  {
    name: 'a namespace whose next stop is to be skipped',
    env: oneNamespace,
    extras: ['skip-next'],
    given: async (at) => (await due(at), onNamespace(at, { 'lifecycle.novasphere.dev/skip-next': 'true' })),
    when: tick,
  },
];

const looks: Omit<Story, 'by'>[] = [
  { name: 'the state of one', given: vm, when: (_, by) => getState(target, by) },
  { name: 'the states of all', given: vm, when: (_, by) => getState({}, by) },
];

/** What a caller of the server proves who they are with; of the story that is played. */
let callersToken = '';

/** The server for half a minute: a declared stop, what a caller asks, and another stop once the Lease was renewed. */
async function served(at: Scene, { world }: Invocation): Promise<unknown> {
  const draining = new AbortController();
  const metrics = prometheusMetrics();
  const pass = (ms: number) => new Promise<void>((next) => at.clock.after(ms, next));
  let port = 0;
  const options = { port: 0, host: '127.0.0.1', audience, metrics, identity: 'one', signal: draining.signal };
  const over = serve({ ...world, metrics }, { ...options, listening: (found) => (port = found) });
  const ask = async (method: 'GET' | 'POST', path: string) => {
    const headers = { authorization: `Bearer ${callersToken}` };
    const { statusCode } = await request(`http://127.0.0.1:${port}/namespaces/${namespace}/wukongs/${path}`, {
      method,
      headers,
    });
    return `${method} ${statusCode}`;
  };
  const asked = async () => {
    await pass(2_000);
    const answers = [await ask('GET', 'web'), await ask('POST', 'web/stop')];
    await pass(18_000);
    declare(at, { action: 'start' });
    await pass(10_000);
    return { problems: answers };
  };
  const answer = await Promise.race([over, asked()]).finally(() => draining.abort());
  await over;
  return answer;
}

const servers: Omit<Story, 'by'>[] = [
  {
    name: 'a server',
    extras: ['serve', 'all-namespaces', 'cluster-schedules'],
    given: async (at) => {
      await vm(at);
      at.sim.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: home } });
      callersToken = await tokenOf(at, ['stop', 'get']);
      at.sim.faults.add({
        when: { watch: true, path: /\/v1\/namespaces(\?|$)/ },
        times: 2,
        does: { kind: 'status', status: 422 },
      });
    },
    when: served,
  },
];

const all = (by: FunctionName, of: Omit<Story, 'by'>[]): Story[] => of.map((story) => ({ ...story, by }));

const wider = ({ extras = [] }: Story): Extra[] => [...new Set<Extra>([...extras, 'cluster-schedules'])];

export const stories: Story[] = [
  ...all('stop', stops),
  ...all('start', starts),
  // Who serves all namespaces carries out schedules of the whole cluster.
  ...all('reconcile', ticks).map((story): Story => (story.env ? story : { ...story, extras: wider(story) })),
  ...all('state', looks),
  ...all('reconcile', servers),
];
