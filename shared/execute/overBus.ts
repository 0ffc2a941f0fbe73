import { asInput, requestedType } from '../domain/command.ts';
import { follow } from './follow.ts';
import type { Sink } from './sink.ts';

/**
 * Hands a command to the functions behind the bus, each Wukong a message of its own, so that one bad VM blocks no other.
 * Place and wave are held as if it were carried out here, by what is seen of the VM.
 * @throws LifecycleError Unreachable where the bus does not take it.
 */
export const overBus: Sink = async ({ job, asked, release }, to) => {
  const { work, action, place, group } = job;
  if (work.do !== 'command') throw new Error(`only commands go over the bus, and this is ${work.do}`);
  const { bus, clock } = to.world;
  await to.limiter.turn(action, to, place.namespace, group.key);
  asked();
  await bus?.put([{ type: requestedType[action], detail: asInput(work.command), time: clock.now() }]);
  to.done.sent.push(job);
  return follow(job, to, release);
};
