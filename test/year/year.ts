import type { BusEntry, World } from '../../shared/cluster/world.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import { parseTrigger } from '../../shared/entry/trigger.ts';
import { executeCommand } from '../../shared/execute/command.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import { source as busSource } from '../../shared/report/bus.ts';
import { VirtualClock } from '../../sim/clock.ts';
import { startSim } from '../../sim/sim.ts';
import { dice } from '../dice.ts';
import { worldOn } from '../flow/scene.ts';
import { changesOf } from '../zones/oracle.ts';
import { calendars, namespace, objectsOf } from './calendars.ts';
import { type Expected, expectedOf } from './expected.ts';

/**
 * Months of schedules on a virtual clock: reconcileState ticks, sometimes does not, its events are delivered, sometimes
 * twice, and what was done is held against an oracle that shares no code with it.
 */
export interface Months {
  from: number;
  to: number;
  /** How many of a hundred ticks do not happen. */
  missedPercent: number;
  vms: number;
  /** So many minutes around each boundary and clock change have a tick; else one in three hours has. */
  near: number;
}

export interface Figures {
  boundaries: number;
  done: number;
  doubly: number;
  early: number;
  undone: string[];
  /** From the boundary, or from the first tick after it that happened, to the operation's begin; milliseconds. */
  latestMs: number;
  /** The same in ticks that happened: 0 means at the first one. */
  latestTicks: number;
  ticks: number;
  missed: number;
  deliveredTwice: number;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const restMs = 3 * hourMs;

/** A tick a minute around every boundary and clock change, else one in three hours. */
function ticksOf({ from, to, near: minutes }: Months, expected: Expected[]): number[] {
  const ticks = new Set<number>();
  for (let at = from; at <= to; at += restMs) ticks.add(at);
  const changes = [...new Set(calendars.map(({ zone }) => zone))].flatMap((zone) => changesOf(zone));
  for (const at of [...expected.map((one) => one.at), ...changes])
    for (let near = at - minuteMs; near <= at + minutes * minuteMs; near += minuteMs)
      if (near > from && near <= to) ticks.add(near);
  return [...ticks].sort((a, b) => a - b);
}

export async function live(months: Months): Promise<Figures> {
  const clock = new VirtualClock(months.from);
  const sim = await startSim({ clock });
  const bus: BusEntry[] = [];
  const world = await worldOn(sim, clock, {}, bus);
  const run = <T>(doing: Promise<T>) => clock.run(doing, { sims: [sim] });
  const chance = dice(20_261_123);
  const figures: Figures = {
    boundaries: 0,
    done: 0,
    doubly: 0,
    early: 0,
    undone: [],
    latestMs: 0,
    latestTicks: 0,
    ticks: 0,
    missed: 0,
    deliveredTwice: 0,
  };
  furnish(sim, months);
  const expected = expectedOf(months);
  const begun = new Map<string, { at: number; tick: number }>();
  const ticked: number[] = [];
  let delivered = 0;
  try {
    for (const at of ticksOf(months, expected)) {
      if (chance() * 100 < months.missedPercent) {
        figures.missed++;
        continue;
      }
      if (at > clock.now()) await run(new Promise<void>((resolve) => clock.after(at - clock.now(), resolve)));
      figures.ticks++;
      ticked.push(clock.now());
      await run(reconcile(world, { deadline: clock.now() + 50_000 }));
      const events = bus.splice(0).filter(({ type }) => type.endsWith('Requested'));
      await run(Promise.all(events.map((event) => deliver(event, ++delivered % 10 === 0))));
    }
    await judge(expected);
    return figures;
  } finally {
    await sim.close();
  }

  /** What the bus does: one message a VM, to the function; sometimes the same message twice at once. */
  async function deliver({ type, detail }: BusEntry, twice: boolean): Promise<void> {
    if (twice) figures.deliveredTwice++;
    const action = type.includes('Start') ? 'start' : 'stop';
    const time = new Date(clock.now()).toISOString();
    const event = { id: 'unused', source: busSource, 'detail-type': type, time, detail };
    const command = parseTrigger(event, { action, requestId: 'unused', requestedAt: clock.now() });
    const once = async (to: World) => {
      for (const outcome of (await executeCommand(command, to, { limits: { deadline: clock.now() + 600_000 } }))
        .outcomes) {
        if (outcome.quiet) continue;
        const key = `${outcome.name} ${outcome.requestId}`;
        if (begun.has(key)) figures.doubly++;
        begun.set(key, { at: outcome.startedAt, tick: ticked.length - 1 });
      }
    };
    await Promise.all(twice ? [once(world), once(world)] : [once(world)]);
  }

  /** Each boundary against what its Wukongs were seen to do. */
  async function judge(all: Expected[]): Promise<void> {
    const wukongs = sim.list<Wukong>('wukongs', namespace);
    for (const { schedule, key, at } of all) {
      const firstTick = ticked.find((tick) => tick >= at);
      const next = all.find((other) => other.schedule === schedule && other.at > at);
      // A boundary whose next one came before any tick was superseded by it; one after the last tick is not due yet.
      if (firstTick === undefined || (next && firstTick >= next.at)) continue;
      for (const { metadata } of wukongs.filter((one) => one.metadata.labels?.['calendar'] === schedule)) {
        figures.boundaries++;
        const id = `${metadata.name} schedule:${key}@${new Date(at).toISOString().replace('.000', '')}`;
        const found = begun.get(id);
        if (!found) {
          figures.undone.push(id);
          continue;
        }
        figures.done++;
        if (found.at < at) figures.early++;
        figures.latestMs = Math.max(figures.latestMs, found.at - firstTick);
        figures.latestTicks = Math.max(figures.latestTicks, found.tick - ticked.indexOf(firstTick));
      }
    }
  }
}

function furnish(sim: Awaited<ReturnType<typeof startSim>>, months: Months) {
  for (let i = 0; i < months.vms; i++)
    sim.createWukong({
      namespace,
      name: `vm-${i}`,
      runStrategy: 'Halted',
      labels: { calendar: calendars[i % calendars.length]?.name ?? '' },
    });
  for (const object of objectsOf(months)) sim.create(object);
}

/** The weeks of 2026 in which a clock of ours changes, each from the day before to the day after, merged. */
export function weeksOfChange(): Months[] {
  const spans = [...new Set(calendars.map(({ zone }) => zone))]
    .flatMap((zone) => changesOf(zone))
    .filter((at) => new Date(at).getUTCFullYear() === 2026)
    .map((at) => ({ from: at - 24 * hourMs, to: at + 24 * hourMs }))
    .sort((a, b) => a.from - b.from);
  const merged: { from: number; to: number }[] = [];
  for (const span of spans) {
    const last = merged.at(-1);
    if (last && span.from <= last.to) last.to = Math.max(last.to, span.to);
    else merged.push({ ...span });
  }
  return merged.map((span) => ({ ...span, missedPercent: 5, vms: calendars.length, near: 1 }));
}
