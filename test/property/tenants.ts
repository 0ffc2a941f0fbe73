import fc from 'fast-check';

import type { Action } from '../../shared/domain/outcome.ts';

/** A Wukong of the tenant who is looked at. */
export interface Plain {
  on: boolean;
  guest: 'plain' | 'slow' | 'deaf' | 'hangs';
  annotations: Record<string, string>;
}

export type Wish = { do: 'command' | 'declare'; atSeconds: number; of: number; action: Action; force: boolean };

/** What the tenant beside may write, by any right that RBAC gives in a namespace of one's own. */
export interface HostileWukong {
  on: boolean;
  guest: 'plain' | 'hangs' | 'crashes' | 'unschedulable';
  name: string;
  annotations: Record<string, string>;
  lifecycleAction?: unknown;
  status?: Record<string, unknown>;
}

export type HostileWrite =
  | { do: 'annotate'; atSeconds: number; of: number; key: string; value: string }
  | { do: 'status'; atSeconds: number; of: number; field: string; value: unknown }
  | { do: 'action'; atSeconds: number; of: number; value: unknown }
  | { do: 'namespace'; atSeconds: number; key: string; value: string };

const faulty = [
  ...(['wukongs', 'wukongschedules', 'wukongruns', 'configmaps', 'virtualmachines', 'userlist'] as const),
  ...(['events', 'namespaces'] as const),
];

/** What strikes the calls for the tenant beside, and no others. */
export interface HostileFault {
  path: (typeof faulty)[number];
  status: number;
  times: number;
}

export interface Tenants {
  bus: boolean;
  y: {
    wukongs: Plain[];
    schedule?: { policy: 'Respect' | 'Enforce'; stopMinute?: number; startMinute?: number };
    wishes: Wish[];
  };
  x: {
    wukongs: HostileWukong[];
    schedules: { spec: unknown; status: unknown }[];
    configMaps: { labelled: boolean; data: Record<string, string> }[];
    /** Of a schedule of its own, or, as it says, of Y's. */
    runs: { ofY: boolean; spec: unknown; status: unknown }[];
    writes: HostileWrite[];
    faults: HostileFault[];
  };
}

const prefix = 'lifecycle.novasphere.dev/';
const keys = [
  ...['operation', 'last-operation', 'last-settled', 'last-skipped', 'schedule-memory', 'lease-until', 'protected'],
  ...['keep-running-until', 'keep-stopped-until', 'skip-next', 'wave', 'adopted-by', 'adopts', 'observed', 'time-zone'],
  ...['holidays', 'never-heard-of'],
].map((key) => prefix + key);

const instants = ['2026-01-01T00:00:00Z', '2099-01-01T00:00:00Z', '0000-00-00T00:00:00Z', '2026-01-01T20:02:00+14:00'];
/** Up to what the API server takes: 256 KiB of annotations on an object, 1.5 MiB for all of it. */
const sizes = [1_000, 60_000, 200_000];
const bad = [
  '',
  ' ',
  '\0',
  '../../x',
  '\u001b[2J',
  '\u202e\u2028',
  '{',
  'null',
  '[]',
  '{"a":',
  '__proto__',
  'true',
  '-1',
];
const numbers = [0, -1, 1e9, 1e308, 0.5, Number.MAX_SAFE_INTEGER];

const long = fc
  .tuple(fc.constantFrom('x', 'eyJ-', '[', '{"a":', '1,', '\u001b]', 'a.'), fc.constantFrom(...sizes))
  .map(([part, size]) => part.repeat(Math.ceil(size / part.length)).slice(0, size));
/** Any character; fast-check's own `binary` first makes a table of all of them. */
const unit = fc
  .integer({ min: 0, max: 0x10ffff - 0x800 })
  .map((code) => String.fromCodePoint(code < 0xd800 ? code : code + 0x800));
const text = fc.oneof(
  { arbitrary: fc.constantFrom(...bad, ...instants), weight: 6 },
  { arbitrary: fc.string({ maxLength: 40, unit }), weight: 2 },
  { arbitrary: long, weight: 1 },
);
const anything = fc.oneof(
  { arbitrary: text, weight: 4 },
  { arbitrary: fc.constantFrom<unknown>(...numbers, null, true, [], {}), weight: 3 },
  { arbitrary: fc.jsonValue({ maxDepth: 4 }), weight: 1 },
);

/** A record that can be read, with what its writer likes in it. */
const record = fc
  .record({
    requestId: fc.constantFrom('schedule:x/office@2026-01-01T20:02:00Z', 'direct:1', ''),
    action: fc.constantFrom('start', 'stop'),
    step: fc.constantFrom('Claimed', 'AskedAgain', 'Forced', 'PodDeleted'),
    outcome: fc.constantFrom('Started', 'Stopped', 'ForcedOff', 'Failed', 'Superseded', 'InProgress'),
    at: fc.constantFrom('2026-01-01T20:00:00Z', '2099-01-01T00:00:00Z'),
    seconds: fc.constantFrom(0, 30, 1e9, -5),
    deletePodWhenStuck: fc.boolean(),
    message: text,
  })
  .map(({ at, seconds, ...rest }) =>
    JSON.stringify({
      ...{ ...rest, holder: 'nobody', trigger: 'schedule', force: true, waitSeconds: seconds, graceSeconds: seconds },
      ...{ requestedAt: at, startedAt: at, stepAt: at, finishedAt: at, deadline: at, forceAt: at },
    }),
  );
const value = fc.oneof({ arbitrary: text, weight: 2 }, { arbitrary: record, weight: 3 });
const annotations = fc.dictionary(fc.constantFrom(...keys), value, { maxKeys: 3 });

const lifecycleAction = fc.oneof(
  fc.constantFrom<unknown>({ action: 'start' }, { action: 'stop' }, { action: 'stop', force: true }),
  anything,
  fc.record({ action: anything, force: anything, gracePeriodSeconds: anything }),
);
const statusFields = ['vmName', 'phase', 'conditions', 'lifecycleState'];
const hostileStatus = fc.dictionary(fc.constantFrom(...statusFields), anything, { maxKeys: 2 });

const names = ['a', 'db.prod', 'x'.repeat(63), `${'long.'.repeat(40)}name`, 'team-y', 'vm-0', '0'];
const hostileWukong: fc.Arbitrary<HostileWukong> = fc.record(
  {
    on: fc.boolean(),
    guest: fc.constantFrom('plain', 'hangs', 'crashes', 'unschedulable'),
    name: fc.constantFrom(...names),
    annotations,
    lifecycleAction,
    status: hostileStatus,
  },
  { requiredKeys: ['on', 'guest', 'name', 'annotations'] },
) as fc.Arbitrary<HostileWukong>;

const cron = fc.constantFrom('* * * * *', '2 20 * * *', '*/1 0-23 1-31 * *', '0 0 31 2 *', '99 * * * *');
const oneOrAny = (usual: fc.Arbitrary<unknown>) =>
  fc.oneof({ arbitrary: usual, weight: 3 }, { arbitrary: anything, weight: 1 });
/** Events without end, and such as no calendar has. */
const calendar = fc
  .record({
    rule: fc.constantFrom('FREQ=DAILY', 'FREQ=SECONDLY;INTERVAL=0', 'FREQ=YEARLY;BYDAY=53MO;COUNT=999999', 'FREQ=x'),
    events: fc.constantFrom(1, 1_000),
    zone: fc.constantFrom('UTC', 'Nowhere', 'x'.repeat(1_000)),
  })
  .map(({ rule, events, zone }) => {
    const event = `BEGIN:VEVENT\nDTSTART;TZID=${zone}:20260101T200000\nRRULE:${rule}\nEND:VEVENT\n`;
    return `BEGIN:VCALENDAR\n${event.repeat(events)}END:VCALENDAR`;
  });
const hostileRun = fc.record({
  ofY: fc.boolean(),
  spec: fc.record({
    schedule: fc.constantFrom('office', 's-0', 'other'),
    action: fc.constantFrom('start', 'stop'),
    dueAt: fc.constantFrom(...instants, '2026-01-02T20:02:00Z'),
  }),
  status: oneOrAny(
    fc.record({ phase: oneOrAny(fc.constantFrom('Running', 'Succeeded')), vms: anything, failures: anything }),
  ),
});
const hostileSchedule = fc.record({
  spec: fc.record(
    {
      timeZone: oneOrAny(fc.constantFrom('UTC', 'Pacific/Apia', 'Nowhere')),
      start: oneOrAny(cron),
      stop: oneOrAny(cron),
      selector: oneOrAny(fc.constant({ matchLabels: { env: 'dev' } })),
      policy: oneOrAny(fc.constantFrom('Respect', 'Enforce')),
      holidays: oneOrAny(fc.constant({ configMapRef: { name: 'days-0', key: 'days' } })),
      waves: oneOrAny(fc.record({ maxInFlight: anything, delaySeconds: anything })),
      jitterSeconds: oneOrAny(fc.constantFrom(0, 30, 1e9)),
      startingDeadlineSeconds: oneOrAny(fc.constantFrom(1, 3_600, 1e12)),
      gracePeriodSeconds: oneOrAny(fc.constantFrom(0, 86_400)),
      skipWhileInUse: oneOrAny(
        fc.constantFrom({ loggedIn: true }, { loggedIn: true, annotation: 'x/busy', maxDelaySeconds: 60 }),
      ),
      announceBeforeSeconds: oneOrAny(fc.constantFrom(60, 3_600)),
      exceptions: oneOrAny(
        fc.constantFrom('Stopped', 'Running').map((state) => [{ from: '2026-01-01', to: '2026-12-31', state }]),
      ),
      runsHistoryLimit: oneOrAny(fc.constantFrom(1, 1_000)),
      suspend: oneOrAny(fc.constantFrom(true, false)),
    },
    { requiredKeys: ['timeZone', 'selector'] },
  ),
  status: oneOrAny(
    fc.record({ lastHandled: anything, observedGeneration: anything, observedSince: anything, conditions: anything }),
  ),
});

const atSeconds = fc.integer({ min: 1, max: 200 });
const of = fc.integer({ min: 0, max: 5 });
const write: fc.Arbitrary<HostileWrite> = fc.oneof(
  fc.record({ do: fc.constant('annotate' as const), atSeconds, of, key: fc.constantFrom(...keys), value }),
  fc.record({
    do: fc.constant('status' as const),
    atSeconds,
    of,
    field: fc.constantFrom(...statusFields),
    value: anything,
  }),
  fc.record({ do: fc.constant('action' as const), atSeconds, of, value: lifecycleAction }),
  fc.record({ do: fc.constant('namespace' as const), atSeconds, key: fc.constantFrom(...keys), value: text }),
);
const fault: fc.Arbitrary<HostileFault> = fc.record({
  path: fc.constantFrom(...faulty),
  status: fc.constantFrom(400, 403, 404, 409, 413, 422, 500, 503),
  times: fc.constantFrom(1, 5, 1_000),
});

const minute = fc.integer({ min: 1, max: 2 });
const plain: fc.Arbitrary<Plain> = fc.record({
  on: fc.boolean(),
  guest: fc.constantFrom('plain', 'plain', 'slow', 'deaf', 'hangs'),
  annotations: fc.constantFrom<Record<string, string>>({}, {}, {}, { [`${prefix}protected`]: 'true' }),
});
const wish: fc.Arbitrary<Wish> = fc.record({
  do: fc.constantFrom('command', 'declare'),
  atSeconds,
  of: fc.integer({ min: 0, max: 2 }),
  action: fc.constantFrom('start', 'stop'),
  force: fc.boolean(),
});

/** Tenant Y, and tenant X beside it. */
export const tenants = fc.record({
  bus: fc.boolean(),
  y: fc.record(
    {
      wukongs: fc.array(plain, { minLength: 1, maxLength: 3 }),
      schedule: fc
        .record(
          { policy: fc.constantFrom('Respect', 'Enforce'), stopMinute: minute, startMinute: minute },
          { requiredKeys: ['policy', 'stopMinute'] },
        )
        .filter(({ stopMinute, startMinute }) => stopMinute !== startMinute),
      wishes: fc.array(wish, { maxLength: 3 }),
    },
    { requiredKeys: ['wukongs', 'wishes'] },
  ),
  x: fc.record({
    wukongs: fc.array(hostileWukong, { minLength: 1, maxLength: 6 }),
    schedules: fc.array(hostileSchedule, { maxLength: 3 }),
    configMaps: fc.array(
      fc.record({
        labelled: fc.boolean(),
        data: fc.dictionary(fc.constantFrom('days', 'other'), fc.oneof(text, calendar), { maxKeys: 2 }),
      }),
      { maxLength: 1 },
    ),
    runs: fc.array(hostileRun, { maxLength: 2 }),
    writes: fc.array(write, { maxLength: 6 }),
    faults: fc.array(fault, { maxLength: 2 }),
  }),
}) as fc.Arbitrary<Tenants>;
