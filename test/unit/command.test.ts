import { describe, expect, it } from 'vitest';

import { asInput, type Origin, parseCommand, requestedType } from '../../shared/domain/command.ts';
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

describe('the fields of a command', () => {
  const read = (more: object, of: Partial<Origin> = {}) =>
    parseCommand({ ...one, ...more }, { trigger: 'direct', ...origin, ...of });
  const wrong = (more: object, of: Partial<Origin> = {}) => {
    try {
      read(more, of);
    } catch (thrown) {
      const { code, message, cause } = thrown as LifecycleError;
      expect([code, (cause as string[]).join('; ')]).toEqual(['InvalidAction', message]);
      return cause;
    }
    throw new Error('it was taken');
  };
  const start = { action: 'start' } as const;

  it('have defaults, and where nothing is given nothing stands', () => {
    const given = {
      force: false,
      waitSeconds: 300,
      deletePodWhenStuck: false,
      maxTargets: 500,
      maxInFlight: 50,
      dryRun: false,
    };
    expect(read({})).toStrictEqual({
      ...{
        ...given,
        action: 'stop',
        target: one.target,
        requestId: 'invocation-1',
        requestedAt: now,
        trigger: 'direct',
      },
    });
    expect(Object.keys(read({}))).not.toContain('given');
  });

  it.each<[string, number, number, object?]>([
    ['gracePeriodSeconds', 0, 86_400],
    ['waitSeconds', 1, 86_400, start],
    ['leaseSeconds', 60, 31_536_000, start],
    ['maxTargets', 1, 100_000],
    ['maxInFlight', 1, 1_000],
  ])('%s is a whole number from %i to %i', (key, low, high, of) => {
    expect([read({ [key]: low }, of), read({ [key]: high }, of)]).toMatchObject([{ [key]: low }, { [key]: high }]);
    const message = `${key}: expected a whole number from ${low} to ${high}`;
    for (const odd of [low - 1, high + 1, low + 0.5, '7']) expect(wrong({ [key]: odd }, of)).toEqual([message]);
  });

  it.each([
    ['reason', 1_000],
    ['requestedBy', 256],
    ['trigger', 64],
    ['requestId', 512],
  ])('%s is a text of at most %i characters', (key, most) => {
    expect(read({ [key]: 'x'.repeat(most) })).toMatchObject({ [key]: 'x'.repeat(most) });
    expect(wrong({ [key]: 'x'.repeat(most + 1) })).toEqual([`${key}: expected at most ${most} characters`]);
    expect(wrong({ [key]: '' })).toEqual([`${key}: expected a text that is not empty`]);
    expect(wrong({ [key]: 7 })).toEqual([`${key}: expected a string`]);
    expect(wrong({ [key]: 'a\u202eb' })).toEqual([
      `${key}: expected no control characters, and none that is bidi or invisible`,
    ]);
  });

  it.each(['force', 'deletePodWhenStuck', 'dryRun', 'restart'])('%s is true or false', (key) => {
    expect([read({ [key]: true }), read({ [key]: false })]).toMatchObject([{ [key]: true }, { [key]: false }]);
    expect(wrong({ [key]: 1 })).toEqual([`${key}: expected true or false`]);
  });

  it.each(['1', '9999', '1.2.3.4'])('the part %s is one', (part) => expect(read({ part })).toMatchObject({ part }));
  it.each(['', '12345', '1.2.3.4.5', '1.', 'a', '1a'])('the part "%s" is none', (part) =>
    expect(wrong({ part })).toEqual(['part: expected the number of a part, such as 3']),
  );

  it('times are RFC 3339, with any offset', () => {
    expect(read({ notAfter: '2026-11-23T22:00:00+01:00' }).notAfter).toBe(Date.parse('2026-11-23T21:00:00Z'));
    const shown = 'expected an RFC 3339 time such as 2026-03-29T01:00:00Z';
    expect(wrong({ notAfter: 'soon', scheduledAt: 7 })).toEqual([`notAfter: ${shown}`, `scheduledAt: ${shown}`]);
  });

  it('name a cluster, and the action of the function', () => {
    expect(read({ cluster: 'edge', action: 'stop' })).toMatchObject({ cluster: 'edge', action: 'stop' });
    expect(wrong({ part: 7, cluster: 7, action: 'pause' })).toEqual([
      ...['action: expected start or stop', 'cluster: expected a string', 'part: expected a string'],
    ]);
    expect(wrong({ cluster: 'a.b' })).toEqual([expect.stringMatching(/^cluster: expected a DNS label/)]);
    expect(wrong({ action: 'start' })).toEqual(['action: expected stop, as this is the stop function']);
    expect(wrong({ action: 'stop' }, start)).toEqual(['action: expected start, as this is the start function']);
  });

  it('of the other action are refused, unless they say nothing', () => {
    const of = { force: true, gracePeriodSeconds: 5, deletePodWhenStuck: true, restart: true };
    expect(wrong(of, start)).toEqual(Object.keys(of).map((key) => `${key}: only for stop`));
    expect(wrong({ waitSeconds: 5, leaseSeconds: 60 })).toEqual([
      'waitSeconds: only for start',
      'leaseSeconds: only for start',
    ]);
    expect(read({ force: false, deletePodWhenStuck: false }, start)).toMatchObject({ force: false });
    expect(read({ restart: true, waitSeconds: 5 })).toMatchObject({ waitSeconds: 5 });
    expect(wrong({ restart: true, leaseSeconds: 60 })).toEqual(['leaseSeconds: only for start']);
    expect(wrong({ restart: true, waitSeconds: 5 }, start)).toEqual(['restart: only for stop']);
  });

  it('are those of an object', () => {
    for (const odd of [null, undefined, 7, 'stop'])
      expect(() => parseCommand(odd, { trigger: 'direct', ...origin })).toThrow(
        'command: expected a command: an object',
      );
    expect(wrong({ ['x'.repeat(70)]: 1, 'a"': 2 })).toEqual([`command: unknown: "${'x'.repeat(64)}", "a\\""`]);
  });

  it('give the request its id, with the source before it', () => {
    const id = (more: object, of: Partial<Origin> = {}) => {
      const { requestId, given } = read(more, of);
      return [requestId, given];
    };
    const source = 'event';
    expect([id({}), id({ requestId: 'x' })]).toEqual([
      ['invocation-1', undefined],
      ['x', undefined],
    ]);
    expect([id({}, { source }), id({ requestId: 'x' }, { source })]).toEqual([
      ['invocation-1', undefined],
      ['event:x', true],
    ]);
    expect([id({}, { source, given: true }), id({ requestId: 'x' }, { source, given: false })]).toEqual([
      ['invocation-1', true],
      ['event:x', undefined],
    ]);
    expect(id({}, { given: true })).toEqual(['invocation-1', undefined]);
    expect(id({ requestId: 'x'.repeat(256) }, { source })).toEqual([`event:${'x'.repeat(256)}`, true]);
    expect(wrong({ requestId: 'x'.repeat(257) }, { source })).toEqual(['requestId: expected at most 256 characters']);
    expect(read({}, { trigger: 'queue' }).trigger).toBe('queue');
    expect(read({ trigger: 'event' }, { trigger: 'queue' }).trigger).toBe('event');
  });

  it('say when it was due, and no later than it came', () => {
    const at = (scheduledAt: string) => read({ scheduledAt }).requestedAt;
    expect([at('2026-11-23T20:00:00Z'), at('2026-11-23T21:00:00Z')]).toEqual([now - 30_000, now]);
  });
});

describe('the target of a command', () => {
  const target = (given: unknown) => parseCommand({ target: given }, { trigger: 'direct', ...origin }).target;
  const wrong = (given: unknown) => {
    try {
      return target(given);
    } catch (thrown) {
      return (thrown as LifecycleError).cause;
    }
  };
  const names = (count: number) => Array.from({ length: count }, (_, i) => ({ namespace: 'a', name: `vm-${i}` }));

  it('is one VM, those that a selector finds, or those that are named', () => {
    expect(target(one.target)).toStrictEqual(one.target);
    const selector = [{ key: 'env', operator: 'In', values: ['dev'] }];
    expect(target({ selector: 'env=dev', namespaces: ['a'] })).toStrictEqual({ selector, namespaces: ['a'] });
    expect(target({ selector: 'env=dev' })).toEqual({ selector });
    expect(target({ names: names(100) })).toStrictEqual({ names: names(100) });
  });

  const nothing = 'expected nothing beside names';
  it.each<[unknown, string[]]>([
    [{}, ['target.name: expected a name with its namespace, or a selector']],
    [7, ['target: expected {namespace, name} or {namespaces, selector}']],
    [{ odd: 1, name: 'b', namespace: 'a' }, ['target: unknown: "odd"']],
    [{ name: 'b' }, ['target.namespace: expected, because a name is given']],
    [{ namespace: 'a' }, ['target.name: expected, because a namespace is given']],
    [{ namespaces: ['a'] }, ['target.selector: expected, because namespaces are given']],
    [{ name: 'b', selector: 'x=y' }, ['target.selector: expected either a name or a selector, not both']],
    [{ namespace: 'a', namespaces: ['a'] }, ['target.selector: expected either a name or a selector, not both']],
    [{ selector: 7 }, ['target.selector: expected a label selector such as "env=dev,tier!=db"']],
    [
      { selector: '-=x' },
      ['target.selector: "-" is no label key: expected [prefix/]name, the name at most 63 of A-Z a-z 0-9 - _ .'],
    ],
    [{ selector: 'x=y', namespaces: [7] }, ['target.namespaces.0: expected a string']],
    [{ names: 7 }, ['target.names: expected a list of {namespace, name}']],
    [{ names: [] }, ['target.names: expected at least one']],
    [{ names: names(101) }, ['target.names: expected at most 100']],
    [{ names: [7] }, ['target.names.0: expected {namespace, name}']],
    [{ names: [{ ...names(1)[0], odd: 1 }] }, ['target.names.0: unknown: "odd"']],
    [
      { names: [{ namespace: 7, name: 8 }] },
      ['target.names.0.namespace: expected a string', 'target.names.0.name: expected a string'],
    ],
    [
      { names: names(1), namespace: 'a', name: 'b', namespaces: ['a'], selector: 'x=y' },
      ['namespace', 'name', 'namespaces', 'selector'].map((key) => `target.${key}: ${nothing}`),
    ],
  ])('%.60j is refused', (given, expected) => expect(wrong(given)).toEqual(expected));

  it('has at least one namespace, where any are given', () =>
    expect(wrong({ selector: 'x=y', namespaces: [] })).toMatchObject([expect.stringMatching(/^target.namespaces: /)]));
});

it('a command goes over the bus with its own fields alone, and comes out of it the same', () => {
  const asked = (more: object, action: 'start' | 'stop') =>
    parseCommand(
      { ...one, cluster: 'edge', ...more },
      { trigger: 'event', requestId: 'r', requestedAt: now, source: 'event', given: true, action },
    );
  const [stop, start] = [asked({ gracePeriodSeconds: 5 }, 'stop'), asked({ waitSeconds: 9 }, 'start')];
  const common = {
    action: 'stop',
    target: one.target,
    maxTargets: 500,
    maxInFlight: 50,
    dryRun: false,
    requestId: 'r',
    trigger: 'event',
  };
  const due = { scheduledAt: '2026-11-23T20:00:30.000Z' };
  const forStop = { force: false, gracePeriodSeconds: 5, deletePodWhenStuck: false };
  expect(asInput(stop)).toStrictEqual({ ...common, ...due, ...forStop });
  expect(asInput(start)).toStrictEqual({ ...common, ...due, action: 'start', waitSeconds: 9 });
  expect(asInput(asked({ restart: true, waitSeconds: 9 }, 'stop'))).toMatchObject({ restart: true, waitSeconds: 9 });
  expect(asInput(asked({ notAfter: '2026-11-23T21:00:00Z' }, 'stop'))).toMatchObject({
    notAfter: '2026-11-23T21:00:00.000Z',
  });
  const fleet = asked({ target: { selector: 'env=dev,!x', namespaces: ['a'] } }, 'stop');
  expect(asInput(fleet).target).toStrictEqual({ selector: 'env=dev,!x', namespaces: ['a'] });
  expect(requestedType).toEqual({ start: 'Wukong VM Start Requested', stop: 'Wukong VM Stop Requested' });
});
