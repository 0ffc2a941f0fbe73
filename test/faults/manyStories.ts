import { executeHere } from '../../cli/commands/executeHere.ts';
import { startVm } from '../../functions/startVm/handler.ts';
import { stopVm } from '../../functions/stopVm/handler.ts';
import { listAll } from '../../shared/cluster/list.ts';
import { wukongPath } from '../../shared/cluster/objects.ts';
import { parseCommand } from '../../shared/domain/command.ts';
import { adoptedByKey, type Wukong } from '../../shared/domain/model.ts';
import type { Action, Outcome } from '../../shared/domain/outcome.ts';
import type { WukongRun } from '../../shared/domain/run.ts';
import type { RawVm } from '../../shared/domain/vmSize.ts';
import { serve } from '../../shared/entry/serve.ts';
import { adopt, release } from '../../shared/lifecycle/adopt.ts';
import { performOne } from '../../shared/lifecycle/perform.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import { prometheusMetrics } from '../../shared/report/prometheus.ts';
import { allRules, shippedRules } from '../flow/roles.ts';
import { namespace, type Scene, token } from '../flow/scene.ts';
import { deliver, sleep } from '../flow/ways.ts';
import { createSchedule } from '../schedule.ts';
import type { Story } from './stories.ts';
import { user } from './user.ts';

const labels = { env: 'dev' };
const wave = (number: number) => ({ annotations: { 'lifecycle.novasphere.dev/wave': String(number) } });
/** Beside web, which is of the first wave of a stop. */
const beside: NonNullable<Story['beside']> = {
  'web-1': { runStrategy: 'Always', labels, ...wave(10) },
  db: { runStrategy: 'Always', labels },
};
const first = { runStrategy: 'Always', labels, ...wave(10) } as const;
const stopped: Story['expected'] = { state: 'Stopped', outcomes: ['Stopped'], strategy: 'Halted' };
const started: Story['expected'] = { state: 'Running', outcomes: ['Started'], strategy: 'Always' };
/** What a report of many comes to. */
const over = { outcome: 'Done' };
const again = { outcome: 'InProgress' };

/** A failure, if there is one. */
const answerOf = (outcomes: Outcome[]): unknown =>
  outcomes.find(({ outcome }) => outcome === 'Failed') ??
  (outcomes.some(({ outcome }) => outcome === 'InProgress') ? again : over);

const within = (at: Scene, ms = 200_000) => ({ deadline: at.clock.now() + ms });
/** As an asynchronous trigger: what threw is delivered again. */
const asked = (action: Action) => (at: Scene) => {
  const event = {
    ...{ id: 'evening', time: '2026-11-23T20:00:00Z', source: 'a.team' },
    'detail-type': action === 'stop' ? 'Wukong VM Stop Requested' : 'Wukong VM Start Requested',
    detail: { target: { namespaces: [namespace], selector: 'env=dev' }, maxInFlight: 2 },
  };
  const handle = action === 'stop' ? stopVm : startVm;
  return handle(event, at.invocation('evening', 200_000)).then(
    ({ outcomes }) => answerOf(outcomes),
    () => again,
  );
};

/** A person who asks for all that bear a label, and asks again what did not come to an end. */
async function byHand(at: Scene) {
  const path = `${wukongPath(namespace)}?labelSelector=env%3Ddev`;
  const wukongs = await listAll<Wukong>(at.world.transport, path, within(at));
  const origin = {
    action: 'stop' as const,
    trigger: 'cli',
    requestId: 'cli:evening',
    requestedAt: Date.parse('2026-11-23T20:00Z'),
  };
  const outcomes = await executeHere(parseCommand({ target: { selector: 'env=dev' } }, origin), wukongs, at.world, {
    // A wave that a dead process has begun holds the next one back for ten minutes.
    ...{ ...within(at, 900_000), interrupted: new AbortController().signal, wait: true },
    waiting() {},
    ended() {},
  });
  return answerOf(outcomes);
}

const buses = new WeakMap<Scene['sim'], ReturnType<typeof deliver>>();
async function overBus(at: Scene) {
  const tick = await reconcile(at.world, within(at, 50_000));
  await buses.get(at.sim)?.settled();
  return tick.undone > 0 ? again : over;
}

const toEvening = async (at: Scene) => {
  createSchedule(at.sim, namespace, 'evening');
  await at.pass(60_000);
};

/** A server that Kubernetes starts again when it ends, until web is at its end, and for five seconds more. */
async function serving(at: Scene) {
  const draining = new AbortController();
  const metrics = prometheusMetrics();
  const world = { ...at.world, metrics };
  const options = { port: 0, host: '127.0.0.1', audience: 'wukong-lifecycle', metrics, identity: 'one' };
  const running = serve(world, { ...options, signal: draining.signal }).catch(() => {});
  for (let second = 0; second < 100; second++) {
    await sleep(at, 1_000);
    if (second > 5 && at.wukong('web').status?.lifecycleState?.outcome === 'Stopped') break;
  }
  draining.abort(new Error('SIGTERM'));
  await Promise.race([running, sleep(at, 60_000)]);
  return at.wukong('web').status?.lifecycleState?.outcome === 'Stopped' ? over : again;
}

function mayServe(at: Scene) {
  at.sim.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'wukong-lifecycle' } });
  at.sim.addToken(token, user, [...allRules(), ...shippedRules(['serve'])]);
}

/** Who adopts is a person with rights of their own; the faults befall them. */
const asPerson = (at: Scene) => at.sim.addToken(token, user, 'admin');
const vmOf = (at: Scene) => at.sim.get<RawVm>('virtualmachines', namespace, 'web-vm')!;
const failed = (thrown: unknown) => ({ outcome: 'InProgress', reason: (thrown as { code?: string }).code });
const adopting = (at: Scene) =>
  adopt(at.world, vmOf(at), { wukongs: at.sim.list<Wukong>('wukongs', namespace), name: undefined }, within(at)).then(
    () => over,
    failed,
  );
const releasing = (at: Scene) => {
  const wukong = at.sim.get<Wukong>('wukongs', namespace, 'web');
  return wukong ? release(at.world, wukong, within(at)).then(() => over, failed) : Promise.resolve(over);
};
async function plainVm(at: Scene) {
  asPerson(at);
  at.sim.create({
    ...{ apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachine', metadata: { namespace, name: 'web-vm', labels } },
    spec: {
      runStrategy: 'Always',
      template: { spec: { domain: { devices: {}, resources: { requests: { memory: '64Mi' } } } } },
    },
  });
  await at.pass(5_000);
}

const runOf = (at: Scene) => at.sim.list<WukongRun>('wukongruns', namespace).find(({ spec }) => spec.schedule);
const runTells = (done: number) => (at: Scene) => {
  const { phase, done: said, targets } = runOf(at)?.status ?? {};
  return phase === 'Succeeded' && said === done && targets === done
    ? []
    : [`the run says ${phase}, ${said} done of ${targets}`];
};

/** Stories of the executor, the bus, the server, runs, adoption and a restart. */
export const manyStories: Story[] = [
  { name: 'fleet in two waves', wukong: first, beside, begin: asked('stop'), delivered: true, expected: stopped },
  {
    name: 'fleet that is started in two waves',
    wukong: { ...first, runStrategy: 'Halted' },
    beside: Object.fromEntries(Object.entries(beside).map(([name, one]) => [name, { ...one, runStrategy: 'Halted' }])),
    begin: asked('start'),
    delivered: true,
    expected: started,
  },
  { name: 'stop -l by the command line', wukong: first, beside, begin: byHand, delivered: true, expected: stopped },
  {
    name: 'schedule over the bus',
    wukong: first,
    beside,
    async before(at) {
      buses.set(at.sim, deliver(at, { leftMs: 200_000 }));
      await toEvening(at);
    },
    begin: overBus,
    delivered: false,
    expected: stopped,
    also: runTells(3),
  },
  {
    name: 'schedule of three, carried out by the tick',
    wukong: first,
    beside,
    async before(at) {
      delete at.world.bus;
      await toEvening(at);
    },
    begin: (at) => reconcile(at.world, within(at)),
    delivered: false,
    expected: stopped,
    also: runTells(3),
  },
  {
    name: 'run that is closed by a later tick',
    wukong: { runStrategy: 'Always', labels, guest: { 'shutdown-seconds': '20' } },
    async before(at) {
      delete at.world.bus;
      await toEvening(at);
      await at.run(reconcile(at.world, within(at, 15_000)));
    },
    begin: (at) => reconcile(at.world, within(at)),
    delivered: false,
    expected: stopped,
    also: runTells(1),
  },
  {
    name: 'declared stop that a server sees',
    wukong: { runStrategy: 'Always' },
    async before(at) {
      delete at.world.bus;
      mayServe(at);
      at.sim.change<{ spec: { lifecycleAction?: unknown } }>('wukongs', namespace, 'web', ({ spec }) => {
        spec.lifecycleAction = { action: 'stop' };
      });
    },
    begin: serving,
    delivered: true,
    expected: stopped,
  },
  {
    name: 'restart',
    wukong: { runStrategy: 'Always', guest: { 'shutdown-seconds': '2' } },
    begin: (at) =>
      performOne(
        at.command('stop', 'web', { restart: true }, { requestId: 'the-request' }),
        { namespace, name: 'web' },
        at.world,
        { limits: within(at, 600_000) },
      ),
    delivered: true,
    expected: started,
  },
  {
    name: 'adoption',
    before: plainVm,
    begin: adopting,
    delivered: true,
    expected: { state: 'Running', outcomes: [''], strategy: 'Always' },
    also: (at) => (vmOf(at).metadata.annotations?.[adoptedByKey] === 'web' ? [] : ['the VM is not given to it']),
  },
  {
    name: 'release',
    async before(at) {
      await plainVm(at);
      await at.run(adopting(at));
    },
    begin: releasing,
    delivered: true,
    expected: { state: undefined, outcomes: [''], strategy: 'Always' },
    also: (at) => [
      ...(at.sim.get('wukongs', namespace, 'web') ? ['the Wukong is still there'] : []),
      ...(vmOf(at).metadata.annotations?.[adoptedByKey] === undefined ? [] : ['the VM is still given to it']),
    ],
  },
];
