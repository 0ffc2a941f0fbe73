import { listAll } from '../../shared/cluster/list.ts';
import { wukongPath } from '../../shared/cluster/objects.ts';
import { vmPath } from '../../shared/cluster/vmInformer.ts';
import type { World } from '../../shared/cluster/world.ts';
import { LifecycleError } from '../../shared/domain/errors.ts';
import { type KubeObject, vmNameOf, type Wukong } from '../../shared/domain/model.ts';
import { operationOf } from '../../shared/domain/operation.ts';
import { readVmi } from '../../shared/domain/readVm.ts';
import { matches, readLabelSelector } from '../../shared/domain/selector.ts';
import { living, type VmiView } from '../../shared/domain/vm.ts';
import { schedulePath } from '../../shared/reconcile/scheduleInputs.ts';
import type { WukongSchedule } from '../../shared/schedule/schedule.ts';
import { spoken } from '../terminal/duration.ts';
import type { Examined, Finding } from './finding.ts';

/** Less than KubeVirt's own default seldom is meant. */
const shortSeconds = 30;
/** A launcher pod ends its guest at the VMI's period and this much more, whatever is asked for (KUBEVIRT §1). */
const launcherExtraSeconds = 30;
/** Nobody has gone on with an operation this long after its claim expired. */
const forgottenMs = 120_000;

interface Guest {
  wukong: Wukong;
  vmi: VmiView;
}

/** Guests that will be forced, and operations that nobody goes on with. */
export async function checkGuests({ world, namespace, grace }: Examined): Promise<Finding[]> {
  try {
    const wukongs = await listAll<Wukong>(world.transport, wukongPath(namespace), {});
    const vmis = (await listAll(world.transport, vmPath('virtualmachineinstances', namespace), {})).map(readVmi);
    const byKey = new Map(vmis.map((vmi) => [`${vmi.namespace}/${vmi.name}`, vmi]));
    const guests = wukongs.flatMap((wukong): Guest[] => {
      const vmi = living(byKey.get(`${wukong.metadata.namespace}/${vmNameOf(wukong)}`));
      return vmi?.phase === 'Running' ? [{ wukong, vmi }] : [];
    });
    const schedules = await listSchedules(world, namespace);
    return [
      looked(wukongs, guests, namespace),
      ...(guests.length > 0 ? [agents(guests, world.config.requireAgent), shortGrace(guests)] : []),
      ...capped(guests, schedules, grace),
      ...forgotten(wukongs, world.clock.now()),
    ];
  } catch (thrown) {
    return [{ level: 'FAIL', check: 'guests', found: (thrown as Error).message }];
  }
}

async function listSchedules(world: World, namespace: string | undefined): Promise<WukongSchedule[]> {
  try {
    return await listAll<WukongSchedule>(world.transport, schedulePath(namespace), {});
  } catch (thrown) {
    if (thrown instanceof LifecycleError && thrown.code === 'NotFound') return [];
    throw thrown;
  }
}

const nameOf = ({ metadata }: KubeObject): string => `${metadata.namespace}/${metadata.name}`;

/** `a, b, c and 4 more` */
export function some(names: string[]): string {
  const shown = names.toSorted().slice(0, 8);
  return `${shown.join(', ')}${names.length > shown.length ? ` and ${names.length - shown.length} more` : ''}`;
}

/** What the other findings are about, so that none of them is taken for more. */
function looked(wukongs: Wukong[], guests: Guest[], namespace: string | undefined): Finding {
  const check = 'Wukongs';
  const where = namespace === undefined ? 'in all namespaces' : `in namespace ${namespace}`;
  if (wukongs.length > 0)
    return { level: 'OK', check, found: `${wukongs.length} ${where}, of which ${guests.length} running` };
  const next = namespace === undefined ? 'make one' : 'name another with -n, or look at all with -A';
  return { level: 'WARN', check, found: `none ${where}, so nothing is known of guests`, next };
}

function agents(guests: Guest[], required: boolean): Finding {
  const check = 'guest agents';
  const without = guests.filter(({ vmi }) => !vmi.agentConnected).map(({ wukong }) => nameOf(wukong));
  if (without.length === 0) return { level: 'OK', check, found: `connected in all ${guests.length} running guests` };
  const found = `none in ${without.length} of ${guests.length} running guests: ${some(without)}`;
  const next = required
    ? 'REQUIRE_AGENT is set, so their starts will time out: install qemu-guest-agent'
    : 'they are asked to shut down by ACPI alone, which a guest may ignore';
  return { level: 'WARN', check, found, next };
}

function shortGrace(guests: Guest[]): Finding {
  const check = 'grace periods';
  const short = guests.filter(({ vmi }) => vmi.graceSeconds < shortSeconds);
  if (short.length === 0) return { level: 'OK', check, found: `at least ${shortSeconds} s in all running guests` };
  const found = `shorter than ${shortSeconds} s: ${some(short.map(({ wukong, vmi }) => `${nameOf(wukong)} (${vmi.graceSeconds} s)`))}`;
  return {
    level: 'WARN',
    check,
    found,
    next: 'raise terminationGracePeriodSeconds in the VM template if they need longer',
  };
}

/** Who asks for more than the launcher pod allows: a schedule, or whoever runs this with --grace. */
function capped(guests: Guest[], schedules: WukongSchedule[], grace: number | undefined): Finding[] {
  const check = 'grace asked for';
  const over = (among: Guest[], seconds: number) =>
    among
      .filter(({ vmi }) => vmi.graceSeconds + launcherExtraSeconds < seconds)
      .map(({ wukong, vmi }) => `${nameOf(wukong)} (at most ${vmi.graceSeconds + launcherExtraSeconds} s)`);
  const next = 'set terminationGracePeriodSeconds in the VM template and start anew';
  const found = schedules.flatMap((schedule): Finding[] => {
    const spec = (schedule.spec ?? {}) as { gracePeriodSeconds?: unknown; selector?: unknown };
    if (typeof spec.gracePeriodSeconds !== 'number') return [];
    const names = over(selected(guests, schedule, spec.selector), spec.gracePeriodSeconds);
    if (names.length === 0) return [];
    return [
      {
        level: 'WARN',
        check,
        found: `schedule ${nameOf(schedule)} gives ${spec.gracePeriodSeconds} s, capped by the launcher pods of ${some(names)}`,
        next,
      },
    ];
  });
  const asked = grace === undefined ? [] : over(guests, grace);
  if (asked.length > 0)
    found.push({ level: 'WARN', check, found: `${grace} s is capped by the launcher pods of ${some(asked)}`, next });
  if (found.length === 0 && (grace !== undefined || schedules.length > 0))
    found.push({ level: 'OK', check, found: 'no launcher pod caps it' });
  return found;
}

function selected(guests: Guest[], { metadata }: WukongSchedule, selector: unknown): Guest[] {
  try {
    const wanted = readLabelSelector(selector);
    return guests.filter(
      ({ wukong }) => wukong.metadata.namespace === metadata.namespace && matches(wanted, wukong.metadata.labels),
    );
  } catch {
    return []; // the schedule itself says what is wrong with it
  }
}

function forgotten(wukongs: Wukong[], now: number): Finding[] {
  const left = wukongs.flatMap((wukong) => {
    const op = operationOf(wukong);
    return op && now > op.deadline + forgottenMs
      ? [`${nameOf(wukong)} (${op.action}, for ${spoken(now - op.startedAt)})`]
      : [];
  });
  const check = 'operations';
  if (left.length === 0) return [{ level: 'OK', check, found: 'none is left lying' }];
  return [
    {
      level: 'FAIL',
      check,
      found: `nobody goes on with ${some(left)}`,
      next: 'look whether reconcileState runs; now: wukong reconcile --once',
    },
  ];
}
