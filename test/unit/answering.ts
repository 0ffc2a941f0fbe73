import { readConfig } from '../../shared/cluster/config.ts';
import type { Unanswered } from '../../shared/cluster/namespaces.ts';
import type { World } from '../../shared/cluster/world.ts';
import { LifecycleError } from '../../shared/domain/errors.ts';
import { worldOf } from './asked.ts';

/** What a path is answered with: `down` where nobody answers. Any other path: 404. */
export type Answers = Record<string, [status: number, body?: object] | 'down'>;

/** A cluster that answers by the path, whatever is asked first, and how it was asked. It is always `now`. */
export function answering(now: number, answers: Answers, env: Record<string, string> = {}) {
  const { world } = worldOf(now);
  const paths: string[] = [];
  const problems: string[] = [];
  const unanswered: Unanswered = new Map();
  const limits = { deadline: now + 10_000 };
  let [open, most] = [0, 0];
  const call: World['transport']['call'] = async (one, within) => {
    if (one.method !== 'GET' || !one.safe || within?.deadline !== limits.deadline)
      throw new Error(`${one.path}: not asked as it may be`);
    const path = one.path.split('?')[0]!;
    paths.push(path);
    most = Math.max(most, ++open);
    await new Promise((next) => setImmediate(next));
    open--;
    const answer = answers[path] ?? ([404, { message: 'none' }] as const);
    if (answer === 'down') throw new LifecycleError('Unreachable', `${path}: down`);
    return { status: answer[0], body: answer[1] as never, warnings: [] };
  };
  Object.assign(world, { config: readConfig(env), transport: { ...world.transport, call } });
  return { to: { world, limits, problems }, paths, problems, unanswered, most: () => most };
}
