import type { Bus, BusEntry } from '../cluster/world.ts';
import { LifecycleError } from '../domain/errors.ts';
import type { Clock } from '../time/clock.ts';
import { sleep } from '../time/wait.ts';

export const source = 'novasphere.wukong-lifecycle';
/** PutEvents takes ten entries a call, and 256 KB of them: ten parts of a fleet whose names are long would be more. */
const batchSize = 10;
const batchBytes = 240_000;
const attempts = 4;

interface PutAnswer {
  FailedEntryCount?: number;
  Entries?: { ErrorCode?: string; ErrorMessage?: string }[];
}
interface PutEntry {
  EventBusName: string;
  Source: string;
  DetailType: string;
  Detail: string;
  Time: Date;
}
/** Sends one batch: the SDK's PutEvents, or a test's. */
export type PutEvents = (entries: PutEntry[]) => Promise<PutAnswer>;

/** The SDK's client, loaded when there is something to send: it doubles the time of a cold start. */
export function eventBridge(): PutEvents {
  let loaded: Promise<PutEvents> | undefined;
  const load = async (): Promise<PutEvents> => {
    const { EventBridgeClient, PutEventsCommand } = await import('@aws-sdk/client-eventbridge');
    const client = new EventBridgeClient({});
    return (entries) => client.send(new PutEventsCommand({ Entries: entries }));
  };
  return async (entries) => (await (loaded ??= load()))(entries);
}

/** EventBridge: ten entries a call; entries that it did not take are sent again, the others not (ECOSYSTEM). */
export function eventBus(name: string, put: PutEvents, clock: Clock): Bus {
  const toEntry = ({ type, detail, time }: BusEntry): PutEntry => ({
    EventBusName: name,
    Source: source,
    DetailType: type,
    Detail: JSON.stringify(detail),
    Time: new Date(time),
  });
  async function batch(entries: PutEntry[]) {
    let left = entries;
    let problem = '';
    for (let attempt = 1; attempt <= attempts; attempt++) {
      if (attempt > 1) await sleep(clock, 200 * 2 ** attempt);
      const answer = await put(left);
      if (!answer.FailedEntryCount) return;
      const failed = left.filter((_entry, i) => answer.Entries?.[i]?.ErrorCode);
      problem = answer.Entries?.find((entry) => entry.ErrorCode)?.ErrorCode ?? '';
      left = failed;
    }
    throw new LifecycleError(
      'Unreachable',
      `event bus ${name} did not take ${left.length} of ${entries.length} events: ${problem}`,
    );
  }
  return {
    async put(entries) {
      for (const some of batches(entries.map(toEntry))) await batch(some);
    },
  };
}

function batches(entries: PutEntry[]): PutEntry[][] {
  const all: PutEntry[][] = [];
  let room = 0;
  for (const entry of entries) {
    const bytes = Buffer.byteLength(entry.Detail);
    const last = all.at(-1);
    if (last && last.length < batchSize && bytes <= room) last.push(entry);
    else all.push([entry]);
    room = (all.at(-1) === last ? room : batchBytes) - bytes;
  }
  return all;
}
