import { listAll } from '../../shared/cluster/list.ts';
import { wukongPath } from '../../shared/cluster/objects.ts';
import { apiPath } from '../../shared/cluster/path.ts';
import { findConfig, openCluster } from '../cluster.ts';
import {
  type CliCommand,
  commonOptions,
  type Io,
  type Option,
  type Options,
  type Values,
  wukongNames,
} from '../command.ts';
import { flagsIn, takesNext } from '../flags.ts';

/** One thing that may be typed, and what it is about. */
export interface Offer {
  value: string;
  about?: string;
}

/** `files`: the shell offers its files. */
export type Offers = Offer[] | 'files';

/** The known commands, and the options that may stand before one. */
export interface Known {
  load: (name: string) => Promise<CliCommand | undefined>;
  names: () => Promise<Offer[]>;
  leading: Options;
}

const files = new Set(['kubeconfig', 'kubeconfig-out', 'schedule', 'filename', 'html', 'from-file']);

/** What may stand in the place of the last word, given the words before it; nothing where nobody knows. */
export async function offersFor(words: string[], { load, names, leading }: Known, io: Io): Promise<Offers> {
  const typed = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const { name, rest } = split(before, leading);
  const command = name === undefined ? undefined : await load(name);
  if (name !== undefined && !command) return name === 'help' ? names() : [];
  const options = { ...(command?.options ?? leading), ...commonOptions };
  const asked = rest.includes('--') ? undefined : valueOf(before, typed, options);
  if (asked) return valuesOf(asked.name, asked.option, lenient(before, options), io);
  if (typed.startsWith('-') && !rest.includes('--')) return flagsOf(options);
  if (!command) return [...(await names()), { value: 'help', about: 'shows what a command does' }];
  const positionals = words.slice(0, -1).filter((word) => !word.startsWith('-'));
  const offers: Offer[] = [];
  for (const word of command.completes ?? [])
    if (word !== wukongNames) offers.push({ value: word });
    else for (const value of await wukongsOf(lenient(before, options), io)) offers.push({ value });
  return offers.filter(({ value }) => !positionals.includes(value));
}

/** The command among the words, and what stands after it. */
function split(words: string[], leading: Options): { name?: string; rest: string[] } {
  let at = 0;
  while (at < words.length && words[at]!.startsWith('-')) at += takesNext(words[at]!, leading) ? 2 : 1;
  return at < words.length ? { name: words[at]!, rest: words.slice(at + 1) } : { rest: [] };
}

/** The option whose value is being typed: `-n de`, `--namespace=de`, `-n=de`. */
function valueOf(before: string[], typed: string, options: Options): { name: string; option: Option } | undefined {
  const previous = before.at(-1) ?? '';
  const flag = /^--?[^=]+=/.test(typed) ? typed : takesNext(previous, options) ? previous : undefined;
  if (flag === undefined || !flag.startsWith('-')) return undefined;
  try {
    const name = flagsIn(flag, options).at(-1)?.name ?? '';
    return options[name]?.type === 'string' ? { name, option: options[name] } : undefined;
  } catch {
    return undefined;
  }
}

const flagsOf = (options: Options): Offer[] =>
  Object.entries(options).map(([name, { about }]) => ({ value: `--${name}`, ...(about ? { about } : {}) }));

async function valuesOf(name: string, { choices }: Option, values: Values, io: Io): Promise<Offers> {
  if (choices) return choices.map((value) => ({ value }));
  if (files.has(name)) return 'files';
  if (name === 'namespace') return offered(await namespacesOf(values, io));
  if (name !== 'context' && name !== 'cluster' && name !== 'user') return [];
  const config = findConfig(values.kubeconfig as string | undefined, io.env ?? {});
  return offered([...(config?.[`${name}s`].keys() ?? [])]);
}

const offered = (values: string[]): Offer[] => values.map((value) => ({ value }));

/** Who presses a key does not wait long. */
const patienceMs = 3_000;

async function namespacesOf(values: Values, io: Io): Promise<string[]> {
  const { world } = await openCluster(values, io);
  const found = await listAll(world.transport, apiPath({ api: 'v1', kind: 'namespaces' }), {
    deadline: world.clock.now() + patienceMs,
  });
  return found.map(({ metadata }) => metadata.name);
}

async function wukongsOf(values: Values, io: Io): Promise<string[]> {
  const { world, namespace } = await openCluster(values, io);
  const limits = { deadline: world.clock.now() + patienceMs };
  return (await listAll(world.transport, wukongPath(namespace), limits)).map(({ metadata }) => metadata.name);
}

/** The values of the options that are complete so far; what cannot be read is passed over. */
function lenient(words: string[], options: Options): Values {
  const values: Values = {};
  words.forEach((word, i) => {
    if (!word.startsWith('-')) return;
    try {
      for (const { name, text = words[i + 1] } of flagsIn(word, options)) {
        const { type, multiple } = options[name]!;
        if (type === 'string') values[name] = multiple ? [text ?? ''] : text;
      }
    } catch {
      // an option that nobody knows says nothing about the cluster
    }
  });
  return values;
}
