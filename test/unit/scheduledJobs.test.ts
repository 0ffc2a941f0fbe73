import { describe, expect, it } from 'vitest';

import type { Wukong } from '../../shared/domain/model.ts';
import { lastKey, type Operation, operationKey, write } from '../../shared/domain/operation.ts';
import type { Machine } from '../../shared/domain/vm.ts';
import { ScheduledJobs } from '../../shared/reconcile/scheduledJobs.ts';
import { memoryKey, writeMemory } from '../../shared/schedule/memory.ts';
import type { WukongSchedule } from '../../shared/schedule/schedule.ts';
import { timetable } from '../../shared/schedule/timetable.ts';
import { jitterMs } from '../../shared/schedule/wave.ts';
import { machineOf, operation } from './machines.ts';
import { at, office, prefix } from './schedules.ts';

// A Tuesday evening; the schedule stops at 18:00 UTC, and starts at 06:00 UTC of the next day.
const stopAt = at('2026-03-31T18:00:00Z');
const startAt = at('2026-04-01T06:00:00Z');
const minute = 60_000;
const made = '2026-01-01T00:00:00Z';
const on = (name: string) => machineOf({ adoptedBy: name });
const off = (name: string) => machineOf({ strategy: 'Halted', adoptedBy: name }, null);

const wukong = (annotations: Record<string, string> = {}, name = 'db', more: object = {}): Wukong => ({
  metadata: { namespace: 'dev', name, creationTimestamp: made, labels: { env: 'dev' }, annotations, ...more },
});
const object = (spec: object = {}, name = 'office'): WukongSchedule => ({
  metadata: { namespace: 'dev', name, creationTimestamp: made },
  spec: { ...office, ...spec },
});
const running = (more: Partial<Operation>) => ({ [operationKey]: write(operation(more)) });
const ended = (outcome: string, finishedAt: number, requestedAt = finishedAt - minute) => {
  const { deadline: _d, ...last } = operation({ requestedAt, startedAt: requestedAt });
  return { [lastKey]: write({ ...last, outcome, message: '', finishedAt } as never) };
};

interface Given {
  schedules?: WukongSchedule[];
  all?: Wukong[];
  look?: (name: string) => Machine;
  namespace?: Record<string, string>;
}
/** What is wanted of a Wukong by these schedules at an instant. */
function at20(one: Wukong, now: number, { schedules = [object()], all = [one], look = on, namespace }: Given = {}) {
  const see = ({ metadata }: Wukong) => look(metadata.name);
  const namespaces = new Map(namespace ? [['dev', namespace]] : []);
  const table = timetable(all, see, { schedules, findText: () => '', namespaces }, now, () => {});
  const jobs = new ScheduledJobs(table, see);
  const wanted = jobs.wanted(one);
  return { jobs, wanted, job: wanted?.do === 'job' ? wanted.job : undefined };
}

describe('what schedules want of a VM', () => {
  it('is a job: the command of the boundary, in the group of its schedule, in its wave', () => {
    const one = wukong({ [`${prefix}wave`]: '3' });
    const schedules = [object({ waves: { maxInFlight: 7, delaySeconds: 5 } })];
    const namespace = { team: 'a' };
    expect(at20(one, stopAt + minute, { schedules, namespace }).job).toEqual({
      place: { namespace: 'dev', name: 'db' },
      wukong: one,
      action: 'stop',
      work: { do: 'command', command: expect.objectContaining({ action: 'stop', requestedAt: stopAt }) },
      group: {
        key: 'schedule dev/office stop',
        maxInFlight: 7,
        delayMs: 5_000,
        known: new Map([[-3, { dueAt: stopAt }]]),
      },
      wave: -3,
      jitterMs: 0,
      namespaceAnnotations: namespace,
      next: { nextAction: 'start', nextActionTime: '2026-04-01T06:00:00Z' },
    });
    expect(at20(one, stopAt).job?.namespaceAnnotations).toEqual({});
  });

  it('is nothing where it is so already, unless something is under way that will change it', () => {
    expect(at20(wukong(), stopAt, { look: off }).wanted).toBeUndefined();
    const starting = wukong(running({ action: 'start', requestedAt: stopAt - minute }));
    expect(at20(starting, stopAt, { look: off }).job?.action).toBe('stop');
    // What is due is asked for, whatever is under way for the same: the newer wish counts.
    expect(at20(wukong(running({ action: 'stop', requestedAt: stopAt - minute })), stopAt).job?.action).toBe('stop');
    expect(at20(wukong(), stopAt, { schedules: [object({ stop: 'x' }, 'bad'), object()] }).job?.action).toBe('stop');
  });

  it('is nothing where no schedule rules it, and a skip where an override holds it back', () => {
    expect(at20(wukong({}, 'db', { labels: {} }), stopAt).wanted).toBeUndefined();
    const held = wukong({ [`${prefix}keep-running-until`]: '2026-03-31T21:00:00Z' });
    expect(at20(held, stopAt).wanted).toMatchObject({ do: 'skip', decision: { reason: 'Override' } });
  });

  it('is to be kept with the Wukong where no mark of a schedule says it, and it is so already', () => {
    const text = { [memoryKey]: writeMemory({ withheld: stopAt }) };
    const freed = at20(wukong(text), stopAt + minute, { look: off }).wanted;
    expect(freed).toMatchObject({ do: 'settle', decision: { do: 'stop', keep: true } });
    expect(at20(wukong(text), stopAt + minute).job?.action).toBe('stop');
  });

  it('is spread at a start by its jitter, at no stop, and not by what is enforced', () => {
    const [schedules, look] = [[object({ jitterSeconds: 600 })], off];
    const spread = jitterMs('dev/db', startAt, 600);
    expect(spread).toBeGreaterThan(0);
    expect(at20(wukong(), startAt, { schedules, look }).job).toMatchObject({ action: 'start', jitterMs: spread });
    expect(at20(wukong(), stopAt, { schedules }).job?.jitterMs).toBe(0);
    const enforced = [object({ jitterSeconds: 600, policy: 'Enforce' })];
    const later = { ...ended('Stopped', startAt + minute, startAt + 1) };
    const job = at20(wukong(later), startAt + 60 * minute, { schedules: enforced, look }).job;
    expect(job).toMatchObject({
      action: 'start',
      jitterMs: 0,
      work: { command: { requestedAt: startAt + 60 * minute } },
    });
  });

  it('comes as long after its boundary as what held it back has ended', () => {
    const [text, look] = [{ [`${prefix}keep-running-until`]: '2026-03-31T18:30:00Z' }, on];
    const kept = { ...text, [memoryKey]: writeMemory({ withheld: stopAt }) };
    const job = at20(wukong(kept), stopAt + 31 * minute, { look }).job;
    expect(job).toMatchObject({ action: 'stop', jitterMs: 30 * minute });
  });
});

describe('Enforce', () => {
  const schedules = [object({ policy: 'Enforce' })];
  const night = stopAt + 120 * minute;
  const asked = (more: Record<string, string>, now = night) => at20(wukong(more), now, { schedules }).wanted?.do;

  it('leaves in peace for a quarter of an hour what has just failed', () => {
    const failed = ended('Failed', night, stopAt);
    expect([asked(failed), asked(failed, night + 15 * minute - 1)]).toEqual([undefined, undefined]);
    expect(asked(failed, night + 15 * minute)).toBe('job');
    expect(asked(ended('Stopped', night, stopAt))).toBe('job');
  });

  it('is no reason to leave alone what is due', () => {
    const failed = ended('Failed', stopAt - minute);
    expect(at20(wukong(failed), stopAt).wanted?.do).toBe('job');
  });

  it('asks for nothing twice: what is under way already is left to that', () => {
    const stopping = { action: 'stop' as const, requestedAt: stopAt };
    expect(asked(running(stopping))).toBeUndefined();
    expect(asked(running({ action: 'start', requestedAt: stopAt }))).toBe('job');
  });
});

describe('the group of an operation', () => {
  const of = (more: Partial<Operation>, one = wukong(), schedules = [object()]) =>
    at20(one, stopAt + minute, { schedules, all: [wukong()], look: on }).jobs.groupOf(one, operation(more))?.key;
  const mine = { trigger: 'schedule', action: 'stop', requestedAt: stopAt } as const;

  it('is that of the schedule whose newest boundary it carries out', () => {
    const one = wukong();
    const { jobs } = at20(one, stopAt + minute, { schedules: [object({ stop: '0 12 * * *' }, 'noon'), object()] });
    const key = (more: Partial<Operation>) => jobs.groupOf(one, operation({ ...mine, ...more }))?.key;
    expect(key({})).toBe('schedule dev/noon stop');
    expect(key({ requestedAt: at('2026-03-31T10:00:00Z') })).toBe('schedule dev/noon stop');
    expect(key({ requestedAt: at('2026-03-31T09:59:59Z') })).toBeUndefined();
    expect([key({ trigger: 'http' }), key({ action: 'start' })]).toEqual([undefined, undefined]);
  });

  it('is that of the schedule that its id names, where the newest boundaries of two are for the same', () => {
    const one = wukong();
    const { jobs } = at20(one, stopAt + minute, { schedules: [object({ stop: '0 12 * * *' }, 'noon'), object()] });
    const key = (requestId: string) => jobs.groupOf(one, operation({ ...mine, requestId }))?.key;
    expect(key('schedule:dev/office@2026-03-31T18:00:00Z')).toBe('schedule dev/office stop');
    expect(key('schedule:dev/office@2026-03-31T18:00:00Z/enforced@2026-03-31T18:00:30Z')).toBe(
      'schedule dev/office stop',
    );
    expect(key('schedule:dev/noon@2026-03-31T18:00:00Z')).toBe('schedule dev/noon stop');
    expect(key('schedule:dev/off@2026-03-31T18:00:00Z'), 'a schedule that is gone').toBe('schedule dev/noon stop');
  });

  it('is none where no schedule rules the Wukong, or that one has never anything to do', () => {
    expect(of(mine)).toBeUndefined();
    const one = wukong();
    const closed = object({ stop: undefined, holidays: { dates: ['01-01..12-31'] } });
    expect(at20(one, stopAt, { schedules: [closed] }).jobs.groupOf(one, operation(mine))).toBeUndefined();
  });

  it('is one and the same for all that ask for it', () => {
    const one = wukong();
    const { jobs, job } = at20(one, stopAt + minute);
    expect(jobs.groupOf(one, operation(mine))).toBe(job?.group);
  });
});

describe('what is known of the waves of a group', () => {
  const [db, web] = [wukong({ [`${prefix}wave`]: '0' }), wukong({ [`${prefix}wave`]: '1' }, 'web')];
  const knownOf = (first: Wukong, look: (name: string) => Machine, schedules = [object()]) =>
    at20(db, stopAt + minute, { all: [first, db], look, schedules }).job?.group.known?.get(0);
  const open = {};
  const begun = { dueAt: stopAt };

  it('is that a later one waits for the VMs of an earlier one that are still on', () => {
    expect(knownOf(web, on)).toEqual(open);
    expect(knownOf(web, (name) => (name === 'web' ? off(name) : on(name)))).toEqual(begun);
  });

  it('is that it waits for what is under way there, whatever that is', () => {
    const under = (action: 'start' | 'stop') =>
      wukong({ [`${prefix}wave`]: '1', ...running({ action, requestedAt: stopAt - minute }) }, 'web');
    const look = (name: string) => (name === 'web' ? off(name) : on(name));
    expect([knownOf(under('stop'), look), knownOf(under('start'), look)]).toEqual([open, open]);
  });

  it('is that it waits neither for a VM that is not there, nor for one that nobody can read', () => {
    expect(knownOf(web, (name) => (name === 'web' ? machineOf(null, null) : on(name)))).toEqual(begun);
    let asked = 0;
    const unreadable = (name: string) => {
      if (name === 'web' && asked++ > 0) throw new Error('cannot be read');
      return on(name);
    };
    expect(knownOf(web, unreadable)).toEqual(begun);
  });

  it('is that it does not wait for what another schedule asks for there, or what is held back', () => {
    const kept = { [`${prefix}wave`]: '1', [`${prefix}keep-running-until`]: '2026-03-31T21:00:00Z' };
    expect(knownOf(wukong(kept, 'web'), on)).toEqual(begun);
    const later = object({ stop: '1 20 * * *', selector: { matchLabels: { also: 'this' } } }, 'later');
    const labels = { env: 'dev', also: 'this' };
    const both = wukong({ [`${prefix}wave`]: '1' }, 'web', { labels });
    expect(knownOf(both, on, [object(), later])).toEqual(begun);
  });

  it('is that it waits for one whose start is spread', () => {
    const schedules = [object({ jitterSeconds: 600 })];
    const [first, second] = [wukong({}, 'web'), wukong({ [`${prefix}wave`]: '1' })];
    const known = (look: (name: string) => Machine) =>
      at20(second, startAt + 10 * minute, { all: [first, second], look, schedules }).job?.group.known?.get(1);
    expect(known(off)).toEqual({});
    expect(known((name) => (name === 'web' ? on(name) : off(name)))).toEqual({ dueAt: startAt });
  });
});
