import type { Cluster } from './cluster.ts';
import { at, equal, isFields, type Thing } from './object.ts';
import { qualified, Refusal } from './refusal.ts';
import { keyOf, type Resource } from './resources.ts';

type Amounts = Record<string, string>;
const units: Record<string, number> = { '': 1, m: 1e-3, k: 1e3, K: 1e3, M: 1e6, G: 1e9, T: 1e12 };
const binary: Record<string, number> = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 };

/** A quantity (`64Mi`, `100m`) as a number; NaN where it is none. */
export function quantity(text: unknown): number {
  const [, number = '', unit = ''] = /^([0-9.]+)([A-Za-z]*)$/.exec(String(text)) ?? [];
  return number === '' ? NaN : Number(number) * (units[unit] ?? binary[unit] ?? NaN);
}

/** As the API writes it: bytes with the largest binary unit that leaves a whole number, thousandths with `m`. */
function written(amount: number): string {
  if (!Number.isInteger(amount)) return `${Math.round(amount * 1000)}m`;
  const unit = Object.entries(binary)
    .reverse()
    .find(([, size]) => amount >= size && amount % size === 0);
  return unit ? `${amount / unit[1]}${unit[0]}` : String(amount);
}

const isOver = (pod: Thing): boolean => ['Succeeded', 'Failed'].includes(String(at(pod, 'status', 'phase')));
/** Kinds that a quota counts by their plural alone, as it did before it could count any. */
const oldNames = new Set(['pods', 'configmaps', 'persistentvolumeclaims', 'resourcequotas', 'secrets', 'services']);
const askedFor = /^((requests|limits)\.)?(cpu|memory)$/;

/** Whether a name in a quota is about objects of a kind: how many, or what pods ask for. */
function isAbout(resource: Resource, name: string): boolean {
  if (name === `count/${qualified(resource)}`) return true;
  if (resource.group !== '') return false;
  return (oldNames.has(name) && name === resource.plural) || (resource.plural === 'pods' && askedFor.test(name));
}

/** What an object takes of one thing that a quota counts; undefined where the pod does not say. */
function taken(thing: Thing, name: string): number | undefined {
  if (!askedFor.test(name)) return 1;
  const [part, resource = ''] = name.includes('.') ? name.split('.') : ['requests', name];
  const containers = at(thing, 'spec', 'containers');
  const amounts = (Array.isArray(containers) ? containers : []).map((one) =>
    quantity(at(one, 'resources', part ?? '', resource)),
  );
  return amounts.some(Number.isNaN) ? undefined : amounts.reduce((sum, one) => sum + one, 0);
}

/** What a quota limits, in the order in which the API server tells it. */
const hardOf = (quota: Thing): [string, string][] => {
  const hard = at(quota, 'spec', 'hard');
  return isFields(hard) ? Object.entries(hard as Amounts).sort(([a], [b]) => (a < b ? -1 : 1)) : [];
};

/**
 * ResourceQuotas of how many objects there may be, and of what pods ask for: what has no room is refused, and each
 * quota's status says what is used.
 */
export class Quotas {
  readonly #cluster: Cluster;
  readonly #quotas: Resource;
  /** Namespaces that have had a quota; of most clusters none has. */
  readonly #held = new Set<string | undefined>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    const { store, registry, clock } = cluster;
    this.#quotas = registry.named('resourcequotas');
    store.subscribe(this.#quotas, ({ object: { metadata } }) => void this.#held.add(metadata.namespace));
    const pods = keyOf(registry.named('pods'));
    const quotas = keyOf(this.#quotas);
    store.observe(({ type, object: { metadata, ...object } }, key) => {
      if (!this.#held.has(metadata.namespace)) return;
      const counts = key === quotas ? !at(object, 'status', 'hard') : type !== 'MODIFIED' || key === pods;
      if (counts) clock.after(50, () => this.#count(metadata.namespace));
    });
    cluster.createRules.push((resource, thing) => this.#check(resource, thing));
  }

  #used(namespace: string | undefined, name: string): number {
    const { store, registry } = this.#cluster;
    const resource = registry.all().find((one) => isAbout(one, name));
    if (!resource) return 0;
    const things = store.list(resource, namespace).filter((thing) => resource.plural !== 'pods' || !isOver(thing));
    return things.reduce((sum, thing) => sum + (taken(thing, name) ?? 0), 0);
  }

  /** @throws Refusal 403 in the words of the API server. */
  #check(resource: Resource, thing: Thing): void {
    const { namespace, name } = thing.metadata;
    if (!this.#held.has(namespace)) return;
    for (const quota of this.#cluster.store.list(this.#quotas, namespace)) {
      const hard = hardOf(quota).filter(([what]) => isAbout(resource, what));
      const refused = (why: string) =>
        new Refusal(403, 'Forbidden', `${qualified(resource)} "${name}" is forbidden: ${why}`, {
          details: { name, ...(resource.group ? { group: resource.group } : {}), kind: resource.plural },
        });
      const untold = hard.filter(([what]) => taken(thing, what) === undefined).map(([what]) => what);
      if (untold.length > 0) throw refused(`failed quota: ${quota.metadata.name}: must specify ${untold.join(',')}`);
      const over = hard.filter(
        ([what, limit]) => this.#used(namespace, what) + (taken(thing, what) ?? 0) > quantity(limit),
      );
      if (over.length === 0) continue;
      const told = (amount: (what: string) => string) => over.map(([what]) => `${what}=${amount(what)}`).join(',');
      throw refused(
        `exceeded quota: ${quota.metadata.name}, requested: ${told((what) => written(taken(thing, what) ?? 0))}, used: ${told((what) => written(this.#used(namespace, what)))}, limited: ${over.map(([what, limit]) => `${what}=${limit}`).join(',')}`,
      );
    }
  }

  #count(namespace: string | undefined): void {
    for (const quota of this.#cluster.store.list(this.#quotas, namespace)) {
      const hard = Object.fromEntries(hardOf(quota));
      const used = Object.fromEntries(Object.keys(hard).map((what) => [what, written(this.#used(namespace, what))]));
      if (!equal(quota.status, { hard, used }))
        this.#cluster.change(this.#quotas, namespace, quota.metadata.name, (old) => ({
          ...old,
          status: { hard, used },
        }));
    }
  }
}
