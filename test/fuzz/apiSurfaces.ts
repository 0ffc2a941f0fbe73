import fc from 'fast-check';

import { listPages } from '../../shared/cluster/list.ts';
import { readWukong, slim } from '../../shared/cluster/objects.ts';
import { ours } from '../../shared/cluster/ours.ts';
import type { Transport } from '../../shared/cluster/transport.ts';
import { type KubeObject, vmNameOf, type Wukong } from '../../shared/domain/model.ts';
import { isForging } from '../../shared/domain/oneLine.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { readVm, readVmi } from '../../shared/domain/readVm.ts';
import { stateFrom } from '../../shared/entry/state.ts';
import { causeOf } from '../../shared/lifecycle/diagnosis.ts';
import { readTrace } from '../../shared/lifecycle/trace.ts';
import { eventOf } from '../../shared/report/events.ts';
import { plainFields, printable } from '../../shared/report/plain.ts';
import { detailOf } from '../../shared/report/report.ts';
import { stateAfter } from '../../shared/report/status.ts';
import { holidayText } from '../../shared/schedule/configMap.ts';
import { freezeFrom } from '../../shared/schedule/override.ts';
import { checkSchedule, type WukongSchedule } from '../../shared/schedule/schedule.ts';
import { decideAll, mutated, now, running } from './deciding.ts';
import { text } from './hostile.ts';
import type { Surface } from './surfaces.ts';
import * as right from './templates.ts';

const wukong = {
  ...right.wukong,
  metadata: {
    ...right.wukong.metadata,
    annotations: {
      ...right.overrides,
      ...Object.fromEntries(Object.entries(right.annotations).map(([key, one]) => [key, JSON.stringify(one)])),
    },
    ownerReferences: [{ apiVersion: 'v1', kind: 'Team', name: 'a', uid: 'o' }],
  },
  status: {
    ...right.wukong.status,
    conditions: [{ type: 'LifecycleReady', status: 'True', reason: 'Started', message: 'up' }],
    lifecycleState: {
      ...{
        state: 'Running',
        outcome: 'Started',
        message: 'up',
        lastAction: 'start',
        requestId: 'r-0',
        trigger: 'event',
      },
      ...{ startedAt: '2026-11-23T19:00:00Z', finishedAt: '2026-11-23T19:01:00Z', nextAction: 'stop' },
    },
  },
};
const vm = {
  ...right.vm,
  status: {
    ...{ printableStatus: 'Running', created: true, ready: true, observedGeneration: 1 },
    conditions: [{ type: 'Failure', status: 'True', reason: 'FailedCreate', message: 'no quota' }],
    stateChangeRequests: [{ action: 'Start' }, { action: 'Stop', uid: 'u' }],
    startFailure: { consecutiveFailCount: 2, retryAfterTimestamp: '2026-11-23T20:01:00Z' },
  },
};
const vmi = {
  ...right.vmi,
  metadata: {
    ...right.vmi.metadata,
    deletionTimestamp: '2026-11-23T20:00:00Z',
    finalizers: ['foregroundDeleteVirtualMachine'],
  },
  status: {
    ...{ phase: 'Running', nodeName: 'node01', migrationState: { startTimestamp: '2026-11-23T19:59:00Z' } },
    conditions: [{ type: 'Ready', status: 'False', reason: 'PodNotReady', lastTransitionTime: '2026-11-23T19:00:00Z' }],
    phaseTransitionTimestamps: [{ phase: 'Running', phaseTransitionTimestamp: '2026-11-23T19:00:00Z' }],
  },
};
const configMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'holidays', namespace: 'team-a', labels: { 'lifecycle.novasphere.dev/holidays': 'true' } },
  data: { dates: '2026-12-25 Christmas\n# none\n2026-12-26', freezeUntil: '2026-11-23T22:00:00Z' },
};
const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team-a', annotations: right.overrides } };
const event = {
  ...{ type: 'Normal', reason: 'Stopped', message: 'u', lastTimestamp: '2026-11-23T20:00:00Z' },
  ...{ source: { component: 'virt-handler' }, involvedObject: { uid: 'u' } },
};

/** What answers everything with this. */
const answering = (body: unknown, status = 200): Transport => ({
  call: () => Promise.resolve({ status, body, warnings: [] } as never),
  stream: () => Promise.reject(new Error('no streams here')),
});

/** Whatever is told of this outcome is on one line, and nothing in it is not seen. */
function told(outcome: Outcome): void {
  const { message, requestId, trigger } = stateAfter(outcome, 'Running');
  const shown = [message, requestId, trigger, eventOf(outcome).message, ...Object.values(detailOf(outcome))];
  for (const one of shown)
    if (typeof one === 'string' && isForging(one))
      throw new Error(`it is told as ${JSON.stringify(one).slice(0, 200)}`);
  const line = JSON.stringify(plainFields({ deep: [{ message: outcome.message }] }));
  if (isForging(line)) throw new Error('a log line is not safe');
  if (isForging(printable(outcome.message.slice(0, 100_000)).replaceAll(/[\n\t]|\u001b\[\d+m/g, '')))
    throw new Error('a terminal obeys');
}

const ended = (message: string): Outcome => ({
  ...{ outcome: 'Failed', reason: 'Refused', namespace: 'team-a', name: 'web', action: 'stop', forced: false },
  ...{ message, requestId: message, trigger: message, startedAt: now, finishedAt: now },
});

/** All that is computed of a VM and its VMI. */
function judged(object: unknown, other: unknown): void {
  const [one, two] = [ours(object), ours(other)];
  const machine = { vm: one && readVm(one), vmi: two && readVmi(two) };
  decideAll(right.wukong as Wukong, [right.schedule], { machine });
  JSON.stringify(stateFrom(right.wukong as Wukong, () => ({ vm: one, vmi: two })));
  const cause = causeOf(machine, { died: new Set() }, { waitSeconds: 300 }, { requireAgent: true });
  told(ended(cause.message));
}

/** What is right, by the name of its surface: in the long run each field of it is a megabyte once. */
export const rights: Record<string, unknown> = {
  'a Wukong of the API': wukong,
  'a WukongSchedule of the API': right.schedule,
  'a VM of the API': vm,
  'a VMI of the API': vmi,
  'a ConfigMap of the API': configMap,
  'a namespace of the API': namespace,
  'an Event of KubeVirt': { items: [event, event] },
  'what is told': 'x',
  'parseTrigger stop': right.events[4],
};

/** Every field of every object that is read from the API. */
export const apiSurfaces: Surface[] = [
  {
    name: 'a Wukong of the API',
    input: mutated(wukong),
    feed: (raw) => {
      const read = ours<Wukong>(raw);
      if (!read) return;
      const slimmed = slim(read);
      if (/[/%]|^\.*$/.test(vmNameOf(slimmed))) throw new Error('its VM would be somewhere else');
      decideAll(slimmed, [right.schedule]);
      JSON.stringify(stateFrom(slimmed, () => ({ vm: right.vm, vmi: right.vmi })));
    },
  },
  {
    name: 'a WukongSchedule of the API',
    input: mutated(right.schedule),
    feed: (raw) => {
      const read = ours<WukongSchedule>(raw);
      if (read) decideAll(right.wukong as Wukong, [read]);
    },
  },
  { name: 'a VM of the API', input: mutated(vm), feed: (raw) => judged(raw, vmi) },
  { name: 'a VMI of the API', input: mutated(vmi), feed: (raw) => judged(vm, raw) },
  {
    name: 'a ConfigMap of the API',
    input: mutated(configMap),
    feed: (raw) => {
      const read = ours<KubeObject & { data?: Record<string, string> }>(raw);
      freezeFrom(read?.data);
      const { problems = [] } = checkSchedule(right.schedule, ({ key }) => holidayText(read, key));
      if (problems.length > 12) throw new Error(`${problems.length} problems`);
    },
  },
  {
    name: 'a namespace of the API',
    input: mutated(namespace),
    feed: (raw) => {
      const { metadata } = ours(raw) ?? {};
      decideAll(right.wukong as Wukong, [right.schedule], {
        namespaces: new Map([['team-a', metadata?.annotations ?? {}]]),
      });
    },
  },
  {
    name: 'a list of the API',
    input: mutated({ metadata: { resourceVersion: '7' }, items: [wukong, wukong] }),
    feed: async (body) => {
      let pages = 0;
      for await (const { items } of listPages<Wukong>(answering(body), '/x', {})) {
        items.map(slim);
        if (++pages > 3) return; // the same `continue` for ever, which no server gives
      }
    },
  },
  {
    name: 'an answer of the API',
    input: fc.tuple(
      mutated({ kind: 'Status', message: 'no', code: 403 }),
      fc.constantFrom(200, 400, 403, 404, 409, 422, 500),
    ),
    feed: (input) => {
      const [body, status] = input as [unknown, number];
      const cluster = { transport: answering(body, status), clock: undefined as never, random: () => 0 };
      return readWukong(cluster, { namespace: 'team-a', name: 'web' }, {});
    },
  },
  {
    name: 'an Event of KubeVirt',
    input: mutated({ items: [event, event] }),
    feed: async (body, { world }) => {
      const { vm: known } = running;
      if (known) await readTrace({ ...world, transport: answering(body) }, known, 'u', { deadline: now });
    },
  },
  {
    name: 'what is told',
    input: text,
    feed: (message) => told(ended(typeof message === 'string' ? message : JSON.stringify(message))),
  },
];
