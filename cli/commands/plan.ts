import { rfc3339 } from '../../shared/time/clock.ts';
import { tzWarning } from '../../shared/time/tzData.ts';
import { localText } from '../../shared/time/wallclock.ts';
import { dayMs, type Zone } from '../../shared/time/zone.ts';
import { clusterOptions, openCluster, scopeOptions } from '../cluster.ts';
import { type CliCommand, type Io, UsageError } from '../command.ts';
import { writePlanPage } from '../page/pages.ts';
import { priceHelp, priceOptions, readPrices } from '../page/prices.ts';
import { lineOptions, linesOf } from '../terminal/printed.ts';
import { type Span, spanOf } from '../terminal/span.ts';
import { foresee, type Item } from './foresee.ts';
import { seeingFreeze } from './installations.ts';
import { type Manifests, readManifests } from './manifest.ts';
import { readFromCluster } from './planCluster.ts';
import { table } from './planTable.ts';

const { selector: _none, ...placeOptions } = scopeOptions;

export const plan: CliCommand = {
  summary: 'shows what schedules will do, and when',
  help: `Usage: wukong plan [--schedule FILE …] [-n NAME | -A] [--from TIME] [--to TIME] [--zone ZONE] [-o FORM]
       wukong plan … --html FILE [--price-vcpu-hour N] [--price-gib-hour N] [--currency EUR]

Without --schedule the schedules, Wukongs, holidays, overrides and the freeze of the cluster are taken.

  -f, --schedule FILE
                   YAML or JSON with any number of WukongSchedules; may be given several times; - is standard input.
                   ConfigMaps with holidays, Wukongs and Namespaces with overrides are used when they are in it too.
  --from TIME      RFC 3339, or a date: its midnight in --zone, else in UTC. Default: now.
  --to TIME        the same; itself not included. Default: 7 days after --from.
  --zone ZONE      shows the local times of this IANA zone. Default: that of most schedules; with -o each one's own.
  -o, --output FORM
                   json: an object a line: at, local, zone, schedule, action (start, stop, skip), note; or, as in wukong
                   state: yaml, jsonpath=, jsonpath-file=, custom-columns=, custom-columns-file=.
  --json           the same as -o json.
  --no-headers     leaves the headings of custom-columns out.
  --sort-by JSONPATH   in the order of a field of what -o json prints: .schedule
  --html FILE      writes a page instead: one file that needs no network, with a timeline of every VM; - is standard
                   output. At most 93 days. Its hours off are counted, and with prices their worth.
${priceHelp}
  -n, --namespace NAME   the cluster's schedules of this namespace. Default: the namespace of the context.
  -A, --all-namespaces   those of all namespaces.
      --kubeconfig FILE, --context NAME, --cluster NAME, --user NAME, -s, --server URL, --as USER, --as-group GROUP,
      --as-uid UID, --request-timeout DURATION, -v, --verbose, --debug   as for the other commands.

Exit code: 0, or 1 when a schedule cannot be understood (the others are shown all the same) or the cluster cannot be
reached, or 2 for wrong usage.
`,
  options: {
    schedule: { type: 'string', short: 'f', multiple: true },
    from: { type: 'string' },
    to: { type: 'string' },
    zone: { type: 'string' },
    ...lineOptions,
    html: { type: 'string', value: 'FILE' },
    ...priceOptions,
    ...placeOptions,
    ...clusterOptions,
  },
  run: async (values, io) => {
    const span = spanOf(values, ({ from = io.now, to = from + 7 * dayMs }) => ({ from, to }));
    const prices = readPrices(values);
    const html = values.html as string | undefined;
    const print = linesOf(values);
    const tell = (manifests: Manifests) =>
      html === undefined
        ? show(manifests, span, print, io)
        : writePlanPage(html, manifests, { ...span, now: io.now, prices }, io);
    const files = values.schedule as string[] | undefined;
    const all = values['all-namespaces'] === true;
    if (files && (all || values.namespace !== undefined))
      throw new UsageError('expected either --schedule FILE, or the namespaces of a cluster');
    if (!files) {
      const session = await openCluster(values, io);
      const world = await seeingFreeze(session.world, io.env, session.namespace);
      return tell(await readFromCluster({ ...session, world }, all));
    }
    const manifests = { ...(await readManifests(files)), defaultZone: io.env?.['DEFAULT_TIME_ZONE'] };
    if (manifests.schedules.length === 0 && manifests.problems.length === 0)
      manifests.problems.push(`${files.join(', ')}: expected a WukongSchedule, found none`);
    return tell(manifests);
  },
};

/** Everything after the reading, so that it does not matter where the objects come from. */
export function show(manifests: Manifests, span: Span, print: ReturnType<typeof linesOf>, io: Io): number {
  const { items, problems, warnings } = foresee(manifests, span.from, span.to);
  const old = tzWarning(io.now);
  for (const text of [...manifests.warnings, ...warnings, ...(old ? [old] : [])]) io.err(`note: ${text}\n`);
  for (const text of [...manifests.problems, ...problems]) io.err(`error: ${text}\n`);
  io.out(print ? print(items.map((item) => line(item, span.zone))) : table(items, span, io.colour));
  return manifests.problems.length + problems.length > 0 ? 1 : 0;
}

function line({ at, action, schedule, note }: Item, asked: Zone | undefined) {
  const zone = asked ?? schedule.zone;
  const local = localText(zone, at);
  return { at: rfc3339(at), local, zone: zone.name, schedule: schedule.key, action, ...(note ? { note } : {}) };
}
