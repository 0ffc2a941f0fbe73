import type { BusEntry } from '../cluster/world.ts';
import { forceWaitMs, marginMs } from '../domain/claimTimes.ts';
import { asInput, type Command } from '../domain/command.ts';
import { requestedType } from '../domain/command.ts';
import { mostNames } from '../domain/commandFields.ts';
import type { Place } from '../domain/model.ts';

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
  const [number = '0', ...deeper] = (command.part ?? '0').split('.');
  const detail = asInput({ ...command, part: [Number(number) + 1, ...deeper].join('.') });
  return { type: requestedType[command.action], detail, time: now };
}

/**
 * Whether what does not fit may go over the bus once more. A restart may not: what is at the other end may not start, and
 * reconcileState, which goes on from the records, may.
 */
export const maySplit = ({ part = '', dryRun, restart }: Command): boolean =>
  !dryRun && !restart && part.split('.').length < deepest;
