import { listAll } from '../../shared/cluster/list.ts';
import { apiPath } from '../../shared/cluster/path.ts';
import { rfc3339 } from '../../shared/time/clock.ts';
import { localMinute } from '../../shared/time/wallclock.ts';
import { dayMs, type Zone } from '../../shared/time/zone.ts';
import { clusterOptions, openCluster, scopeOptions } from '../cluster.ts';
import { type CliCommand, exitCodes, type Io, type Options, UsageError, type Values } from '../command.ts';
import { type Dump, readDumps } from '../page/dump.ts';
import { fromRun } from '../page/fromRun.ts';
import { fromEvent } from '../page/happening.ts';
import { type Asked, type PageModel, pageModel } from '../page/model.ts';
import { tellProblems, writePage } from '../page/pages.ts';
import { priceOptions, readPrices } from '../page/prices.ts';
import { verdictWords } from '../page/reasons.ts';
import { costOf, type Saved } from '../page/saved.ts';
import { sourcesOf } from '../page/sources.ts';
import { verdictCounts } from '../page/summary.ts';
import { othersIn, troublesIn } from '../page/troubles.ts';
import { shownVerdicts } from '../page/verdict.ts';
import { figure, money } from '../page/words.ts';
import { columns, text } from '../terminal/columns.ts';
import { durationMs } from '../terminal/duration.ts';
import { helpOf } from '../terminal/help.ts';
import { lineOptions, linesOf } from '../terminal/printed.ts';
import { spanOf } from '../terminal/span.ts';
import { readFromCluster } from './planCluster.ts';
import { readRuns } from './runs.ts';

const { selector: _none, ...places } = scopeOptions;
const options: Options = {
  html: { type: 'string', value: 'FILE', about: 'writes a page: one file that needs no network; - is standard output' },
  ...lineOptions,
  json: {
    type: 'boolean',
    about: 'the same as -o json: for each planned switch at, vm, action, verdict, lateSeconds, reason, message',
  },
  from: { type: 'string', value: 'TIME', about: 'RFC 3339, or a date. Default: 7 days before --to' },
  to: { type: 'string', value: 'TIME', about: 'the same; itself not included. Default: now' },
  zone: {
    type: 'string',
    value: 'ZONE',
    about: 'shows times in this IANA zone. Default: UTC; on a page that of most schedules',
  },
  'from-file': {
    type: 'string',
    multiple: true,
    value: 'FILE',
    about: 'reads no cluster but these: what kubectl get -o json printed, outcome events or log lines, one a line',
  },
  'late-after': { type: 'string', value: 'DURATION', about: 'what begins later than this was late. Default: 5m' },
  ...priceOptions,
  ...places,
  ...clusterOptions,
};

export const report: CliCommand = {
  summary: 'holds what happened against what was planned',
  help: helpOf({
    usage: [
      'report [-n NAME | -A] [--from TIME] [--to TIME] [--html FILE | -o FORM]',
      'report --from-file FILE … [--html FILE | -o FORM]',
    ],
    about:
      'Each start and stop that schedules had planned: on time, late, forced, failed, missed or skipped; and the hours that VMs were off, with the vCPUs and the memory they did not take. It is made from WukongRuns, the records on the Wukongs, and Events. A schedule keeps as many runs as its runsHistoryLimit says, so a month needs no archive of outcome events; those that were kept can be added by --from-file. What no record tells is shown as such, and saved nothing.',
    options,
    examples: [
      'wukong report -A --html week.html',
      'kubectl get wukongs,wukongschedules,wukongruns,events,namespaces,configmaps -A -o json > cluster.json',
      'wukong report --from-file cluster.json --from-file outcomes.jsonl --html month.html --price-vcpu-hour 0.04',
    ],
    exit: '0, or 1 when something cannot be read or the cluster cannot be reached, 2 wrong usage.',
  }),
  options,
  run: async (values, io) => {
    const asked = askedOf(values, io.now);
    const html = values.html as string | undefined;
    const print = linesOf(values);
    const { manifests, happenings } = await read(values, io);
    const make = () => pageModel('report', { ...sourcesOf(manifests), happenings }, asked);
    if (html !== undefined) return writePage(html, make, asked, io);
    const model = make();
    tellProblems(model, io);
    io.out(print ? print([...lines(model)]) : table(model, asked.zone));
    return model.problems.length > 0 ? exitCodes.failed : exitCodes.done;
  },
};

function askedOf(values: Values, now: number): Asked {
  const span = spanOf(values, ({ to = now, from = to - 7 * dayMs }) => ({ from, to }));
  const late = values['late-after'] as string | undefined;
  const lateAfterMs = late === undefined ? undefined : durationMs('late-after', late);
  return { ...span, now, prices: readPrices(values), ...(lateAfterMs === undefined ? {} : { lateAfterMs }) };
}

async function read(values: Values, io: Io): Promise<Dump> {
  const files = values['from-file'] as string[] | undefined;
  const all = values['all-namespaces'] === true;
  if (files) {
    if (all || values.namespace !== undefined || values.kubeconfig !== undefined || values.context !== undefined)
      throw new UsageError('expected either --from-file FILE, or the namespaces of a cluster');
    return readDumps(files);
  }
  if (all && values.namespace !== undefined)
    throw new UsageError('expected either --namespace or --all-namespaces, not both');
  const session = await openCluster(values, io);
  const manifests = await readFromCluster(session, all);
  const place = apiPath({ api: 'v1', kind: 'events', namespace: all ? undefined : session.namespace });
  const path = `${place}?fieldSelector=${encodeURIComponent('involvedObject.kind=Wukong')}`;
  const limits = { deadline: session.world.clock.now() + 60_000 };
  const events = await listAll(session.world.transport, path, limits);
  const runs = await readRuns(session.world, all ? undefined : session.namespace, limits);
  return { manifests, happenings: [...runs.flatMap(fromRun), ...events.flatMap((event) => fromEvent(event) ?? [])] };
}

/** Every planned switch and what became of it. */
function* lines(model: PageModel) {
  for (const { namespace, rows } of model.groups)
    for (const { name, happened } of rows)
      for (const { planned, verdict, lateMs, happening } of happened?.judged ?? [])
        yield {
          at: rfc3339(planned.at),
          vm: `${namespace}/${name}`,
          action: planned.action,
          verdict,
          ...(lateMs === undefined ? {} : { lateSeconds: Math.round(lateMs / 1000) }),
          ...(happening?.reason ? { reason: happening.reason } : {}),
          ...(happening ? { message: happening.message } : {}),
        };
}

/** A line a namespace, then what went wrong and what was left alone on purpose. */
function table(model: PageModel, zone: Zone | undefined): string {
  const shownTime = (instant: number) => (zone ? localMinute(zone, instant) : rfc3339(instant));
  const priced = costOf(model.saved, model.prices) !== undefined;
  const shown = shownVerdicts(verdictCounts(model.groups.flatMap(({ rows }) => rows)));
  const heads = ['NAMESPACE', 'VMS', ...shown.map((verdict) => verdictWords[verdict].toUpperCase())];
  const rowOf = (namespace: string, saved: Saved, rows: PageModel['groups'][number]['rows']) => {
    const counts = verdictCounts(rows);
    const cost = priced && model.prices ? [money(costOf(saved, model.prices) ?? 0, model.prices.currency)] : [];
    const hours = [figure(saved.offMs / 3_600_000), figure(saved.vcpuHours), figure(saved.gibHours), ...cost];
    return [namespace, String(rows.length), ...shown.map((verdict) => String(counts.get(verdict))), ...hours];
  };
  if (model.groups.length === 0) return 'There are no Wukongs.\n';
  const told = [...troublesIn(model.groups), ...othersIn(model.groups).filter(({ planned }) => planned)];
  const found = told.map(({ at, namespace, row, what, text: came }) => [
    shownTime(at),
    `${namespace}/${row.name}`,
    what,
    came,
  ]);
  const all = model.groups.flatMap(({ rows }) => rows);
  const each = model.groups.map(({ namespace, saved, rows }) => rowOf(namespace, saved, rows));
  const total = model.groups.length > 1 ? [rowOf('(all)', model.saved, all)] : [];
  const units = ['HOURS OFF', 'VCPU-HOURS', 'GIB-HOURS', ...(priced ? ['SAVED'] : [])];
  const head = text(columns([...heads, ...units], [...each, ...total]));
  const rest = text(columns(['PLANNED', 'VM', 'ACTION', 'WHAT CAME OF IT'], found.sort()));
  const span = `From ${shownTime(model.from)} to ${shownTime(model.to)}${zone ? `, times of ${zone.name}` : ''}`;
  return `${span}\n\n${head}${found.length > 0 ? `\n${rest}` : ''}`;
}
