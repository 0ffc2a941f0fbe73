import { readInstant } from '../../shared/schedule/override.ts';
import { rfc3339 } from '../../shared/time/clock.ts';
import { parseZone } from '../../shared/time/parseZone.ts';
import { dayMs, offsetAt, wallToInstant, type Zone } from '../../shared/time/zone.ts';
import { UsageError, type Values } from '../command.ts';

const longestMs = 5 * 366 * dayMs;

interface Period {
  /** Instants; `to` is not included. */
  from: number;
  to: number;
}

/** What is looked at. */
export interface Span extends Period {
  zone: Zone | undefined;
}

/**
 * --from, --to and --zone; `defaults` fills in what is not given.
 * @throws UsageError naming the option and what was expected.
 */
export function spanOf(values: Values, defaults: (given: Partial<Period>) => Period): Span {
  const zone = zoneOf(values);
  const time = (option: string) => {
    const text = values[option] as string | undefined;
    return text === undefined ? undefined : timeOf(option, text, zone);
  };
  const { from, to } = defaults({ from: time('from'), to: time('to') });
  if (to <= from) throw new UsageError(`--to ${rfc3339(to)}: expected a time after ${rfc3339(from)}`);
  if (to - from > longestMs) throw new UsageError('--to: expected at most five years after --from');
  return { from, to, zone };
}

/** --zone. @throws UsageError */
export function zoneOf(values: Values): Zone | undefined {
  try {
    return values.zone === undefined ? undefined : parseZone(values.zone);
  } catch (wrong) {
    throw new UsageError(`--zone: ${(wrong as Error).message}`, { cause: wrong });
  }
}

function timeOf(option: string, text: string, zone = parseZone('UTC')): number {
  const midnight = /^\d{4}-\d{2}-\d{2}$/.test(text) ? readInstant(`${text}T00:00:00Z`) : undefined;
  const instant = midnight === undefined ? readInstant(text) : wallToInstant(zone, midnight).at;
  if (instant === undefined || Number.isNaN(offsetAt(zone, instant)))
    throw new UsageError(
      `--${option} ${text}: expected a time such as 2026-03-29T01:00:00Z, or a date such as 2026-03-29`,
    );
  return instant;
}
