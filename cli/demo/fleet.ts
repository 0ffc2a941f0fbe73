import { credentialsOf, parseKubeConfig } from '../../shared/cluster/credentials.ts';
import { requestedType } from '../../shared/domain/command.ts';
import { connect } from '../../shared/entry/connect.ts';
import { parseTrigger } from '../../shared/entry/trigger.ts';
import { executeCommand } from '../../shared/execute/command.ts';
import type { Progress } from '../../shared/execute/sink.ts';
import { type Report, sentence } from '../../shared/report/fleetOutcome.ts';
import { silentLog, silentMetrics } from '../../shared/report/silent.ts';
import { systemClock } from '../../shared/time/clock.ts';
import { type Sim, startSim, type WukongOptions } from '../../sim/sim.ts';
import { type Bar, progressBar } from '../terminal/progressBar.ts';
import { showOutcome } from './outcomeLine.ts';
import type { Voice } from './voice.ts';

const namespace = 'fleet';
const prefix = 'lifecycle.novasphere.dev';
const mostVms = 20_000;

/** `--fleet 1000`. @throws Error saying what was expected. */
export function fleetSize(text: string): number {
  const size = Number(text);
  if (!Number.isInteger(size) || size < 1 || size > mostVms)
    throw new Error(`--fleet: expected a whole number from 1 to ${mostVms}, not "${text}"`);
  return size;
}

/** Most shut down in a few seconds. Of a hundred one ignores it, two are off already, one is protected. */
function wukong(i: number): Partial<WukongOptions> {
  switch (i % 100) {
    case 7:
      return { guest: { 'ignore-acpi': 'true' }, terminationGracePeriodSeconds: 4 };
    case 21:
    case 22:
      return { runStrategy: 'Halted' };
    case 42:
      return { annotations: { [`${prefix}/protected`]: 'true' } };
    default:
      return { guest: { 'shutdown-seconds': `${1 + (i % 5)}` } };
  }
}

async function furnish(sim: Sim, size: number, say: (text: string) => void): Promise<void> {
  say(`Wukong Lifecycle on the embedded cluster: a fleet of ${size} VMs`);
  for (let i = 0; i < size; i++) {
    const name = `vm-${`${i}`.padStart(5, '0')}`;
    sim.createWukong({ namespace, name, labels: { env: 'dev' }, runStrategy: 'Always', ...wukong(i) });
    if (i % 100 === 0) await pause(0);
  }
  const off = Array.from({ length: size }, (_, i) => i % 100).filter((i) => i === 21 || i === 22).length;
  const up = () =>
    sim
      .list<{ status?: { phase?: string } }>('virtualmachineinstances', namespace)
      .filter(({ status }) => status?.phase === 'Running').length;
  while (up() < size - off) await pause(500);
  // Two in a thousand are refused, whoever asks.
  const path = /virtualmachines\/vm-\d\d(111|555)-vm\/stop$/;
  sim.faults.add({ when: { path }, does: { kind: 'status', status: 403, message: 'a policy forbids it' } });
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** One event stops a fleet: a progress bar in a terminal, a line now and then elsewhere, and a summary. */
export async function fleetDemo(size: number, voice: Voice): Promise<void> {
  const sim = await startSim();
  await furnish(sim, size, voice.say);
  const credentials = await credentialsOf(parseKubeConfig(sim.kubeconfig()));
  const world = await connect({ env: {}, log: silentLog, metrics: silentMetrics, credentials });
  const detail = { target: { namespaces: [namespace], selector: 'env=dev' }, maxTargets: size };
  const event = { id: 'evening-event', 'detail-type': requestedType.stop, detail };
  const now = systemClock.now();
  const command = parseTrigger(event, { action: 'stop', requestId: 'demo', requestedAt: now });
  const bar: Bar = { title: 'stop', began: now, targets: size, done: 0, inFlight: 0, forced: 0, failed: 0, recent: [] };
  const progress = ({ targets, inFlight, outcome }: Progress) => {
    Object.assign(bar, { targets, inFlight });
    if (!outcome) return;
    bar.done++;
    bar.recent.push(systemClock.now());
    if (outcome.forced) bar.forced++;
    if (outcome.outcome === 'Failed') bar.failed++;
    if (voice.json) showOutcome(voice, outcome, { scene: 'fleet' });
  };
  const drawing = voice.json ? undefined : progressBar(process.stdout, bar, voice.drawn);
  const report = await executeCommand(command, world, { limits: { deadline: now + 840_000 }, progress });
  drawing?.stop();
  summary(report, sim, (systemClock.now() - now) / 1000, voice.say);
  await sim.close();
}

function summary(report: Report, sim: Sim, tookSeconds: number, say: (text?: string) => void): void {
  const { skipped, slowest, failed, outcomes } = report;
  say();
  say(`${sentence(report)}; in ${tookSeconds.toFixed(1)} s`);
  const why = Object.entries(skipped).map(([reason, count]) => `${count} ${reason}`);
  if (why.length > 0) say(`Left alone: ${why.join(', ')}`);
  if (slowest.length > 0)
    say(
      `Slowest: ${slowest.map(({ name, ms, outcome }) => `${name} ${(ms / 1000).toFixed(1)} s (${outcome})`).join(', ')}`,
    );
  for (const { name, reason, message } of failed) say(`Failed: ${namespace}/${name}: ${reason}: ${message}`);
  if (failed.length > 0) say('They were meant to fail: two in a thousand are refused, whoever asks.');
  const written = sim.requests.filter(({ method }) => method !== 'GET').length;
  const worked = outcomes.filter(({ quiet }) => !quiet).length;
  const each = worked > 0 ? `, ${(written / worked).toFixed(2)} for each VM that was worked on` : '';
  say(`${sim.requests.length} requests: ${sim.requests.length - written} to list and watch, ${written} writes${each}`);
}
