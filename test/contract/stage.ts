import assert from 'node:assert/strict';

import type { Context } from 'aws-lambda';

import type { World } from '../../shared/cluster/world.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import type { Tick } from '../../shared/reconcile/reconcile.ts';
import { paths, type Reply, type Send } from './client.ts';
import { type Fence, fenced } from './fence.ts';
import type { Ground } from './ground.ts';
import { type Made, makeWukong, type Making, type Template } from './making.ts';
import type { Spaces } from './spaces.ts';

/** How a function is called: with which environment, as whom, and how long it has. */
export interface Calling {
  env?: Record<string, string>;
  token?: string;
  leftMs?: number;
  /** A function that looks at the whole cluster sees what is inside. */
  fence?: Fence;
}

/** What a case has to work with: a namespace, the functions, and its own view of the cluster. */
export interface Stage {
  ground: Ground;
  namespace: string;
  send: Send;
  make(how: Making): Promise<Made>;
  /** One function as Lambda calls it, to its answer. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers of a function, looked into freely
  invoke(name: FunctionName, event: unknown, calling?: Calling): Promise<any>;
  stop(made: Made, more?: object, calling?: Calling): Promise<Outcome>;
  start(made: Made, more?: object, calling?: Calling): Promise<Outcome>;
  /** A command on one, carried out as `wukong` and the server do it: a restart is none of a function's. */
  carryOut(action: 'start' | 'stop', made: Made, more?: object, calling?: Calling): Promise<Outcome>;
  /** What a function, a person or the server has of the cluster. */
  world(who: Actor, calling?: Calling): Promise<World>;
  /** The same case in one more namespace of its own. */
  another(): Promise<Stage>;
  /** An object of no namespace, which goes at the end. */
  clusterWide(path: string, object: { metadata: { name: string } }): Promise<Reply>;
  /** One tick of reconcileState in this namespace alone. */
  tick(calling?: Calling): Promise<Tick>;
  /** KubeVirt's own calls. */
  power(made: Made, verb: 'start' | 'stop' | 'restart', body?: object): Promise<Reply>;
  sleep(ms: number): Promise<void>;
  /** Looks again and again until it holds. @throws Error saying what never came. */
  until<T>(what: string, look: () => Promise<T>, limitMs?: number): Promise<NonNullable<T>>;
}

export type FunctionName = 'stopVm' | 'startVm' | 'reconcileState' | 'getState';
/** `person`: who has all rights here. */
export type Actor = FunctionName | 'person' | 'server';

const lookEveryMs = 150;
/** What takes longer is looked at less often. */
const oftenMs = 5_000;
const thenEveryMs = 1_000;
const untilMs = 90_000;
let calls = 0;

export function stageOn(ground: Ground, namespace: string, template: Template, spaces: Spaces): Stage {
  const { send, clock } = ground;
  let others = 0;
  const sleep = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));
  const stage: Stage = {
    ground,
    namespace,
    send,
    make: (how) => makeWukong(stage, template, how),
    async world(who, { env = {}, token, fence } = {}) {
      const world = await ground.open(who, env, token);
      return fence ? fenced(world, fence) : world;
    },
    another: async () => stageOn(ground, await spaces.make(`${namespace}-${++others}`), template, spaces),
    clusterWide: (path, object) => spaces.own(path, object),
    async invoke(name, event, calling = {}) {
      const world = await stage.world(name, calling);
      const { leftMs = 600_000 } = calling;
      const { lambda, [name]: called } = ground.functions;
      const handle = lambda<unknown>(name, called, () => Promise.resolve(world));
      const context = { awsRequestId: `contract-${++calls}`, getRemainingTimeInMillis: () => leftMs } as Context;
      return handle(event, context);
    },
    stop: (made, more, calling) => ask(stage, 'stopVm', made, more, calling),
    start: (made, more, calling) => ask(stage, 'startVm', made, more, calling),
    tick: ({ env, ...calling } = {}) =>
      stage.invoke('reconcileState', {}, { ...calling, env: { ...watching(namespace), ...env } }),
    carryOut: (action, made, more, calling) => carryOut(stage, action, made, more, calling),
    power: ({ vm }, verb, body) => send('PUT', paths.sub(namespace, 'virtualmachines', vm, verb), body),
    sleep,
    async until(what, look, limitMs = untilMs) {
      const begun = clock.now();
      for (const deadline = begun + limitMs; ; await sleep(clock.now() - begun < oftenMs ? lookEveryMs : thenEveryMs)) {
        const seen = await look();
        if (seen) return seen;
        assert.ok(clock.now() < deadline, `after ${limitMs / 1000} s still not: ${what}`);
      }
    },
  };
  return stage;
}

async function carryOut(
  stage: Stage,
  action: 'start' | 'stop',
  { wukong }: Made,
  more = {},
  { leftMs = 600_000, ...calling }: Calling = {},
): Promise<Outcome> {
  const { clock, functions } = stage.ground;
  const target = { namespace: stage.namespace, name: wukong };
  const origin = { action, trigger: 'cli', requestId: `contract-${++calls}`, requestedAt: clock.now() };
  const command = functions.parseCommand({ target, ...more }, origin);
  const limits = { deadline: clock.now() + leftMs };
  const { outcomes } = await functions.executeCommand(command, await stage.world('person', calling), { limits });
  return outcomes[0]!;
}

/** The environment of an installation for one namespace. */
export const watching = (namespace: string) => ({ WATCH_NAMESPACES: namespace, LIFECYCLE_NAMESPACE: namespace });

async function ask(stage: Stage, name: FunctionName, { wukong }: Made, more = {}, calling?: Calling): Promise<Outcome> {
  const answer = await stage.invoke(name, { target: { namespace: stage.namespace, name: wukong }, ...more }, calling);
  return answer.outcomes?.[0] ?? answer;
}
