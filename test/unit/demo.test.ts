import { afterEach, describe, expect, it, vi } from 'vitest';

import { voiceOf } from '../../cli/demo/voice.ts';
import { shownState, waitingFor } from '../../cli/demo/waiting.ts';
import { liveTable } from '../../cli/terminal/liveTable.ts';
import { stateOf, type VmiView, type VmView } from '../../shared/domain/vm.ts';
import { vmiOf, vmOf } from './machines.ts';

afterEach(() => vi.useRealTimers());

const vms: (VmView | undefined)[] = [
  undefined,
  ...['Halted', 'Always', 'Manual', 'Once', 'RerunOnFailure'].flatMap((strategy) =>
    ['Stopped', 'Starting', 'Running', 'CrashLoopBackOff', 'ErrorUnschedulable'].map((printableStatus) =>
      vmOf({ strategy, printableStatus }),
    ),
  ),
];
const vmis: (VmiView | undefined)[] = [
  undefined,
  vmiOf({}),
  vmiOf({ phase: 'Scheduling', ready: 'False' }),
  vmiOf({ deletingSince: 1 }),
  vmiOf({ deletingSince: 1, graceSeconds: 0 }),
  vmiOf({ phase: 'Succeeded', ready: 'False' }),
  vmiOf({ phase: 'Failed', ready: 'False' }),
];
const each = vms.flatMap((vm) => vmis.map((vmi) => ({ vm, vmi })));

describe('what an operation waits for', () => {
  it('never contradicts the state beside it', () => {
    for (const machine of each) {
      const [off, on] = [waitingFor(machine, 'stop'), waitingFor(machine, 'start')];
      const state = stateOf(machine);
      if (state === 'Stopped') expect(off).toBe('');
      if (state === 'Running') expect(on).toBe('');
      if (/guest to shut down/.test(off)) expect(state).toMatch(/Stopping|Unknown/);
      if (/come to rest/.test(off)) expect(shownState(machine, 'stop')).not.toMatch(/Starting|Running|Stopped/);
      if (/begin the start/.test(on)) expect(state).not.toBe('Failed');
      if (state === 'Starting') expect(on).not.toMatch(/\((Stopped|Running|Stopping)\)/);
    }
  });

  it('is nothing where nothing is under way', () => {
    for (const machine of each) expect(waitingFor(machine)).toBe('');
  });
});

/** A terminal that keeps what is written to it. */
function terminal() {
  let text = '';
  const out = { isTTY: true, columns: 100, rows: 24, write: (more: string) => ((text += more), true) };
  return { out: out as unknown as typeof process.stdout, text: () => text };
}

describe('NO_COLOR', () => {
  const row = { namespace: 'demo-a', name: 'web', strategy: 'Always', state: 'Running', elapsed: '', waiting: '' };

  it('takes the colours away, and keeps the live table', () => {
    vi.useFakeTimers();
    const { out, text } = terminal();
    const voice = voiceOf(false, out, { NO_COLOR: '1' });
    expect([voice.drawn, voice.colour]).toEqual([true, false]);
    const table = liveTable(out, () => [row], voice.colour);
    vi.advanceTimersByTime(1_000);
    table.stop();
    voice.say(voice.bold(voice.paint('done', 32)));
    expect(text()).toContain('\u001b[2A'); // it is drawn over itself
    expect(text()).not.toMatch(/\u001b\[\d*m/);
  });

  it('and without it there are some', () => {
    vi.useFakeTimers();
    const { out, text } = terminal();
    liveTable(out, () => [row], voiceOf(false, out, {}).colour).stop();
    expect(text()).toContain('\u001b[32mRunning');
  });
});

it('a notice is wrapped to the terminal, a command in it never broken, and nothing in it moves the cursor', () => {
  const { out, text } = terminal();
  const command = `kubectl delete namespace ${'x'.repeat(120)}`;
  voiceOf(false, out, {}).notice(`${'word '.repeat(30)}\u001b[2J\u202e`, command);
  expect(text().split('\n')[0]?.length).toBeLessThan(100);
  expect(text()).toContain(`\n  ${command}\n`);
  expect(text()).not.toMatch(/[\u001b\u202e]/);
});
