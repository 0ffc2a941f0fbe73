import type { Machines } from '../../shared/cluster/vmInformer.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import { type Operation, operationKey, write } from '../../shared/domain/operation.ts';
import type { Machine, VmiView, VmView } from '../../shared/domain/vm.ts';
import { type Drive, drive } from '../../shared/lifecycle/drive.ts';
import { untilSharpenedEnds } from '../../shared/lifecycle/sharpen.ts';
import { heard, type Limits } from '../../shared/time/wait.ts';
import { VirtualClock } from '../../sim/clock.ts';
import { worldOf } from './asked.ts';
import { machineOf, operation, t0 } from './machines.ts';

interface JsonPatch {
  op: string;
  value?: unknown;
}

/** One operation whose VM does as the story says, second by second, and what the cluster is asked meanwhile. */
export function stage(more: Partial<Operation> = {}, status?: Wukong['status']) {
  const clock = new VirtualClock(t0);
  const op = operation({ vmiUid: 'one', ...more });
  const asked: string[] = [];
  const waits: string[] = [];
  const replies: number[] = [];
  /** Within which limits KubeVirt's Events were read. */
  const tracing: Partial<Limits>[] = [];
  let hidden = false;
  const listening = new Set<() => void>();
  const wukong = {
    metadata: { namespace: 'team-a', name: 'web', uid: 'w', annotations: { [operationKey]: write(op) } },
    ...(status ? { status } : {}),
  } as unknown as Wukong;
  let [record, machine]: [string, Machine] = [write(op), {}];
  const held = (): Wukong => ({
    ...wukong,
    metadata: { ...wukong.metadata, annotations: { [operationKey]: record } },
  });
  const show = (vm: Partial<VmView> | null, vmi: Partial<VmiView> | null, gone?: Partial<VmiView>) => {
    machine = machineOf(vm && { adoptedBy: 'web', ...vm }, vmi, gone);
    for (const call of [...listening]) call();
  };
  const machines: Machines = {
    get: () => machine,
    changed: (_namespace, _name, limits) =>
      heard(clock, (call) => (listening.add(call), () => void listening.delete(call)), limits),
    close() {},
  };
  const { world } = worldOf(t0);
  Object.assign(world, { clock });
  world.transport.call = <T>(
    { method, path, body }: { method: string; path: string; body?: unknown },
    limits: Partial<Limits> = {},
  ) => {
    const what = path.split(/[/?]/).findLast((part) => /^(stop|start|wukongs|virtual\w+|events)$/.test(part));
    const steps = Array.isArray(body) ? (body as JsonPatch[]) : undefined;
    const said = steps ? steps.at(-1)?.value : body && JSON.stringify(body);
    const at = ((clock.now() - t0) / 1000).toFixed(1);
    const answer = (status: number, body?: unknown) => Promise.resolve({ status, body: body as T, warnings: [] });
    if (what === 'wukongs' && steps) {
      const { step, stepAt, comebacks, vmiUid, forceAt, periodSeconds } = JSON.parse(String(said)) as Operation;
      asked.push(`${at} record ${JSON.stringify({ step, stepAt, comebacks, vmiUid, forceAt, periodSeconds })}`);
      if (steps[0]?.value !== record) return answer(422);
      record = String(said);
      return answer(200, held());
    }
    asked.push(`${at} ${method} ${what}${said === undefined ? '' : ` ${String(said)}`}`);
    if (what === 'wukongs') return answer(200, held());
    if (what === 'events') {
      tracing.push(limits);
      return answer(200, { items: [] });
    }
    if (what === 'virtualmachineinstances' && hidden) return answer(404);
    if (what === 'virtualmachineinstances')
      return answer(200, { metadata: { namespace: 'team-a', name: 'web-vm', uid: machine.vmi?.uid } });
    return answer(replies.shift() ?? 202, { message: 'not now' });
  };
  const at = (ms: number, happens: () => void) => void clock.after(t0 + ms - clock.now(), happens);
  return {
    op,
    asked,
    waits,
    replies,
    tracing,
    world,
    show,
    at,
    /** Somebody else has the record from then on, or has ended it. */
    take: () => void (record = write({ ...op, holder: 'other' })),
    end: () => void (record = ''),
    sharpen: (more: Partial<Operation>) => void (record = write({ ...op, ...more })),
    /** The guest is gone, and the watch does not show it yet. */
    hide: () => void (hidden = true),
    /** Waits for the end of what somebody else has sharpened; how long. */
    follows: (limits: Limits = { deadline: t0 + 3_600_000 }) =>
      clock.run(
        async () => {
          await untilSharpenedEnds(op, { world, wukong, machines, limits });
          return clock.now() - t0;
        },
        { sims: [] },
      ),
    begins: (ms = 3_600_000, to: Partial<Drive> = {}) =>
      clock.run(
        async () => {
          const limits = { deadline: t0 + ms };
          const watching = (what: string) => void (what === waits.at(-1) || waits.push(what));
          const driven = await drive(op, { world, wukong, machines, limits, watching, ...to });
          return { ...driven, tookMs: clock.now() - t0 };
        },
        { sims: [] },
      ),
  };
}
