import { credentialsOf, parseKubeConfig } from '../../shared/cluster/credentials.ts';
import { watchMachines } from '../../shared/cluster/vmInformer.ts';
import type { World } from '../../shared/cluster/world.ts';
import { isOn } from '../../shared/domain/vm.ts';
import { connect } from '../../shared/entry/connect.ts';
import { silentLog, silentMetrics } from '../../shared/report/silent.ts';
import { systemClock } from '../../shared/time/clock.ts';
import { type CliCommand, exitCodes, type Io, type Options, UsageError } from '../command.ts';
import { furnishEmbedded } from '../demo/stage.ts';
import { demoNamespaces, demoWukongs } from '../demo/wukongs.ts';
import { helpOf } from '../terminal/help.ts';
import { aborted } from '../terminal/process.ts';
import { checkKubeconfigOut, writeKubeconfig } from './kubeconfigOut.ts';
import { tickEveryMinute } from './reconcile.ts';

const options: Options = {
  'kubeconfig-out': {
    type: 'string',
    value: 'FILE',
    about: "written when the cluster is ready; a file of somebody else's is left alone",
  },
  port: { type: 'string', value: 'N', default: '0', about: 'on 127.0.0.1; default: any that is free' },
  empty: { type: 'boolean', about: 'without the eight Wukongs' },
  operator: { type: 'boolean', about: 'makes the VM of each new Wukong, as the Wukong operator does, and rewrites it' },
  reconcile: { type: 'boolean', about: 'ticks at once and every minute, as the CronJobs of an installation would' },
  crd: {
    type: 'string',
    choices: ['extended', 'original'],
    default: 'extended',
    about: 'which Wukong CRD is installed',
  },
  limits: {
    type: 'string',
    choices: ['unlimited', 'limited'],
    default: 'unlimited',
    about: 'limited: as slow as a real control plane',
  },
};

export const sim: CliCommand = {
  summary: 'runs the embedded cluster with eight Wukongs in it, to try things on',
  help: helpOf({
    usage: ['sim --kubeconfig-out FILE [OPTIONS]'],
    about:
      "An API server with KubeVirt's manners in this process, until Ctrl-C. kubectl works against it too. What the eight Wukongs show is listed when it is ready; nothing is kept.",
    options,
    examples: [
      'wukong sim --kubeconfig-out /tmp/sim.yaml &',
      'wukong sim --kubeconfig-out /tmp/sim.yaml --empty --operator --reconcile',
      'wukong state -A --kubeconfig /tmp/sim.yaml',
    ],
  }),
  options,
  run: async (values, io) => {
    const file = values['kubeconfig-out'] as string | undefined;
    if (!file) throw new UsageError('expected --kubeconfig-out FILE');
    const port = Number(values.port);
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      throw new UsageError(`--port ${String(values.port)}: expected a number from 0 to 65535`);
    await checkKubeconfigOut(file);
    const signal = io.interrupt?.();
    // Loaded when it is asked for: the image has no embedded cluster in it.
    const { startSim } = await import('../../sim/sim.ts');
    const cluster = await startSim({
      clock: systemClock,
      port,
      crd: values.crd as 'extended' | 'original',
      limits: values.limits as 'limited' | 'unlimited',
      operator: operatedBy(values.operator === true, values.empty === true),
    });
    try {
      // A cluster that runs for days must not remember every request.
      setInterval(() => cluster.requests.splice(0, Math.max(0, cluster.requests.length - 10_000)), 60_000).unref();
      if (values.empty !== true) await Promise.race([populate(cluster.kubeconfig()), aborted(signal)]);
      signal?.throwIfAborted();
      await writeKubeconfig(file, cluster.kubeconfig());
      io.out(`The embedded cluster is at ${cluster.url}; export KUBECONFIG=${file}\n`);
      if (values.empty !== true)
        for (const { namespace, name, shows } of demoWukongs)
          io.out(`  ${`${namespace}/${name}`.padEnd(14)} ${shows}\n`);
      if (values.reconcile === true) await ticking(cluster.kubeconfig(), signal, io);
      else await aborted(signal);
    } finally {
      await cluster.close();
    }
    return exitCodes.done;
  },
};

/** Which Wukongs have an operator: all that are not the eight, when asked for; of the eight, the one that shows it. */
const operatedBy = (others: boolean, empty: boolean) => (namespace: string, name: string) => {
  const shown = empty ? undefined : demoWukongs.find((one) => one.namespace === namespace && one.name === name);
  return shown ? shown.operated === true : others;
};

async function withWorld(kubeconfig: string, work: (world: World) => Promise<unknown>): Promise<void> {
  const credentials = await credentialsOf(parseKubeConfig(kubeconfig));
  try {
    await work(await connect({ env: {}, log: silentLog, metrics: silentMetrics, credentials }));
  } finally {
    credentials.close?.();
  }
}

const ticking = (kubeconfig: string, signal: AbortSignal | undefined, io: Io) =>
  withWorld(kubeconfig, (world) => tickEveryMinute(world, { timeoutMs: 50_000, signal }, io)).catch((thrown) => {
    // Ctrl-C is how it is meant to end.
    if (!signal?.aborted) throw thrown;
  });

const populate = (kubeconfig: string) =>
  withWorld(kubeconfig, async (world) => {
    await furnishEmbedded(world);
    await untilUp(world);
  });

/** Those that start by themselves are on. */
async function untilUp(world: World): Promise<void> {
  const limits = { deadline: world.clock.now() + 30_000 };
  const machines = await watchMachines(world, { namespaces: [...demoNamespaces] }, limits);
  for (const { namespace, name, strategy, guest } of demoWukongs) {
    const starts = !('runStrategy' in strategy) || ['Always', 'Once'].includes(strategy.runStrategy);
    if (!starts || guest?.['crash-after-seconds']) continue;
    const vmName = `${name}-vm`;
    while (!isOn(machines.get(namespace, vmName)))
      if (!(await machines.changed(namespace, vmName, limits))) throw new Error(`${name} did not come up in time`);
  }
  machines.close();
}
