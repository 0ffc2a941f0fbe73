import type { Cluster } from './cluster.ts';
import { at, equal, isFields, type Thing } from './object.ts';
import { Refusal } from './refusal.ts';

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
const counted = new Set(['pods', 'count/pods']);

/** What a pod takes of one thing that a quota counts; undefined where the pod does not say. */
function taken(pod: Thing, name: string): number | undefined {
  if (counted.has(name)) return 1;
  const [part, resource = ''] = name.includes('.') ? name.split('.') : ['requests', name];
  const containers = at(pod, 'spec', 'containers');
  const amounts = (Array.isArray(containers) ? containers : []).map((one) =>
    quantity(at(one, 'resources', part ?? '', resource)),
  );
  return amounts.some(Number.isNaN) ? undefined : amounts.reduce((sum, one) => sum + one, 0);
}

const known = (name: string): boolean => counted.has(name) || /^((requests|limits)\.)?(cpu|memory)$/.test(name);
const hardOf = (quota: Thing): [string, string][] => {
  const hard = at(quota, 'spec', 'hard');
  return isFields(hard) ? Object.entries(hard as Amounts).filter(([name]) => known(name)) : [];
};

/** ResourceQuotas of pods: a pod that has no room is refused, and each quota's status says what is used. */
export class Quotas {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    const { store, registry } = cluster;
    const soon = (namespace: string | undefined) => cluster.clock.after(50, () => this.#count(namespace));
    const pods = registry.named('pods');
    const held = (namespace: string | undefined) => store.list(registry.named('resourcequotas'), namespace).length > 0;
    store.subscribe(pods, ({ object: { metadata } }) => void (held(metadata.namespace) && soon(metadata.namespace)));
    store.subscribe(registry.named('resourcequotas'), ({ type, object }) => {
      if (type !== 'DELETED' && (type === 'ADDED' || !at(object, 'status', 'hard'))) soon(object.metadata.namespace);
    });
    cluster.podRules.push((pod) => this.#check(pod));
  }

  #used(namespace: string | undefined, name: string): number {
    const pods = this.#cluster.store.list(this.#cluster.registry.named('pods'), namespace);
    return pods.filter((pod) => !isOver(pod)).reduce((sum, pod) => sum + (taken(pod, name) ?? 0), 0);
  }

  /** @throws Refusal 403 in the words of the API server. */
  #check(pod: Thing): void {
    const { namespace, name } = pod.metadata;
    for (const quota of this.#cluster.store.list(this.#cluster.registry.named('resourcequotas'), namespace)) {
      const hard = hardOf(quota);
      const refused = (why: string) =>
        new Refusal(403, 'Forbidden', `pods "${name}" is forbidden: ${why}`, { details: { name, kind: 'pods' } });
      const untold = hard.filter(([what]) => taken(pod, what) === undefined).map(([what]) => what);
      if (untold.length > 0) throw refused(`failed quota: ${quota.metadata.name}: must specify ${untold.join(',')}`);
      const over = hard.filter(
        ([what, limit]) => this.#used(namespace, what) + (taken(pod, what) ?? 0) > quantity(limit),
      );
      if (over.length === 0) continue;
      const told = (amount: (what: string) => string) => over.map(([what]) => `${what}=${amount(what)}`).join(',');
      throw refused(
        `exceeded quota: ${quota.metadata.name}, requested: ${told((what) => written(taken(pod, what) ?? 0))}, used: ${told((what) => written(this.#used(namespace, what)))}, limited: ${over.map(([what, limit]) => `${what}=${limit}`).join(',')}`,
      );
    }
  }

  #count(namespace: string | undefined): void {
    const quotas = this.#cluster.registry.named('resourcequotas');
    for (const quota of this.#cluster.store.list(quotas, namespace)) {
      const hard = Object.fromEntries(hardOf(quota));
      const used = Object.fromEntries(Object.keys(hard).map((what) => [what, written(this.#used(namespace, what))]));
      if (!equal(quota.status, { hard, used }))
        this.#cluster.change(quotas, namespace, quota.metadata.name, (old) => ({ ...old, status: { hard, used } }));
    }
  }
}
