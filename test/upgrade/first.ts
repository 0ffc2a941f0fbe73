// What version 0.1.0 reads, as it was then (shared/operation.ts of commit 531834d): never changed.
import * as z from 'zod';

const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const action = z.enum(['start', 'stop']);
const superseded = z.object({ requestId: z.string(), action, trigger: z.string(), startedAt: time });

const operation = z.object({
  requestId: z.string(),
  holder: z.string(),
  action,
  step: z.enum(['Claimed', 'AskedAgain', 'Forced', 'PodDeleted']),
  stepAt: time,
  trigger: z.string(),
  requestedAt: time,
  startedAt: time,
  deadline: time,
  forceAt: time.optional(),
  vmiUid: z.string().optional(),
  comebacks: z.number().default(0),
  attempts: z.number().default(1),
  restore: z.string().optional(),
  force: z.boolean().default(false),
  graceSeconds: z.number().optional(),
  cappedFrom: z.number().optional(),
  deletePodWhenStuck: z.boolean().default(false),
  waitSeconds: z.number().default(300),
  leaseSeconds: z.number().optional(),
  reason: z.string().optional(),
  requestedBy: z.string().optional(),
  declared: z.unknown().optional(),
  supersedes: z.array(superseded).default([]),
});

const last = z.object({
  requestId: z.string(),
  action,
  outcome: z.enum([
    'Started',
    'AlreadyOn',
    'Stopped',
    'AlreadyOff',
    'ForcedOff',
    'InProgress',
    'Superseded',
    'Skipped',
    'Failed',
  ]),
  reason: z.string().optional(),
  message: z.string(),
  forceReason: z.string().optional(),
  trigger: z.string(),
  requestedAt: time,
  startedAt: time,
  finishedAt: time,
  restore: z.string().optional(),
  superseded: z.array(superseded).optional(),
  earlier: z.array(z.string()).optional(),
});

const settled = last
  .pick({ requestId: true, action: true, outcome: true, requestedAt: true })
  .extend({ earlier: z.array(z.string()).default([]) });
const reason = z.enum(['Protected', 'Override', 'Stale', 'NotDue', 'DryRun', 'Duplicate', 'Superseded']);
const skipped = z.array(z.object({ requestId: z.string(), reason }));

/** By the annotation. */
export const records = {
  'lifecycle.novasphere.dev/operation': operation,
  'lifecycle.novasphere.dev/last-operation': last,
  'lifecycle.novasphere.dev/last-settled': settled,
  'lifecycle.novasphere.dev/last-skipped': skipped,
};

/** What a WukongSchedule may say: another field makes the whole schedule InvalidSpec. */
export const scheduleFields = {
  spec: [
    'gracePeriodSeconds',
    'holidays',
    'jitterSeconds',
    'policy',
    'selector',
    'start',
    'startingDeadlineSeconds',
    'stop',
    'suspend',
    'timeZone',
    'waves',
  ],
  holidays: ['configMapRef', 'dates'],
  configMapRef: ['key', 'name'],
  waves: ['delaySeconds', 'maxInFlight'],
};
