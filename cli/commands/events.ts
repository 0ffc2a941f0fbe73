import { follow } from '../../shared/cluster/informer.ts';
import { listAll } from '../../shared/cluster/list.ts';
import { apiPath } from '../../shared/cluster/path.ts';
import type { KubeObject } from '../../shared/domain/model.ts';
import { clusterOptions, openCluster, scopeOptions } from '../cluster.ts';
import { type CliCommand, exitCodes, type Io, type Options, UsageError, wukongNames } from '../command.ts';
import { columns, text, widthsOf } from '../terminal/columns.ts';
import { ago } from '../terminal/duration.ts';
import { helpOf } from '../terminal/help.ts';
import { nameOf } from './targets.ts';

interface KubeEvent extends KubeObject {
  type: string;
  reason: string;
  message: string;
  lastTimestamp?: string;
  eventTime?: string;
  involvedObject: { kind: string; namespace?: string; name: string };
}

const { selector: _none, ...places } = scopeOptions;
const options: Options = {
  follow: { type: 'boolean', short: 'f', about: 'goes on showing what comes, until Ctrl-C' },
  output: { type: 'string', short: 'o', choices: ['json'], about: 'an Event a line' },
  ...places,
  ...clusterOptions,
};

export const events: CliCommand = {
  summary: 'shows what was told of Wukongs',
  help: helpOf({
    usage: ['events [NAME] [-n NAME | -A] [--follow]'],
    about: 'The Kubernetes Events on Wukongs, the newest last. A cluster keeps them for an hour.',
    options,
  }),
  options,
  positionals: true,
  completes: [wukongNames],
  run: async (values, io, names) => {
    if (names.length > 1) throw new UsageError(`expected one name, found ${names.length}`);
    const name = names[0] === undefined ? undefined : nameOf(names[0]);
    const { world, namespace } = await openCluster(values, io);
    const all = values['all-namespaces'] === true;
    const path = apiPath({ api: 'v1', kind: 'events', namespace: all ? undefined : namespace });
    const ours = ({ involvedObject: on }: KubeEvent) =>
      on?.kind === 'Wukong' && (name === undefined || on.name === name);
    const print = printer(io, all, values.output === 'json');
    if (values.follow !== true) {
      const found = (await listAll<KubeEvent>(world.transport, path, {})).filter(ours).toSorted(byTime);
      if (found.length === 0 && values.output !== 'json')
        io.err(`No Events on ${name ?? 'Wukongs'}${all ? '' : ` in namespace ${namespace}; -A looks in all`}.\n`);
      else print(found, world.clock.now());
      return exitCodes.done;
    }
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
      if (signal.aborted) end();
      signal.addEventListener('abort', () => end(), { once: true });
    });
    followed.close();
    if (io.terminal) io.out('\n'); // the terminal has written ^C
    return exitCodes.interrupted;
  },
};

const timeOf = ({ lastTimestamp, eventTime, metadata }: KubeEvent): string =>
  lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? '';
const byTime = (a: KubeEvent, b: KubeEvent) => timeOf(a).localeCompare(timeOf(b));

function printer(io: Io, all: boolean, json: boolean) {
  const headings = ['AGO', 'TYPE', 'REASON', 'WUKONG', 'MESSAGE'];
  let widths: number[] | undefined;
  return (found: KubeEvent[], now: number) => {
    if (json) return io.out(text(found.map((event) => JSON.stringify(event))));
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
    io.out(text(first ? lines : lines.slice(1)));
  };
}
