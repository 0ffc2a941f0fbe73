import { readConfig } from '../../shared/cluster/config.ts';
import { credentialsOf, parseKubeConfig } from '../../shared/cluster/credentials.ts';
import { transportTo } from '../../shared/cluster/transport.ts';
import type { BusEntry, World } from '../../shared/cluster/world.ts';
import { type Command, parseCommand } from '../../shared/domain/command.ts';
import type { KubeObject, Wukong } from '../../shared/domain/model.ts';
import type { Action, Outcome } from '../../shared/domain/outcome.ts';
import type { Invocation } from '../../shared/entry/entry.ts';
import { performOne } from '../../shared/lifecycle/perform.ts';
import { silentLog } from '../../shared/report/log.ts';
import { silentMetrics } from '../../shared/report/metrics.ts';
import { VirtualClock } from '../../sim/clock.ts';
import { type Sim, type SimOptions, startSim } from '../../sim/sim.ts';
import { closeAfterTest } from '../closeAfterTest.ts';
import { dice } from '../dice.ts';
import { allRules } from './roles.ts';

export const evening = '2026-11-23T20:00:00Z';

/** An embedded cluster on a clock that jumps, and everything outside the program as the functions would have it. */
export interface Scene {
  sim: Sim;
  clock: VirtualClock;
  world: World;
  /** What was put on the event bus. */
  bus: BusEntry[];
  /** Awaits `work` while virtual time passes. */
  run<T>(work: Promise<T> | (() => Promise<T>), limitMs?: number): Promise<T>;
  command(action: Action, name: string, more?: object, at?: { requestId?: string; requestedAt?: number }): Command;
  /** One command on one Wukong, to its end. */
  perform(
    action: Action,
    name: string,
    more?: object,
    at?: { requestId?: string; requestedAt?: number; leftMs?: number },
  ): Promise<Outcome>;
  wukong(name: string): Wukong;
  vm(name: string): KubeObject & { spec: Record<string, unknown>; status: Record<string, unknown> };
  vmi(name: string): (KubeObject & { spec: Record<string, unknown>; status: Record<string, unknown> }) | undefined;
  invocation(id?: string, leftMs?: number): Invocation;
  /** Lets virtual time pass with nobody waiting for anything. */
  pass(ms: number): Promise<void>;
  /** Power calls that the cluster was asked, in order: `stop {"gracePeriod":0}`, with when. */
  calls(): { verb: string; at: number; status: number }[];
}

export const namespace = 'team-a';

let requests = 0;

/** What the functions prove who they are with: the Roles that are shipped are enforced in every story. */
export const token = 'token-of-the-lifecycle-functions';

/**
 * Over real connections only where `wire` asks for them, as a story about connections does; else requests are handed to
 * the API server, which serves them as those that came over a connection (test/sim/inProcess.test.ts).
 */
export async function scene(
  { wire = false, ...options }: SimOptions & { wire?: boolean } = {},
  env: Record<string, string> = {},
): Promise<Scene> {
  const clock = new VirtualClock(evening);
  const sim = await startSim({ clock, ...options });
  closeAfterTest(sim);
  const bus: BusEntry[] = [];
  const world = await worldOn(sim, clock, env, bus, wire ? sim.dispatcher() : sim.inProcess());
  const run = <T>(work: Promise<T> | (() => Promise<T>), limitMs?: number) => clock.run(work, { sims: [sim], limitMs });
  const command: Scene['command'] = (action, name, more = {}, at = {}) =>
    parseCommand(
      { target: { namespace, name }, ...more },
      {
        action,
        trigger: 'direct',
        requestId: at.requestId ?? `request-${++requests}`,
        requestedAt: at.requestedAt ?? clock.now(),
      },
    );
  return {
    sim,
    clock,
    world,
    bus,
    run,
    command,
    perform: (action, name, more, at) =>
      run(
        performOne(command(action, name, more, at), { namespace, name }, world, {
          limits: { deadline: clock.now() + (at?.leftMs ?? 3_600_000) },
        }),
      ),
    wukong: (name) => found(sim.get<Wukong>('wukongs', namespace, name), name),
    vm: (name) => found(sim.get('virtualmachines', namespace, `${name}-vm`), name),
    vmi: (name) => sim.get('virtualmachineinstances', namespace, `${name}-vm`),
    invocation: (id = `invocation-${++requests}`, leftMs = 3_600_000) => ({
      world,
      limits: { deadline: clock.now() + leftMs },
      id,
      now: clock.now(),
    }),
    pass: (ms) => run(new Promise<void>((resolve) => clock.after(ms, resolve)), ms + 1_000),
    calls: () =>
      sim.requests
        .filter(({ path }) => path.startsWith('/apis/subresources.kubevirt.io/'))
        .map(({ path, at, status }) => ({ verb: path.split('/').at(-1) ?? '', at, status })),
  };
}

export async function worldOn(
  sim: Sim,
  clock: VirtualClock,
  env: Record<string, string> = {},
  bus: BusEntry[] = [],
  dispatcher = sim.inProcess(),
): Promise<World> {
  sim.addToken(token, 'system:serviceaccount:wukong-lifecycle:wukong-lifecycle', allRules());
  const credentials = await credentialsOf(parseKubeConfig(sim.kubeconfig(token)), dispatcher);
  const random = dice();
  return {
    config: readConfig(env),
    clock,
    random,
    log: silentLog,
    metrics: silentMetrics,
    transport: transportTo(credentials, clock, random),
    bus: { put: async (entries) => void bus.push(...entries) },
  };
}

function found<T>(object: T | undefined, name: string): T {
  if (!object) throw new Error(`there is no ${name}`);
  return object;
}
