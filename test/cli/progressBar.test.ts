import { describe, expect, it } from 'vitest';

import { fleetSize } from '../../cli/demo/fleet.ts';
import { type Bar, barLine } from '../../cli/terminal/progressBar.ts';

const bar = (more: Partial<Bar>): Bar => ({
  title: 'stop',
  began: 0,
  targets: 1_000,
  done: 0,
  inFlight: 0,
  forced: 0,
  failed: 0,
  recent: [],
  ...more,
});

describe('the progress of a fleet', () => {
  it('says rate, in flight, forced, failed and the time that is left', () => {
    const recent = Array.from({ length: 250 }, (_, i) => 5_000 + i * 20);
    expect(barLine(bar({ done: 500, inFlight: 211, forced: 6, failed: 2, recent }), 10_000)).toBe(
      'stop [############------------] 500/1000  50/s  in flight 211  forced 6  failed 2  about 10 s left',
    );
  });

  it('promises nothing before the first has ended', () =>
    expect(barLine(bar({ inFlight: 50 }), 3_000)).toBe(
      'stop [------------------------] 0/1000  0/s  in flight 50  forced 0  failed 0',
    ));

  it('is done, and has no division by nothing', () => {
    expect(barLine(bar({ done: 1_000 }), 3_000)).toContain('[########################] 1000/1000');
    expect(barLine(bar({ targets: 0 }), 0)).toContain('done');
  });
});

it.each(['0', '-1', '1.5', 'many', '', '20001'])('refuses a fleet of %j', (text) =>
  expect(() => fleetSize(text)).toThrow('expected a whole number'),
);
