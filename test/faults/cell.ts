import { asLifecycleError, failureCodes } from '../../shared/domain/errors.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { reconcile, type Tick } from '../../shared/reconcile/reconcile.ts';
import { namespace, type Scene, scene } from '../flow/scene.ts';
import { befalls, type Misfortune } from './harms.ts';
import type { Story } from './stories.ts';

const user = 'system:serviceaccount:wukong-lifecycle:wukong-lifecycle';

/** What came of one story in which one call had one misfortune. */
export interface Cell {
  /** The calls of the process in which it happened, in order, by what they are for. */
  calls: string[];
  /** What that process answered: an outcome, or its tick's. */
  answer: string;
  state: string | undefined;
  outcome: string | undefined;
  strategy: unknown;
  record: boolean;
  declared: boolean;
  /** Final Events, by reason. */
  events: string[];
  /** Distinct ids on the bus. */
  told: number;
  /** VMIs that came up although none was asked for, or more than one. */
  guests: number;
  /** Power calls that were accepted. */
  accepted: number;
  /** Milliseconds by which the guest was forced before its grace was over. */
  forcedEarlyMs: number;
}

const kinds: [RegExp, string][] = [
  [/\/virtualmachines\/[^/]+\/(start|stop)$/, ''],
  [/\/wukongs\/[^/]+\/status$/, 'Wukong status'],
  [/\/wukongs(\/[^/]+)?$/, 'Wukong'],
  [/\/wukongschedules\/[^/]+\/status$/, 'schedule status'],
  [/\/wukongschedules/, 'schedules'],
  [/\/clusterwukongschedules/, 'cluster schedules'],
  [/\/wukongruns\/[^/]+\/status$/, 'run status'],
  [/\/wukongruns/, 'run'],
  [/\/virtualmachineinstances/, 'VMI'],
  [/\/virtualmachines\/[^/]+\/status$/, 'VM status'],
  [/\/virtualmachines/, 'VM'],
  [/\/events/, 'Event'],
  [/\/pods/, 'pod'],
  [/\/configmaps/, 'ConfigMap'],
  [/\/namespaces/, 'namespace'],
];

function nameOf({ method, path, watch }: { method: string; path: string; watch: boolean }): string {
  const found = kinds.find(([shape]) => shape.test(path));
  const power = /\/(start|stop)$/.exec(path)?.[1];
  return power ?? `${watch ? 'WATCH' : method} ${found?.[1] ?? path}`;
}

const said = (answer: unknown): string => {
  const outcome = answer as Partial<Outcome & Tick>;
  if (outcome.outcome) return [outcome.outcome, 'reason' in outcome ? outcome.reason : ''].filter(Boolean).join('/');
  const [first] = outcome.outcomes ?? [];
  return `tick: ${first ? said(first) : 'nothing'}${outcome.problems?.length ? ' with problems' : ''}`;
};

/** An invocation: what is thrown is its answer too, as at the edge of Lambda. */
const invoke = (work: Promise<unknown>): Promise<unknown> =>
  work.catch((thrown: unknown) => ({ outcome: 'Failed', reason: asLifecycleError(thrown).code }));

/**
 * Plays a story; `harm` befalls the nth call of its process, and is over when that has ended. Then ticks, until quiet.
 * `wire`: over real connections.
 */
export async function play(story: Story, harm?: Misfortune, nth = 1, wire = false): Promise<Cell> {
  const at = await scene({ wire });
  at.sim.createWukong({ namespace, name: 'web', ...story.wukong });
  await at.pass(5_000);
  await story.before?.(at);
  const uids = new Set([at.vmi('web')?.metadata.uid]);
  const begun = at.sim.requests.length;
  const before = { events: new Set(finalEvents(at).map(({ name }) => name)), told: idsOn(at).size };
  if (harm) at.sim.faults.add(befalls(harm, user, nth));
  let answer = await at.run(invoke(story.begin(at)));
  const calls = at.sim.requests.slice(begun).filter((one) => one.user === user);
  at.sim.faults.clear();
  const first = said(answer);
  if (story.delivered && /^InProgress|Unreachable/.test(first)) answer = await at.run(invoke(story.begin(at)));
  for (let minute = 0; minute < 12; minute++) {
    await at.run(reconcile(at.world, { deadline: at.clock.now() + 50_000 }));
    uids.add(at.vmi('web')?.metadata.uid);
    await at.pass(60_000);
    if (minute > 1 && !at.wukong('web').metadata.annotations?.['lifecycle.novasphere.dev/operation']) break;
  }
  const cell = look(at, story, calls.map(nameOf), first, begun);
  uids.delete(undefined);
  cell.guests = uids.size;
  cell.events = finalEvents(at).flatMap(({ name, reason }) => (before.events.has(name) ? [] : [reason]));
  cell.told -= before.told;
  await at.sim.close();
  return cell;
}

const final = new RegExp(`^(Started|Stopped|ForcedOff|Superseded|Failed(${failureCodes.join('|')}))$`);
interface KubeEvent {
  metadata: { name: string };
  reason: string;
  involvedObject: { kind: string };
}
const finalEvents = (at: Scene) =>
  at.sim
    .list<KubeEvent>('events', namespace)
    .flatMap(({ metadata: { name }, reason, involvedObject }) =>
      involvedObject.kind === 'Wukong' && final.test(reason) ? [{ name, reason }] : [],
    );
const idsOn = (at: Scene) => new Set(at.bus.map(({ detail }) => (detail as { id: string }).id));

function look(at: Scene, story: Story, calls: string[], answer: string, begun: number): Cell {
  const wukong = at.wukong('web');
  const vm = at.vm('web');
  const power = at.sim.requests.slice(begun).filter(({ path }) => path.startsWith('/apis/subresources.kubevirt.io/'));
  const accepted = power.filter(({ status }) => status === 202);
  const graceMs = (story.wukong.terminationGracePeriodSeconds ?? 0) * 1000;
  const [asked, forced] = accepted;
  return {
    calls,
    answer,
    state: wukong.status?.lifecycleState?.state,
    outcome: wukong.status?.lifecycleState?.outcome,
    strategy: vm.spec['runStrategy'] ?? vm.spec['running'],
    record: wukong.metadata.annotations?.['lifecycle.novasphere.dev/operation'] !== undefined,
    declared: wukong.spec?.lifecycleAction !== undefined,
    events: [],
    told: idsOn(at).size,
    guests: 0,
    accepted: accepted.length,
    forcedEarlyMs: asked && forced && graceMs > 0 ? Math.max(0, asked.at + graceMs - forced.at) : 0,
  };
}
