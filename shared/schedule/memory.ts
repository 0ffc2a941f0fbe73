import type { KubeObject } from '../domain/model.ts';
import { isYetToCome } from '../domain/operation.ts';
import { rfc3339 } from '../time/clock.ts';
import type { Facts } from './decide.ts';
import { readInstant } from './override.ts';

/** Kept for the rare decisions that no operation and no mark on the schedule remembers. */
export const memoryKey = 'lifecycle.novasphere.dev/schedule-memory';

export interface Memory extends Pick<Facts, 'skipped' | 'withheld'> {
  /** Done with everything up to then, as far as no mark on a schedule says so. */
  handled?: number | undefined;
}

/** What is yet to come was neither done nor told: whoever may patch a Wukong may write that, too. */
export function readMemory({ metadata }: KubeObject, now = Infinity): Memory {
  const text = metadata.annotations?.[memoryKey];
  if (text === undefined) return {};
  try {
    const known = JSON.parse(text) as Record<keyof Memory | 'wukongUid', unknown>;
    if (known.wukongUid !== undefined && known.wukongUid !== metadata.uid) return {};
    const keys = ['skipped', 'withheld', 'handled'] as const;
    const found = keys.map((key) => [key, readInstant(String(known[key] ?? ''))] as const);
    return Object.fromEntries(found.filter(([, instant]) => instant !== undefined && !isYetToCome(instant, now)));
  } catch {
    return {};
  }
}

export const writeMemory = ({ skipped, withheld, handled }: Memory, wukongUid?: string): string =>
  JSON.stringify({
    wukongUid,
    skipped: skipped && rfc3339(skipped),
    withheld: withheld && rfc3339(withheld),
    handled: handled && rfc3339(handled),
  });
