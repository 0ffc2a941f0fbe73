import { follow } from '../../shared/cluster/informer.ts';
import { listAll } from '../../shared/cluster/list.ts';
import { apiPath } from '../../shared/cluster/path.ts';
import type { World } from '../../shared/cluster/world.ts';
import type { KubeObject } from '../../shared/domain/model.ts';
import { clusterOptions, openCluster, scopeOptions } from '../cluster.ts';
import { type CliCommand, exitCodes, type Io, type Options, UsageError, type Values, wukongNames } from '../command.ts';
import { columns, text, widthsOf } from '../terminal/columns.ts';
import { ago } from '../terminal/duration.ts';
import { helpOf } from '../terminal/help.ts';
import { inLines, outputOption, type Printing, printingOf, tableOptions, templateForms } from '../terminal/printed.ts';
import { aborted } from '../terminal/process.ts';
import { findTargets, tellTargets, typedName } from './targets.ts';

interface KubeEvent extends KubeObject {
  type: string;
  reason: string;
  message: string;
  lastTimestamp?: string;
  eventTime?: string;
  involvedObject: { kind: string; namespace?: string; name: string };
}

const { selector: _none, ...places } = scopeOptions;
const formats = ['json', 'yaml', 'name', ...templateForms] as const;
const options: Options = {
  follow: { type: 'boolean', short: 'f', about: 'goes on showing what comes, until Ctrl-C' },
  output: outputOption(formats, `json: an Event a line; or as in wukong state: ${formats.slice(1).join(', ')}`),
  'field-selector': { type: 'string', value: 'SELECTOR', about: 'by fields that the API server knows: type=Warning' },
  ...tableOptions,
  ...places,
  ...clusterOptions,
};

export const events: CliCommand = {
  summary: 'shows what was told of Wukongs',
  help: helpOf({
    usage: ['events [NAME …] [-n NAME | -A] [--follow]'],
    about: 'The Kubernetes Events on Wukongs, the newest last. A cluster keeps them for an hour.',
    options,
  }),
  options,
  positionals: true,
  completes: [wukongNames],
  run: async (values, io, names) => {
    const printing = printingOf(values);
    const typed = names.map(typedName);
    if (values.follow === true) checkFollow(values, printing);
    const session = await openCluster(values, io);
    const { world, namespace } = session;
    const wanted = new Set(typed.filter(({ vm }) => !vm).map(({ name }) => name));
    const vms = names.filter((_name, i) => typed[i]?.vm);
    const { wukongs, problems } = vms.length > 0 ? await findTargets(session, {}, vms) : { wukongs: [], problems: [] };
    for (const { metadata } of wukongs) wanted.add(metadata.name);
    tellTargets({ problems }, io);
    if (names.length > 0 && wanted.size === 0) return exitCodes.failed;
    const all = values['all-namespaces'] === true;
    const fields = values['field-selector'] as string | undefined;
    const query = fields === undefined ? {} : { query: { fieldSelector: fields } };
    const path = apiPath({ api: 'v1', kind: 'events', namespace: all ? undefined : namespace, ...query });
    const ours = ({ involvedObject: on }: KubeEvent) =>
      on?.kind === 'Wukong' && (wanted.size === 0 || wanted.has(on.name));
    const print = printer(io, all, printing);
    if (values.follow === true) return followEvents(world, { path, ours, print }, io);
    const found = (await listAll<KubeEvent>(world.transport, path, {})).filter(ours).toSorted(byTime);
    const where = all ? '' : ` in namespace ${namespace}; -A looks in all`;
    if (found.length > 0 || printing.format !== undefined) print(printing.sorted(found), world.clock.now());
    else io.err(`No Events on ${[...wanted].join(', ') || 'Wukongs'}${where}.\n`);
    return problems.length > 0 ? exitCodes.failed : exitCodes.done;
  },
};

interface Following {
  path: string;
  ours: (event: KubeEvent) => boolean;
  print: (events: KubeEvent[], now: number) => void;
}

/** Those that there are, and then each as it comes, until Ctrl-C. */
async function followEvents(world: World, { path, ours, print }: Following, io: Io): Promise<number> {
  const signal = io.interrupt?.() ?? new AbortController().signal;
  const first: KubeEvent[] = [];
  let synced = false;
  const read = (object: KubeObject) => {
    const event = object as KubeEvent;
    if (!ours(event)) return;
    if (synced) print([event], world.clock.now());
    else first.push(event);
  };
  let changed = () => {};
  const source = { path, read, changed: () => changed() };
  const followed = await follow(world, source, { deadline: world.clock.now() + 30_000, signal });
  synced = true;
  print(first.toSorted(byTime), world.clock.now());
  await new Promise<void>((end, fail) => {
    changed = () => {
      try {
        followed.check();
      } catch (failure) {
        fail(failure as Error);
      }
    };
    void aborted(signal).then(end);
  });
  followed.close();
  if (io.terminal) io.out('\n'); // the terminal has written ^C
  return exitCodes.interrupted;
}

function checkFollow(values: Values, { template, format }: Printing): void {
  if ((template ?? values['sort-by'] ?? values['field-selector']) === undefined && format !== 'yaml') return;
  throw new UsageError('--follow: expected without --sort-by and --field-selector, and with -o json, name or none');
}

const timeOf = ({ lastTimestamp, eventTime, metadata }: KubeEvent): string =>
  lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? '';
const byTime = (a: KubeEvent, b: KubeEvent) => timeOf(a).localeCompare(timeOf(b));

function printer(io: Io, all: boolean, printing: Printing) {
  const { format, headers } = printing;
  const headings = ['AGO', 'TYPE', 'REASON', 'WUKONG', 'MESSAGE'];
  let widths: number[] | undefined;
  return (found: KubeEvent[], now: number) => {
    if (format === 'name') return io.out(text(found.map(({ metadata }) => `event/${metadata.name}`)));
    if (format !== undefined) return io.out(inLines(found, printing));
    const rows = found.map((event) => {
      const { namespace = '', name } = event.involvedObject;
      const since = ago(now - Date.parse(timeOf(event)));
      return [since, event.type, event.reason, all ? `${namespace}/${name}` : name, event.message];
    });
    const first = widths === undefined;
    // What comes later is laid out like the first, which may be nothing yet.
    widths ??= widthsOf(headings, rows).map((width, i) => Math.max(width, [6, 7, 14, 16, 0][i] ?? 0));
    const colourOf = (cell: string) => (cell === 'Warning' ? ('yellow' as const) : undefined);
    const lines = columns(headings, rows, io.colour ? colourOf : undefined, widths);
    io.out(text(first && headers ? lines : lines.slice(1)));
  };
}
