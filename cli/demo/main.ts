// `npm start`: the main job on the embedded cluster, through the real handlers; with --cluster on that of KUBECONFIG, with
// --fleet 1000 one command on so many VMs.
import { credentialsOf, parseKubeConfig } from '../../shared/cluster/credentials.ts';
import { connect } from '../../shared/entry/connect.ts';
import { plain, printable } from '../../shared/report/plain.ts';
import { silentLog, silentMetrics } from '../../shared/report/silent.ts';
import { commandLine, wrongUsage } from '../../sim/commandLine.ts';
import { startSim } from '../../sim/sim.ts';
import { exitCodes } from '../command.ts';
import { fleetDemo, fleetSize } from './fleet.ts';
import { JumpClock } from './jumpClock.ts';
import { onCluster } from './onCluster.ts';
import { ask, makeNamespace } from './stage.ts';
import { tell } from './story.ts';
import { type Voice, voiceOf } from './voice.ts';
import { demoNamespaces } from './wukongs.ts';

const name = 'npm start --';
const help = `Usage: npm start -- [--json]
       npm start -- --fleet N [--json]
       npm start -- --cluster [--yes] [--json]

Shows the main job on an embedded cluster: eight VMs are stopped, started, forced and scheduled,
and each outcome is what was seen. Nothing of it stays.

  --fleet N   stops N VMs on the embedded cluster by one event, 1 to 20000
  --cluster   on the cluster of KUBECONFIG instead, in two namespaces of random names that it makes
              and takes away again; says which cluster that is and, in a terminal, asks first
  --yes       does not ask
  --json      one line of JSON for each outcome, and nothing else on standard output
  --help      shows this

Exit code: 0 all came out as it was meant to, 1 it did not, 2 wrong usage, 130 interrupted.
`;
const option = commandLine(name, help, {
  json: { type: 'boolean' },
  cluster: { type: 'boolean' },
  yes: { type: 'boolean' },
  fleet: { type: 'string' },
});

async function main(): Promise<number> {
  const size = option.fleet === undefined ? undefined : sizeOf(option.fleet);
  if (size !== undefined && option.cluster) wrongUsage(name, 'expected --fleet or --cluster, not both');
  if (option.yes && !option.cluster) wrongUsage(name, '--yes: expected with --cluster alone');
  const voice = voiceOf(option.json === true);
  if (size !== undefined) await fleetDemo(size, voice);
  else if (option.cluster) return onCluster(voice, option.yes === true);
  else return embedded(voice);
  return exitCodes.done;
}

function sizeOf(text: string): number {
  try {
    return fleetSize(text);
  } catch (wrong) {
    wrongUsage(name, (wrong as Error).message);
  }
}

async function embedded(voice: Voice): Promise<number> {
  const clock = new JumpClock();
  const sim = await startSim({ clock, operator: (_namespace, called) => called === 'shop' });
  const credentials = await credentialsOf(parseKubeConfig(sim.kubeconfig()));
  const env = { WATCH_NAMESPACES: demoNamespaces.join(',') };
  const world = await connect({ env, log: silentLog, metrics: silentMetrics, credentials, clock });
  voice.say(voice.bold('Wukong Lifecycle on the embedded cluster: eight VMs in two namespaces'));
  for (const namespace of demoNamespaces) await ask(world, makeNamespace({ name: namespace }));
  const { signal } = new AbortController(); // Ctrl-C ends it all, as nothing of it stays
  const well = await tell({ world, namespaces: demoNamespaces, operator: true, voice, signal });
  await sim.close();
  return well ? exitCodes.done : exitCodes.failed;
}

process.exit(
  await main().catch((thrown: unknown) => {
    process.stderr.write(printable(`npm start: ${plain((thrown as Error).message)}\n`));
    return exitCodes.failed;
  }),
);
