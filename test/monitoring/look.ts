// For .ci/monitoring.sh: puts objects into the cluster of KUBECONFIG and waits until the Prometheus at the address that
// is given has the series that follow from them, made by kube-state-metrics, and the alerts that follow from those.
import { bodyOf } from '../../shared/cluster/failure.ts';
import type { Member } from '../../shared/domain/run.ts';
import { connect } from '../../shared/entry/connect.ts';
import { silentLog } from '../../shared/report/log.ts';
import { silentMetrics } from '../../shared/report/metrics.ts';
import { runObject } from '../../shared/report/runObject.ts';
import { runStatusOf } from '../../shared/report/runStatus.ts';
import type { WukongSchedule } from '../../shared/schedule/schedule.ts';
import { rfc3339 } from '../../shared/time/clock.ts';

const [, , prometheus = ''] = process.argv;
const namespace = 'team-a';
const apiVersion = 'vm.novasphere.dev/v1alpha1';
const collection = (plural: string) => `/apis/${apiVersion}/namespaces/${namespace}/${plural}`;
const { transport } = await connect({ env: process.env, log: silentLog, metrics: silentMetrics });

const post = async <T>(path: string, body: object) =>
  bodyOf(await transport.call<T>({ method: 'POST', path, body, safe: true }), path);
const patchStatus = (plural: string, name: string, status: object) =>
  transport.call({
    ...{ method: 'PATCH', path: `${collection(plural)}/${name}/status`, body: { status }, safe: true },
    contentType: 'application/merge-patch+json',
  } as const);

await transport.call({
  method: 'POST',
  path: '/api/v1/namespaces',
  body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
  safe: true,
});
const spec = { stop: '30 20 * * *', selector: { matchLabels: { env: 'dev' } } };
const owner = await post<WukongSchedule>(collection('wukongschedules'), {
  apiVersion,
  kind: 'WukongSchedule',
  metadata: { namespace, name: 'office' },
  spec,
});
await patchStatus('wukongschedules', 'office', {
  nextStop: '2030-01-01T20:30:00Z',
  matched: 5,
  conditions: [{ type: 'Ready', status: 'False', reason: 'InvalidHoliday', message: 'Mend it.' }],
});
await post(collection('wukongs'), {
  apiVersion,
  kind: 'Wukong',
  metadata: { namespace, name: 'web' },
  spec: { cpu: 1, memory: '1Gi' },
});
await patchStatus('wukongs', 'web', {
  lifecycleState: {
    state: 'Stopped',
    lastAction: 'stop',
    outcome: 'ForcedOff',
    nextAction: 'start',
    nextActionTime: '2030-01-02T08:00:00Z',
  },
});
const dueAt = Math.floor(Date.now() / 1000) * 1000 - 600_000;
const members: Record<string, Member> = {
  web: { outcome: 'ForcedOff', reason: 'GracePeriodExceeded', startedAt: dueAt + 420_000, finishedAt: dueAt + 450_000 },
  db: { outcome: 'Failed', reason: 'Stuck', message: 'Still there.', startedAt: dueAt, finishedAt: dueAt + 110_000 },
  idle: { outcome: 'AlreadyOff' },
  kept: { outcome: 'Skipped', reason: 'Protected' },
  old: { outcome: 'Stopped', startedAt: dueAt, finishedAt: dueAt + 3_000 },
};
const status = runStatusOf(new Map(Object.entries(members)), { dueAt, now: Date.now() });
const run = {
  namespace,
  spec: { schedule: 'office', action: 'stop' as const, dueAt: rfc3339(dueAt) },
  status,
  owner,
  current: true,
};
await post(collection('wukongruns'), runObject(run));

const ofRun = '{namespace="team-a",schedule="office",action="stop"}';
const alert = (name: string) => `ALERTS{alertname="${name}",alertstate="firing"}`;
/** What Prometheus must come to say. */
const wanted: [query: string, value: number][] = [
  [`wukong_run_targets${ofRun}`, 5],
  [`wukong_run_done${ofRun}`, 1],
  [`wukong_run_already${ofRun}`, 1],
  [`wukong_run_forced${ofRun}`, 1],
  [`wukong_run_failed${ofRun}`, 1],
  [`wukong_run_in_progress${ofRun}`, 0],
  ['wukong_run_skipped{schedule="office",reason="Protected"}', 1],
  [`wukong_run_lateness_seconds${ofRun}`, 420],
  [`wukong_run_due_timestamp_seconds${ofRun}`, dueAt / 1000],
  ['wukong_run_phase{schedule="office",phase="Incomplete"}', 1],
  ['wukong_run_phase{schedule="office",phase="Succeeded"}', 0],
  ['wukong_schedule_ready{schedule="office"}', 0],
  ['wukong_schedule_suspended{schedule="office"}', 0],
  ['wukong_schedule_matched{schedule="office"}', 5],
  ['wukong_schedule_next_stop_timestamp_seconds{schedule="office"}', Date.parse('2030-01-01T20:30:00Z') / 1000],
  ['wukong_vm_state{wukong="web",state="Stopped"}', 1],
  ['wukong_vm_state{wukong="web",state="Running"}', 0],
  ['wukong_vm_outcome{wukong="web",outcome="ForcedOff"}', 1],
  ['wukong_vm_next_action_timestamp_seconds{wukong="web",action="start"}', Date.parse('2030-01-02T08:00:00Z') / 1000],
  [alert('WukongRunIncomplete'), 1],
  [alert('WukongGuestsForced'), 1],
  [alert('WukongLate'), 1],
];

interface Answer {
  data: { result: { value: [number, string] }[] };
}
async function ask(query: string): Promise<string> {
  const answer = await fetch(`${prometheus}/api/v1/query?query=${encodeURIComponent(query)}`);
  const { data } = (await answer.json()) as Answer;
  return data.result.map(({ value }) => value[1]).join(' and ') || 'nothing';
}

let wrong: string[] = [];
for (const until = Date.now() + 60_000; Date.now() < until; await new Promise((next) => setTimeout(next, 1_000))) {
  wrong = [];
  for (const [query, value] of wanted) {
    const found = await ask(query);
    if (Number(found) !== value) wrong.push(`${query}: expected ${value}, found ${found}`);
  }
  if (wrong.length === 0) break;
}
for (const line of wrong) console.error(line);
if (wrong.length > 0) process.exit(1);
console.log(`Prometheus has ${wanted.length} series and alerts as the objects say`);
process.exit(0);
