import { readWukong } from '../cluster/objects.ts';
import { changedOf, machineOf, type Machines } from '../cluster/vmInformer.ts';
import type { World } from '../cluster/world.ts';
import { claimDeadline } from '../domain/claimTimes.ts';
import type { Command } from '../domain/command.ts';
import { named } from '../domain/joined.ts';
import { placeOf, type Wukong } from '../domain/model.ts';
import { mostSuperseded, type Operation, operationOf } from '../domain/operation.ts';
import { living, type Machine } from '../domain/vm.ts';
import type { Limits } from '../time/wait.ts';
import { lagMs, type Seen, type Step } from './step.ts';

/**
 * Whether a later request for the same asks for more than the operation under way: it sharpens it; else it joins it.
 * @param guestGraceSeconds The VMI's own period, which rules where none was given; unknown before it is looked at.
 */
export function asksForMore(command: Command, running: Operation, now: number, guestGraceSeconds = Infinity): boolean {
  if (command.action === 'start')
    return command.waitSeconds > running.waitSeconds || leaseEnd(command, now) > leaseEnd(running, running.startedAt);
  // What comes after the stop is for the newest wish to say.
  if ((command.restart === true) !== (running.thenStart === true)) return true;
  const sooner = command.force || graceAsked(command) < (running.graceSeconds ?? guestGraceSeconds);
  return (sooner && !running.force) || (command.deletePodWhenStuck && !running.deletePodWhenStuck);
}

/** The grace that a schedule gives to its own stops says nothing of one that somebody else has asked for. */
const graceAsked = ({ gracePeriodSeconds = Infinity, trigger }: Command): number =>
  trigger === 'schedule' ? Infinity : gracePeriodSeconds;

const leaseEnd = ({ leaseSeconds }: Pick<Command, 'leaseSeconds'>, from: number): number =>
  leaseSeconds === undefined ? -Infinity : from + leaseSeconds * 1000;

/**
 * The record with what a later request asks for in it: the same operation, carried on by `holder`. Nothing that was
 * given to the guest counts from now: its grace period began with its deletionTimestamp.
 */
export function sharpened(
  running: Operation,
  command: Command,
  { holder, now, declared, guestGraceSeconds = 30 }: Sharpening,
): Operation {
  const before = running.graceSeconds ?? guestGraceSeconds;
  const sooner = graceAsked(command) < before;
  const force = running.force || command.force;
  const graceSeconds = sooner ? command.gracePeriodSeconds : running.graceSeconds;
  const passedSeconds = Math.ceil((now - running.startedAt) / 1000);
  const longer = (of?: number, than = -Infinity) =>
    of !== undefined && passedSeconds + of > than ? passedSeconds + of : undefined;
  // Once the guest is forced its time to go counts from there; asked for again, it counts from here.
  const isForced = running.step === 'Forced' || running.step === 'PodDeleted';
  return {
    ...running,
    holder,
    ...(isForced || !(sooner || (command.force && !running.force)) ? {} : { stepAt: now }),
    deadline: Math.max(running.deadline, claimDeadline(command, now, force ? 0 : (graceSeconds ?? before))),
    forceAt: undefined,
    force,
    graceSeconds,
    cappedFrom: sooner ? undefined : running.cappedFrom,
    deletePodWhenStuck: running.deletePodWhenStuck || command.deletePodWhenStuck,
    waitSeconds: command.waitSeconds > running.waitSeconds ? passedSeconds + command.waitSeconds : running.waitSeconds,
    leaseSeconds: longer(command.leaseSeconds, running.leaseSeconds) ?? running.leaseSeconds,
    thenStart: command.restart || undefined,
    declared: declared ?? running.declared,
    sharpenedBy: [named({ ...command, startedAt: now }), ...(running.sharpenedBy ?? [])].slice(0, mostSuperseded),
  };
}

export interface Sharpening {
  holder: string;
  now: number;
  declared?: unknown;
  guestGraceSeconds?: number;
}

/** A period that is given to a guest in its shutdown may be longer than the one that somebody else has asked for since. */
export const mayLengthen = (step: Step, { vmi }: Machine): boolean =>
  step.do === 'ask' && vmi?.deletingSince !== undefined;

/** A call of the owner before may come through after ours, with a longer period: so it is looked again, and asked again. */
export function lookAgainAt({ sharpenedBy }: Operation, { askedAt }: Seen, now: number): number {
  const at = (askedAt ?? -Infinity) + lagMs;
  return sharpenedBy && now < at ? at : Infinity;
}

/** How long nothing may be seen before the record is read again: while the guest goes, and when only its end is to be written. */
const quietMs = 10_000;
const endingMs = 500;

/** A Wukong whose VM is watched, and until when. */
interface Watched {
  world: World;
  wukong: Wukong;
  machines: Machines;
  limits: Limits;
}

/**
 * Whoever sharpened our operation carries it on. Its end is what our caller waits for, too: returns when the record is
 * gone or somebody else's, or the time is up.
 */
export async function untilSharpenedEnds(op: Operation, { world, wukong, machines, limits }: Watched): Promise<void> {
  const place = placeOf(wukong);
  const newest = (of: Operation) => of.sharpenedBy?.[0]?.requestId;
  for (;;) {
    const now = operationOf(await readWukong(world, place, limits));
    if (now?.requestId !== op.requestId || newest(now) === newest(op)) return;
    const at = world.clock.now();
    if (at >= limits.deadline) return;
    const patienceMs = living(machineOf(wukong, machines).vmi) ? quietMs : endingMs;
    await changedOf(wukong, machines, { ...limits, deadline: Math.min(limits.deadline, at + patienceMs) });
  }
}
