import * as z from 'zod';

import { LifecycleError } from './errors.ts';
import type { Place } from './model.ts';
import { isLabel, isObjectName, labelExpected, objectNameExpected } from './names.ts';
import { isForging } from './oneLine.ts';
import type { Action } from './outcome.ts';
import { requestIdOf } from './requestId.ts';
import { format, parseSelector, type Selector } from './selector.ts';

/** The type of the event that asks for it on the bus. */
export const requestedType: Record<Action, string> = {
  start: 'Wukong VM Start Requested',
  stop: 'Wukong VM Stop Requested',
};

/** One Wukong, those that a selector finds, or, in a part of a larger fleet, those that are named. */
export type Target = Place | { namespaces?: string[]; selector: Selector } | { names: Place[] };

/** A command with so many names, ten to a PutEvents call, stays below what the bus and the queue take (256 KB). */
export const mostNames = 100;

/** A schedule's id: its namespace and name of 63 and 253 characters, its boundary, and room for where it came from. */
export const longestRequestId = 512;

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

const label = z.string({ error: 'expected a string' }).refine(isLabel, labelExpected);
const objectName = z.string({ error: 'expected a string' }).refine(isObjectName, objectNameExpected);
const whole = (low: number, high: number) =>
  z
    .number({ error: `expected a whole number from ${low} to ${high}` })
    .refine((n) => Number.isInteger(n) && n >= low && n <= high, `expected a whole number from ${low} to ${high}`);
const instant = z.iso
  .datetime({ offset: true, error: 'expected an RFC 3339 time such as 2026-03-29T01:00:00Z' })
  .transform((text) => Date.parse(text));
const flag = z.boolean({ error: 'expected true or false' });
const text = (most: number) =>
  z
    .string({ error: 'expected a string' })
    .min(1, 'expected a text that is not empty')
    .max(most, `expected at most ${most} characters`)

    .refine((given) => !isForging(given), 'expected no control characters, and none that is bidi or invisible');

const selector = z
  .string({ error: 'expected a label selector such as "env=dev,tier!=db"' })
  .transform((written, context) => {
    try {
      return parseSelector(written);
    } catch (wrong) {
      context.addIssue({ code: 'custom', message: (wrong as Error).message });
      return z.NEVER;
    }
  });

const target = z
  .strictObject(
    {
      namespace: label.optional(),
      name: objectName.optional(),
      namespaces: z.array(label).min(1).optional(),
      selector: selector.optional(),
      names: z
        .array(
          z.strictObject(
            { namespace: label, name: objectName },
            { error: (issue) => strict(issue, 'expected {namespace, name}') },
          ),
          { error: 'expected a list of {namespace, name}' },
        )
        .min(1, 'expected at least one')
        .max(mostNames, `expected at most ${mostNames}`)
        .optional(),
    },
    { error: (issue) => strict(issue, 'expected {namespace, name} or {namespaces, selector}') },
  )
  .superRefine((given, context) => {
    const wrong = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (given.names) {
      const others = (['namespace', 'name', 'namespaces', 'selector'] as const).filter(
        (key) => given[key] !== undefined,
      );
      for (const key of others) wrong(key, 'expected nothing beside names');
      return;
    }
    const one = given.name !== undefined || given.namespace !== undefined;
    const many = given.selector !== undefined || given.namespaces !== undefined;
    if (!one && !many) wrong('name', 'expected a name with its namespace, or a selector');
    if (one && many) wrong('selector', 'expected either a name or a selector, not both');
    if (one && !many && given.name === undefined) wrong('name', 'expected, because a namespace is given');
    if (one && !many && given.namespace === undefined) wrong('namespace', 'expected, because a name is given');
    if (many && !one && given.selector === undefined) wrong('selector', 'expected, because namespaces are given');
  });

const schema = z.strictObject(
  {
    action: z.enum(['start', 'stop'], { error: 'expected start or stop' }).optional(),
    cluster: label.optional(),
    target,
    force: flag.default(false),
    gracePeriodSeconds: whole(0, 86_400).optional(),
    waitSeconds: whole(1, 86_400).default(300),
    deletePodWhenStuck: flag.default(false),
    restart: flag.optional(),
    notAfter: instant.optional(),
    leaseSeconds: whole(60, 31_536_000).optional(),
    maxTargets: whole(1, 100_000).default(500),
    maxInFlight: whole(1, 1_000).default(50),
    dryRun: flag.default(false),
    reason: text(1_000).optional(),
    requestedBy: text(256).optional(),
    requestId: text(longestRequestId).optional(),
    /** When it was due, as a scheduler says it; so lateness is known. */
    scheduledAt: instant.optional(),
    /** Where it came from, when another of our functions sent it. */
    trigger: text(64).optional(),
    /** Set by us, where a fleet was split. */
    part: z
      .string({ error: 'expected a string' })
      .regex(/^\d{1,4}(\.\d{1,4}){0,3}$/, 'expected the number of a part, such as 3')
      .optional(),
  },
  { error: (issue) => strict(issue, 'expected a command: an object') },
);

/** Words for a value that is no object, and for keys that nobody knows. */
function strict(issue: { code?: string; keys?: unknown }, otherwise: string): string {
  if (issue.code !== 'unrecognized_keys') return otherwise;
  return `unknown: ${(issue.keys as string[]).map((key) => JSON.stringify(key.slice(0, 64))).join(', ')}`;
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
  onlyFor[other(action)].filter((key) => !(restart && action === 'stop' && key === 'waitSeconds'));

export interface Origin {
  action: Action;
  trigger: string;
  /** Taken when the command names none: the event's or the invocation's id, so that a redelivery is the same request. */
  requestId: string;
  /** Put before an id that the command names (`requestId.ts`); absent where the command is our own. */
  source?: string;
  /** The sender of the event chose `requestId`. */
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
  const given = origin.source !== undefined && (requestId !== undefined || origin.given === true);
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
  const mine = Object.entries(rest).filter(([key]) => key === 'action' || !others.includes(key));
  return {
    ...Object.fromEntries(mine),
    target: 'selector' in target ? { ...target, selector: format(target.selector) } : target,
    scheduledAt: new Date(requestedAt).toISOString(),
    ...(notAfter === undefined ? {} : { notAfter: new Date(notAfter).toISOString() }),
  };
}

const other = (action: Action): Action => (action === 'start' ? 'stop' : 'start');
