import * as z from 'zod';

import { isLabel, isObjectName, labelExpected, objectNameExpected } from './names.ts';
import { isForging } from './oneLine.ts';
import { parseSelector } from './selector.ts';

/** A command with so many names, ten to a PutEvents call, stays below what the bus and the queue take (256 KB). */
export const mostNames = 100;

/** A schedule's id: its namespace and name of 63 and 253 characters, its boundary, and room for where it came from. */
export const longestRequestId = 512;

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

export const target = z
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

export const schema = z.strictObject(
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
