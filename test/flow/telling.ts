import type { Notice, World } from '../../shared/cluster/world.ts';
import type { LifecycleState, Wukong } from '../../shared/domain/model.ts';
import { type Operation, operationKey, write } from '../../shared/domain/operation.ts';
import type { Outcome, Result } from '../../shared/domain/outcome.ts';
import type { Machine } from '../../shared/domain/vm.ts';
import { finish } from '../../shared/lifecycle/finish.ts';
import { machineOf, operation } from '../unit/machines.ts';
import { namespace, type Scene, scene } from './scene.ts';

export const place = { namespace, name: 'web' };
export const s = 1_000;
export const off = machineOf({ strategy: 'Halted' }, null);
export const on = machineOf();
export const stopped: Result = { outcome: 'Stopped', message: 'The guest shut down.' };
export const forced: Result = { outcome: 'ForcedOff', forceReason: 'Requested', message: 'It was forced.' };
export const goesOn: Result = { outcome: 'InProgress', message: 'Not over yet.' };

export interface Recorded {
  at: Scene;
  op: Operation;
  counted: unknown[][];
  notices: Notice[];
  logged: unknown[][];
  end(
    result: Result | 'superseded',
    options?: Parameters<typeof finish>[4],
    by?: World,
    is?: Machine,
  ): Promise<Outcome>;
}

export const annotate = (at: Scene, annotations: Record<string, string | undefined>, name = 'web') =>
  at.sim.change<Wukong>('wukongs', namespace, name, ({ metadata }) => {
    metadata.annotations = JSON.parse(JSON.stringify({ ...metadata.annotations, ...annotations })) as Record<
      string,
      string
    >;
  });
export const shown = (at: Scene) => at.wukong('web').status?.lifecycleState;

/** A stop that has a record, and all who are told of its end. */
export async function recorded(more: Partial<Operation> = {}, state?: LifecycleState): Promise<Recorded> {
  const at = await scene();
  at.sim.createWukong({ ...place, runStrategy: 'Halted' });
  const now = at.clock.now();
  const times = { startedAt: now - 10 * s, stepAt: now - 10 * s, requestedAt: now - 12 * s, deadline: now + 600 * s };
  const op = operation({ ...times, ...more });
  annotate(at, { [operationKey]: write(op) });
  if (state)
    at.sim.change<Wukong>('wukongs', namespace, 'web', (wukong) => {
      wukong.status = { ...wukong.status, lifecycleState: state };
    });
  const [counted, notices, logged]: [unknown[][], Notice[], unknown[][]] = [[], [], []];
  const log = (level: string) => (message: string, fields?: object) => void logged.push([level, message, fields]);
  Object.assign(at.world, {
    log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    webhook: { put: (notice: Notice) => notices.push(notice), flush: () => Promise.resolve() },
    metrics: {
      ...at.world.metrics,
      outcome: ({ requestId, outcome }: Outcome, lateMs?: number) => counted.push([requestId, outcome, lateMs]),
    },
  });
  const end: Recorded['end'] = (result, options, by = at.world, machine = off) =>
    at.run(finish(by, at.wukong('web'), { op, result }, machine, options));
  return { at, op, counted, notices, logged, end };
}

/** The same world, where something happens just before the first call that fits. */
export function before(at: Scene, method: string, path: RegExp, happens: () => void): World {
  let left = 1;
  const { transport } = at.world;
  const call: typeof transport.call = (one, limits) => {
    if (one.method === method && path.test(one.path) && left-- > 0) happens();
    return transport.call(one, limits);
  };
  return { ...at.world, transport: { ...transport, call } };
}
/** Answers come a second and a half late. */
export const slow = (at: Scene) => at.sim.faults.add({ when: {}, does: { kind: 'delay', ms: 1_500 } });
export const silent = (at: Scene) => at.sim.faults.add({ when: {}, does: { kind: 'delay', ms: 36_000 * s } });
export const details = (at: Scene) => at.bus.map(({ detail }) => detail as Outcome);
export const told = (at: Scene) => details(at).map(({ requestId, outcome }) => `${requestId} ${outcome}`);

export const endOf = (at: Scene, op: Partial<Operation>, more: object = {}) =>
  JSON.stringify({
    ...{ requestId: op.requestId, action: 'stop', outcome: 'Stopped', message: 'It was another.', trigger: 'direct' },
    ...Object.fromEntries(
      ['requestedAt', 'startedAt', 'finishedAt'].map((key) => [key, new Date(at.clock.now() - 5 * s).toISOString()]),
    ),
    ...more,
  });
