import type { Call } from './call.ts';
import { at, type Condition, type Fields, isFields, type Thing } from './object.ts';
import type { PrinterColumn, Resource } from './resources.ts';

/** kubectl asks for a Table first; everything else gets the objects. */
export const tableWanted = (call: Call): boolean => /as=Table/.test(call.headers['accept']?.split(',')[0] ?? '');

/** The rows that `kubectl get` prints. */
export function tableOf(
  resource: Resource,
  things: Thing[],
  call: Call,
  { now, resourceVersion }: { now: number; resourceVersion: string },
): Fields {
  const columns = columnsOf(resource);
  const include = call.query.get('includeObject') ?? 'Metadata';
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion },
    columnDefinitions: columns.map(({ name, type, description = '', priority = 0, format = '' }) => ({
      name,
      type,
      format: name === 'Name' ? 'name' : format,
      description,
      priority,
    })),
    rows: things.map((thing) => ({
      cells: columns.map(({ type, cell }) => printed(cell(thing), type, now)),
      object:
        include === 'None'
          ? null
          : include === 'Object'
            ? thing
            : { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: thing.metadata },
    })),
  };
}

interface Column extends Omit<PrinterColumn, 'jsonPath'> {
  cell: (thing: Thing) => unknown;
}

const column = (name: string, cell: Column['cell'], type = 'string', priority = 0): Column => ({
  name,
  type,
  cell,
  priority,
});
const pathColumn = (name: string, path: string, type = 'string'): Column =>
  column(name, (thing) => valueAt(thing, path), type);
const nameColumn = column('Name', (thing) => thing.metadata.name);
const ageColumn = pathColumn('Age', '.metadata.creationTimestamp', 'date');

function columnsOf(resource: Resource): Column[] {
  if (resource.custom) {
    const own = resource.custom.columns.map((one) => ({
      ...one,
      cell: (thing: Thing) => valueAt(thing, one.jsonPath),
    }));
    return [nameColumn, ...own];
  }
  return [nameColumn, ...(builtinColumns[resource.plural] ?? []), ...(resource.plural === 'events' ? [] : [ageColumn])];
}

const size = (value: unknown): number => (isFields(value) ? Object.keys(value).length : 0);

/** How the API server's printer names pods whose container has ended. */
const endedAs: Record<string, string> = { Succeeded: 'Completed', Failed: 'Error' };

const builtinColumns: Record<string, Column[]> = {
  namespaces: [pathColumn('Status', '.status.phase')],
  pods: [
    column('Ready', (pod) => (valueAt(pod, '.status.phase') === 'Running' ? '1/1' : '0/1')),
    column('Status', (pod) => {
      const phase = String(valueAt(pod, '.status.phase'));
      return pod.metadata.deletionTimestamp ? 'Terminating' : (endedAs[phase] ?? phase);
    }),
    column('Restarts', () => '0'),
  ],
  events: [
    column(
      'Last Seen',
      (event) => event['lastTimestamp'] ?? event['eventTime'] ?? event.metadata.creationTimestamp,
      'date',
    ),
    pathColumn('Type', '.type'),
    pathColumn('Reason', '.reason'),
    column('Object', (event) => {
      const object = at(event, 'involvedObject') ?? at(event, 'regarding');
      return `${String(at(object, 'kind') ?? '').toLowerCase()}/${String(at(object, 'name') ?? '')}`;
    }),
    column('Message', (event) => event['message'] ?? event['note'] ?? ''),
  ],
  configmaps: [column('Data', (map) => String(size(map['data'])))],
  secrets: [pathColumn('Type', '.type'), column('Data', (secret) => String(size(secret['data'])))],
  nodes: [column('Status', (node) => (conditionOf(node, 'Ready') === 'True' ? 'Ready' : 'NotReady'))],
  leases: [pathColumn('Holder', '.spec.holderIdentity')],
  persistentvolumeclaims: [pathColumn('Status', '.status.phase'), pathColumn('Volume', '.spec.volumeName')],
  cronjobs: [
    pathColumn('Schedule', '.spec.schedule'),
    column('Suspend', (job) => String(at(job, 'spec', 'suspend') ?? false)),
  ],
  customresourcedefinitions: [pathColumn('Created At', '.metadata.creationTimestamp')],
};

const conditionOf = (thing: Thing, type: string): string | undefined =>
  ((thing.status?.['conditions'] ?? []) as Condition[]).find((condition) => condition.type === type)?.status;

function printed(value: unknown, type: string, now: number): unknown {
  if (type === 'date') return typeof value === 'string' ? since(now - Date.parse(value)) : '<unknown>';
  if (value === undefined || value === null) return type === 'string' ? '' : null;
  if (type === 'string' && typeof value !== 'string') return JSON.stringify(value);
  return value;
}

/** A duration as kubectl writes ages: 45s, 3m20s, 5h, 2d. */
export function since(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (!Number.isFinite(seconds)) return '<unknown>';
  if (seconds < 0) return seconds > -2 ? '0s' : '<invalid>';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return seconds % 60 ? `${minutes}m${seconds % 60}s` : `${minutes}m`;
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return minutes % 60 ? `${hours}h${minutes % 60}m` : `${hours}h`;
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  return days < 8 && hours % 24 ? `${days}d${hours % 24}h` : `${days}d`;
}

/** The JSONPath that printer columns use: keys, escaped dots, indexes and one filter. */
export function valueAt(value: unknown, path: string): unknown {
  const steps = path.match(/\.(?:\\.|[^.[\\])+|\[[^\]]*\]/g) ?? [];
  for (const step of steps) {
    if (value === undefined || value === null) return undefined;
    const filter = /^\[\?\(@\.([\w.]+)\s*==\s*["'](.*)["']\)\]$/.exec(step);
    if (filter) {
      if (!Array.isArray(value)) return undefined;
      value = value.find((item) => at(item, ...(filter[1] ?? '').split('.')) === filter[2]);
    } else if (step.startsWith('[')) {
      const inner = step.slice(1, -1).replace(/^['"]|['"]$/g, '');
      value = Array.isArray(value) ? value[Number(inner)] : at(value, inner);
    } else value = at(value, step.slice(1).replaceAll('\\', ''));
  }
  return value;
}
