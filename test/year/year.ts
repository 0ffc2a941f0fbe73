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
import { changesOf, clockOf, happensAt, type Plain } from '../zones/oracle.ts';

/**
 * Months of schedules on a virtual clock: reconcileState ticks, sometimes does not, its events are delivered, sometimes
 * twice, and what was done is held against an oracle that shares no code with it.
 */
export interface Months {
  from: number;
  to: number;
  /** How many of a hundred ticks do not happen. */
  missedPercent: number;
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
const namespace = 'year';

const daily = (text: string, hour: number, minute: number, weekdays?: number[]): Plain => ({
  text,
  hours: [hour],
  minutes: [minute],
  ...(weekdays ? { weekdays } : {}),
});
const work = [1, 2, 3, 4, 5];

interface Calendar {
  name: string;
  zone: string;
  start: Plain;
  stop: Plain;
}

/** Twelve schedules in nine zones; several of their boundaries lie in the very hours that clock changes take or double. */
export const calendars: Calendar[] = [
  {
    name: 'berlin',
    zone: 'Europe/Berlin',
    start: daily('0 8 * * 1-5', 8, 0, work),
    stop: daily('0 20 * * 1-5', 20, 0, work),
  },
  { name: 'berlin-night', zone: 'Europe/Berlin', start: daily('30 2 * * *', 2, 30), stop: daily('0 22 * * *', 22, 0) },
  {
    name: 'lord-howe',
    zone: 'Australia/Lord_Howe',
    start: daily('15 2 * * *', 2, 15),
    stop: daily('0 20 * * *', 20, 0),
  },
  { name: 'havana', zone: 'America/Havana', start: daily('0 0 * * *', 0, 0), stop: daily('0 20 * * *', 20, 0) },
  { name: 'cairo', zone: 'Africa/Cairo', start: daily('30 0 * * *', 0, 30), stop: daily('0 20 * * *', 20, 0) },
  { name: 'santiago', zone: 'America/Santiago', start: daily('30 0 * * *', 0, 30), stop: daily('0 20 * * *', 20, 0) },
  { name: 'kathmandu', zone: 'Asia/Kathmandu', start: daily('0 8 * * *', 8, 0), stop: daily('0 20 * * *', 20, 0) },
  { name: 'new-york', zone: 'America/New_York', start: daily('30 1 * * *', 1, 30), stop: daily('0 18 * * *', 18, 0) },
  {
    name: 'new-york-office',
    zone: 'America/New_York',
    start: daily('0 8 * * 1-5', 8, 0, work),
    stop: daily('0 20 * * 1-5', 20, 0, work),
  },
  { name: 'sydney', zone: 'Australia/Sydney', start: daily('30 2 * * *', 2, 30), stop: daily('0 20 * * *', 20, 0) },
  { name: 'utc', zone: 'UTC', start: daily('0 6 * * *', 6, 0), stop: daily('0 18 * * *', 18, 0) },
  { name: 'utc-weekend', zone: 'UTC', start: daily('0 6 * * 6', 6, 0, [6]), stop: daily('0 18 * * 0', 18, 0, [0]) },
];
const machines = 40;

interface Expected {
  schedule: string;
  at: number;
  action: 'start' | 'stop';
}

/** Every boundary in (from, to], minute by minute: a skipped minute happens where the clock goes on, a doubled one once. */
export function expectedOf({ from, to }: { from: number; to: number }): Expected[] {
  return calendars
    .flatMap(({ name, zone, start, stop }) => {
      const clock = clockOf(zone);
      const found: Expected[] = [];
      let highest = clock(from - 26 * hourMs);
      for (let at = from - 26 * hourMs + minuteMs; at <= to; at += minuteMs) {
        const wall = clock(at);
        for (let shown = highest + 1; shown <= wall; shown++) {
          if (at <= from) continue;
          if (happensAt(start, shown)) found.push({ schedule: name, at, action: 'start' });
          if (happensAt(stop, shown)) found.push({ schedule: name, at, action: 'stop' });
        }
        highest = Math.max(highest, wall);
      }
      return found;
    })
    .sort((a, b) => a.at - b.at);
}

/** A tick a minute in the ten minutes around every boundary and clock change, else one an hour. */
function ticksOf({ from, to }: Months, expected: Expected[]): number[] {
  const ticks = new Set<number>();
  for (let at = from; at <= to; at += hourMs) ticks.add(at);
  const changes = [...new Set(calendars.map(({ zone }) => zone))].flatMap((zone) => changesOf(zone));
  for (const at of [...expected.map((one) => one.at), ...changes])
    for (let near = at - 5 * minuteMs; near <= at + 5 * minuteMs; near += minuteMs)
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
  furnish(sim);
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
    for (const { schedule, at, action } of all) {
      const firstTick = ticked.find((tick) => tick >= at);
      const next = all.find((other) => other.schedule === schedule && other.at > at);
      // A boundary whose next one came before any tick was superseded by it; one after the last tick is not due yet.
      if (firstTick === undefined || (next && firstTick >= next.at)) continue;
      for (const { metadata } of wukongs.filter((one) => one.metadata.labels?.['calendar'] === schedule)) {
        figures.boundaries++;
        const id = `${metadata.name} schedule:${namespace}/${schedule}@${new Date(at).toISOString().replace('.000', '')}`;
        const found = begun.get(id);
        if (!found) {
          if (!isFirst(all, schedule, at, action)) figures.undone.push(id);
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

/** The very first boundary finds the VM in the wished state already when that is how it was made (off). */
const isFirst = (all: Expected[], schedule: string, at: number, action: string): boolean =>
  action === 'stop' && !all.some((other) => other.schedule === schedule && other.action === 'start' && other.at < at);

function furnish(sim: Awaited<ReturnType<typeof startSim>>) {
  for (const { name, zone, start, stop } of calendars)
    sim.create({
      apiVersion: 'vm.novasphere.dev/v1alpha1',
      kind: 'WukongSchedule',
      metadata: { namespace, name },
      spec: { timeZone: zone, start: start.text, stop: stop.text, selector: { matchLabels: { calendar: name } } },
    });
  for (let i = 0; i < machines; i++)
    sim.createWukong({
      namespace,
      name: `vm-${i}`,
      runStrategy: 'Halted',
      labels: { calendar: calendars[i % calendars.length]?.name ?? '' },
    });
}

/** The weeks of 2026 in which a clock of ours changes, each from the day before to the day after, merged. */
export function weeksOfChange(): Months[] {
  const spans = [...new Set(calendars.map(({ zone }) => zone))]
    .flatMap((zone) => changesOf(zone))
    .filter((at) => new Date(at).getUTCFullYear() === 2026)
    .map((at) => ({ from: at - 30 * hourMs, to: at + 30 * hourMs }))
    .sort((a, b) => a.from - b.from);
  const merged: { from: number; to: number }[] = [];
  for (const span of spans) {
    const last = merged.at(-1);
    if (last && span.from <= last.to) last.to = Math.max(last.to, span.to);
    else merged.push({ ...span });
  }
  return merged.map((span) => ({ ...span, missedPercent: 5 }));
}
