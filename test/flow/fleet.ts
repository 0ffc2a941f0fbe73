import type { World } from '../../shared/cluster/world.ts';
import { parseCommand } from '../../shared/domain/command.ts';
import type { Action } from '../../shared/domain/outcome.ts';
import { type Commanding, executeCommand } from '../../shared/execute/command.ts';
import type { Report } from '../../shared/report/fleetOutcome.ts';
import type { Sim, WukongOptions } from '../../sim/sim.ts';
import { namespace, type Scene } from './scene.ts';

let requests = 0;

/** As many Wukongs, `vm-0` and so on, labelled env=dev, with what `special` says of some. */
export function furnish(sim: Sim, count: number, special: Record<number, Partial<WukongOptions>> = {}, all = {}): void {
  for (let i = 0; i < count; i++)
    sim.createWukong({
      namespace,
      name: `vm-${i}`,
      runStrategy: 'Always',
      labels: { env: 'dev', half: i % 2 === 0 ? 'even' : 'odd' },
      ...all,
      ...special[i],
    });
}

export interface Asking {
  requestId?: string;
  requestedAt?: number;
  leftMs?: number;
  world?: World;
  selector?: string;
  options?: Partial<Commanding>;
}

/** The command on all Wukongs that the selector finds. */
export function fleet(at: Scene, action: Action, more: object = {}, asking: Asking = {}): Promise<Report> {
  const { requestId = `fleet-${++requests}`, requestedAt = at.clock.now(), leftMs = 3_600_000 } = asking;
  const input = { target: { namespaces: [namespace], selector: asking.selector ?? 'env=dev' }, ...more };
  const command = parseCommand(input, { action, trigger: 'event', requestId, requestedAt });
  const limits = { deadline: at.clock.now() + leftMs };
  return executeCommand(command, asking.world ?? at.world, { limits, ...asking.options });
}

/** How many Kubernetes Events each Wukong has. */
export function eventsByWukong(sim: Sim): Map<string, string[]> {
  const told = new Map<string, string[]>();
  for (const event of sim.list<{ involvedObject: { kind: string; name: string }; reason: string }>('events', namespace))
    if (event.involvedObject.kind === 'Wukong')
      told.set(event.involvedObject.name, [...(told.get(event.involvedObject.name) ?? []), event.reason]);
  return told;
}

export const running = (sim: Sim): number => sim.list('virtualmachineinstances', namespace).length;
