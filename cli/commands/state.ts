import type { World } from '../../shared/cluster/world.ts';
import { matches, parseSelector } from '../../shared/domain/selector.ts';
import { readStates, type WukongState } from '../../shared/entry/state.ts';
import { plain } from '../../shared/report/plain.ts';
import { troubleLines } from '../../shared/schedule/timetable.ts';
import { clusterOptions, openCluster, scopeOptions, type Session } from '../cluster.ts';
import { type CliCommand, exitCodes, type Io, type Options, UsageError, type Values, wukongNames } from '../command.ts';
import { colourOfWord, columns, dump, text, widthsOf } from '../terminal/columns.ts';
import { ago } from '../terminal/duration.ts';
import { helpOf } from '../terminal/help.ts';
import { lookAtSchedules } from './scheduleTroubles.ts';
import { named, nameOf, selectorOf } from './targets.ts';
import { type Left, watchStates } from './watchStates.ts';

const formats = ['wide', 'json', 'yaml', 'name'] as const;
const options: Options = {
  ...scopeOptions,
  output: { type: 'string', short: 'o', choices: formats, about: 'default: a table' },
  watch: { type: 'boolean', short: 'w', about: 'goes on showing what changes, until Ctrl-C' },
  ...clusterOptions,
};

export const state: CliCommand = {
  summary: 'shows what VMs are, what was done last and what comes next',
  help: helpOf({
    usage: ['state [NAME] [-n NAME | -A] [-l SELECTOR] [-o wide|json|yaml|name] [--watch]'],
    about:
      'STATE is read from the live VM, the rest from the Wukong. HELD, with -o wide: the annotations on it that overrule its schedules.',
    options,
    examples: ['wukong state -A', 'wukong state web -o yaml', 'wukong state -l env=dev --watch'],
    exit: '0, or 1 when the Wukong is not there or the cluster cannot be reached, 2 wrong usage, 130 interrupted.',
  }),
  options,
  positionals: true,
  completes: [wukongNames],
  run: async (values, io, names) => {
    const { name, selector } = check(values, names);
    const session = await openCluster(values, io);
    const scope = {
      namespace: values['all-namespaces'] === true ? undefined : session.namespace,
      name,
      selector,
    };
    if (name !== undefined) await named(session.world, { namespace: session.namespace, name });
    if (values.watch === true) return follow(session, scope, values, io);
    const states = await readStates(session.world, scope, { deadline: session.world.clock.now() + 60_000 });
    show(sorted(states), values, name !== undefined, session, io);
    if (selector === undefined) await noteSchedules(session.world, scope.namespace, io, name);
    return exitCodes.done;
  },
};

function check(values: Values, names: string[]) {
  const selector = selectorOf(values);
  const all = values['all-namespaces'] === true;
  if (names.length > 1) throw new UsageError(`expected one name, found ${names.length}; --selector takes many`);
  const name = names[0] === undefined ? undefined : nameOf(names[0]);
  if (name !== undefined && (selector !== undefined || all))
    throw new UsageError('expected either a name, or --selector and --all-namespaces');
  if (all && values.namespace !== undefined)
    throw new UsageError('expected either --namespace or --all-namespaces, not both');
  return { name, selector };
}

const sorted = (states: WukongState[]): WukongState[] =>
  states.toSorted((a, b) => `${a.namespace}/${a.name}`.localeCompare(`${b.namespace}/${b.name}`));

function show(states: WukongState[], values: Values, one: boolean, { world, namespace }: Session, io: Io): void {
  const all = values['all-namespaces'] === true;
  const format = values.output as (typeof formats)[number] | undefined;
  if (format === 'json' || format === 'yaml') return io.out(dump(format, one ? states[0] : { items: states }));
  if (format === 'name') return io.out(text(states.map(({ name }) => `wukong.vm.novasphere.dev/${name}`)));
  if (states.length === 0)
    return io.err(`No Wukongs found${all ? '' : ` in namespace ${namespace}; -A looks in all`}.\n`);
  io.out(text(tableOf(states, { all, wide: format === 'wide', colour: io.colour, now: world.clock.now() })));
}

/** Why nothing will happen to some of them, beside what the table says; whoever may not read schedules is not told. */
async function noteSchedules(world: World, namespace: string | undefined, io: Io, name?: string): Promise<void> {
  const none = { troubles: [], rulings: [] };
  const { troubles, rulings } = await lookAtSchedules(world, namespace, name).catch(() => none);
  for (const line of [...(name === undefined ? troubleLines(troubles) : []), ...rulings]) io.err(`${plain(line)}\n`);
}

interface Look {
  all: boolean;
  wide: boolean;
  colour: boolean;
  now: number;
}

const headingsOf = ({ all, wide }: Look): string[] => [
  ...(all ? ['NAMESPACE'] : []),
  ...['NAME', 'STATE', 'LAST', 'OUTCOME', 'AGO', 'NEXT', 'AT'],
  ...(wide ? ['VM', 'STRATEGY', 'LABEL', 'NODE', 'UNDER WAY', 'HELD', 'MESSAGE'] : []),
];

function cellsOf(one: WukongState, { all, wide, now }: Look): string[] {
  const { last, operation: op, vm } = one;
  const ended = last?.finishedAt ?? last?.lastActionTime;
  const outcome = last?.outcome && (last.reason ? `${last.outcome} (${last.reason})` : last.outcome);
  const cells = [
    ...(all ? [one.namespace] : []),
    one.name,
    one.state,
    op?.action ?? last?.lastAction,
    op ? 'InProgress' : outcome,
    ended && !op ? ago(now - Date.parse(ended)) : op && ago(now - Date.parse(op.startedAt)),
    one.nextAction,
    one.nextActionTime,
    ...(wide
      ? [
          vm.name,
          vm.strategy,
          vm.label,
          one.node,
          op && `${op.action} since ${op.startedAt}`,
          heldBy(one),
          last?.message,
        ]
      : []),
  ];
  return cells.map((cell) => cell || '-');
}

/** `keep-running-until 2026-03-29T01:00:00Z, protected`: what is written on the Wukong itself. */
const heldBy = ({ overrides = {} }: WukongState): string =>
  Object.entries(overrides)
    .filter(([, value]) => value !== 'false')
    .map(([key, value]) => (value === 'true' ? key : `${key} ${value}`))
    .join(', ');

const tableOf = (states: WukongState[], look: Look): string[] =>
  columns(
    headingsOf(look),
    states.map((one) => cellsOf(one, look)),
    look.colour
      ? (cell, heading) => (heading === 'STATE' || heading === 'OUTCOME' ? colourOfWord(cell) : undefined)
      : undefined,
  );

/** In a terminal the table is drawn over itself; elsewhere each change is a line, as kubectl has it. */
async function follow(
  session: Session,
  scope: { namespace?: string; name?: string; selector?: string },
  values: Values,
  io: Io,
): Promise<number> {
  const { world } = session;
  const signal = io.interrupt?.() ?? new AbortController().signal;
  const parsed = scope.selector === undefined ? undefined : parseSelector(scope.selector);
  const mine = (labels?: Record<string, string>) => !parsed || matches(parsed, labels);
  const look = (): Look => ({
    all: scope.namespace === undefined,
    wide: values.output === 'wide',
    colour: io.colour,
    now: world.clock.now(),
  });
  const plain = values.output === undefined || values.output === 'wide';
  const drawn = io.terminal === true && plain;
  const print = drawn ? redrawing(io, look) : appending(io, look, values.output as string | undefined);
  const watching = { ...scope, mine, ...(drawn ? { everyMs: 1_000 } : {}) };
  await watchStates(world, watching, signal, (states, left) => print(sorted(states), left));
  if (drawn) io.out('\n'); // the terminal has written ^C
  return exitCodes.interrupted;
}

/** Without cursor and line wrapping, which would shift the picture; never higher than the terminal. */
function redrawing(io: Io, look: () => Look) {
  io.out('\u001b[?25l\u001b[?7l');
  process.once('exit', () => io.out('\u001b[?25h\u001b[?7h'));
  let drawn = 0;
  return (states: WukongState[]) => {
    const all = tableOf(states, look());
    const most = Math.max(4, (io.screen?.().rows ?? 24) - 2);
    const lines = all.length <= most ? all : [...all.slice(0, most - 1), `… and ${all.length - most + 1} more`];
    io.out(`${drawn > 0 ? `\u001b[${drawn}A` : ''}\r\u001b[J${text(lines)}`);
    drawn = lines.length;
  };
}

function appending(io: Io, look: () => Look, format: string | undefined) {
  const known = new Map<string, string>();
  let widths: number[] | undefined;
  const plain = format === undefined || format === 'wide';
  /** A change is one that can be seen; a longer age is none. */
  const still = (): Look => ({ ...look(), now: 0 });
  const lineOf = (left: Left) => [...(look().all ? [left.namespace] : []), left.name, left.why];
  return (states: WukongState[], left: Left[]) => {
    for (const place of left) known.delete(`${place.namespace}/${place.name}`);
    const fresh = states.filter((one) => {
      const key = `${one.namespace}/${one.name}`;
      const now = plain ? cellsOf(one, still()).join('\n') : JSON.stringify(one);
      const changed = known.get(key) !== now;
      known.set(key, now);
      return changed;
    });
    const ends = left.map(({ why, ...place }) => ({ ...place, state: why }));
    if (format === 'json') return io.out(text([...fresh, ...ends].map((one) => JSON.stringify(one))));
    if (format === 'yaml') return io.out([...fresh, ...ends].map((one) => `---\n${dump('yaml', one)}`).join(''));
    if (format === 'name') {
      const gone = left.map(({ name, why }) => `wukong.vm.novasphere.dev/${name} ${why}`);
      return io.out(text([...fresh.map(({ name }) => `wukong.vm.novasphere.dev/${name}`), ...gone]));
    }
    const [now, rows] = [look(), [...fresh.map((one) => cellsOf(one, look())), ...left.map(lineOf)]];
    const first = widths === undefined;
    widths ??= widthsOf(headingsOf(now), rows);
    const lines = columns(headingsOf(now), rows, undefined, widths);
    io.out(text(first ? lines : lines.slice(1)));
  };
}
