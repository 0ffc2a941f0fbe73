import { readFileSync } from 'node:fs';

import { expect, it, vi } from 'vitest';

import { reconcileState } from '../../functions/reconcileState/handler.ts';
import { stopVm } from '../../functions/stopVm/handler.ts';
import { lambda } from '../../shared/entry/entry.ts';
import { emfMetrics } from '../../shared/report/metrics.ts';
import { namespace, type Scene, scene } from './scene.ts';
import { scheduleIn } from './ways.ts';

const watched = [...new Set(readFileSync('infra/aws/alarms.yml', 'utf8').match(/(?<=MetricName: )\w+/g))];
/** Those of AWS itself. */
const others = ['ApproximateNumberOfMessagesVisible', 'Errors', 'Throttles'];
const own = watched.filter((name) => !others.includes(name));

const hang = { guest: { hang: 'true' }, terminationGracePeriodSeconds: 2 };
const stop = { stop: '30 20 * * *' };
const boundary = Date.parse('2026-11-23T20:30:00Z');
const refused = (at: Scene) =>
  at.sim.faults.add({
    when: { method: 'PATCH', path: /wukongschedules/ },
    does: { kind: 'status', status: 422 },
  });

interface Cause {
  vm?: object;
  spec?: object;
  lateMs?: number;
  make?: (at: Scene) => void;
}
/** What each alarm is there for: what is wrong in a night, and what its metric then says. */
const causes: Record<string, Cause & { says: number }> = {
  Failures: { vm: hang, spec: stop, says: 1 },
  ForcedStops: {
    vm: { guest: { 'ignore-acpi': 'true' }, terminationGracePeriodSeconds: 2 },
    spec: stop,
    says: 1,
  },
  UnobservedStops: {
    vm: { guest: { 'shutdown-seconds': '55' }, terminationGracePeriodSeconds: 300 },
    spec: stop,
    make: (at) =>
      at.sim.faults.add({ when: { method: 'GET', path: /\/events\?/ }, does: { kind: 'status', status: 403 } }),
    says: 1,
  },
  Lateness: { spec: stop, lateMs: 400_000, says: 400_000 },
  TicksDone: { spec: stop, make: refused, says: 0 },
  TickProblems: { spec: stop, make: refused, says: 1 },
  BadSchedules: { spec: { stop: 'nonsense' }, says: 1 },
  BadRuns: { vm: hang, spec: stop, says: 1 },
};

/** The lines that CloudWatch reads, while this goes on. */
async function printed(work: () => Promise<void>): Promise<string[]> {
  const lines: string[] = [];
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
  await work().finally(() => spy.mockRestore());
  return lines;
}

/** The values of a metric of the function that its alarm looks at. */
const valuesOf = (lines: string[], name: string, of = 'reconcileState'): number[] =>
  lines
    .filter((line) => line.includes('_aws'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((line) => line[name] !== undefined && line['function'] === of && line['service'])
    .flatMap((line) => line[name] as number | number[]);

async function night(name: string, { vm = {}, spec = {}, lateMs = 0, make }: Cause): Promise<number[]> {
  const at = await scene();
  delete at.world.bus;
  const lines = await printed(async () => {
    const metrics = emfMetrics('reconcileState');
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', labels: { env: 'dev' }, ...vm });
    scheduleIn(at, namespace, spec);
    make?.(at);
    await at.pass(boundary + lateMs - at.clock.now());
    for (let i = 0; i < 4; i++, await at.pass(60_000)) {
      const invocation = { ...at.invocation(`tick-${i}`, 50_000), world: { ...at.world, metrics } };
      await at.run(reconcileState({}, invocation).catch(() => undefined));
      metrics.flush();
    }
  });
  return valuesOf(lines, name);
}

it('each alarm of ours has its cause below', () =>
  expect([...Object.keys(causes), 'CommandsRefused'].sort()).toEqual(own.toSorted()));

it('CommandsRefused says so when a command is refused as a whole, and not before', async () => {
  const at = await scene();
  at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Halted' });
  const said = async (event: object) => {
    const lines = await printed(async () => {
      const world = { ...at.world, metrics: emfMetrics('stopVm') };
      const handler = lambda('stopVm', stopVm, () => Promise.resolve(world));
      await at.run(async () => handler(event, { awsRequestId: 'r', getRemainingTimeInMillis: () => 60_000 } as never));
    });
    return valuesOf(lines, 'CommandsRefused', 'stopVm');
  };
  expect(await said({ target: { namespace, name: 'web' } })).toEqual([]);
  expect(await said({ target: { namespaces: [namespace], selector: '' } })).toEqual([1]);
});

it.each(Object.entries(causes))('%s says so when its cause is made, and not before', async (name, cause) => {
  const bad = await night(name, cause);
  const good = await night(name, { spec: stop });
  if (name === 'TicksDone') {
    expect(Math.max(...bad)).toBe(cause.says);
    expect(Math.min(...good)).toBe(1);
    return;
  }
  if (name === 'BadSchedules') expect(bad).toEqual([1, 1, 1, 1]); // by every tick, as long as it is bad
  expect(Math.max(...bad)).toBeGreaterThanOrEqual(cause.says);
  expect(Math.max(0, ...good)).toBeLessThan(cause.says);
});
