import { getState } from '../../functions/getState/handler.ts';
import { reconcileState } from '../../functions/reconcileState/handler.ts';
import { restartVm } from '../../functions/restartVm/handler.ts';
import { startVm } from '../../functions/startVm/handler.ts';
import { stopVm } from '../../functions/stopVm/handler.ts';
import { credentialsOf, parseKubeConfig } from '../../shared/cluster/credentials.ts';
import type { World } from '../../shared/cluster/world.ts';
import { connect } from '../../shared/entry/connect.ts';
import { lambda } from '../../shared/entry/entry.ts';
import { silentLog, silentMetrics } from '../../shared/report/silent.ts';
import { systemClock } from '../../shared/time/clock.ts';
import { type CliCommand, exitCodes, type Options, UsageError } from '../command.ts';
import { furnishEmbedded } from '../demo/stage.ts';
import { demoWukongs } from '../demo/wukongs.ts';
import { helpOf } from '../terminal/help.ts';
import { aborted } from '../terminal/process.ts';
import { checkKubeconfigOut, writeKubeconfig } from './kubeconfigOut.ts';
import { context, type LocalHandler, startLocalAws } from './localAws.ts';

const options: Options = {
  port: { type: 'string', value: 'N', default: '4010', about: 'of the endpoint, on 127.0.0.1; 0: any that is free' },
  'kubeconfig-out': {
    type: 'string',
    value: 'FILE',
    about: "for kubectl and wukong; a file of somebody else's is left alone",
  },
  'tick-seconds': { type: 'string', value: 'N', default: '10', about: 'how often reconcileState runs; AWS: 60' },
};

function whole(values: Record<string, unknown>, name: string, low: number, high: number): number {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  throw new UsageError(`--${name} ${String(values[name])}: expected a number from ${low} to ${high}`);
}

export const awsLocal: CliCommand = {
  summary: 'runs everything that AWS would, with the embedded cluster, on this machine',
  help: helpOf({
    usage: ['aws-local [OPTIONS]'],
    about:
      'The embedded cluster with eight Wukongs, the five functions, and an endpoint that takes PutEvents as EventBridge does and the HTTP API’s requests, until Ctrl-C. Request events go through a queue to startVm and stopVm; outcome events come on standard output, a line of JSON each; what could not be carried out in three tries on standard error. It asks nobody for credentials.',
    options,
    examples: [
      'wukong aws-local &',
      'aws events put-events --region eu-central-1 --endpoint-url http://127.0.0.1:4010 --entries file://docs/stop-web.json',
      'curl -X POST http://127.0.0.1:4010/namespaces/demo-a/wukongs/web/start',
    ],
  }),
  options,
  run: async (values, io) => {
    const port = whole(values, 'port', 0, 65_535);
    const tickMs = whole(values, 'tick-seconds', 1, 3_600) * 1000;
    const file = values['kubeconfig-out'] as string | undefined;
    if (file) await checkKubeconfigOut(file);
    const signal = io.interrupt?.();
    // Loaded when it is asked for: the image has no embedded cluster in it.
    const { startSim } = await import('../../sim/sim.ts');
    const sim = await startSim({ clock: systemClock, operator: (_namespace, name) => name === 'shop' });
    // A cluster that runs for days must not remember every request.
    setInterval(() => sim.requests.splice(0, Math.max(0, sim.requests.length - 10_000)), 60_000).unref();
    const credentials = await credentialsOf(parseKubeConfig(sim.kubeconfig()));
    const given = { log: silentLog, metrics: silentMetrics, credentials };
    await Promise.race([connect({ env: {}, ...given }).then((world) => furnishEmbedded(world)), aborted(signal)]);
    signal?.throwIfAborted();
    let opened: Promise<World> | undefined;
    const { tick, ...parts } = functionsOf(() => (opened ??= connect({ env: { EVENT_BUS_NAME: 'local' }, ...given })));
    const told = {
      outcome: (event: object) => io.out(`${JSON.stringify(event)}\n`),
      deadLetter: (body: string) => io.err(`dead letter: ${body}\n`),
    };
    const aws = await startLocalAws({ ...parts, ...told }, port).catch((thrown: NodeJS.ErrnoException) => {
      throw thrown.code === 'EADDRINUSE' ? new UsageError(`--port ${port}: is taken by another program`) : thrown;
    });
    // Our own outcome events go out through the SDK, as they do in AWS, and come in again at the endpoint.
    Object.assign(process.env, { AWS_ENDPOINT_URL_EVENTBRIDGE: aws.url, ...localCredentials });
    if (file) {
      await writeKubeconfig(file, sim.kubeconfig());
      io.err(`export KUBECONFIG=${file}\n`);
    }
    io.err(`EventBridge and the HTTP API are at ${aws.url}; wukong aws-local --help has examples\n`);
    for (const { namespace, name, shows } of demoWukongs) io.err(`  ${`${namespace}/${name}`.padEnd(14)} ${shows}\n`);
    const ticking = setInterval(() => void tick({}, context()).catch(() => undefined), tickMs);
    await aborted(signal);
    clearInterval(ticking);
    await aws.close();
    await sim.close();
    return exitCodes.done;
  },
};

const localCredentials = {
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
};

/** The five functions as they run in AWS, on one world. */
function functionsOf(open: () => Promise<World>) {
  return {
    tick: lambda('reconcileState', reconcileState, open) as unknown as LocalHandler,
    start: lambda('startVm', startVm, open) as unknown as LocalHandler,
    stop: lambda('stopVm', stopVm, open) as unknown as LocalHandler,
    restart: lambda('restartVm', restartVm, open) as unknown as LocalHandler,
    getState: lambda('getState', getState, open) as unknown as LocalHandler,
  };
}
