import { matches, parseSelector } from '../../shared/domain/selector.ts';
import type { WukongState } from '../../shared/entry/state.ts';
import type { Session } from '../cluster.ts';
import { exitCodes, type Io, type Values } from '../command.ts';
import { columns, dump, text, widthsOf } from '../terminal/columns.ts';
import { cellsOf, headingsOf, type Look, tableOf } from './stateTable.ts';
import { findTargets, selectorOf, tellTargets } from './targets.ts';
import { type Left, watchStates } from './watchStates.ts';

const byPlace = (states: WukongState[]): WukongState[] =>
  states.toSorted((a, b) => `${a.namespace}/${a.name}`.localeCompare(`${b.namespace}/${b.name}`));

/** In a terminal the table is drawn over itself; elsewhere each change is a line, as kubectl has it. */
export async function followStates(session: Session, values: Values, names: string[], io: Io): Promise<number> {
  const { world } = session;
  const signal = io.interrupt?.() ?? new AbortController().signal;
  const selector = selectorOf(values);
  const parsed = selector === undefined ? undefined : parseSelector(selector);
  const { wukongs, problems } =
    names.length > 0 ? await findTargets(session, values, names) : { wukongs: [], problems: [] };
  tellTargets({ problems }, io);
  if (problems.length > 0) return exitCodes.failed;
  const wanted = new Set(wukongs.map(({ metadata }) => metadata.name));
  const scope = {
    namespace: values['all-namespaces'] === true ? undefined : session.namespace,
    name: wanted.size === 1 ? [...wanted][0] : undefined,
  };
  const mine = (labels?: Record<string, string>, name = '') =>
    (wanted.size === 0 || wanted.has(name)) && (!parsed || matches(parsed, labels));
  const look = (): Look => ({
    all: scope.namespace === undefined,
    wide: values.output === 'wide',
    colour: io.colour,
    now: world.clock.now(),
  });
  const headers = values['no-headers'] !== true;
  const plain = values.output === undefined || values.output === 'wide';
  const drawn = io.terminal === true && plain;
  const print = drawn
    ? redrawing(io, look, headers)
    : appending(io, look, values.output as string | undefined, headers);
  const watching = { ...scope, mine, ...(drawn ? { everyMs: 1_000 } : {}) };
  await watchStates(world, watching, signal, (states, left) => print(byPlace(states), left));
  if (drawn) io.out('\n'); // the terminal has written ^C
  return exitCodes.interrupted;
}

/** Without cursor and line wrapping, which would shift the picture; never higher than the terminal. */
function redrawing(io: Io, look: () => Look, headers: boolean) {
  const draw = io.draw?.out ?? io.out;
  draw('\u001b[?25l\u001b[?7l');
  process.once('exit', () => draw('\u001b[?25h\u001b[?7h'));
  let drawn = 0;
  return (states: WukongState[]) => {
    const all = tableOf(states, look()).slice(headers ? 0 : 1);
    const most = Math.max(4, (io.screen?.().rows ?? 24) - 2);
    const lines = all.length <= most ? all : [...all.slice(0, most - 1), `… and ${all.length - most + 1} more`];
    draw(`${drawn > 0 ? `\u001b[${drawn}A` : ''}\r\u001b[J${text(lines)}`);
    drawn = lines.length;
  };
}

function appending(io: Io, look: () => Look, format: string | undefined, headers: boolean) {
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
    io.out(text(first && headers ? lines : lines.slice(1)));
  };
}
