import type { KubeObject } from '../domain/model.ts';
import { matches, readLabelSelector, type Selector } from '../domain/selector.ts';

export type Labels = Record<string, string>;

/** What a ClusterWukongSchedule has beside the fields of a WukongSchedule. */
export interface ClusterScope {
  /** Empty: every namespace. */
  namespaces: Selector;
  /** Schedules of the namespaces do not replace it; it replaces them. */
  overNamespaces: boolean;
}

export const clusterKind = 'ClusterWukongSchedule';
export const isClusterSchedule = ({ kind }: { kind?: string | undefined }): boolean => kind === clusterKind;

/** Whatever may rule a Wukong: a schedule, or one of a namespace that cannot be evaluated but says whom it is for. */
export interface Claimant {
  /** `namespace/name`, or the name alone where no namespace is given. */
  key: string;
  namespace: string | undefined;
  selector: Selector;
  suspended: boolean;
  cluster?: ClusterScope | undefined;
}

/** A schedule of a namespace that is wrong stands for its team all the same: no other rules in its place. */
export function claimantOf(object: KubeObject & { spec?: unknown }): Claimant | undefined {
  const { name, namespace } = object.metadata;
  if (isClusterSchedule(object)) return undefined;
  try {
    const selector = readLabelSelector((object.spec as { selector?: unknown } | undefined)?.selector);
    return { key: namespace ? `${namespace}/${name}` : name, namespace, selector, suspended: false };
  } catch {
    return undefined; // nobody knows whom it is for
  }
}

/** What may rule of these objects, of which `schedules` can be evaluated. */
export function claimantsOf(objects: KubeObject[], schedules: Claimant[]): Claimant[] {
  const known = new Set(schedules.map(({ key }) => key));
  const others = objects.flatMap((object) => claimantOf(object) ?? []).filter(({ key }) => !known.has(key));
  return [...schedules, ...others];
}

/** Of every namespace Kubernetes says its name by a label; that of a file may not. */
export const namespaceLabels = ({ metadata }: KubeObject): Labels => ({
  'kubernetes.io/metadata.name': metadata.name,
  ...metadata.labels,
});

export interface Ruling<T> {
  rules: T[];
  /** They select it too, and have no say: another rank rules. */
  overruled: T[];
}

/**
 * Which of them rule a Wukong. Of three ranks the first that selects it rules alone: ClusterWukongSchedules with
 * `enforceOverNamespaces`, the WukongSchedules of its namespace (suspended ones too: the team wants nothing done), all
 * other ClusterWukongSchedules. One of the cluster that is suspended has no say.
 */
export function ruling<T extends Claimant>(
  { metadata: { namespace, labels } }: KubeObject,
  claimants: Iterable<T>,
  namespaceLabels: Labels | undefined,
): Ruling<T> {
  const ranks: [enforced: T[], own: T[], cluster: T[]] = [[], [], []];
  for (const one of claimants) {
    const { cluster } = one;
    const isNear = cluster ? !one.suspended && isIn(cluster, namespaceLabels) : one.namespace === namespace;
    if (isNear && matches(one.selector, labels)) ranks[cluster ? (cluster.overNamespaces ? 0 : 2) : 1].push(one);
  }
  const first = ranks.findIndex((rank) => rank.length > 0);
  if (first < 0) return { rules: [], overruled: [] };
  return { rules: ranks[first]!, overruled: ranks.slice(first + 1).flat() };
}

/** A namespace whose labels nobody knows is chosen by no requirement, not even by one for the absence of a label. */
const isIn = ({ namespaces }: ClusterScope, labels: Labels | undefined): boolean =>
  labels === undefined ? namespaces.length === 0 : matches(namespaces, labels);

/** Why it rules, for people; empty where nothing else selects the Wukong. */
export function whyRules({ rules, overruled }: Ruling<Claimant>): string {
  if (overruled.length === 0) return '';
  const others = overruled
    .slice(0, 5)
    .map(({ key }) => key)
    .join(', ');
  return rules[0]?.cluster
    ? `enforceOverNamespaces: in the place of ${others}`
    : `the namespace's own, in the place of ${others}`;
}
