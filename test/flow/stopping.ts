import { type Operation, operationKey } from '../../shared/domain/operation.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { performOne } from '../../shared/lifecycle/perform.ts';
import { namespace, type Scene, scene } from './scene.ts';

export const place = { namespace, name: 'web' };

/** A guest that ignores ACPI, with two minutes before KubeVirt ends it. */
export async function deaf(guest: Record<string, string> = { 'ignore-acpi': 'true' }): Promise<Scene> {
  const at = await scene();
  at.sim.createWukong({ ...place, runStrategy: 'Always', terminationGracePeriodSeconds: 120, guest });
  await at.pass(5_000);
  return at;
}

/** A stop that goes on beside whatever else happens. */
export function stopping(at: Scene, more: object = {}, { world = at.world, id = 'first', leftMs = 3_600_000 } = {}) {
  const command = at.command('stop', 'web', more, { requestId: id });
  return performOne(command, place, world, { limits: { deadline: at.clock.now() + leftMs } });
}

export const record = (at: Scene): Operation =>
  JSON.parse(at.wukong('web').metadata.annotations?.[operationKey] ?? 'null') as Operation;
/** Who was told what on the bus. */
export const told = (at: Scene) =>
  at.bus.map(({ detail }) => {
    const { requestId, outcome } = detail as Outcome;
    return `${requestId} ${outcome}`;
  });
export const deletion = (at: Scene): number => Date.parse(at.vmi('web')?.metadata.deletionTimestamp ?? '');
