import type * as z from 'zod';

import { schema, type target } from './commandFields.ts';
import { LifecycleError } from './errors.ts';
import { instantText } from './instant.ts';
import type { Place } from './model.ts';
import type { Action } from './outcome.ts';
import { requestIdOf } from './requestId.ts';
import { format, type Selector } from './selector.ts';

/** The type of the event that asks for it on the bus. */
export const requestedType: Record<Action, string> = {
  start: 'Wukong VM Start Requested',
  stop: 'Wukong VM Stop Requested',
};

/** One Wukong, those that a selector finds, or, in a part of a larger fleet, those that are named. */
export type Target = Place | { namespaces?: string[]; selector: Selector } | { names: Place[] };

/** What is asked for, whatever asked for it. Durations in seconds as people write them, instants in milliseconds. */
export interface Command {
  action: Action;
  /** Its name in CLUSTERS; absent: the only one, or the one named `default`. */
  cluster?: string;
  target: Target;
  force: boolean;
  gracePeriodSeconds?: number;
  waitSeconds: number;
  deletePodWhenStuck: boolean;
  /** Of a stop: the VM is started again as soon as it is off; what was off stays off. */
  restart?: boolean;
  notAfter?: number;
  leaseSeconds?: number;
  maxTargets: number;
  maxInFlight: number;
  dryRun: boolean;
  reason?: string;
  requestedBy?: string;
  requestId: string;
  /** The caller gave the id, and may give it twice: it is held to one target. */
  given?: boolean;
  /** When it was asked for: the newest wish wins. */
  requestedAt: number;
  /** Where it came from: `schedule`, `event`, `direct` … */
  trigger: string;
  /** Which part of a fleet that was split: the same request, other Wukongs. */
  part?: string;
}

/** Every wrong field at once; `cause` has them one by one. */
export const invalid = (wrong: string[]): LifecycleError =>
  new LifecycleError('InvalidAction', wrong.join('; '), { cause: wrong });

const onlyFor: Record<Action, string[]> = {
  stop: ['force', 'gracePeriodSeconds', 'deletePodWhenStuck', 'restart'],
  start: ['waitSeconds', 'leaseSeconds'],
};

/** The fields of the other action; a restart waits for a start, too. */
const foreign = (action: Action, restart: boolean): string[] =>
  onlyFor[other(action)].filter((key) => !(restart && key === 'waitSeconds'));

export interface Origin {
  action: Action;
  trigger: string;
  /** Taken when the command names none: the event's or the invocation's id, so that a redelivery is the same request. */
  requestId: string;
  /** Put before an id that the command names (`requestId.ts`); absent where the command is our own. */
  source?: string;
  /** The sender of the event chose `requestId`; false: it is of version 0.1.0, which gave one to many targets. */
  given?: boolean;
  /** Instant. */
  requestedAt: number;
}

/** As somebody else gives it; its source is put before it. */
const longestGivenId = 256;

/**
 * The one way to a Command.
 * @throws LifecycleError InvalidAction naming every wrong field and what was expected there.
 */
export function parseCommand(input: unknown, origin: Origin): Command {
  const read = schema.safeParse(input);
  const wrong = read.success
    ? []
    : read.error.issues.map((issue) => `${issue.path.join('.') || 'command'}: ${issue.message}`);
  if (typeof input === 'object' && input !== null) {
    const given = input as Record<string, unknown>;
    if (given['action'] === other(origin.action))
      wrong.push(`action: expected ${origin.action}, as this is the ${origin.action} function`);
    for (const key of foreign(origin.action, given['restart'] === true))
      if (given[key] !== undefined && given[key] !== false) wrong.push(`${key}: only for ${other(origin.action)}`);
  }
  if (origin.source && (read.data?.requestId?.length ?? 0) > longestGivenId)
    wrong.push(`requestId: expected at most ${longestGivenId} characters`);
  if (!read.success || wrong.length > 0) throw invalid(wrong);
  const { scheduledAt, trigger, requestId, action: _agreed, target: where, ...rest } = read.data;
  const given = origin.source !== undefined && (origin.given ?? requestId !== undefined);
  return {
    ...rest,
    // KubeVirt ends a guest without asking it where its period is 0: that is force, and is told as such.
    force: rest.force || rest.gracePeriodSeconds === 0,
    action: origin.action,
    target: targetOf(where),
    requestId:
      requestId === undefined ? origin.requestId : origin.source ? requestIdOf(origin.source, requestId) : requestId,
    ...(given ? { given } : {}),
    requestedAt: Math.min(scheduledAt ?? origin.requestedAt, origin.requestedAt),
    trigger: trigger ?? origin.trigger,
  };
}

function targetOf({ namespace, name, namespaces, selector, names }: z.output<typeof target>): Target {
  if (names) return { names };
  return selector === undefined ? { namespace: namespace as string, name: name as string } : { namespaces, selector };
}

/** A command as it goes over the bus, where it is parsed again: the same wish, asked for at the same time. */
export function asInput({ requestedAt, notAfter, target, cluster: _bus, given: _first, ...rest }: Command) {
  const others = foreign(rest.action, rest.restart === true);
  const mine = Object.entries(rest).filter(([key]) => !others.includes(key));
  return {
    ...Object.fromEntries(mine),
    target: 'selector' in target ? { ...target, selector: format(target.selector) } : target,
    scheduledAt: instantText(requestedAt),
    ...(notAfter === undefined ? {} : { notAfter: instantText(notAfter) }),
  };
}

const other = (action: Action): Action => (action === 'start' ? 'stop' : 'start');
