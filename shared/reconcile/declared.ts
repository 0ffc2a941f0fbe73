import { createHash } from 'node:crypto';

import * as z from 'zod';

import { jsonPatch, pointer, wukongPath } from '../cluster/objects.ts';
import type { Cluster } from '../cluster/world.ts';
import { type Command, parseCommand } from '../domain/command.ts';
import { LifecycleError } from '../domain/errors.ts';
import { placeOf, type Wukong } from '../domain/model.ts';
import type { Limits } from '../time/wait.ts';

const schema = z.strictObject({
  action: z.enum(['start', 'stop'], { error: 'expected start or stop' }),
  force: z.boolean({ error: 'expected true or false' }).optional(),
  gracePeriodSeconds: z.number().optional(),
});

/** The request of a declared action: another one for every value and every time that it is written. */
export function declaredId({ metadata, spec }: Wukong): string {
  const hash = createHash('sha256').update(JSON.stringify(spec?.lifecycleAction)).digest('hex').slice(0, 8);
  return `declared-${metadata.generation ?? 0}-${hash}`;
}

/** `spec.lifecycleAction` as a Command. @throws LifecycleError InvalidAction naming the wrong fields. */
export function parseDeclared(wukong: Wukong, now: number): Command {
  const read = schema.safeParse(wukong.spec?.lifecycleAction);
  if (!read.success) {
    const wrong = read.error.issues.map(
      ({ path, message }) => `spec.lifecycleAction${path.length > 0 ? `.${path.join('.')}` : ''}: ${message}`,
    );
    throw new LifecycleError('InvalidAction', wrong.join('; '));
  }
  const { action, ...rest } = read.data;
  const origin = { action, trigger: 'declared', requestId: declaredId(wukong), requestedAt: now };
  try {
    return parseCommand({ target: placeOf(wukong), ...rest }, origin);
  } catch (thrown) {
    const message = (thrown as Error).message.split('; ').map((problem) => `spec.lifecycleAction.${problem}`);
    throw new LifecycleError('InvalidAction', message.join('; '));
  }
}

/** Takes the declared action away, only while it is still this value. */
export async function removeDeclared(
  cluster: Cluster,
  { metadata }: Wukong,
  value: unknown,
  limits: Partial<Limits>,
): Promise<void> {
  const path = pointer('spec', 'lifecycleAction');
  const steps = [{ op: 'test', path, value } as const, { op: 'remove', path } as const];
  await jsonPatch(cluster, wukongPath(metadata.namespace, metadata.name), steps, limits);
}
