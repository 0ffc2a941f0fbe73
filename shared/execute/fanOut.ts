import type { BusEntry, World } from '../cluster/world.ts';
import { forceWaitMs, marginMs } from '../domain/claimTimes.ts';
import { asInput, type Command, requestedType } from '../domain/command.ts';
import { mostNames } from '../domain/commandFields.ts';
import { asLifecycleError, type LifecycleError } from '../domain/errors.ts';
import type { Place } from '../domain/model.ts';
import type { Job } from './job.ts';

/** What one control plane was measured to begin: about six VMs a second (KUBEVIRT §1), less a margin. */
const perSecond = 5;
/** How long a guest takes to boot, where nobody knows: a start keeps its place as long. */
const bootMs = 30_000;
const usualGraceSeconds = 30;
/** A part of a part of a part is as deep as it goes; what is left then is left to reconcileState. */
const deepest = 4;

/**
 * How many VMs one invocation sees to their end in `leftMs`: those that it can begin while there is still time for the
 * slowest of them. At least half of the time is for beginning; what is under way at the end goes on from its record.
 */
export function capacity(command: Command, leftMs: number): number {
  const graceMs = (command.gracePeriodSeconds ?? usualGraceSeconds) * 1000;
  const slowestMs = command.action === 'start' ? command.waitSeconds * 1000 : graceMs + marginMs + forceWaitMs;
  const rate = command.action === 'start' ? Math.min(perSecond, command.maxInFlight / (bootMs / 1000)) : perSecond;
  return Math.max(1, Math.floor((rate * Math.max(leftMs - slowestMs, leftMs / 2)) / 1000));
}

/** Where of a fleet goes what does not fit into the time that there is: over the bus, where there is one. */
export class FanOut {
  /** So many are carried out here. */
  readonly most: number;
  /** So many were handed over. */
  sent = 0;
  /** Why the bus did not take any more. */
  unsent: LifecycleError | undefined;
  readonly #entriesFor: (jobs: Job[]) => BusEntry[];
  readonly #world: World;
  readonly #mayGo: boolean;

  constructor(command: Command, jobs: Job[], world: World, wholeMs: number) {
    const size = partSize(command, wholeMs);
    const inWaves = new Set(jobs.map(({ wave }) => wave)).size > 1;
    this.#world = world;
    this.#mayGo = world.bus !== undefined && maySplit(command);
    this.most = this.#mayGo && !inWaves ? capacity(command, wholeMs) : Infinity;
    this.#entriesFor = (some) => {
      const [now, places] = [world.clock.now(), some.map(({ place }) => place)];
      if (inWaves) return [continuation(command, now)];
      return parts(command, places, size, { now, after: Math.ceil(this.sent / size) });
    };
  }

  /** Whether the bus may still take something. */
  get isOpen(): boolean {
    return this.#mayGo && !this.unsent;
  }

  /** Hands these over. False: they stay with whoever asks. */
  async take(jobs: Job[]): Promise<boolean> {
    if (jobs.length === 0) return true;
    if (!this.isOpen) return false;
    try {
      await this.#world.bus?.put(this.#entriesFor(jobs));
      this.sent += jobs.length;
      return true;
    } catch (thrown) {
      this.unsent = asLifecycleError(thrown);
      this.#world.log.error('the rest of a fleet could not be handed over', { problem: this.unsent.message });
      return false;
    }
  }
}

/** Parts run side by side: each gets so small a share of what may be in flight. */
const sideBySide = 10;
const asPart = (command: Command): Command =>
  command.part === undefined
    ? { ...command, maxInFlight: Math.max(1, Math.floor(command.maxInFlight / sideBySide)) }
    : command;

/** How many VMs a part may have, so that the function that gets it can see them through; it has the time that we had. */
export const partSize = (command: Command, wholeMs: number): number =>
  Math.min(mostNames, capacity(asPart(command), wholeMs));

interface Numbering {
  now: number;
  /** So many parts were sent before. */
  after?: number;
}

/**
 * The rest of a fleet as commands for the bus. Each is the same request as the whole, so that a Wukong which two of
 * them name, or which was done before, is done once.
 */
export function parts(command: Command, places: Place[], size: number, { now, after = 0 }: Numbering): BusEntry[] {
  const entries: BusEntry[] = [];
  for (let i = 0; i < places.length; i += size) {
    const number = after + entries.length + 1;
    const part = command.part === undefined ? `${number}` : `${command.part}.${number}`;
    const names = places.slice(i, i + size);
    const detail = asInput({ ...asPart(command), target: { names }, part });
    entries.push({ type: requestedType[command.action], detail, time: now });
  }
  return entries;
}

/** What is left of a fleet with waves: the same command once more, which finds what is done and waits for what is not. */
export function continuation(command: Command, now: number): BusEntry {
  const [number, ...deeper] = (command.part ?? '0').split('.');
  const detail = asInput({ ...command, part: [Number(number) + 1, ...deeper].join('.') });
  return { type: requestedType[command.action], detail, time: now };
}

/**
 * Whether what does not fit may go over the bus once more. A restart may not: what is at the other end may not start, and
 * reconcileState, which goes on from the records, may.
 */
export const maySplit = ({ part = '', dryRun, restart }: Command): boolean =>
  !dryRun && !restart && part.split('.').length < deepest;
