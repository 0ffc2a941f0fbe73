// Events and Leases that the API server does not take: the rules of core/v1, of events.k8s.io/v1, and of coordination.
import { test } from 'vitest';

import { answered, dev, type Row } from './answered.ts';

const core = '/api/v1/namespaces/dev/events';
const newer = '/apis/events.k8s.io/v1/namespaces/dev/events';
const leases = '/apis/coordination.k8s.io/v1/namespaces/dev/leases';
const regarding = { kind: 'Wukong', name: 'web', namespace: 'dev' };
const who = { reportingInstance: 'a-1', action: 'Stop', reason: 'Stopped', type: 'Normal' };
const eventTime = '2026-03-02T19:00:00.000000Z';

test('a core/v1 Event without eventTime may say almost anything; one with it says who, what and why', () =>
  dev(async ({ send }) => {
    const row = (body: object, status: number, message?: RegExp): Row => {
      const event = { metadata: { generateName: 'e.' }, involvedObject: regarding, ...body };
      return ['POST', core, { body: event }, status, ...(message ? ([message] as const) : ([] as const))];
    };
    const full = { eventTime, reportingComponent: 'example.com/a', ...who };
    await answered(send, [
      row({}, 201),
      row({ type: 'Odd', count: 0, firstTimestamp: '2026-03-02T19:00:00Z', message: 'x'.repeat(2000) }, 201),
      row({ involvedObject: {} }, 422, /involvedObject\.namespace: Invalid value: "": does not match event\.namespace/),
      row({ involvedObject: { namespace: 'other' } }, 422, /does not match event\.namespace/),
      row({ eventTime: '2026-03-02T19:00:00Z' }, 400, /parsing time/),
      row({ lastTimestamp: 'today' }, 400, /parsing time/),
      row(full, 201),
      row({ ...full, involvedObject: { namespace: 'other' } }, 201),
      row({ ...full, involvedObject: {} }, 422, /does not match event\.namespace/),
      row(
        { eventTime },
        422,
        /\[reportingController: Required value, reportingInstance: .*, action: .*, reason: Required/,
      ),
      row({ ...full, reportingComponent: 'a/b/c' }, 422, /reportingController: Invalid value: "a\/b\/c"/),
      row({ ...full, action: 'x'.repeat(129) }, 422, /action: Invalid value: "": can have at most 128 characters/),
      row({ ...full, message: 'x'.repeat(1025) }, 422, /message: .*can have at most 1024 characters/),
    ]);
  }));

test('events.k8s.io/v1 takes no field of the older form, and lets only the series change', () =>
  dev(async ({ send }) => {
    const event = { metadata: { name: 'e' }, regarding, eventTime, reportingController: 'example.com/a', ...who };
    const sent = (change: object, status: number, message?: RegExp): Row => [
      ...(['POST', newer, { body: { ...event, ...change } }, status] as const),
      ...(message ? ([message] as const) : ([] as const)),
    ];
    const patched = (body: object, status: number, message = /^/): Row => [
      ...(['PATCH', `${newer}/e`, { body, type: 'application/merge-patch+json' }, status, message] as const),
    ];
    const lastObservedTime = eventTime;
    await answered(send, [
      sent({ deprecatedCount: 1 }, 422, /count: Invalid value: "": needs to be unset/),
      sent({ deprecatedFirstTimestamp: '2026-03-02T19:00:00Z' }, 422, /firstTimestamp: .*needs to be unset/),
      sent({ deprecatedSource: { component: 'a' } }, 422, /source: .*needs to be unset/),
      sent({ metadata: { generateName: 'e.' } }, 422, /metadata\.generateName/),
      sent({ series: { count: 1, lastObservedTime } }, 422, /series\.count: .*should be at least 2/),
      sent({ series: { count: 2 } }, 422, /series\.lastObservedTime: Required value/),
      sent({ type: 'Odd' }, 422, /type: Invalid value: "": has invalid value: Odd/),
      sent({}, 201),
      sent({}, 409, /already exists/),
      patched({ series: { count: 2, lastObservedTime } }, 200),
      patched({ series: { count: 0 } }, 422, /series\.count/),
      patched({ note: 'other' }, 422, /message: .*field is immutable/),
      patched({ reason: 'Other', type: 'Warning' }, 422, /reason: .*immutable, type: .*immutable/),
      ['PATCH', `${core}/e`, { body: { message: 'other' }, type: 'application/merge-patch+json' }, 200],
    ]);
  }));

const leaseRows: [string, unknown, number, RegExp][] = [
  ['leaseDurationSeconds', 0, 422, /spec\.leaseDurationSeconds: Invalid value: 0: must be greater than 0/],
  ['leaseDurationSeconds', -5, 422, /must be greater than 0/],
  [
    'leaseDurationSeconds',
    '15',
    400,
    /cannot unmarshal string into Go struct field LeaseSpec\.spec\.leaseDurationSeconds/,
  ],
  ['leaseDurationSeconds', 1.5, 400, /cannot unmarshal number/],
  ['leaseTransitions', -1, 422, /must be greater than or equal to 0/],
  [
    'holderIdentity',
    5,
    400,
    /cannot unmarshal number into Go struct field LeaseSpec\.spec\.holderIdentity of type string/,
  ],
  ['renewTime', '2026-03-02T19:00:00.000Z', 400, /parsing time/],
  ['acquireTime', 1, 400, /parsing time/],
  ['strategy', 'Youngest', 422, /Unsupported value: "Youngest"/],
  ['preferredHolder', 'a', 422, /preferredHolder: Forbidden: may only be specified if `strategy` is defined/],
  ['holderIdentity', '', 201, /^/],
];

test('a Lease has fields of its own types, and lasts for more than no time', () =>
  dev(async ({ send }) => {
    const row = ([field, value, status, message]: (typeof leaseRows)[number]): Row => [
      'POST',
      `${leases}?dryRun=All`,
      { body: { metadata: { name: 'l' }, spec: { [field]: value } } },
      status,
      message,
    ];
    await answered(send, leaseRows.map(row));
  }));
