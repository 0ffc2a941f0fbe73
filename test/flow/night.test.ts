import { describe, expect, it } from 'vitest';

import { countsOf, expectedOf, merged, night, type Nightly, schedules } from './night.ts';

/** NIGHT=200 plays the night of 600 VMs. */
const vms = Number(process.env['NIGHT'] ?? 26);
const limit = { timeout: 600_000 };
const name = 'a night of three schedules in which everything goes wrong';

it.each(
  Object.entries({
    'carried out here': { vms, over: 'here' },
    'over the bus': { vms, over: 'bus' },
  } satisfies Record<string, Nightly>),
)(`${name}, %s: runs, report, metrics and bus say what the model says`, limit, async (_how, given) => {
  const { runs, onBus, metrics, mostWrites, report } = await night(given);
  const all: Record<string, number> = {};
  for (const schedule of schedules) {
    const expected = expectedOf(schedule, vms);
    const run = runs.get(schedule.name)!;
    expect(countsOf(run), schedule.name).toEqual(expected);
    expect(run.status?.phase).toBe(schedule.missed ? 'Missed' : 'Incomplete');
    const { Already: _untold, ...told } = expected;
    if (given.over === 'bus') expect(onBus.get(schedule.name), schedule.name).toEqual(told);
    for (const [key, count] of Object.entries(told)) all[key] = (all[key] ?? 0) + count;
  }
  expect(metrics).toEqual(all);
  expect(report).toMatchObject({
    forced: all['ForcedOff'],
    failed: all['Failed Stuck'],
    missed: all['Skipped Stale'],
    unrecorded: 0,
    pending: 0,
  });
  expect(mostWrites).toBe(1);
});

describe(`${name}, by processes that die at any call`, () => {
  it.each(
    Object.entries({
      here: { vms, over: 'here', deaths: [9, 12, 31, 60, 84] },
      'over the bus': { vms, over: 'bus', deaths: [10, 25, 40, 55] },
    } satisfies Record<string, Nightly>),
  )('%s: runs say what the model says', limit, async (_how, given) => {
    const { runs, onBus } = await night(given);
    for (const schedule of schedules) {
      const expected = expectedOf(schedule, vms);
      const run = runs.get(schedule.name)!;
      expect(merged(countsOf(run)), schedule.name).toEqual(merged(expected));
      const unseen = run.status?.vms?.filter((line) => line.endsWith('unseen')) ?? [];
      expect(unseen.length).toBeGreaterThanOrEqual((schedule.missed ? 0 : expected['ForcedOff']!) - run.status!.forced);
      const { Stopped = 0, ForcedOff = 0 } = onBus.get(schedule.name) ?? {};
      if (given.over === 'bus') expect([Stopped, ForcedOff]).toEqual([run.status?.done, run.status?.forced]);
    }
  });
});
