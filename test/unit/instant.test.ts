import { describe, expect, it } from 'vitest';

import { instantText, lastInstant } from '../../shared/domain/instant.ts';
import { type Operation, write } from '../../shared/domain/operation.ts';
import { rfc3339 } from '../../shared/time/clock.ts';
import { parseZone } from '../../shared/time/parseZone.ts';
import { localText, wallDate, wallTime } from '../../shared/time/wallclock.ts';

const writers: Record<string, (instant: number) => string> = {
  'a record': (instant) => write({ forceAt: instant } as Operation),
  'a status or a message': rfc3339,
  'a time with milliseconds': instantText,
  'a date': wallDate,
};

describe('an instant beyond the years that can be written down', () => {
  it.each(Object.entries(writers))('is the nearest one that can be, in %s', (_what, text) => {
    for (const far of [lastInstant + 1, 8.64e15, 9e15, 1e300, Infinity]) expect(text(far)).toContain('9999-12-31');
    for (const far of [-1e14, -9e15, -1e300, -Infinity]) expect(text(far)).toContain('0000-01-01');
  });

  it('is one in any zone, and has a time of day', () => {
    expect(localText(parseZone('Europe/Berlin'), 1e300)).toMatch(/^9999-12-31T23:59:59/);
    expect(wallTime(-1e300)).toBe('00:00');
  });
});
