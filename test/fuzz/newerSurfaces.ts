import fc from 'fast-check';

import { fromRun, isGenuine } from '../../cli/page/fromRun.ts';
import { ours } from '../../shared/cluster/ours.ts';
import type { Transport } from '../../shared/cluster/transport.ts';
import type { World } from '../../shared/cluster/world.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import { currentKey, runNameOf, scheduleUidKey, type WukongRun } from '../../shared/domain/run.ts';
import type { RawVm } from '../../shared/domain/vmSize.ts';
import { refusalAnswer } from '../../shared/entry/http.ts';
import { newAccess } from '../../shared/entry/serveAccess.ts';
import { lead } from '../../shared/entry/serveLease.ts';
import { readSize } from '../../shared/lifecycle/adopt.ts';
import { planAdoption, planRelease } from '../../shared/lifecycle/adoption.ts';
import { readTrace } from '../../shared/lifecycle/trace.ts';
import { useOf } from '../../shared/reconcile/inUse.ts';
import { planRuns } from '../../shared/reconcile/runPlans.ts';
import { readCalendar } from '../../shared/schedule/calendarFile.ts';
import { clusterKind } from '../../shared/schedule/ruling.ts';
import type { WukongSchedule } from '../../shared/schedule/schedule.ts';
import { timetable } from '../../shared/schedule/timetable.ts';
import { parseZone } from '../../shared/time/parseZone.ts';
import { decideAll, mutated, now, running } from './deciding.ts';
import { text } from './hostile.ts';
import type { Outside, Surface } from './surfaces.ts';
import * as right from './templates.ts';

const uid = 's';
const spec = { schedule: 'office', action: 'stop', dueAt: '2026-11-23T19:00:00Z' } as const;
const run = {
  ...{ apiVersion: 'vm.novasphere.dev/v1alpha1', kind: 'WukongRun', spec },
  metadata: {
    ...{ namespace: 'team-a', name: runNameOf(spec, uid), uid: 'r', resourceVersion: '3' },
    labels: { [currentKey]: 'true', [scheduleUidKey]: uid },
    ownerReferences: [{ apiVersion: 'x', kind: 'WukongSchedule', name: 'office', uid }],
  },
  status: {
    ...{ phase: 'Incomplete', targets: 2, done: 1, already: 0, forced: 0, failed: 1, inProgress: 0, skipped: {} },
    ...{ startedAt: '2026-11-23T19:00:01Z', finishedAt: '2026-11-23T19:01:00Z', latestSeconds: 1 },
    failures: [{ name: 'db', reason: 'Stuck', message: 'hung' }],
    forcedNames: ['web'],
    vms: ['web Stopped 1 2', 'db Failed/Stuck 1 60 unseen'],
  },
};
const schedule = {
  ...right.schedule,
  metadata: { ...right.schedule.metadata, uid },
  spec: {
    ...right.schedule.spec,
    holidays: { dates: ['12-25', '2026-12-24..2026-12-27', 'MON#1'], action: 'stopped' },
    exceptions: [
      { from: '2026-11-23', to: '2026-11-24T08:00', state: 'Running', reason: 'release' },
      { from: '2026-11-23T20:00:00Z', to: '2026-11-23T21:00:00+01:00', state: 'Stopped' },
    ],
    skipWhileInUse: { loggedIn: true, annotation: 'example.com/busy', maxDelaySeconds: 600 },
    ...{ runsHistoryLimit: 5, announceBeforeSeconds: 60 },
  },
};
const clusterSchedule = {
  ...schedule,
  kind: clusterKind,
  metadata: { name: 'night', uid, creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: {
    ...schedule.spec,
    namespaceSelector: { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['prod'] }] },
    enforceOverNamespaces: true,
  },
};
const lines = [
  ...['BEGIN:VCALENDAR', 'BEGIN:VEVENT', 'UID:w', 'DTSTART;TZID=Europe/Berlin:20260101T100000', 'DURATION:PT1H'],
  ...['RRULE:FREQ=MONTHLY;BYDAY=1MO,-1FR;COUNT=40', 'EXDATE:20260202T090000Z', 'RDATE;VALUE=DATE:20260303'],
  ...['RECURRENCE-ID:20260406T080000Z', 'STATUS:CANCELLED', 'END:VEVENT', 'END:VCALENDAR'],
];
const vm = {
  ...right.vm,
  metadata: {
    ...right.vm.metadata,
    labels: { env: 'dev', 'vm.kubevirt.io/template': 't' },
    annotations: { 'lifecycle.novasphere.dev/adopted-by': 'web' },
    ownerReferences: [{ apiVersion: 'x', kind: 'VirtualMachinePool', name: 'p', uid: 'o', controller: false }],
  },
  spec: {
    runStrategy: 'Always',
    instancetype: { name: 'small', kind: 'VirtualMachineInstancetype' },
    template: { spec: { domain: { cpu: { cores: 2 }, resources: { requests: { cpu: '1500m', memory: '1Gi' } } } } },
  },
};
const adopted = {
  ...right.wukong,
  metadata: { ...right.wukong.metadata, annotations: { 'lifecycle.novasphere.dev/adopts': 'web-vm' } },
};
const lease = {
  ...{
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'l', namespace: 'n', resourceVersion: '4' },
  },
  spec: {
    holderIdentity: 'other',
    renewTime: '2026-11-23T20:00:00.000000Z',
    leaseDurationSeconds: 15,
    leaseTransitions: 2,
  },
};
const tokenReview = {
  status: {
    authenticated: true,
    audiences: ['us'],
    user: { username: 'ada', uid: 'a', groups: ['g'], extra: { k: ['v'] } },
    error: '',
  },
};
const accessReview = { status: { allowed: true, reason: 'a RoleBinding says so' } };
const ended = {
  ...{ type: 'Warning', reason: 'Stopped', message: 'u', lastTimestamp: '2026-11-23T20:00:00Z' },
  metadata: { creationTimestamp: '2026-11-23T20:00:00Z' },
  ...{ source: { component: 'virt-handler' }, reportingComponent: 'virt-handler', involvedObject: { uid: 'u' } },
};
const begun = {
  ...{ type: 'Normal', reason: 'SuccessfulDelete', message: 'u', lastTimestamp: '2026-11-23T19:59:00Z' },
  metadata: { creationTimestamp: '2026-11-23T19:59:00Z' },
  ...{ source: { component: 'virtualmachine-controller' }, involvedObject: { uid: 'v' } },
};

const answering = (world: World, answer: (method: string) => { status: number; body: unknown }): World => ({
  ...world,
  transport: {
    call: ({ method }) => Promise.resolve({ ...answer(method), warnings: [] } as never),
    stream: () => Promise.reject(new Error('no streams here')),
  } as Transport,
});

/** Reviews a caller; that nobody is known to ask is an answer. */
async function reviewed({ world }: Outside, token: unknown, may: unknown): Promise<void> {
  const bodies = [token, may];
  const access = newAccess(
    answering(world, () => ({ status: 201, body: bodies.shift() })),
    { audience: 'us' },
  );
  try {
    const who = await access.who('Bearer x', 'address');
    if (typeof who.username !== 'string' || who.username === '') throw new Error('somebody without a name');
    await access.may(who, 'update', { namespace: 'team-a', name: 'web' }, 'stop');
    const { allowed } = (may as { status: { allowed: unknown } }).status;
    if (allowed !== true) throw new Error('was let in');
  } catch (thrown) {
    if (refusalAnswer(thrown).statusCode !== 401) throw thrown;
  }
}

/** As in `rights`: each field of these is a megabyte once. */
export const newerRights: Record<string, unknown> = {
  'a WukongRun of the API': run,
  'newer fields of a WukongSchedule': schedule,
  'a ClusterWukongSchedule': clusterSchedule,
  'a calendar file': lines.join('\r\n'),
  'a userlist': { items: [{ userName: 'ada', loginTime: 1 }] },
  'an instance type': { metadata: { name: 'small' }, spec: { cpu: { guest: 2 }, memory: { guest: '2Gi' } } },
  'a VM to adopt': vm,
  'a Wukong that adopts': adopted,
  'a Lease': lease,
  'a TokenReview': tokenReview,
  'a SubjectAccessReview': accessReview,
  'Events of an end': { items: [ended, begun] },
};

const feeds: Record<string, Surface['feed']> = {
  'a WukongRun of the API': (raw) => {
    const read = ours<WukongRun>(raw);
    if (!read) return;
    const table = timetable(
      [right.wukong as Wukong],
      () => running,
      { schedules: [schedule as WukongSchedule], findText: () => undefined, namespaces: new Map() },
      now,
    );
    planRuns({ runs: [read], table, wukongs: [right.wukong as Wukong], machineOf: () => running });
    isGenuine(read);
    JSON.stringify(fromRun(read));
  },
  'newer fields of a WukongSchedule': (raw) => {
    const read = ours<WukongSchedule>(raw);
    if (read) decideAll(right.wukong as Wukong, [read]);
  },
  'a ClusterWukongSchedule': (raw) => {
    const read = ours<WukongSchedule>(raw);
    if (read)
      decideAll(right.wukong as Wukong, [{ ...read, kind: clusterKind }], {
        labels: new Map([['team-a', { tier: 'dev' }]]),
      });
  },
  'a calendar file': (raw) => {
    const day = 86_400_000;
    const { dates, problems } = readCalendar(String(raw), { from: now - 366 * day, to: now + 731 * day } as never)(
      parseZone('Europe/Berlin'),
    );
    if ([...dates].some((date) => !/^\d{4}-\d\d-\d\d$/.test(date))) throw new Error('a date is none');
    if (problems.some(({ message }) => message.length > 500)) throw new Error('a problem quotes the file');
  },
  'a userlist': async (body, { world }) => {
    const status = { phase: 'Running', conditions: [{ type: 'AgentConnected', status: 'True' }] };
    const bodies: unknown[] = [{ metadata: { name: 'v' }, status }, body];
    await useOf(
      right.wukong as Wukong,
      { loggedIn: true, annotation: 'a' },
      {
        world: answering(world, () => ({ status: 200, body: bodies.shift() })),
        limits: { deadline: now },
        problems: [],
      },
    );
  },
  'an instance type': async (body, { world }) => {
    const size = await readSize(
      answering(world, () => ({ status: 200, body })),
      vm as RawVm,
      {},
    );
    if (!Number.isInteger(size.cpu) || typeof size.memory !== 'string') throw new Error('a size that is none');
  },
  'a VM to adopt': async (raw, { world }) => {
    const read = ours<RawVm>(raw);
    if (!read) return;
    const size = await readSize(
      answering(world, () => ({ status: 404, body: {} })),
      read,
      {},
    );
    planAdoption(read, { wukongs: [adopted as Wukong], size });
    planRelease(adopted as Wukong, read, false);
  },
  'a Wukong that adopts': (raw) => {
    const read = ours<Wukong>(raw);
    if (!read) return;
    planAdoption(vm as RawVm, { wukongs: [read], size: { cpu: 1, memory: '1Gi' } });
    planRelease(read, vm as RawVm, false);
  },
  'a Lease': (body, { world }) => {
    const over = new AbortController();
    const answer = () => (over.abort(), { status: 200, body });
    return lead(answering(world, answer), { namespace: 'n', name: 'l', identity: 'me' }, over.signal, () =>
      Promise.resolve(),
    );
  },
  'a TokenReview': (token, outside) => reviewed(outside, token, accessReview),
  'a SubjectAccessReview': (may, outside) => reviewed(outside, tokenReview, may),
  'Events of an end': async (body, { world }) => {
    if (running.vm)
      await readTrace(
        answering(world, () => ({ status: 200, body })),
        running.vm,
        'u',
        { deadline: now },
      );
  },
};

const lineChanged = fc
  .tuple(fc.nat(lines.length - 1), text)
  .map(([at, by]) => lines.map((one, i) => (i === at ? (typeof by === 'string' ? by : '') : one)).join('\r\n'));

/** What came to be read from the API later, with the same promise. */
export const newerSurfaces: Surface[] = Object.entries(feeds).map(([name, feed]) => ({
  name,
  feed,
  input: name === 'a calendar file' ? fc.oneof(lineChanged, text) : mutated(newerRights[name]),
}));
