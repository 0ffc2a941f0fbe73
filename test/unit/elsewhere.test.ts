import { describe, expect, it } from 'vitest';

import type { Machines } from '../../shared/cluster/vmInformer.ts';
import { parseCommand } from '../../shared/domain/command.ts';
import { lastAfter } from '../../shared/domain/earlier.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import { lastKey, operationKey, write } from '../../shared/domain/operation.ts';
import type { Action, Outcome } from '../../shared/domain/outcome.ts';
import type { Machine } from '../../shared/domain/vm.ts';
import { follow, isThere } from '../../shared/execute/follow.ts';
import { groupOf, type Job, type Work } from '../../shared/execute/job.ts';
import { overBus } from '../../shared/execute/overBus.ts';
import type { Execution } from '../../shared/execute/sink.ts';
import { heard } from '../../shared/time/wait.ts';
import { VirtualClock } from '../../sim/clock.ts';
import { worldOf } from './asked.ts';
import { machineOf, operation, s, t0 } from './machines.ts';

const adopted = { adoptedBy: 'web' };
const off = machineOf({ strategy: 'Halted', ...adopted }, null);
const on = machineOf(adopted);
const going = machineOf({ strategy: 'Halted', ...adopted }, { deletingSince: t0 });
const crashing = machineOf({ ...adopted, printableStatus: 'CrashLoopBackOff' }, { ready: 'False' });
const wukong: Wukong = { metadata: { namespace: 'team-a', name: 'web' } };

const ended: Outcome = {
  ...{ outcome: 'Failed', reason: 'Unschedulable', message: 'no room', namespace: 'team-a', name: 'web' },
  ...{ action: 'start', forced: false, requestId: 'evening', trigger: 'event', startedAt: t0, finishedAt: t0 + s },
};

/** One VM that another process switches, as it is seen. */
function elsewhere(action: Action, first: Machine, work?: Work, reads: Parameters<typeof worldOf>[1][] = []) {
  const clock = new VirtualClock(t0);
  const { world, told, asked, within } = worldOf(t0, ...reads);
  const [allBegun, log]: [AbortController, string[]] = [new AbortController(), []];
  let machine = first;
  let broken: Error | undefined;
  const listening = new Set<() => void>();
  const machines: Machines = {
    get: () => machine,
    changed: async (namespace, name, limits) => {
      log.push(`waits for ${namespace}/${name}`);
      await heard(clock, (call) => (listening.add(call), () => void listening.delete(call)), limits);
      if (broken) throw broken;
      return clock.now() < limits.deadline;
    },
    close() {},
  };
  const command = parseCommand(
    { target: { namespace: 'team-a', name: 'web' } },
    { action, trigger: 'schedule', requestId: 'evening', requestedAt: t0 },
  );
  const job: Job = {
    ...{ place: { namespace: 'team-a', name: 'web' }, wukong, action, work: work ?? { do: 'command', command } },
    ...{ group: groupOf('office'), wave: 0, jitterMs: 0 },
  };
  const to = {
    ...{ world: { ...world, clock }, machines, deadline: t0 + 60_000, allBegun: allBegun.signal },
    done: { outcomes: [], sent: [], left: [], failures: [] },
    limiter: { turn: async (...asked: unknown[]) => void log.push(`turn ${[asked[0], asked[2], asked[3]].join(' ')}`) },
  } as unknown as Execution;
  const show = (next: Machine, error?: Error) => {
    [machine, broken] = [next, error];
    for (const call of [...listening]) call();
  };
  const at = (ms: number, happens: () => void) => void clock.after(ms, happens);
  const release = () => void log.push(`released at ${clock.now() - t0}`);
  const took = (work: () => Promise<unknown>) => clock.run(async () => [await work(), clock.now() - t0], { sims: [] });
  return {
    ...{ job, to, log, told, asked, within, show, at, allBegun },
    follows: (one: Job = job, within: Execution = to) => took(() => follow(one, within, release)),
    sends: () => took(() => overBus({ job, asked: () => log.push('asked'), release } as never, to)),
  };
}

describe('what is wished', () => {
  it.each<[Action, Machine, boolean]>([
    ['stop', off, true],
    ['stop', on, false],
    ['start', on, true],
    ['start', off, false],
  ])('by a %s is so: %#', (action, machine, so) => expect(isThere(action, machine)).toBe(so));
});

describe('a VM that another process switches', () => {
  it('is followed until it is as wished, and holds its place while it loads the cluster', async () => {
    const its = elsewhere('stop', on);
    its.at(5_000, () => its.show(going));
    its.at(9_000, () => its.show(off));
    expect(await its.follows()).toEqual([undefined, 9_000]);
    expect(its.log).toEqual(['waits for team-a/web-vm', 'released at 5000', 'waits for team-a/web-vm']);
  });

  it('is not followed where it is as wished, is not there, or nobody knows its Wukong', async () => {
    const all = [elsewhere('stop', off), elsewhere('start', on), elsewhere('stop', machineOf(null, null))];
    for (const one of all) expect([await one.follows(), one.log]).toEqual([[undefined, 0], []]);
    const { wukong: _none, ...alone } = all[0]!.job;
    const nobody = elsewhere('stop', on);
    expect([await nobody.follows(alone), nobody.log]).toEqual([[undefined, 0], []]);
  });

  it('that does not come up gives its place back at once', async () => {
    const its = elsewhere('start', crashing);
    its.at(1_000, () => its.show(on));
    expect(await its.follows()).toEqual([undefined, 1_000]);
    expect(its.log[0]).toBe('released at 0');
  });

  it('is left when the time is up, when all were begun, and when nobody can see it any more', async () => {
    expect(await elsewhere('stop', on).follows()).toEqual([undefined, 60_000]);
    const begun = elsewhere('stop', on);
    begun.at(2_000, () => begun.allBegun.abort());
    expect(await begun.follows()).toEqual([undefined, 2_000]);
    const blind = elsewhere('stop', on);
    blind.at(3_000, () => blind.show(on, new Error('the watch failed')));
    expect(await blind.follows()).toEqual([undefined, 3_000]);
  });
});

describe('whose end is not seen on the VM', () => {
  const id = (requestId: string) => write(operation({ requestId }));
  const last = (requestId: string) => write({ ...lastAfter(operation({ requestId }), ended) });
  const as = (annotations?: Record<string, string>): [number, Wukong] => [
    200,
    { metadata: { ...wukong.metadata, annotations } },
  ];
  const begun = as({ [operationKey]: id('theirs') })[1];
  const long = (its: ReturnType<typeof elsewhere>) => ({ ...its.to, deadline: t0 + 600_000 }) as Execution;

  it.each<[string, Record<string, string> | undefined]>([
    ['is over', undefined],
    ['made way for another', { [operationKey]: id('other') }],
  ])('is found by its record, which is read every minute: it %s', async (_what, after) => {
    const its = elsewhere('start', off, { do: 'await' }, [as(begun.metadata.annotations), as(after)]);
    its.at(1_000, () => its.show(off));
    expect(await its.follows({ ...its.job, wukong: begun }, long(its))).toEqual([undefined, 120_000]);
    expect(its.asked.map(({ method }) => method)).toEqual(['GET', 'GET']);
  });

  it('goes on where its record cannot be read, and ends with the time', async () => {
    const its = elsewhere('start', off, { do: 'await' }, [[500]]);
    expect(await its.follows({ ...its.job, wukong: begun }, { ...its.to, deadline: t0 + 90_000 })).toEqual([
      undefined,
      90_000,
    ]);
    expect(its.within).toEqual([{ deadline: t0 + 90_000, signal: its.allBegun.signal }]);
  });

  it('is found by the record of its end, where it went over the bus', async () => {
    const [fresh, mine, other] = [as(), as({ [operationKey]: id('evening') }), as({ [lastKey]: last('earlier') })];
    const its = elsewhere('start', off, undefined, [fresh, mine, other, as({ [lastKey]: last('evening') })]);
    expect(await its.follows(its.job, long(its))).toEqual([undefined, 240_000]);
  });
});

describe('a command that goes over the bus', () => {
  it('waits for its turn, is sent once, and then followed', async () => {
    const its = elsewhere('stop', on);
    its.at(4_000, () => its.show(off));
    expect(await its.sends()).toEqual([undefined, 4_000]);
    expect(its.log).toEqual(['turn stop team-a office', 'asked', 'waits for team-a/web-vm']);
    expect(its.told).toMatchObject([
      { type: 'Wukong VM Stop Requested', time: t0, detail: { requestId: 'evening', target: { name: 'web' } } },
    ]);
    expect(its.to.done.sent).toEqual([its.job]);
  });

  it('gives its place back when the VM loads the cluster no longer', async () => {
    const its = elsewhere('stop', going);
    its.at(4_000, () => its.show(off));
    await its.sends();
    expect(its.log).toContain('released at 0');
  });

  it('is a command', async () => {
    const its = elsewhere('stop', on, { do: 'declared' });
    await expect(its.sends()).rejects.toThrow('only commands go over the bus, and this is declared');
    expect([its.log, its.told]).toEqual([[], []]);
  });
});
