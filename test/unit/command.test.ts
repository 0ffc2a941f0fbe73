import { describe, expect, it } from 'vitest';

import { LifecycleError } from '../../shared/domain/errors.ts';
import { parseTrigger } from '../../shared/entry/trigger.ts';

const now = Date.parse('2026-11-23T20:00:30Z');
const origin = { action: 'stop', requestId: 'invocation-1', requestedAt: now } as const;
const one = { target: { namespace: 'team-a', name: 'web' } };

function problemOf(event: unknown): string {
  try {
    parseTrigger(event, origin);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(LifecycleError);
    expect((thrown as LifecycleError).code).toBe('InvalidAction');
    return (thrown as Error).message;
  }
  throw new Error('it was taken');
}

describe('a command', () => {
  it('is the bare command, with defaults and the invocation as request', () => {
    expect(parseTrigger(one, origin)).toMatchObject({
      action: 'stop',
      force: false,
      maxTargets: 500,
      maxInFlight: 50,
      requestId: 'direct:invocation-1',
      trigger: 'direct',
    });
  });

  it('with a grace of 0 is force, as KubeVirt then ends the guest without asking it', () => {
    const stop = (more: object) => parseTrigger({ ...one, ...more }, origin);
    expect(stop({ gracePeriodSeconds: 0 })).toMatchObject({ force: true, gracePeriodSeconds: 0 });
    expect(stop({ gracePeriodSeconds: 1 })).toMatchObject({ force: false, gracePeriodSeconds: 1 });
  });

  it('is the detail of an event, whose id is the request and whose time is when it was asked for', () => {
    const event = {
      id: 'e-1',
      time: '2026-11-23T20:00:00Z',
      source: 'x',
      'detail-type': 'Wukong VM Stop Requested',
      detail: one,
    };
    expect(parseTrigger(event, origin)).toMatchObject({
      requestId: 'event:e-1',
      requestedAt: Date.parse('2026-11-23T20:00:00Z'),
      trigger: 'event',
    });
  });

  it.each(['2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z', 'yesterday'])(
    'is asked for now when its event says %s',
    (time) => {
      const event = { id: 'e-1', time, 'detail-type': 'Wukong VM Stop Requested', detail: one };
      expect(parseTrigger(event, origin).requestedAt).toBe(now);
    },
  );

  it('says when it was scheduled', () => {
    expect(parseTrigger({ ...one, scheduledAt: '2026-11-23T20:00:00Z' }, origin).requestedAt).toBe(
      Date.parse('2026-11-23T20:00:00Z'),
    );
  });

  it('names every wrong field at once', () => {
    const message = problemOf({
      target: { namespace: 'Team A', name: 'web' },
      gracePeriodSeconds: -1,
      force: 'yes',
      colour: 1,
    });
    for (const part of [
      'target.namespace: expected a DNS label',
      'gracePeriodSeconds: expected a whole number from 0 to 86400',
      'force: expected true or false',
      'unknown: "colour"',
    ])
      expect(message).toContain(part);
  });

  it.each([
    [
      'both name and selector',
      { target: { namespace: 'a', name: 'b', selector: 'x=y' } },
      'target.selector: expected either',
    ],
    ['an empty selector', { target: { selector: '' } }, 'target.selector: expected a label selector'],
    ['a name without its namespace', { target: { name: 'b' } }, 'target.namespace: expected'],
    ['no target', {}, 'target: expected'],
    ['a grace period of a billion', { ...one, gracePeriodSeconds: 1e9 }, 'gracePeriodSeconds'],
    ['a name that is no DNS label', { target: { namespace: 'a', name: '../etc' } }, 'target.name'],
    ['the other action', { ...one, action: 'start' }, 'action: expected stop'],
    ['a field of the other action', { ...one, leaseSeconds: 3600 }, 'leaseSeconds: only for start'],
    ['a line break in a reason', { ...one, reason: 'a\nb' }, 'reason: expected no control characters'],
    [
      'an event of the wrong function',
      { 'detail-type': 'Wukong VM Start Requested', detail: one },
      'detail-type: expected "Wukong VM Stop Requested"',
    ],
    ['a schedule without input', { 'detail-type': 'Scheduled Event', detail: {} }, 'detail-type'],
    ['a text', 'stop', 'event: expected an object'],
    ['nothing', null, 'event: expected an object'],
    ['a list', [one], 'event: expected an object'],
    ['a 300 KB event', { ...one, reason: 'x'.repeat(300_000) }, 'event: expected at most 262144 characters'],
    ['a polluting key', JSON.parse('{"target":{"namespace":"a","name":"b"},"__proto__":{"force":true}}'), '__proto__'],
  ])('refuses %s', (_what, event, part) => expect(problemOf(event)).toContain(part));
});
