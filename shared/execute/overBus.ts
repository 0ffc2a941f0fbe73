import type { Machines } from '../cluster/vmInformer.ts';
import type { World } from '../cluster/world.ts';
import { asInput, requestedType } from '../domain/command.ts';
import type { Limits } from '../time/wait.ts';
import { follow } from './follow.ts';
import type { Sink } from './here.ts';
import type { Job } from './job.ts';
import type { RateLimiter } from './rateLimiter.ts';

/**
 * Hands commands to the functions behind the bus, each Wukong a message of its own, so that one bad VM blocks no other.
 * Place and wave are held as if it were carried out here, by what is seen of the VM. All else goes to `otherwise`.
 * The sink throws Unreachable where the bus does not take it.
 */
export function overBus(
  world: World,
  to: { machines: Machines; limits: Limits; limiter: RateLimiter; allBegun: AbortSignal; sent: (job: Job) => void },
  otherwise: Sink,
): Sink {
  return async (turn) => {
    const { job, asked, release } = turn;
    const { work, action, place, group, wukong } = job;
    if (work.do !== 'command') return otherwise(turn);
    await to.limiter.turn(action, to.limits, place.namespace, group.key);
    asked();
    const detail = asInput(work.command);
    await world.bus?.put([{ type: requestedType[action], detail, time: world.clock.now() }]);
    to.sent(job);
    if (wukong) await follow(action, wukong, to.machines, { ...to.limits, signal: to.allBegun }, release);
    return undefined;
  };
}
