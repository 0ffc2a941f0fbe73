/** Where the credentials of a cluster come from. */
export type ClusterSource =
  /** A kubeconfig in Secrets Manager, by the secret's name or ARN. */
  | { from: 'secret'; id: string; region?: string }
  /** An EKS cluster by its name. */
  | { from: 'eks'; name: string; region?: string }
  | { from: 'file'; path: string };

/** By the names that commands use. */
export type Clusters = ReadonlyMap<string, ClusterSource>;

/** The cluster that is meant where a command names none and there are several. */
export const defaultName = 'default';

const form = 'expected NAME=eks:CLUSTER, NAME=eks:REGION/CLUSTER, NAME=secret:ID or NAME=file:PATH';
export const clusterName = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/**
 * `prod=eks:eu-central-1/prod,edge=secret:wukong/edge`: the clusters of one deployment.
 * @throws Error naming every wrong entry and what was expected.
 */
export function parseClusters(text: string): Clusters {
  const found = new Map<string, ClusterSource>();
  const wrong: string[] = [];
  for (const entry of text.split(',').map((one) => one.trim())) {
    const at = entry.indexOf('=');
    const name = entry.slice(0, Math.max(at, 0));
    const source = at > 0 ? parseSource(entry.slice(at + 1)) : undefined;
    if (!clusterName.test(name) || !source) wrong.push(`"${entry.slice(0, 100)}": ${form}`);
    else if (found.has(name)) wrong.push(`"${name}": is there twice`);
    else found.set(name, source);
  }
  if (wrong.length > 0) throw new Error(wrong.join('; '));
  return found;
}

function parseSource(text: string): ClusterSource | undefined {
  const [, kind, rest = ''] = /^(eks|secret|file):(.+)$/.exec(text) ?? [];
  if (kind === 'file') return { from: 'file', path: rest };
  if (kind === 'secret') {
    const region = /^arn:[^:]+:secretsmanager:([^:]+):/.exec(rest)?.[1];
    return { from: 'secret', id: rest, ...(region ? { region } : {}) };
  }
  const [, region, name] = /^(?:([a-z]{2}[-a-z0-9]+-\d)\/)?([0-9A-Za-z][-\w]{0,99})$/.exec(rest) ?? [];
  return kind === 'eks' && name ? { from: 'eks', name, ...(region ? { region } : {}) } : undefined;
}

/**
 * The cluster that a command means: the one it names, else the only one or the one named `default`.
 * @throws Error saying what was expected.
 */
export function chooseCluster(clusters: Clusters, name: string | undefined): [string, ClusterSource] {
  const names = [...clusters.keys()];
  const meant = name ?? (names.length === 1 ? names[0] : defaultName) ?? defaultName;
  const source = clusters.get(meant);
  if (source) return [meant, source];
  throw new Error(`expected one of ${names.join(', ')}${name === undefined ? '' : `, not "${name.slice(0, 64)}"`}`);
}
