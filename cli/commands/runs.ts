import { listAll } from '../../shared/cluster/list.ts';
import { runPath } from '../../shared/cluster/objects.ts';
import type { World } from '../../shared/cluster/world.ts';
import { LifecycleError } from '../../shared/domain/errors.ts';
import type { WukongRun } from '../../shared/domain/run.ts';
import { plain } from '../../shared/report/plain.ts';
import { runCounts } from '../../shared/report/runLines.ts';
import type { Limits } from '../../shared/time/wait.ts';
import { clusterOptions, openCluster, scopeOptions } from '../cluster.ts';
import { type CliCommand, exitCodes, type Io, type Options, UsageError } from '../command.ts';
import { isGenuine } from '../page/fromRun.ts';
import { columns, text } from '../terminal/columns.ts';
import { helpOf } from '../terminal/help.ts';
import { inLines, outputOption, printingOf, tableOptions, templateForms } from '../terminal/printed.ts';

const { selector: _none, ...places } = scopeOptions;
const formats = ['json', 'yaml', 'name', ...templateForms] as const;
const options: Options = {
  output: outputOption(formats, `json: a run a line; or as in wukong state: ${formats.slice(1).join(', ')}`),
  ...tableOptions,
  ...places,
  ...clusterOptions,
};

export const runs: CliCommand = {
  summary: 'shows what came of each boundary of schedules, and of fleet commands',
  help: helpOf({
    usage: ['runs [SCHEDULE] [-n NAME | -A] [-o FORM]'],
    about:
      'The WukongRuns, the newest last: how many VMs each was for, how many were switched, forced or failed, and how late the last was begun. With a schedule, its own, and which VMs failed.',
    options,
    examples: ['wukong runs -A', 'wukong runs office'],
  }),
  options,
  positionals: true,
  run: async (values, io, names) => {
    if (names.length > 1) throw new UsageError(`expected one schedule, found ${names.length}`);
    const [schedule] = names;
    const printing = printingOf(values);
    const { world, namespace } = await openCluster(values, io);
    const all = values['all-namespaces'] === true;
    const limits = { deadline: world.clock.now() + 60_000 };
    const found = (await readRuns(world, all ? undefined : namespace, limits))
      .filter((run) => isGenuine(run) && (schedule === undefined || run.spec.schedule === schedule))
      .sort((a, b) => (a.spec.dueAt < b.spec.dueAt ? -1 : 1));
    const sorted = printing.sorted(found);
    if (printing.format === 'name') io.out(text(sorted.map(nameOf)));
    else if (printing.format !== undefined) io.out(inLines(sorted, printing));
    else if (found.length > 0) show(sorted, { all, named: schedule !== undefined, headers: printing.headers }, io);
    else
      io.err(
        `No runs${schedule ? ` of ${schedule}` : ''}${all ? '' : ` in namespace ${namespace}; -A looks in all`}.\n`,
      );
    return exitCodes.done;
  },
};

/** All runs of a namespace, or of all; none in a cluster without their CRD. @throws LifecycleError */
export async function readRuns(
  { transport }: World,
  namespace: string | undefined,
  limits: Limits,
): Promise<WukongRun[]> {
  try {
    return await listAll<WukongRun>(transport, runPath(namespace), limits);
  } catch (thrown) {
    if (thrown instanceof LifecycleError && thrown.code === 'NotFound') return [];
    throw thrown;
  }
}

const nameOf = ({ metadata }: WukongRun): string => `wukongrun.vm.novasphere.dev/${metadata.name}`;

interface Showing {
  all: boolean;
  named: boolean;
  headers: boolean;
}

function show(found: WukongRun[], { all, named, headers }: Showing, io: Io): void {
  const heads = [
    'DUE',
    'SCHEDULE',
    'ACTION',
    'TARGETS',
    'DONE',
    'ALREADY',
    'FORCED',
    'FAILED',
    'SKIPPED',
    'LATE',
    'PHASE',
  ];
  const rows = found.map(({ metadata, spec, status }) => {
    const { targets, done, already, forced, failed, skipped, latestSeconds } = runCounts.parse(status ?? {});
    const left = Object.values(skipped).reduce((sum, each) => sum + each, 0);
    const late = latestSeconds === undefined ? '-' : `${latestSeconds}s`;
    const counts = [targets, done, already, forced, failed, left].map(String);
    const row = [spec.dueAt, spec.schedule ?? '(fleet)', spec.action, ...counts, late, status?.phase ?? 'Unknown'];
    return all ? [metadata.namespace ?? '', ...row] : row;
  });
  const colourOf = (cell: string) => (cell === 'Incomplete' || cell === 'Missed' ? ('red' as const) : undefined);
  const lines = columns(all ? ['NAMESPACE', ...heads] : heads, rows, io.colour ? colourOf : undefined);
  io.out(text(headers ? lines : lines.slice(1)));
  if (!named) return;
  const failures = found.flatMap(({ spec, status }) =>
    runCounts
      .parse(status ?? {})
      .failures.map(({ name, reason, message }) => [spec.dueAt, name, reason, plain(message)]),
  );
  if (failures.length > 0) io.out(`\n${text(columns(['DUE', 'FAILED', 'REASON', 'MESSAGE'], failures))}`);
}
