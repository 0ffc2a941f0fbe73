import type { Machines } from '../cluster/vmInformer.ts';
import type { World } from '../cluster/world.ts';
import type { Command } from '../domain/command.ts';
import { asLifecycleError } from '../domain/errors.ts';
import type { Annotations } from '../domain/model.ts';
import { placeOf, type Wukong } from '../domain/model.ts';
import type { Outcome } from '../domain/outcome.ts';
import { type Performing, performOne } from '../lifecycle/perform.ts';
import { waves } from '../schedule/wave.ts';
import { each } from '../time/forEachLimited.ts';
import type { Pace } from './rateLimiter.ts';
import { newSlots } from './semaphore.ts';

export interface Target {
  wukong: Wukong;
  namespaceAnnotations?: Annotations;
}

export interface Many extends Omit<Performing, 'turn' | 'wukong'> {
  machines: Machines;
  turn: Pace['turn'];
  /** Told of each end, and of each beginning. */
  told: (outcome: Outcome | undefined, inFlight: number) => void;
}

/** By their waves: start ascending, stop descending (DESIGN §8). */
export function inWaves(command: Command, targets: Target[]): Target[][] {
  const byWukong = new Map(targets.map((target) => [target.wukong, target]));
  const groups = waves([...byWukong.keys()], command.action).waves;
  return groups.map((group) => group.targets.flatMap((wukong) => byWukong.get(wukong) ?? []));
}

/**
 * Each on its own, wave after wave. At most `maxInFlight` are being asked at once: a start keeps its place until the
 * guest is up, a stop until the guest's shutdown has begun, as from then on nobody is asked for anything and a guest that
 * hangs must keep no other waiting. One that fails harms no other. Returns those that were not begun in time.
 */
export async function performMany(
  command: Command,
  targets: Target[],
  world: World,
  { turn, told, ...options }: Many,
): Promise<Target[]> {
  const { limits } = options;
  const slots = newSlots(world.clock, command.maxInFlight);
  const left: Target[] = [];
  let inFlight = 0;
  const one = async ({ wukong, namespaceAnnotations }: Target, begun: () => void) => {
    told(undefined, ++inFlight);
    try {
      const mine = {
        ...options,
        wukong,
        namespaceAnnotations,
        begun,
        turn: (until = limits) => turn(command.action, until),
      };
      const outcome = await performOne(command, placeOf(wukong), world, mine);
      told(outcome, --inFlight);
    } finally {
      begun();
      // What was listed is done with: of ten thousand it would be most of the memory.
      wukong.status = undefined;
      wukong.metadata.annotations = undefined;
    }
  };
  for (const wave of inWaves(command, targets)) {
    const running: Promise<void>[] = [];
    for (const target of wave) {
      const release = await slots.take(limits);
      if (release) running.push(one(target, release));
      else left.push(target);
    }
    const ends = await Promise.allSettled(running);
    const broken = ends.find((end) => end.status === 'rejected');
    if (broken) throw asLifecycleError(broken.reason);
  }
  return left;
}

/** How many are recorded at once when the time is up, and how long that may take. */
const recordingAtOnce = 32;
const recordingMs = 5_000;

/**
 * Writes the record of each that was not begun, so that reconcileState begins it. Returns how many could not be
 * recorded any more: they are untouched.
 */
export async function recordLeft(command: Command, left: Target[], world: World, options: Many): Promise<number> {
  const { machines, limits, told } = options;
  const until = Math.max(limits.deadline, world.clock.now()) + recordingMs;
  let untouched = 0;
  await each(left, Math.min(recordingAtOnce, left.length), async ({ wukong, namespaceAnnotations }) => {
    const now = world.clock.now();
    if (now >= until || command.dryRun) return void untouched++;
    const atOnce = { machines, wukong, namespaceAnnotations, limits: { ...limits, deadline: now } };
    told(await performOne(command, placeOf(wukong), world, atOnce), 0);
  });
  return untouched;
}
