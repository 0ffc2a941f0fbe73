import { answerFailure, bodyOf } from '../../shared/cluster/failure.ts';
import { jsonPatch } from '../../shared/cluster/objects.ts';
import { apiPath } from '../../shared/cluster/path.ts';
import type { World } from '../../shared/cluster/world.ts';
import { clusterOptions, openCluster } from '../cluster.ts';
import { checkChoice, type CliCommand, exitCodes, type Io, type Options, UsageError } from '../command.ts';
import { helpOf } from '../terminal/help.ts';
import { type Crd, extensionOf, faultOf, ownCrds, shippedCrd, wukongCrd } from './crdPatch.ts';

const verbs = ['install', 'patch', 'check'] as const;
const options: Options = {
  columns: { type: 'boolean', about: "patch, install: adds our columns behind the CRD's own" },
  'dry-run': { type: 'boolean', about: 'says what would be done' },
  ...clusterOptions,
};

export const crd: CliCommand = {
  summary: 'installs, extends or checks the CustomResourceDefinitions',
  help: helpOf({
    usage: ['crd install|patch|check [--columns] [--dry-run]'],
    about:
      'install: the CRDs of WukongSchedule, ClusterWukongSchedule and WukongRun, and the Wukong CRD where there is none; one that is there is extended.\n\npatch: adds spec.lifecycleAction and status.lifecycleState to the installed Wukong CRD and keeps everything else of it, its own printer columns too.\n\ncheck: whether all are as they are shipped, default by default.',
    options,
    exit: '0 all is as it must be, 1 something is missing or was refused, 2 wrong usage.',
  }),
  options,
  positionals: true,
  completes: verbs,
  run: async (values, io, [verb, ...more]) => {
    if (verb === undefined || more.length > 0) throw new UsageError('expected one of install, patch, check');
    checkChoice('found', verb, verbs);
    const { world } = await openCluster(values, io);
    const dry = values['dry-run'] === true;
    const columns = values.columns === true;
    if (verb === 'check') return check(world, io);
    const found = await readCrd(world, wukongCrd);
    if (verb === 'patch' && !found) {
      io.err(`${wukongCrd} is not installed. Install its operator, or: wukong crd install\n`);
      return exitCodes.failed;
    }
    if (found) await extend(world, found, { columns, dry }, io);
    else await apply(world, wukongCrd, dry, io);
    if (verb === 'install') for (const name of ownCrds) await apply(world, name, dry, io);
    return exitCodes.done;
  },
};

const pathOf = (name: string, query?: Record<string, string>) =>
  apiPath({ api: 'apiextensions.k8s.io/v1', kind: 'customresourcedefinitions', name, ...(query ? { query } : {}) });

/** Undefined when it is not installed. @throws LifecycleError */
export async function readCrd({ transport }: World, name: string): Promise<Crd | undefined> {
  const answer = await transport.call<Crd>({ method: 'GET', path: pathOf(name), safe: true });
  return answer.status === 404 ? undefined : bodyOf(answer, `CustomResourceDefinition ${name}`);
}

async function check(world: World, io: Io): Promise<number> {
  const names = [wukongCrd, ...ownCrds];
  const width = Math.max(...names.map(({ length }) => length));
  let well = true;
  for (const name of names) {
    const fault = faultOf(await readCrd(world, name), name);
    well &&= fault === undefined;
    const said = fault ? `${fault.found}; ${fault.next}` : 'is as it is shipped';
    io.out(`${fault ? 'FAIL' : 'OK  '}   ${name.padEnd(width)}   ${said}\n`);
  }
  return well ? exitCodes.done : exitCodes.failed;
}

async function extend(world: World, found: Crd, { columns, dry }: { columns: boolean; dry: boolean }, io: Io) {
  const { adds, renews, patch, notes, columns: shown } = extensionOf(found, { columns });
  if (patch.length > 0 && !dry) {
    const answer = await jsonPatch(world, pathOf(wukongCrd, { fieldManager: 'wukong' }), patch, {});
    if (answer.status >= 300) throw answerFailure(answer, `patch of ${wukongCrd}`);
  }
  const did = dry ? 'would be extended by' : 'extended by';
  const brought = [...adds, ...renews.map((path) => `${path} as it is shipped`)];
  if (shown.length > 0) brought.push(`columns ${shown.join(', ')}`);
  io.out(`${wukongCrd}: ${brought.length > 0 ? `${did} ${brought.join(', ')}` : 'is extended already'}\n`);
  for (const note of notes) io.err(`note: ${note}\n`);
}

/**
 * Who applies a CRD. Those that are all ours are in infra/kubernetes too, so they are applied in kubectl's name: the same owner
 * has no conflict with itself, whatever version was there before. docs/decisions/0019
 */
const managerOf = (name: string): string => (name === wukongCrd ? 'wukong' : 'kubectl');

/** As `kubectl apply --server-side`: what others have added is kept. */
async function apply(world: World, name: string, dry: boolean, io: Io): Promise<void> {
  if (dry) return io.out(`${name}: would be applied\n`);
  const answer = await world.transport.call({
    method: 'PATCH',
    path: pathOf(name, { fieldManager: managerOf(name), force: 'true' }),
    body: shippedCrd(name),
    contentType: 'application/apply-patch+yaml',
    safe: true,
  });
  bodyOf(answer, `CustomResourceDefinition ${name}`);
  io.out(`${name}: applied\n`);
}
