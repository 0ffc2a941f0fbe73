import type { Call } from '../../shared/cluster/transport.ts';
import type { BusEntry, Metrics } from '../../shared/cluster/world.ts';
import type { KubeObject } from '../../shared/domain/model.ts';
import { type Outcome, reasonOf } from '../../shared/domain/outcome.ts';
import { outcomeType } from '../../shared/report/report.ts';
import type { VirtualClock } from '../../sim/clock.ts';
import type { Sim } from '../../sim/sim.ts';

export interface VmSeen {
  power: 'on' | 'off' | 'between';
  uid: string;
  /** Instants. */
  deletion?: number;
  since: number;
  grace: number;
}
/** By `namespace/name` of the Wukong; a VM without VMI is not in it. */
export type Sight = Map<string, VmSeen>;

/** A call to KubeVirt, with what was so when it was sent. */
export interface PowerCall {
  at: number;
  key: string;
  verb: string;
  grace: number | undefined;
  sight: Sight;
  /** Of version 0.1.0, whose own doing is not judged. */
  older: boolean;
}

export interface Told {
  at: number;
  key: string;
  requestId: string;
  action: string;
  outcome: string;
  reason: string;
  /** Instant at which its operation began. */
  startedAt: number;
  older: boolean;
}

type Vmi = KubeObject & { spec: Record<string, unknown>; status?: Record<string, unknown> };
const final = ['Succeeded', 'Failed'];
/** Who came up within that time may not have been seen by who tells that it is off. */
const unseenMs = 5_000;

/** Sees what every process asks and tells, and how the cluster is at that moment. */
export class Witness {
  readonly power: PowerCall[] = [];
  /** By whom it was told: on the bus, or as a metric. */
  readonly onBus: Told[] = [];
  readonly counted: Told[] = [];
  /** Told as off while its VMI was there. */
  readonly lies: string[] = [];
  podsDeleted = 0;
  readonly #sim: Sim;
  readonly #clock: VirtualClock;

  constructor(sim: Sim, clock: VirtualClock) {
    this.#sim = sim;
    this.#clock = clock;
  }

  look(): Sight {
    const all = this.#sim.list<Vmi>('virtualmachineinstances');
    return new Map(all.map((vmi) => [`${vmi.metadata.namespace}/${vmi.metadata.name.replace(/-vm$/, '')}`, seen(vmi)]));
  }

  call({ path, method, body }: Call, older: boolean): void {
    if (method === 'DELETE' && /\/pods\//.test(path)) this.podsDeleted++;
    const [, namespace, vm, verb] =
      /^\/apis\/subresources.+\/namespaces\/([^/]+)\/virtualmachines\/([^/]+)-vm\/(start|stop)$/.exec(path) ?? [];
    if (verb === undefined) return;
    const grace = (body as { gracePeriod?: number } | undefined)?.gracePeriod;
    this.power.push({ at: this.#clock.now(), key: `${namespace}/${vm}`, verb, grace, sight: this.look(), older });
  }

  put(entries: BusEntry[], older: boolean): void {
    for (const { type, detail, time } of entries)
      if (type === outcomeType) {
        const { namespace, name, reason = '', startedAt = '', ...told } = detail as Record<string, string>;
        const key = `${namespace}/${name}`;
        this.onBus.push({ ...(told as never as Told), at: time, reason, key, startedAt: Date.parse(startedAt), older });
      }
  }

  readonly metrics: Metrics = { outcome: (outcome) => this.#outcome(outcome, false), count() {}, flush() {} };
  readonly metricsOfOlder: Metrics = { ...this.metrics, outcome: (outcome) => this.#outcome(outcome, true) };

  #outcome(outcome: Outcome, older: boolean) {
    const { namespace, name, requestId, action, startedAt } = outcome;
    const key = `${namespace}/${name}`;
    const at = this.#clock.now();
    const reason = reasonOf(outcome) ?? '';
    this.counted.push({ at, key, requestId, action, startedAt, outcome: outcome.outcome, reason, older });
    const vmi = this.look().get(key);
    const off = outcome.outcome === 'Stopped' || outcome.outcome === 'ForcedOff';
    if (off && !older && vmi && vmi.power !== 'off' && vmi.since < at - unseenMs && vmi.since < outcome.startedAt)
      this.lies.push(`${key} was told as ${outcome.outcome} (${requestId}) while its VMI was there`);
  }
}

function seen({ metadata, spec, status }: Vmi): VmSeen {
  const { uid = '', deletionTimestamp, creationTimestamp = '' } = metadata;
  const conditions = (status?.['conditions'] ?? []) as { type: string; status: string }[];
  const ready = conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
  const phase = String(status?.['phase']);
  const on = phase === 'Running' && ready && !deletionTimestamp;
  return {
    power: final.includes(phase) ? 'off' : on ? 'on' : 'between',
    uid,
    since: Date.parse(creationTimestamp),
    grace: Number(spec['terminationGracePeriodSeconds'] ?? 30),
    ...(deletionTimestamp ? { deletion: Date.parse(deletionTimestamp) } : {}),
  };
}

export const wordsOf = ({ outcome, reason }: Told): string => `${outcome}${reason}`;
export const isFinal = (told: Told): boolean =>
  !['InProgress', 'AlreadyOn', 'AlreadyOff'].includes(told.outcome) &&
  wordsOf(told) !== 'SkippedDuplicate' &&
  wordsOf(told) !== 'FailedUnreachable';
