import type { World } from '../cluster/world.ts';
import { placeOf, type Wukong } from '../domain/model.ts';
import { rfc3339 } from '../time/clock.ts';
import type { Limits } from '../time/wait.ts';
import { putEvent } from './events.ts';
import { plain } from './plain.ts';

export const announcementType = 'Wukong VM Stop Announced';
const announcementNotice = 'dev.novasphere.wukong.announcement.v1';

/** A stop that is near. */
export interface Announcement {
  /** The boundary's id. */
  id: string;
  /** Instant. */
  at: number;
  /** `namespace/name` of the schedule. */
  schedule: string;
  /** The local time of the schedule, with its zone. */
  local: string;
}

/** The detail of the event; its schema is infra/events/announcement.schema.json. */
export function announcementDetailOf(wukong: Wukong, { id, at, schedule, local }: Announcement) {
  const { namespace, name } = placeOf(wukong);
  return {
    version: '1',
    id: `${namespace}/${name}/${id}/announced`,
    namespace,
    name,
    action: 'stop',
    at: rfc3339(at),
    local,
    schedule,
    keep: `wukong keep ${name} running --for 2h -n ${namespace}`,
  };
}

/**
 * Tells once that a VM will be stopped, until when it runs and how to keep it on: an Event on the Wukong, and by whoever
 * put that, an event on the bus and a notice to the webhook. @throws LifecycleError when the Event could not be put.
 */
export async function tellAnnouncement(
  world: World,
  wukong: Wukong,
  announcement: Announcement,
  { teller, limits }: { teller: string; limits: Limits },
): Promise<void> {
  const detail = announcementDetailOf(wukong, announcement);
  const { namespace, name, at, local, schedule, keep } = detail;
  const message = plain(
    `It will be stopped at ${at} (${local}) by schedule ${schedule}. To keep it on: ${keep}, or annotate it with lifecycle.novasphere.dev/keep-running-until.`,
  ).slice(0, 1024);
  const event = { id: `announced/${announcement.id}`, type: 'Normal', reason: 'StopAnnounced', message } as const;
  if (!(await putEvent(world, wukong, event, { teller, limits }))) return;
  const subject = `${namespace}/${name}`;
  const time = world.clock.now();
  const text = `${subject}: ${message}`;
  world.webhook?.put({ id: detail.id, type: announcementNotice, subject, time, text, detail });
  try {
    await world.bus?.put([{ type: announcementType, detail, time }]);
  } catch (thrown) {
    world.log.error('an announcement could not be sent', { ...placeOf(wukong), problem: (thrown as Error).message });
  }
}
