import type { Context } from 'aws-lambda';
import fc from 'fast-check';

import { getState } from '../../functions/getState/handler.ts';
import { startVm } from '../../functions/startVm/handler.ts';
import { stopVm } from '../../functions/stopVm/handler.ts';
import { readConfig } from '../../shared/cluster/config.ts';
import type { World } from '../../shared/cluster/world.ts';
import { parseCommand } from '../../shared/domain/command.ts';
import { LifecycleError } from '../../shared/domain/errors.ts';
import { type Wukong } from '../../shared/domain/model.ts';
import { type Invocation, lambda, Retry } from '../../shared/entry/entry.ts';
import { parseStateQuery } from '../../shared/entry/state.ts';
import { parseTrigger } from '../../shared/entry/trigger.ts';
import { parseDeclared } from '../../shared/lifecycle/declared.ts';
import { checkSchedule, type WukongSchedule } from '../../shared/schedule/schedule.ts';
import { apiSurfaces } from './apiSurfaces.ts';
import { decideAll, mutated, now, origin } from './deciding.ts';
import { hostile, key, mutate, mutation, text } from './hostile.ts';
import { newerSurfaces } from './newerSurfaces.ts';
import * as right from './templates.ts';

/** A place where something from outside comes in. */
export interface Surface {
  name: string;
  input: fc.Arbitrary<unknown>;
  /** @throws LifecycleError for what it does not take; anything else, or a call, is a defect. */
  feed(input: unknown, world: Outside): unknown;
}

/** A world that can be counted on to do nothing: each call is counted, and fails. */
export interface Outside {
  world: World;
  calls: number;
}

export function outside(): Outside {
  const made: Outside = { calls: 0, world: undefined as unknown as World };
  const call = () => {
    made.calls++;
    return Promise.reject(new LifecycleError('Unreachable', 'nobody is there'));
  };
  const silent = () => {};
  made.world = {
    clock: { now: () => now, after: () => silent },
    random: () => 0.5,
    config: readConfig({}),
    log: { debug: silent, info: silent, warn: silent, error: silent },
    metrics: { outcome: silent, count: silent, flush: silent },
    transport: { call, stream: call },
  };
  return made;
}

const anyOf = (from: unknown[]): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...from).chain(mutated) }, { weight: 1, arbitrary: hostile });

/** What is taken must be whole: names that are names, instants that are instants. */
function whole(command: ReturnType<typeof parseCommand>): void {
  const fine =
    typeof command.requestId === 'string' &&
    command.requestId.length <= 512 &&
    Number.isFinite(command.requestedAt) &&
    typeof command.trigger === 'string' &&
    (command.requestedBy === undefined || typeof command.requestedBy === 'string');
  if (!fine) throw new Error(`a command that is not whole: ${JSON.stringify(command).slice(0, 300)}`);
  JSON.stringify(command);
}

const context = { awsRequestId: 'invocation-1', getRemainingTimeInMillis: () => 60_000 } as Context;

/** The whole way in, as Lambda goes it. A command that is refused must not have called anything. */
function handler<T>(name: string, handle: (event: unknown, invocation: Invocation) => Promise<T>): Surface {
  const out = outside();
  let reached = false;
  const seen = (input: unknown, invocation: Invocation): Promise<T> => {
    reached ||= taken(name, input, invocation);
    return handle(input, invocation);
  };
  const run = lambda(name, seen, () => Promise.resolve(out.world));
  return {
    name: `handler ${name}`,
    input: anyOf(right.events),
    async feed(event) {
      out.calls = 0;
      reached = false;
      const { answer, lines } = await listening(async () => run(event, context));
      JSON.stringify(answer);
      for (const line of lines) JSON.parse(line); // whatever was sent, a line of the log stays one
      if (!reached && out.calls > 0) throw new Error(`called ${out.calls} times for what was refused`);
    },
  };
}

/** What is written to the log meanwhile, line by line. A Retry is an answer: the trigger delivers again. */
async function listening(work: () => Promise<unknown>): Promise<{ answer: unknown; lines: string[] }> {
  const written: string[] = [];
  const streams = [process.stdout, process.stderr];
  const before = streams.map((stream) => stream.write.bind(stream));
  for (const stream of streams) stream.write = (chunk: string | Uint8Array) => written.push(String(chunk)) > 0;
  try {
    const answer = await work();
    return { answer, lines: written.join('').split('\n').filter(Boolean) };
  } catch (thrown) {
    if (thrown instanceof Retry) return { answer: undefined, lines: [] };
    throw thrown;
  } finally {
    for (const [index, stream] of streams.entries()) stream.write = before[index] as typeof stream.write;
  }
}

/** Whether an event is a valid command: then calls are what it asks for. */
function taken(name: string, input: unknown, { id, now: at }: Invocation): boolean {
  try {
    if (name === 'getState') parseStateQuery(input);
    else parseTrigger(input, { action: name === 'stopVm' ? 'stop' : 'start', requestId: id, requestedAt: at });
    return true;
  } catch {
    return false;
  }
}

/** Annotations as the API server keeps them: text, whatever is in it. */
const annotations = fc
  .tuple(
    fc.constantFrom(...Object.keys(right.annotations)),
    fc.array(mutation, { minLength: 1, maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom(...Object.keys(right.overrides)),
      fc.oneof(text, fc.constantFrom(...Object.values(right.overrides))),
      { maxKeys: 3 },
    ),
    fc.option(fc.tuple(key, text), { freq: 4 }),
    fc.boolean(),
  )
  .map(([name, changes, others, stray, asText]) => {
    const kept = Object.entries(right.annotations).map(([known, value]) => {
      const made = known === name ? changes.reduce(mutate, value) : value;
      return [known, asText && known === name ? textOf(changes[0]?.value) : (safeText(made) ?? '')] as const;
    });
    return { ...Object.fromEntries(kept), ...others, ...(stray ? { [stray[0]]: stray[1] } : {}) };
  });

const textOf = (value: unknown): string => (typeof value === 'string' ? value : (safeText(value) ?? ''));

function safeText(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return '[['; // too deep to be written: as if it had been cut
  }
}

const asWukong = (notes: Record<string, string>, lifecycleAction?: unknown): Wukong =>
  ({
    ...right.wukong,
    metadata: { ...right.wukong.metadata, annotations: notes },
    spec: { ...right.wukong.spec, lifecycleAction },
  }) as Wukong;

export const surfaces: Surface[] = [
  {
    name: 'parseTrigger stop',
    input: anyOf(right.events),
    feed: (event) => whole(parseTrigger(event, { ...origin, action: 'stop' })),
  },
  {
    name: 'parseTrigger start',
    input: anyOf(right.events),
    feed: (event) => whole(parseTrigger(event, { ...origin, action: 'start' })),
  },
  {
    name: 'parseCommand',
    input: anyOf(right.events),
    feed: (input) => whole(parseCommand(input, { ...origin, action: 'stop', trigger: 'direct' })),
  },
  { name: 'parseStateQuery', input: anyOf(right.queries), feed: (query) => parseStateQuery(query) },
  {
    name: 'parseDeclared',
    input: anyOf([right.wukong.spec.lifecycleAction]),
    feed: (action) => parseDeclared(asWukong({}, action), now),
  },
  {
    name: 'checkSchedule',
    input: mutated({ spec: right.schedule.spec, status: right.schedule.status }),
    feed: (parts) => checkSchedule({ ...right.schedule, ...(parts as object) } as WukongSchedule, () => '2026-12-25'),
  },
  {
    name: 'a tick on a WukongSchedule',
    input: mutated(right.schedule.spec),
    feed: (spec) => decideAll(asWukong({}), [{ ...right.schedule, spec } as WukongSchedule]),
  },
  {
    name: 'a tick on annotations',
    input: annotations,
    feed: (notes) => decideAll(asWukong(notes as Record<string, string>), [right.schedule]),
  },
  {
    name: 'readConfig',
    input: fc.dictionary(
      fc.constantFrom(...Object.keys(right.environment)),
      fc.oneof(text, fc.constantFrom(...Object.values(right.environment))),
    ),
    feed: (env) => readConfig(env as Record<string, string>),
  },
  handler('stopVm', stopVm),
  handler('startVm', startVm),
  handler('getState', getState),
  ...apiSurfaces,
  ...newerSurfaces,
];
