import assert from 'node:assert/strict';

import type { Context } from 'aws-lambda';

import type { Outcome } from '../../shared/domain/outcome.ts';
import type { Tick } from '../../shared/reconcile/reconcile.ts';
import { paths, type Reply, type Send } from './client.ts';
import type { Ground } from './ground.ts';
import { type Made, makeWukong, type Making, type Template } from './making.ts';

/** How a function is called: with which environment, as whom, and how long it has. */
export interface Calling {
  env?: Record<string, string>;
  token?: string;
  leftMs?: number;
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
  /** One tick of reconcileState in this namespace alone. */
  tick(calling?: Calling): Promise<Tick>;
  /** KubeVirt's own calls. */
  power(made: Made, verb: 'start' | 'stop' | 'restart', body?: object): Promise<Reply>;
  sleep(ms: number): Promise<void>;
  /** Looks again and again until it holds. @throws Error saying what never came. */
  until<T>(what: string, look: () => Promise<T>, limitMs?: number): Promise<NonNullable<T>>;
}

export type FunctionName = 'stopVm' | 'startVm' | 'reconcileState' | 'getState';

const lookEveryMs = 150;
const untilMs = 90_000;
let calls = 0;

export function stageOn(ground: Ground, namespace: string, template: Template): Stage {
  const { send, clock } = ground;
  const sleep = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));
  const stage: Stage = {
    ground,
    namespace,
    send,
    make: (how) => makeWukong(stage, template, how),
    async invoke(name, event, { env = {}, token, leftMs = 600_000 } = {}) {
      const world = await ground.open(name, env, token);
      const { lambda, [name]: called } = ground.functions;
      const handle = lambda<unknown>(name, called, () => Promise.resolve(world));
      const context = { awsRequestId: `contract-${++calls}`, getRemainingTimeInMillis: () => leftMs } as Context;
      return handle(event, context);
    },
    stop: (made, more, calling) => ask(stage, 'stopVm', made, more, calling),
    start: (made, more, calling) => ask(stage, 'startVm', made, more, calling),
    tick: ({ env, ...calling } = {}) =>
      stage.invoke('reconcileState', {}, { ...calling, env: { ...watching(namespace), ...env } }),
    power: ({ vm }, verb, body) => send('PUT', paths.sub(namespace, 'virtualmachines', vm, verb), body),
    sleep,
    async until(what, look, limitMs = untilMs) {
      for (const deadline = clock.now() + limitMs; ; await sleep(lookEveryMs)) {
        const seen = await look();
        if (seen) return seen;
        assert.ok(clock.now() < deadline, `after ${limitMs / 1000} s still not: ${what}`);
      }
    },
  };
  return stage;
}

const watching = (namespace: string) => ({ WATCH_NAMESPACES: namespace, LIFECYCLE_NAMESPACE: namespace });

async function ask(stage: Stage, name: FunctionName, { wukong }: Made, more = {}, calling?: Calling): Promise<Outcome> {
  const answer = await stage.invoke(name, { target: { namespace: stage.namespace, name: wukong }, ...more }, calling);
  return answer.outcomes?.[0] ?? answer;
}
