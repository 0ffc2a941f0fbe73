import * as z from 'zod';

import { readAnnotation } from './annotation.ts';
import { firstInstant, instantText, lastInstant, mostSeconds } from './instant.ts';
import { isShown, knownForceReason, knownReason, shownMessage } from './lifecycleState.ts';
import { annotationPrefix, placeOf, type Wukong } from './model.ts';
import { oneLine } from './oneLine.ts';
import { type Outcome, outcomeNames, type Result, skipReasons } from './outcome.ts';

/** The annotation that is there while an operation runs: the claim, and all that another process needs to go on. */
export const operationKey = `${annotationPrefix}operation`;

/** What is remembered between operations: the last one's end and the run strategy to restore. */
export const lastKey = `${annotationPrefix}last-operation`;

/**
 * The newest request that found its wish fulfilled, or being fulfilled by an older one: it needed no operation, must be
 * known when it comes again, and wins over older wishes.
 */
export const settledKey = `${annotationPrefix}last-settled`;

/** Requests that were skipped or came too late for a newer one, newest first: delivered again, they are told the same. */
export const skippedKey = `${annotationPrefix}last-skipped`;

/** An on-demand start holds until then; afterwards the schedule rules again. */
export const leaseKey = `${annotationPrefix}lease-until`;

/** How far an operation has come, as far as it has to survive a crash; the rest is read from the live VM. */
export const steps = ['Claimed', 'AskedAgain', 'Forced', 'PodDeleted'] as const;

/** By its offset a text of the year 9999 may be of the year after, which no status takes and nobody could write down. */
const time = z.iso
  .datetime({ offset: true })
  .transform((text) => Date.parse(text))
  .pipe(z.number().min(firstInstant).max(lastInstant));

const seconds = z.number().transform((given) => Math.min(Math.max(given, 0), mostSeconds));

/** A text that is shown: what a record says may be anybody's. */
const said = z.string().transform((text) => oneLine(text, 1_024));

const superseded = z.object({
  requestId: said,
  action: z.enum(['start', 'stop']),
  trigger: said,
  startedAt: time,
});

export type SupersededRequest = z.output<typeof superseded>;

/** Of the requests that an operation superseded, or that joined it, so many are remembered. */
export const mostSuperseded = 10;

/** Each of them is told: a record that names more is somebody's who may patch the Wukong. */
const others = z.array(superseded).transform((all) => all.slice(0, mostSuperseded));

/** The Wukong that a record is of: one that was copied with its annotations has another. */
const wukongUid = z.string().optional();

const operation = z.object({
  wukongUid,
  requestId: said,
  /** Which process claimed it: tells a lost answer to our own claim from somebody else's. */
  holder: z.string(),
  action: z.enum(['start', 'stop']),
  step: z.enum(steps),
  stepAt: time,
  trigger: said,
  requestedAt: time,
  startedAt: time,
  /** The claim expires then. */
  deadline: time,
  /** When the guest is forced, once that is known. */
  forceAt: time.optional(),
  /** The VMI that is being stopped, or that stood in the way of a start. */
  vmiUid: z.string().optional(),
  /** How often a new VMI came up in place of a stopped one. */
  comebacks: z.number().default(0),
  /** How many guests died while a start was waited for: the next one has to stay up before it counts. */
  died: z.number().optional(),
  attempts: z.number().default(1),
  /** The run strategy that the owner chose, where KubeVirt or we replace it. */
  restore: z.string().optional(),
  force: z.boolean().default(false),
  graceSeconds: seconds.optional(),
  /** The guest's own grace period, as it was when this record was left. */
  periodSeconds: seconds.optional(),
  /** The grace that was asked for, where the launcher pod allows less. */
  cappedFrom: seconds.optional(),
  deletePodWhenStuck: z.boolean().default(false),
  waitSeconds: seconds.default(300),
  leaseSeconds: seconds.optional(),
  /** Of a stop: it is the first half of a restart. */
  thenStart: z.boolean().optional(),
  /** Of a start: it is the second half, after this guest. */
  restartOf: z.object({ uid: z.string().optional(), message: said }).optional(),
  reason: said.optional(),
  requestedBy: said.optional(),
  /** The value of spec.lifecycleAction that this carries out; it is removed only while it is still that. */
  declared: z.unknown().optional(),
  /** The requests that were running when this one took over, newest first; they are told as Superseded. */
  supersedes: others.default([]),
  /** Later requests for the same that asked for more, newest first: what they asked for is in this record. */
  sharpenedBy: others.optional(),
});

export type Operation = z.output<typeof operation>;

/** What each of `earlier` was for; beside them, as version 0.1.0 reads `earlier` as ids. */
const earlierActions = z
  .array(z.enum(['start', 'stop']).nullable())
  .optional()
  .catch(undefined);

const last = z.object({
  wukongUid,
  requestId: said,
  action: z.enum(['start', 'stop']),
  outcome: z.enum(outcomeNames),
  reason: knownReason,
  message: shownMessage,
  forceReason: knownForceReason,
  observed: z.literal(false).optional(),
  trigger: said,
  requestedAt: time,
  startedAt: time,
  finishedAt: time,
  restore: z.string().optional(),
  /** The requests that it took over from: to be told, and known when they are delivered again. */
  superseded: others.optional(),
  /** The requests that sharpened it: they came to the same end. */
  sharpenedBy: others.optional(),
  /** What was done or superseded before it, newest first: delivered again, that is known too. */
  earlier: z.array(z.string()).optional(),
  earlierActions,
});

export type Last = z.output<typeof last>;

const settled = last.pick({ wukongUid: true, requestId: true, action: true, outcome: true, requestedAt: true }).extend({
  earlier: z.array(z.string()).default([]),
  earlierActions,
  /** The requests that joined the operation `to`, newest first: when that is superseded, so are they. */
  joined: z.object({ to: z.string(), requests: others }).optional(),
});

export type Settled = z.output<typeof settled>;

const skipped = z.array(
  z.object({
    requestId: said,
    reason: z.enum([...skipReasons, 'Superseded']),
    action: z.enum(['start', 'stop']).optional(),
  }),
);

export type Skipped = z.output<typeof skipped>[number];

/** One of another Wukong is none; version 0.1.0 did not write whose it is. */
function readOwn<T extends { wukongUid?: string | undefined }>(schema: z.ZodType<T>, wukong: Wukong, key: string) {
  const record = readAnnotation(schema, wukong.metadata.annotations, key);
  return record?.wukongUid === undefined || record.wukongUid === wukong.metadata.uid ? record : undefined;
}

export const operationOf = (wukong: Wukong): Operation | undefined => readOwn(operation, wukong, operationKey);

/** The one that is under way; when its time is over it is nobody's any more. */
export function runningOf(wukong: Wukong, now: number): Operation | undefined {
  const running = operationOf(wukong);
  return running && now < running.deadline ? running : undefined;
}

export const lastOf = (wukong: Wukong): Last | undefined => readOwn(last, wukong, lastKey);

export const settledOf = (wukong: Wukong): Settled | undefined => readOwn(settled, wukong, settledKey);

export const skippedOf = (wukong: Wukong): Skipped[] =>
  readAnnotation(skipped, wukong.metadata.annotations, skippedKey) ?? [];

/** An untold end older than this is not told any more, as its Event may have expired; only the status is put right. */
const tellWithinMs = 30 * 60_000;

/** The last end, where the status does not show it: its process died before it was told, or is just about to tell it. */
export function untoldEnd(wukong: Wukong, now: number): Last | undefined {
  const last = lastOf(wukong);
  if (!last || isYetToCome(last.finishedAt, now)) return undefined;
  return isShown(wukong, last) || now - last.finishedAt > tellWithinMs ? undefined : last;
}

/** The clocks of those who write records need not agree on the second; what is later than that nobody has asked for. */
const clockErrorMs = 60_000;

export const isYetToCome = (instant: number, now: number): boolean => instant > now + clockErrorMs;

/** Of all that was carried out or found fulfilled, what was asked for last. */
export const newestDone = (wukong: Wukong, now = Infinity): Last | Settled | undefined =>
  [lastOf(wukong), settledOf(wukong)]
    .filter((done) => done !== undefined)
    .filter(({ requestedAt }) => !isYetToCome(requestedAt, now))
    .sort((a, b) => a.requestedAt - b.requestedAt)
    .at(-1);

const instants = new Set(['stepAt', 'requestedAt', 'startedAt', 'finishedAt', 'deadline', 'forceAt']);

/** As it stands in the annotation: instants in RFC 3339, for people. */
export const write = (value: Operation | Last | Settled): string =>
  JSON.stringify(value, (key, field: unknown) =>
    instants.has(key) && typeof field === 'number' ? instantText(field) : field,
  );

/** A finished operation as the outcome that was, or will be, told of it. */
export function outcomeOf(wukong: Wukong, done: Last): Outcome {
  const { requestId, action, trigger, startedAt, finishedAt, message } = done;
  const { outcome, forceReason, observed } = done;
  const reason = done.reason ?? (outcome === 'Failed' ? 'Unknown' : undefined);
  const told = { outcome, reason, forceReason, message, ...(observed === false ? { observed } : {}) } as Result;
  const forced = done.outcome === 'ForcedOff';
  return { ...told, ...placeOf(wukong), action, forced, requestId, trigger, startedAt, finishedAt };
}
