import { credentialsFor } from '../../shared/cluster/credentials.ts';
import { apiPath } from '../../shared/cluster/path.ts';
import { shownServer } from '../../shared/cluster/unreachable.ts';
import type { World } from '../../shared/cluster/world.ts';
import { LifecycleError } from '../../shared/domain/errors.ts';
import { group, version } from '../../shared/domain/model.ts';
import { connect } from '../../shared/entry/connect.ts';
import { plain, printable } from '../../shared/report/plain.ts';
import { silentLog, silentMetrics } from '../../shared/report/silent.ts';
import { Interrupted } from '../../shared/time/wait.ts';
import { findLogin } from '../cluster.ts';
import { exitCodes } from '../command.ts';
import { ask } from '../terminal/process.ts';
import { ending, unless } from './ending.ts';
import { leftOver, removalOf } from './leftOver.ts';
import { newRun, OwnNamespaces } from './ownNamespaces.ts';
import { tell } from './story.ts';
import type { Voice } from './voice.ts';

/**
 * The demo on somebody's own cluster, in two namespaces that it makes and takes away again, however it ends. `agreed`:
 * nobody is asked. Answers the exit code. @throws LifecycleError before anything was made.
 */
export async function onCluster(voice: Voice, agreed: boolean): Promise<number> {
  const login = findLogin({}, process.env);
  const { context } = login;
  const credentials = await credentialsFor(login);
  voice.notice(`Cluster: context ${context || '(none)'}, server ${shownServer(credentials.server)}`);
  const run = newRun();
  const env = { WATCH_NAMESPACES: run.names.join(',') };
  const world = await connect({ env, log: silentLog, metrics: silentMetrics, credentials });
  await checkServed(world);
  for (const { says, command } of await leftOver(world, context)) voice.notice(says, command);
  voice.notice(
    `The demo makes the namespaces ${run.names.join(' and ')} with eight VMs, and takes them away at its end. It touches nothing else.`,
  );
  if (!agreed && process.stdin.isTTY && process.stderr.isTTY && !(await ask('Go on?'))) {
    voice.notice('Nothing was made.');
    return exitCodes.failed;
  }
  const own = new OwnNamespaces(world, run);
  const signal = ending();
  const code = await unless(signal, async () => {
    await own.make();
    const well = await tell({ world, namespaces: run.names, operator: false, voice, signal });
    return well ? exitCodes.done : exitCodes.failed;
  }).catch((thrown: unknown) => ended(thrown, voice));
  voice.hush();
  voice.notice('');
  const going = () => voice.notice(`Taking away ${run.names.join(' and ')} …`);
  const left = await own.remove(going).catch((thrown: unknown) => {
    voice.notice(`They could not be taken away: ${(thrown as Error).message}`);
    return [...run.names];
  });
  if (left.length === 0) voice.notice('They are gone.');
  else voice.notice(`Still there: ${left.join(' and ')}. If they stay, remove them:`, removalOf(left, context));
  if (code === exitCodes.done)
    voice.notice('For VMs of your own, which it says of each:', 'npx wukong adopt -A -l env=dev --dry-run');
  return left.length > 0 && code === exitCodes.done ? exitCodes.failed : code;
}

function ended(thrown: unknown, voice: Voice): number {
  voice.hush();
  if (thrown instanceof Interrupted) {
    voice.notice('');
    voice.notice('Interrupted; once more leaves the namespaces behind.');
    return exitCodes.interrupted;
  }
  process.stderr.write(printable(`npm start: ${plain((thrown as Error).message)}\n`));
  return exitCodes.failed;
}

/** @throws LifecycleError saying what the cluster lacks. */
async function checkServed({ transport }: World): Promise<void> {
  const one = { limit: '1' };
  const wanted = [
    {
      path: apiPath({ api: `${group}/${version}`, kind: 'wukongs', query: one }),
      lacks: 'Wukongs; npx wukong crd install brings their CRD',
    },
    {
      path: apiPath({ api: 'kubevirt.io/v1', kind: 'virtualmachines', query: one }),
      lacks: 'VMs; install KubeVirt first',
    },
  ];
  for (const { path, lacks } of wanted) {
    const { status } = await transport.call({ method: 'GET', path, safe: true });
    if (status === 404) throw new LifecycleError('Refused', `this cluster does not serve ${lacks}`);
  }
}
