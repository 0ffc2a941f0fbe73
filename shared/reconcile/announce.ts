import type { World } from '../cluster/world.ts';
import type { Wukong } from '../domain/model.ts';
import { isOff, type Machine } from '../domain/vm.ts';
import { newHolder } from '../lifecycle/claim.ts';
import { type Announcement, tellAnnouncement } from '../report/announcement.ts';
import { boundaryId, nextBoundary } from '../schedule/calendar.ts';
import type { Selecting } from '../schedule/selecting.ts';
import { nextOf, type Timetable } from '../schedule/timetable.ts';
import { eachApart } from '../time/forEachLimited.ts';
import type { Limits } from '../time/wait.ts';
import { type Problem, problemOf } from './problems.ts';

const atOnce = 20;

export interface Near {
  announcement: Announcement;
  wukongs: Wukong[];
}

/**
 * The stops that are to be announced now, by their schedules: those within announceBeforeSeconds that the schedule's
 * status does not say were announced, for the VMs that are on and that this very stop will meet. Pure.
 */
export function nearStops(table: Timetable, machineOf: (wukong: Wukong) => Machine): Map<Selecting, Near> {
  const near = new Map<Selecting, Near>();
  for (const selecting of table.selecting) {
    const { schedule } = selecting.checked;
    if (!schedule || schedule.suspended || schedule.announceBeforeSeconds === 0) continue;
    const stop = nextBoundary(schedule, table.at, 'stop');
    if (!stop || stop.at - table.at > schedule.announceBeforeSeconds * 1000) continue;
    if (Date.parse(selecting.object.status?.lastAnnounced ?? '') >= stop.at) continue;
    const wukongs = selecting.matched.filter((wukong) => {
      const next = isOff(machineOf(wukong)) ? undefined : nextOf(table, wukong);
      return next?.action === 'stop' && boundaryId(next.boundary) === boundaryId(stop);
    });
    const local = `${stop.wall.replace('T', ' ')} ${schedule.zone.name}`;
    near.set(selecting, {
      announcement: { id: boundaryId(stop), at: stop.at, schedule: schedule.key, local },
      wukongs,
    });
  }
  return near;
}

export interface Announced {
  /** The stops that were announced to all of their VMs, for the schedules' statuses. */
  stops: Map<Selecting, number>;
  problems: Problem[];
}

/** Announces them; a stop that could not be announced to all is looked at again by the next tick. Never throws. */
export async function announce(world: World, near: Map<Selecting, Near>, limits: Limits): Promise<Announced> {
  const announced: Announced = { stops: new Map(), problems: [] };
  const teller = newHolder(world);
  const namespaceOf = ([{ object }]: [Selecting, Near]) => object.metadata.namespace;
  await eachApart(near, namespaceOf, 1, async ([selecting, { announcement, wukongs }]) => {
    let missed = 0;
    await eachApart(
      wukongs,
      ({ metadata }) => metadata.namespace,
      atOnce,
      async (wukong) => {
        try {
          if (world.clock.now() >= limits.deadline) missed++;
          else await tellAnnouncement(world, wukong, announcement, { teller, limits });
        } catch (thrown) {
          missed++;
          announced.problems.push({ ...problemOf(thrown, wukong), minor: true });
        }
      },
    );
    if (missed === 0) announced.stops.set(selecting, announcement.at);
  });
  return announced;
}
