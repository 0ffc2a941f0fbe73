import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';
import * as z from 'zod';

import { type Command, parseCommand } from '../../shared/domain/command.ts';
import { failureCodes } from '../../shared/domain/errors.ts';
import { type Outcome, outcomeNames, skipReasons } from '../../shared/domain/outcome.ts';
import { fleetDetailOf, reportOf } from '../../shared/report/fleetOutcome.ts';
import { detailOf } from '../../shared/report/report.ts';

interface Schema {
  properties: Record<string, { enum?: string[] }>;
  allOf?: { if: { properties: { outcome: { const: string } } }; then: object }[];
  examples?: unknown[];
}
const load = (name: string): Schema => JSON.parse(readFileSync(`infra/events/${name}.schema.json`, 'utf8')) as Schema;
const published = load('outcome');
const { allOf = [], ...plain } = published;
/** if/then is not known to the reader, so that it is decided here. */
function check(detail: Record<string, unknown>): void {
  z.fromJSONSchema(plain as never).parse(detail);
  for (const { if: when, then } of allOf)
    if (when.properties.outcome.const === detail['outcome'])
      z.fromJSONSchema({ type: 'object', ...then } as never).parse(detail);
}

const place = { namespace: 'team-a', name: 'web', action: 'stop', requestId: 'r-1', trigger: 'event' } as const;
const told = { ...place, message: 'It is so.', forced: false, startedAt: 0, finishedAt: 32_000 };
const outcomes: Outcome[] = [
  ...(['Started', 'AlreadyOn', 'Stopped', 'AlreadyOff', 'Superseded'] as const).map((outcome) => ({
    ...told,
    outcome,
  })),
  ...skipReasons.map((reason) => ({ ...told, outcome: 'Skipped' as const, reason })),
  ...failureCodes.map((reason) => ({ ...told, outcome: 'Failed' as const, reason })),
  { ...told, outcome: 'ForcedOff', forced: true, forceReason: 'GracePeriodExceeded' },
  { ...told, outcome: 'Stopped', observed: false },
];

describe('the schema of outcome events', () => {
  it('takes every outcome as it is sent', () => {
    for (const outcome of outcomes) expect(() => check(detailOf(outcome))).not.toThrow();
    check({ ...detailOf(outcomes[0]!), cluster: 'edge' });
    for (const example of published.examples ?? []) check(example as never);
  });

  it('knows every outcome that is an end, every reason, and every field', () => {
    expect(published.properties['outcome']?.enum).toEqual(outcomeNames.filter((name) => name !== 'InProgress'));
    expect(published.properties['reason']?.enum).toEqual([...skipReasons, ...failureCodes]);
    const sent = new Set(outcomes.flatMap((outcome) => Object.keys(detailOf(outcome))));
    expect(Object.keys(published.properties).sort()).toEqual([...sent, 'cluster'].sort());
  });

  it.each([
    ['a failure without its reason', { outcome: 'Failed' }],
    ['a skip with the reason of a failure', { outcome: 'Skipped', reason: 'Stuck' }],
    ['force without its reason', { outcome: 'ForcedOff', forced: true }],
    ['an outcome that nobody knows', { outcome: 'Gone' }],
    ['another version', { version: '2' }],
    ['a time that is none', { finishedAt: 'soon' }],
  ])('refuses %s', (_what, wrong) => {
    expect(() => check({ ...detailOf(outcomes[2]!), ...wrong })).toThrow();
  });
});

describe('the schema of fleet events', () => {
  it('takes what a fleet came to, and knows every field', () => {
    const schema = load('fleet');
    const command = { trigger: 'schedule', action: 'stop', requestId: 'r-1', part: '3' } as Command & { part: string };
    const detail = fleetDetailOf(command, reportOf(command, outcomes, { sent: 5, left: 1 }), 0, 32_000);
    expect(() => z.fromJSONSchema(schema as never).parse(detail)).not.toThrow();
    expect(Object.keys(schema.properties).sort()).toEqual([...Object.keys(detail), 'cluster'].sort());
    expect(() => z.fromJSONSchema(schema as never).parse({ ...detail, sent: -1 })).toThrow();
  });
});

describe('the schema of request events', () => {
  const schema = load('request');

  it('knows the fields of a command, and no others', () => {
    const origin = { action: 'stop', trigger: 'event', requestId: 'x', requestedAt: 0 } as const;
    const unknown = (field: string) => {
      try {
        parseCommand({ target: { selector: 'a=b' }, [field]: {} }, origin);
      } catch (thrown) {
        return (thrown as Error).message.includes(`unknown: "${field}"`);
      }
      return false;
    };
    for (const field of Object.keys(schema.properties)) expect([field, unknown(field)]).toEqual([field, false]);
    expect(unknown('colour')).toBe(true);
  });
});
