import { listAll } from '../../shared/cluster/list.ts';
import { wukongPath } from '../../shared/cluster/objects.ts';
import { vmPath } from '../../shared/cluster/vmInformer.ts';
import { asLifecycleError, LifecycleError } from '../../shared/domain/errors.ts';
import { keyOf, type KubeObject, type Wukong } from '../../shared/domain/model.ts';
import { didYouMean } from '../../shared/domain/suggest.ts';
import type { RawVm } from '../../shared/domain/vmSize.ts';
import {
  adopt as adoptVm,
  type Adopted,
  release as releaseWukong,
  type Released,
} from '../../shared/lifecycle/adopt.ts';
import { readSurroundings } from '../../shared/reconcile/scheduleInputs.ts';
import { plain } from '../../shared/report/plain.ts';
import type { Surroundings } from '../../shared/schedule/selecting.ts';
import { nextFor, timetable } from '../../shared/schedule/timetable.ts';
import { clusterOptions, openCluster, scopeOptions, type Session } from '../cluster.ts';
import { type CliCommand, exitCodes, type Io, type Options, UsageError, type Values, wukongNames } from '../command.ts';
import { helpOf } from '../terminal/help.ts';
import { checkTargets, findTargets, selectorOf, targetOptions, tellTargets, typedName } from './targets.ts';

const dryRun: Options = { 'dry-run': { type: 'boolean', about: 'says what would be done, and changes nothing' } };
const options: Options = {
  name: { type: 'string', value: 'WUKONG', about: 'what the Wukong of the one VM is called' },
  ...dryRun,
  ...scopeOptions,
  ...clusterOptions,
};
const releaseOptions: Options = { ...dryRun, ...targetOptions, ...clusterOptions };
const exit = '0 all are as wished, 1 at least one failed, 2 wrong usage, 4 at least one was refused.';

export const adopt: CliCommand = {
  summary: 'makes Wukongs for VMs that have none, so that they can be scheduled',
  help: helpOf({
    usage: ['adopt VM … [OPTIONS]', 'adopt -l SELECTOR [-n NAME | -A] [OPTIONS]'],
    about:
      "For clusters without the Wukong operator. Makes a Wukong with the VM's labels, CPUs and memory, and writes on the VM to whom it was given. It switches nothing by itself; from then on schedules that select the labels do.\n\nA VM that a Wukong, a pool or another controller owns is refused. wukong release undoes it.",
    options,
    examples: [
      'wukong adopt web-vm',
      'wukong adopt -l env=dev -n team-a --dry-run',
      'wukong adopt vm-7 --name billing',
    ],
    exit,
  }),
  options,
  positionals: true,
  run: async (values, io, names) => {
    checkTargets(values, names.map(plainName));
    if (values.name !== undefined && names.length !== 1) throw new UsageError('--name: expected one VM with it');
    if (values.name !== undefined) typedName(values.name as string);
    const session = await openCluster(values, io);
    const vms = await findVms(session, values, names.map(plainName));
    if (vms.length === 0) io.err('No VM matches; nothing was changed.\n');
    const around = await surroundingsOf(session, vms, io);
    const wukongs = new Map<string, Wukong[]>();
    return each(vms, io, async (vm) => {
      const { namespace = '' } = vm.metadata;
      const known =
        wukongs.get(namespace) ?? (await listAll<Wukong>(session.world.transport, wukongPath(namespace), {}));
      wukongs.set(namespace, known);
      const dry = values['dry-run'] === true;
      const adopted = await adoptVm(
        session.world,
        vm,
        { wukongs: known, name: values.name as string },
        { dryRun: dry },
      );
      const { plan } = adopted;
      if (plan.do === 'adopt' && plan.wukong) known.push(plan.wukong);
      return {
        refused: plan.do === 'refuse',
        text: adoptedText(vm, adopted, { dry, around, now: session.world.clock.now() }),
      };
    });
  },
};

export const release: CliCommand = {
  summary: 'gives adopted VMs back: their Wukongs go, the VMs stay as they are',
  help: helpOf({
    usage: ['release NAME … [OPTIONS]', 'release -l SELECTOR [-n NAME | -A] [OPTIONS]'],
    about: 'Undoes wukong adopt. Nothing is switched. A Wukong that was not made by adopting is refused.',
    options: releaseOptions,
    examples: ['wukong release web', 'wukong release -A -l env=dev --dry-run'],
    exit,
  }),
  options: releaseOptions,
  positionals: true,
  completes: [wukongNames],
  run: async (values, io, names) => {
    checkTargets(values, names);
    const session = await openCluster(values, io);
    const { wukongs, problems } = await findTargets(session, values, names);
    tellTargets({ problems }, io);
    if (wukongs.length === 0) io.err('No Wukong matches; nothing was changed.\n');
    const dry = values['dry-run'] === true;
    const code = await each(wukongs, io, async (wukong) => {
      const released = await releaseWukong(session.world, wukong, { dryRun: dry });
      return { refused: released.plan.do === 'refuse', text: releasedText(released, dry) };
    });
    return problems.length > 0 ? exitCodes.failed : code;
  },
};

const plainName = (typed: string): string => typed.replace(/^(virtualmachines?|vms?)(\.kubevirt\.io)?\//, '');

async function findVms({ world, namespace }: Session, values: Values, names: string[]): Promise<RawVm[]> {
  const selector = selectorOf(values);
  const where = values['all-namespaces'] === true ? undefined : namespace;
  const path = vmPath('virtualmachines', where);
  if (selector !== undefined)
    return listAll<RawVm>(world.transport, `${path}?labelSelector=${encodeURIComponent(selector)}`, {});
  const all = await listAll<RawVm>(world.transport, path, {});
  return [...new Set(names)].map((name) => {
    const vm = all.find(({ metadata }) => metadata.name === name);
    if (vm) return vm;
    const hint = didYouMean(
      name,
      all.map(({ metadata }) => metadata.name),
    );
    throw new LifecycleError('NotFound', `there is no VM ${name} in namespace ${namespace}${hint}`);
  });
}

/** One after the other; what fails of one is said of it, and the others go on. */
async function each<T extends KubeObject>(
  all: T[],
  io: Io,
  work: (one: T) => Promise<{ refused: boolean; text: string }>,
): Promise<number> {
  let code: number = exitCodes.done;
  for (const one of all) {
    const key = keyOf(one.metadata);
    try {
      const { refused, text } = await work(one);
      io.out(plain(`${key}: ${text}`) + '\n');
      if (refused && code === exitCodes.done) code = exitCodes.left;
    } catch (thrown) {
      code = exitCodes.failed;
      io.err(plain(`${key}: ${asLifecycleError(thrown).message}`) + '\n');
    }
  }
  return code;
}

/** What schedules know, for what is said of the next action; who may not read them is told nothing of it. */
async function surroundingsOf({ world }: Session, vms: RawVm[], io: Io): Promise<Surroundings | undefined> {
  const spaces = new Set(vms.map(({ metadata }) => metadata.namespace ?? ''));
  if (spaces.size === 0) return undefined;
  const config = { ...world.config, watchNamespaces: [...spaces] };
  const limits = { deadline: world.clock.now() + 30_000 };
  return readSurroundings({ world: { ...world, config }, limits, problems: [] }).catch((thrown: unknown) => {
    io.err(`note: what schedules will do is not known: ${plain(asLifecycleError(thrown).message)}\n`);
    return undefined;
  });
}

function adoptedText(
  vm: RawVm,
  { plan, size }: Adopted,
  { dry, around, now }: { dry: boolean; around: Surroundings | undefined; now: number },
): string {
  if (plan.do === 'refuse') return `refused: ${plan.because}`;
  if (plan.do === 'already') return `Wukong ${plan.name} has it already`;
  const strategy = vm.spec?.runStrategy ?? `running: ${vm.spec?.running ?? false}`;
  const is = `${strategy}, ${size.cpu} CPU${size.cpu === 1 ? '' : 's'}, ${size.memory}`;
  const note = size.note ? ` (${size.note})` : '';
  const what = plan.wukong ? '' : 'the existing ';
  const then = plan.wukong && around ? `; ${foreseen(plan.wukong, now, around)}` : '';
  return `${dry ? 'would be given to' : 'given to'} ${what}Wukong ${plan.name} (${is})${note}${then}`;
}

function foreseen(wukong: Wukong, now: number, around: Surroundings): string {
  const creationTimestamp = new Date(now).toISOString();
  const made = { ...wukong, metadata: { ...wukong.metadata, creationTimestamp } };
  const table = timetable([made], () => ({}), around, now);
  const names = (table.ruled.get(made)?.schedules ?? []).map(({ name }) => name);
  if (names.length === 0) return 'no schedule selects it';
  const { nextAction, nextActionTime } = nextFor(table, made, now);
  const next = nextAction ? `next ${nextAction} ${nextActionTime}` : 'which does nothing for now';
  return `schedule ${names.join(', ')} selects it: ${next}`;
}

function releasedText({ plan, vmName, restore }: Released, dry: boolean): string {
  if (plan.do === 'refuse') return `refused: ${plan.because}`;
  const gone = plan.remove ? 'the Wukong goes' : 'the Wukong stays';
  const strategy = restore ? `; it is off, and its run strategy was ${restore}` : '';
  return `${dry ? 'VM would be given back' : 'VM given back'}: ${vmName} stays as it is, ${gone}${strategy}`;
}
