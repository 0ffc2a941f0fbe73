import { type Clusters, parseClusters } from '../../shared/cluster/clusters.ts';

/** What serverless.yml is given by `--param` or under `params`, checked. */
export interface Parameters {
  clusters: Clusters;
  /** As the functions get it: CLUSTERS. */
  clustersText: string;
  vpc: { subnetIds: string[]; securityGroupIds: string[] } | undefined;
  watchNamespaces: string | undefined;
  secretKeyArn: string | undefined;
  alarmEmail: string | undefined;
  /** The secret that is the address of a webhook. */
  webhookSecret: string | undefined;
  webhookFormat: string | undefined;
  tracing: boolean;
  /** Each function has a share of the account's concurrency of its own. */
  reservedConcurrency: boolean;
  logRetentionDays: number;
}

export const parameterNames = [
  'clusters',
  'subnetIds',
  'securityGroupIds',
  'watchNamespaces',
  'secretKeyArn',
  'alarmEmail',
  'webhookSecret',
  'webhookFormat',
  'tracing',
  'reservedConcurrency',
  'logRetentionDays',
] as const;
type Given = Partial<Record<(typeof parameterNames)[number], string | undefined>>;

const retentions = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

/** Reads parameters by name, and collects in `wrong` what is wrong with them. */
function reading(given: Given) {
  const wrong: string[] = [];
  const check = <T>(name: string, read: () => T): T | undefined => {
    try {
      return read();
    } catch (thrown) {
      wrong.push(`${name}: ${(thrown as Error).message}`);
      return undefined;
    }
  };
  const text = (name: keyof Given) => {
    const value = String(given[name] ?? '').trim();
    return value === '' ? undefined : value;
  };
  const needed = (name: keyof Given, what: string): string => {
    const value = text(name);
    if (value === undefined) throw new Error(`is missing: expected ${what}`);
    return value;
  };
  const ids = (name: keyof Given, kind: string) =>
    check(name, () => {
      const value = needed(name, `${kind} ids separated by commas, or none for a cluster with a public endpoint`);
      const found = value === 'none' ? [] : value.split(',').map((id) => id.trim());
      const odd = found.find((id) => !new RegExp(`^${kind}-[0-9a-f]{8,17}$`).test(id));
      if (odd !== undefined) throw new Error(`"${odd}": expected an id such as ${kind}-0123456789abcdef0`);
      return found;
    });
  const optional = (name: keyof Given, form: RegExp, what: string) =>
    check(name, () => {
      const value = text(name);
      if (value !== undefined && !form.test(value)) throw new Error(`"${value.slice(0, 80)}": expected ${what}`);
      return value;
    });
  return { wrong, check, text, needed, ids, optional };
}

/** @throws Error naming every missing or wrong parameter and what was expected. */
export function readParameters(given: Given): Parameters {
  const { wrong, check, text, needed, ids, optional } = reading(given);
  const clusters = check('clusters', () =>
    withoutFiles(parseClusters(needed('clusters', 'NAME=eks:CLUSTER or NAME=secret:ID, separated by commas'))),
  );
  const subnetIds = ids('subnetIds', 'subnet');
  const securityGroupIds = ids('securityGroupIds', 'sg');
  if (subnetIds && securityGroupIds && (subnetIds.length === 0) !== (securityGroupIds.length === 0))
    wrong.push('subnetIds, securityGroupIds: expected ids for both, or none for both');
  const retention = optional('logRetentionDays', /^\d+$/, 'a number of days');
  if (retention !== undefined && !retentions.includes(Number(retention)))
    wrong.push(`logRetentionDays: "${retention}": expected one of ${retentions.join(', ')}`);
  const tracing = optional('tracing', /^(true|false)$/, 'true or false');
  const reserved = optional('reservedConcurrency', /^(true|false)$/, 'true or false');
  const read = {
    watchNamespaces: optional('watchNamespaces', /^[-a-z0-9, ]+$/, 'names of namespaces separated by commas'),
    secretKeyArn: optional('secretKeyArn', /^arn:[^:]+:kms:[^:]+:\d{12}:key\/.+$/, 'the ARN of a KMS key'),
    webhookSecret: check('webhookSecret', () => {
      const id = text('webhookSecret');
      if (id === undefined || /^(arn:[^:]+:secretsmanager:\S+|[\w/+=.@-]{1,512})$/.test(id)) return id;
      // Not repeated: it may be the address itself.
      throw new Error('expected the name or ARN of a secret of Secrets Manager, whose text is the address');
    }),
    webhookFormat: optional('webhookFormat', /^(cloudevents|slack)$/, 'cloudevents or slack'),
    alarmEmail: optional('alarmEmail', /^[^@\s]+@[^@\s]+$/, 'a mail address'),
  };
  if (wrong.length > 0 || !clusters)
    throw new Error(`parameters (--param=NAME=VALUE, or under params): ${wrong.join('; ')}`);
  return {
    ...read,
    clusters,
    clustersText: text('clusters') ?? '',
    vpc: subnetIds?.length ? { subnetIds, securityGroupIds: securityGroupIds ?? [] } : undefined,
    tracing: tracing === 'true',
    reservedConcurrency: reserved === 'true',
    logRetentionDays: Number(retention ?? 30),
  };
}

function withoutFiles(clusters: Clusters): Clusters {
  for (const [name, source] of clusters)
    if (source.from === 'file') throw new Error(`"${name}": expected eks or secret, as a function has no files`);
  return clusters;
}
