// `npm start`: the main job on the embedded cluster, through the real handlers; with --cluster on that of KUBECONFIG, with
// --fleet 1000 one command on so many VMs.
import { parseArgs } from 'node:util';

import { reconcileState } from '../../functions/reconcileState/handler.ts';
import { startVm } from '../../functions/startVm/handler.ts';
import { stopVm } from '../../functions/stopVm/handler.ts';
import { credentialsFor, credentialsOf, findLogin, parseKubeConfig } from '../../shared/cluster/credentials.ts';
import type { World } from '../../shared/cluster/world.ts';
import { type Outcome, reasonOf } from '../../shared/domain/outcome.ts';
import { connect } from '../../shared/entry/connect.ts';
import { lambda } from '../../shared/entry/entry.ts';
import { schedulePath } from '../../shared/reconcile/scheduleInputs.ts';
import { silentLog } from '../../shared/report/log.ts';
import { silentMetrics } from '../../shared/report/metrics.ts';
import { rfc3339, systemClock } from '../../shared/time/clock.ts';
import { parseCron } from '../../shared/time/cron.ts';
import { nextAfter } from '../../shared/time/wallclock.ts';
import { parseZone } from '../../shared/time/zone.ts';
import { startSim } from '../../sim/sim.ts';
import { describeWukong } from '../commands/describe.ts';
import { liveTable } from '../terminal/liveTable.ts';
import { fleetDemo, fleetSize } from './fleet.ts';
import { JumpClock } from './jumpClock.ts';
import { office, type Scene, scenes, scheduled, zone } from './scenes.ts';
import { ask, countRequests, furnish, type Handler, invoke, look, tidy, type View } from './stage.ts';
import { demoNamespaces, demoWukongs } from './wukongs.ts';

function readOptions() {
  const options = {
    json: { type: 'boolean', default: false },
    cluster: { type: 'boolean', default: false },
    fleet: { type: 'string' },
  } as const;
  try {
    return parseArgs({ options }).values;
  } catch (thrown) {
    process.stderr.write(`npm start: ${(thrown as Error).message}\nExpected: --json, --cluster or --fleet N\n`);
    process.exit(2);
  }
}
const option = readOptions();
const terminal = Boolean(process.stdout.isTTY) && !option.json && !process.env['NO_COLOR'];
const say = (text = '') => void (option.json || process.stdout.write(`${text}\n`));
const bold = (text: string) => (terminal ? `\u001b[1m${text}\u001b[22m` : text);

async function main(): Promise<void> {
  if (option.fleet !== undefined) {
    await fleetDemo(fleetSize(option.fleet), process.stdout, terminal);
    process.exit(0);
  }
  const clock = option.cluster ? systemClock : new JumpClock();
  const sim = option.cluster ? undefined : await startSim({ clock, operator: (_namespace, name) => name === 'shop' });
  const credentials = sim
    ? await credentialsOf(parseKubeConfig(sim.kubeconfig()))
    : await credentialsFor(findLogin(process.env));
  const env = { WATCH_NAMESPACES: demoNamespaces.join(',') };
  const own = await connect({ env, log: silentLog, metrics: silentMetrics, credentials, clock });
  const counted = countRequests(own.transport);
  const handled: World = { ...own, transport: counted.transport };
  const handlers: Record<Scene['handler'], Handler> = {
    startVm: lambda('startVm', startVm, async () => handled) as Handler,
    stopVm: lambda('stopVm', stopVm, async () => handled) as Handler,
    reconcileState: lambda('reconcileState', reconcileState, async () => handled) as Handler,
  };
  say(bold(`Wukong Lifecycle on ${sim ? 'the embedded cluster' : credentials.server}: eight VMs in two namespaces`));
  for (const { namespace, name, shows } of demoWukongs) say(`  ${`${namespace}/${name}`.padEnd(14)} ${shows}`);
  await furnish(own, sim !== undefined);
  const view = await look(own);
  await untilUp(view, own);
  const outcomes: Outcome[] = [];
  for (const scene of scenes) outcomes.push(...(await play(scene(), handlers, counted, view)));
  const described = await describeWukong(own, 'demo-b', 'deaf');
  if (clock instanceof JumpClock) {
    await ask(own, { method: 'POST', path: schedulePath('demo-a'), body: office });
    for (const { name, title, hour } of scheduled) {
      clock.jumpTo(nextAfter(parseCron(`0 ${hour} * * *`), parseZone(zone), clock.now()) ?? 0);
      outcomes.push(...(await play({ name, title, handler: 'reconcileState', event: {} }, handlers, counted, view)));
    }
  } else
    say('\nThe scenes with a schedule need a clock that can be put forward, which a real cluster has not: left out.');
  view.close();
  summary(outcomes, described);
  if (!sim) await tidy(own);
  await sim?.close();
  process.exit(0);
}

/** The VMs that start by themselves are given a moment. */
async function untilUp(view: View, world: World): Promise<void> {
  const up = () =>
    demoWukongs
      .filter((one) => ['web', 'db', 'import', 'shop', 'deaf'].includes(one.name))
      .every((one) => view.machine(one).vmi?.ready === 'True');
  for (const end = world.clock.now() + 20_000; !up() && world.clock.now() < end;)
    await new Promise((next) => world.clock.after(100, () => next(undefined)));
}

async function play(
  scene: Scene,
  handlers: Record<Scene['handler'], Handler>,
  counted: ReturnType<typeof countRequests>,
  view: View,
): Promise<Outcome[]> {
  say();
  say(bold(scene.title));
  counted.reset();
  const table = terminal ? liveTable(process.stdout, view.rows) : option.json ? undefined : plainTable(view);
  const outcomes = await invoke(handlers[scene.handler], scene.event, `${scene.name}-invocation`);
  table?.stop();
  for (const outcome of outcomes.toSorted((a, b) => a.finishedAt - b.finishedAt))
    show(scene.name, outcome, counted.of(outcome.name, outcomes.length));
  return outcomes;
}

/** Not a terminal: a line for each change of state. */
function plainTable(view: View): { stop(): void } {
  const begin = Date.now();
  const known = new Map(view.rows().map((row) => [`${row.namespace}/${row.name}`, row.state]));
  const timer = setInterval(() => {
    for (const { namespace, name, state, waiting } of view.rows()) {
      const key = `${namespace}/${name}`;
      if (known.get(key) === state) continue;
      known.set(key, state);
      say(
        `  ${((Date.now() - begin) / 1000).toFixed(1).padStart(5)} s  ${key.padEnd(14)} ${state}${waiting ? `, waiting for ${waiting}` : ''}`,
      );
    }
  }, 50);
  return { stop: () => clearInterval(timer) };
}

function show(scene: string, outcome: Outcome, requests: number): void {
  const { namespace, name, action, forced, message, requestId, startedAt, finishedAt } = outcome;
  const reason = reasonOf(outcome) ?? (outcome.outcome === 'ForcedOff' ? outcome.forceReason : undefined);
  if (option.json) {
    const closed = reasonOf(outcome);
    const line = {
      scene,
      namespace,
      name,
      action,
      outcome: outcome.outcome,
      ...(closed ? { reason: closed } : {}),
      forced,
      message,
      requestId,
    };
    process.stdout.write(
      `${JSON.stringify({ ...line, startedAt: rfc3339(startedAt), finishedAt: rfc3339(finishedAt), requests })}\n`,
    );
    return;
  }
  const colour =
    outcome.outcome === 'Failed' ? 31 : outcome.outcome === 'ForcedOff' ? 33 : outcome.outcome === 'Skipped' ? 90 : 32;
  const word = `${outcome.outcome}${reason ? ` (${reason})` : ''}`.padEnd(32);
  const took = `${((finishedAt - startedAt) / 1000).toFixed(1)} s`.padStart(6);
  say(
    `  ${`${namespace}/${name}`.padEnd(14)} ${terminal ? `\u001b[${colour}m${word}\u001b[39m` : word} ${took}  ${String(requests).padStart(2)} ${requests === 1 ? 'request ' : 'requests'}  ${message}`,
  );
}

function summary(outcomes: Outcome[], described: string): void {
  const counts = new Map<string, number>();
  for (const { outcome } of outcomes) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  say();
  say(
    bold(
      `${outcomes.length} outcomes, each seen: ${[...counts].map(([name, count]) => `${count} ${name}`).join(', ')}`,
    ),
  );
  say();
  say(bold('What kubectl describe wukong -n demo-b deaf says after the fourth scene:'));
  say(described);
}

await main().catch((thrown: unknown) => {
  process.stderr.write(`${(thrown as Error).message}\n`);
  process.exit(1);
});
