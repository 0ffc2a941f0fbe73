import type { World } from '../../shared/cluster/world.ts';
import { keyOf, placeOf } from '../../shared/domain/model.ts';
import { readStates, type WukongState } from '../../shared/entry/state.ts';
import { plain } from '../../shared/report/plain.ts';
import { troubleLines } from '../../shared/schedule/timetable.ts';
import { each } from '../../shared/time/forEachLimited.ts';
import { clusterOptions, openCluster, type Session } from '../cluster.ts';
import { type CliCommand, exitCodes, type Io, type Options, UsageError, type Values, wukongNames } from '../command.ts';
import { dump, text } from '../terminal/columns.ts';
import { helpOf } from '../terminal/help.ts';
import { outputOption, type Printing, printingOf, tableOptions, templateForms } from '../terminal/printed.ts';
import { followStates } from './followStates.ts';
import { lookAtSchedules } from './scheduleTroubles.ts';
import { tableOf } from './stateTable.ts';
import { checkTargets, findTargets, selectorOf, targetOptions, tellTargets } from './targets.ts';

const formats = ['wide', 'json', 'yaml', 'name', ...templateForms] as const;
const options: Options = {
  ...targetOptions,
  output: outputOption(formats, `default: a table; ${formats.join(', ')}`),
  ...tableOptions,
  watch: { type: 'boolean', short: 'w', about: 'goes on showing what changes, until Ctrl-C' },
  ...clusterOptions,
};

export const state: CliCommand = {
  summary: 'shows what VMs are, what was done last and what comes next',
  help: helpOf({
    usage: ['state [NAME …] [-n NAME | -A] [-l SELECTOR] [-o FORM] [--watch]'],
    about:
      'STATE is read from the live VM, the rest from the Wukong. HELD, with -o wide: the annotations on it that overrule its schedules. jsonpath and custom-columns are those of kubectl, of what -o json prints. Times are UTC.',
    options,
    examples: [
      'wukong state -A',
      'wukong state web db -o yaml',
      'wukong state -l env=dev --watch',
      'wukong state -o jsonpath=\'{range .items[*]}{.name}{"\\t"}{.state}{"\\n"}{end}\'',
    ],
    exit: '0, or 1 when a Wukong is not there or the cluster cannot be reached, 2 wrong usage, 130 interrupted.',
  }),
  options,
  positionals: true,
  completes: [wukongNames],
  run: async (values, io, names) => {
    checkTargets(values, names, { none: true });
    const printing = printingOf(values);
    if (values.watch === true) checkWatch(values);
    const session = await openCluster(values, io);
    if (values.watch === true) return followStates(session, values, names, io);
    const single = names.length > 0 || values.filename !== undefined;
    const { states, problems } = await (single ? namedStates : allStates)(session, values, names);
    if (states.length > 0 || problems.length === 0)
      show(printing.sorted(sorted(states).map(named)), printing, { values, one: names.length === 1, session, io });
    tellTargets({ problems }, io);
    const all = values['all-namespaces'] === true;
    if (values.selector === undefined && names.length < 2 && values.filename === undefined)
      await noteSchedules(
        session.world,
        all ? undefined : session.namespace,
        io,
        states[0] && single ? states[0].name : undefined,
      );
    return problems.length > 0 ? exitCodes.failed : exitCodes.done;
  },
};

function checkWatch(values: Values): void {
  for (const option of ['field-selector', 'filename', 'sort-by'])
    if (values[option] !== undefined) throw new UsageError(`--${option}: expected without --watch`);
  if (/=/.test((values.output as string | undefined) ?? ''))
    throw new UsageError('--watch: expected with -o wide, json, yaml or name');
}

interface Found {
  states: WukongState[];
  problems: string[];
}
const limitsOf = ({ world }: Session) => ({ deadline: world.clock.now() + 60_000 });
const atOnce = 8;

async function namedStates(session: Session, values: Values, names: string[]): Promise<Found> {
  const limits = limitsOf(session);
  const { wukongs, problems } = await findTargets(session, values, names, limits);
  const states: WukongState[] = [];
  await each(wukongs, Math.min(atOnce, wukongs.length), async (wukong) => {
    states.push(...(await readStates(session.world, placeOf(wukong), limits)));
  });
  return { states, problems };
}

async function allStates(session: Session, values: Values): Promise<Found> {
  const namespace = values['all-namespaces'] === true ? undefined : session.namespace;
  const limits = limitsOf(session);
  const selector = selectorOf(values);
  const states = await readStates(session.world, { namespace, selector }, limits);
  if (values['field-selector'] === undefined) return { states, problems: [] };
  const { wukongs } = await findTargets(session, values, [], limits);
  const chosen = new Set(wukongs.map((wukong) => keyOf(placeOf(wukong))));
  return { states: states.filter((one) => chosen.has(keyOf(one))), problems: [] };
}

const sorted = (states: WukongState[]): WukongState[] =>
  states.toSorted((a, b) => `${a.namespace}/${a.name}`.localeCompare(`${b.namespace}/${b.name}`));

/** As getState tells it, and where kubectl's paths look: `.metadata.name`. */
const named = (state: WukongState) => {
  const { namespace, name, ...rest } = state;
  return { namespace, name, metadata: { namespace, name }, ...rest };
};

interface Showing {
  values: Values;
  one: boolean;
  session: Session;
  io: Io;
}

function show(states: WukongState[], printing: Printing, { values, one, session, io }: Showing): void {
  const all = values['all-namespaces'] === true;
  const { format, headers, template } = printing;
  const whole = one && states.length === 1 ? states[0] : { items: states };
  if (template) return io.out(template(whole, states));
  if (format === 'json' || format === 'yaml') return io.out(dump(format, whole));
  if (format === 'name') return io.out(text(states.map(({ name }) => `wukong.vm.novasphere.dev/${name}`)));
  if (states.length === 0)
    return io.err(`No Wukongs found${all ? '' : ` in namespace ${session.namespace}; -A looks in all`}.\n`);
  const spaces = new Set(states.map(({ namespace }) => namespace)).size;
  const look = { all: all || spaces > 1, wide: format === 'wide', colour: io.colour, now: session.world.clock.now() };
  io.out(text(tableOf(states, look).slice(headers ? 0 : 1)));
}

/** Why nothing will happen to some of them, beside what the table says; whoever may not read schedules is not told. */
async function noteSchedules(world: World, namespace: string | undefined, io: Io, name?: string): Promise<void> {
  const none = { troubles: [], rulings: [] };
  const { troubles, rulings } = await lookAtSchedules(world, namespace, name).catch(() => none);
  for (const line of [...(name === undefined ? troubleLines(troubles) : []), ...rulings]) io.err(`${plain(line)}\n`);
}
