import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import type { Vm, Vmi } from '../../sim/kubevirt/kubevirt.ts';
import { type Sim, startSim, VirtualClock } from '../../sim/sim.ts';
import { clientOf, wait } from './client.ts';

/** What stood there at one moment, as tools/record-lifecycle.mjs writes it. */
interface Look {
  vm: { runStrategy?: string; running?: boolean; printableStatus?: string; stateChangeRequests?: string[] } | null;
  vmi: { phase?: string; deleting: boolean; terminationGracePeriodSeconds?: number } | null;
}

interface Row {
  strategy: string;
  state: string;
  call: string;
  body: Record<string, unknown>;
  before: Look;
  status: number;
  message: string | null;
  atOnce: Look;
  after1500ms: Look;
  after9s: Look;
}

const file = new URL('../data/kubevirt-1.9-lifecycle.jsonl', import.meta.url);
const rows = readFileSync(file, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Row);

const wishes: Record<string, { runStrategy?: string; running?: boolean }> = {
  runningTrue: { running: true },
  runningFalse: { running: false },
};
const startsAlone = (strategy: string) => !['Manual', 'Halted', 'runningFalse'].includes(strategy);
const namespace = 'recording';

const life = ({ vmi }: Look) =>
  vmi ? (['Succeeded', 'Failed'].includes(vmi.phase ?? '') ? 'ended' : 'alive') : 'none';
const seen = (look: Look) => `${life(look)}${look.vmi?.deleting ? '/deleting' : ''}`;
const wish = ({ vm }: Look) => vm?.runStrategy ?? (vm?.running === undefined ? 'no VM' : `running=${vm.running}`);
const words = (message: string | null | undefined) => (message ?? '').replace(/"[^"]*"/g, '"…"').trim();

function look(sim: Sim, name: string): Look {
  const vm = sim.get<Vm>('virtualmachines', namespace, name);
  const vmi = sim.get<Vmi>('virtualmachineinstances', namespace, name);
  return {
    vm: vm
      ? {
          ...(vm.spec.runStrategy != null ? { runStrategy: vm.spec.runStrategy } : {}),
          ...(vm.spec.running != null ? { running: vm.spec.running } : {}),
          printableStatus: vm.status?.printableStatus,
          stateChangeRequests: (vm.status?.stateChangeRequests ?? []).map(({ action }) => action),
        }
      : null,
    vmi: vmi
      ? {
          phase: vmi.status?.phase,
          deleting: vmi.metadata.deletionTimestamp !== undefined,
          terminationGracePeriodSeconds: vmi.spec.terminationGracePeriodSeconds,
        }
      : null,
  };
}

/** Brings a new VM into the row's state, makes its call, and looks when the recorder looked. */
async function replay(
  sim: Sim,
  clock: VirtualClock,
  row: Row,
  name: string,
): Promise<Omit<Row, 'strategy' | 'state' | 'call' | 'body'>> {
  const { power } = clientOf(sim);
  const until = async (test: (now: Look) => boolean) => {
    for (let tries = 0; !test(look(sim, name)); tries++) {
      if (tries > 4000) throw new Error(`${name} never came to be ${row.state}`);
      await wait(clock, 5);
    }
  };
  const guest: Record<string, string> = { crashed: 'crash-after-seconds', poweredOff: 'poweroff-after-seconds' };
  const annotations: Record<string, string> = { 'sim.novasphere.dev/shutdown-seconds': '6' };
  if (guest[row.state]) annotations[`sim.novasphere.dev/${guest[row.state]}`] = '1';
  sim.create({
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachine',
    metadata: { name, namespace },
    spec: {
      ...(wishes[row.strategy] ?? { runStrategy: row.strategy }),
      template: { metadata: { annotations }, spec: { terminationGracePeriodSeconds: 30, domain: { devices: {} } } },
    },
  });
  const isOn = ({ vm, vmi }: Look) => vm?.printableStatus === 'Running' && vmi?.phase === 'Running' && !vmi.deleting;
  if (!startsAlone(row.strategy)) {
    await wait(clock, 700);
    if (row.state !== 'stopped') await power(namespace, name, 'start', {});
  }
  if (row.state === 'running') await until(isOn);
  else if (row.state === 'stopping' || (row.state === 'stopped' && startsAlone(row.strategy))) {
    await until(isOn);
    await power(namespace, name, 'stop', {});
    await until(({ vm, vmi }) =>
      row.state === 'stopping' ? vmi?.deleting === true : !vmi && vm?.stateChangeRequests?.length === 0,
    );
  } else if (row.state !== 'stopped') {
    if (row.state !== 'starting') await until(isOn);
    // The controllers of the two clusters are not equally quick: wait for the moment at which the call was recorded.
    await until(
      (now) => seen(now) === seen(row.before) && (now.vmi?.phase === row.before.vmi?.phase || row.state !== 'starting'),
    );
    // The real restart of a failed VMI is queued before its deletion shows; ours in the same instant.
    if (row.before.vm?.stateChangeRequests?.length) await until(({ vm }) => vm?.stateChangeRequests?.length !== 0);
  }
  const before = look(sim, name);
  const answer = await power(namespace, name, row.call, row.body);
  const atOnce = look(sim, name);
  await wait(clock, 1500);
  const after1500ms = look(sim, name);
  await wait(clock, 7500);
  return {
    before,
    status: answer.status,
    message: answer.body?.message ?? null,
    atOnce,
    after1500ms,
    after9s: look(sim, name),
  };
}

/** A VM that restarts itself again and again is caught in another phase each time. */
const loops = (row: Row) =>
  ['crashed', 'poweredOff'].includes(row.state) && !['Halted', 'running=false', 'Once'].includes(wish(row.after9s));

describe('the power calls answer as KubeVirt 1.9 did', async () => {
  const clock = new VirtualClock('2026-03-02T19:00:00Z');
  const sim = await startSim({ clock });
  const replayed = clock.run(
    () => Promise.all(rows.map((row, i) => replay(sim, clock, row, `${row.strategy}-${row.state}-${i}`.toLowerCase()))),
    { sims: [sim] },
  );
  const got = await replayed.finally(() => sim.close());

  test.each(
    rows.map((row, i) => [`${row.strategy} ${row.state} ${row.call} ${JSON.stringify(row.body)}`, row, i] as const),
  )('%s', (_, row, i) => {
    const mine = got[i] as NonNullable<(typeof got)[number]>;
    expect(seen(mine.before)).toBe(seen(row.before));
    expect(mine.status).toBe(row.status);
    expect(words(mine.message)).toBe(words(row.message));
    expect([wish(mine.atOnce), wish(mine.after1500ms), wish(mine.after9s)]).toEqual(
      [row.atOnce, row.after1500ms, row.after9s].map(wish),
    );
    if (row.atOnce.vmi && mine.atOnce.vmi)
      expect(mine.atOnce.vmi.terminationGracePeriodSeconds).toBe(row.atOnce.vmi.terminationGracePeriodSeconds);
    if (loops(row)) return;
    expect(life(mine.after9s)).toBe(life(row.after9s));
    expect(mine.after9s.vm?.printableStatus).toBe(row.after9s.vm?.printableStatus);
    expect(mine.after9s.vm?.stateChangeRequests).toEqual(row.after9s.vm?.stateChangeRequests);
  });
});
