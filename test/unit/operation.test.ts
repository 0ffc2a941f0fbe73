import { describe, expect, it } from 'vitest';

import { claimDeadline, undoneUntil } from '../../shared/domain/claimTimes.ts';
import type { Command } from '../../shared/domain/command.ts';
import { lastAfter, settledBy } from '../../shared/domain/earlier.ts';
import type { LifecycleState, Wukong } from '../../shared/domain/model.ts';
import {
  lastKey,
  lastOf,
  newestDone,
  operationKey,
  operationOf,
  outcomeOf,
  runningOf,
  settledKey,
  settledOf,
  skippedKey,
  skippedOf,
  untoldEnd,
  write,
} from '../../shared/domain/operation.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { operation, s, t0 } from './machines.ts';

const wukong = (annotations?: Record<string, string>, shown?: Partial<LifecycleState>): Wukong => ({
  metadata: { namespace: 'team-a', name: 'web', annotations },
  ...(shown ? { status: { lifecycleState: shown as LifecycleState } } : {}),
});
const plain = { namespace: 'team-a', name: 'web', action: 'stop', requestId: 'request', trigger: 'direct' } as const;
const times = { startedAt: t0, finishedAt: t0 + s };
const stopped: Outcome = { outcome: 'Stopped', message: 'off', forced: false, ...plain, ...times };
const forced: Outcome = {
  outcome: 'ForcedOff',
  forceReason: 'Requested',
  message: 'off',
  forced: true,
  ...plain,
  ...times,
};
const failed: Outcome = { outcome: 'Failed', reason: 'Stuck', message: 'there', forced: false, ...plain, ...times };

describe('an operation under way', () => {
  const claimed = wukong({ [operationKey]: write(operation({ deadline: t0 + 60 * s })) });

  it('is so until its time is over', () => {
    expect(runningOf(claimed, t0 + 60 * s - 1)?.action).toBe('stop');
    expect(runningOf(claimed, t0 + 60 * s)).toBeUndefined();
    expect(runningOf(wukong({}), t0)).toBeUndefined();
  });
});

describe('the record', () => {
  const full = operation({
    step: 'PodDeleted',
    forceAt: t0 + 45 * s,
    vmiUid: 'one',
    comebacks: 1,
    attempts: 2,
    restore: 'Manual',
    force: true,
    graceSeconds: 60,
    cappedFrom: 61,
    deletePodWhenStuck: true,
    leaseSeconds: 9,
    reason: 'r',
    requestedBy: 'b',
    declared: { any: 'thing' },
    supersedes: [
      { requestId: 'old', action: 'start', trigger: 'http', startedAt: t0 - s },
      { requestId: 'older', action: 'stop', trigger: 'http', startedAt: t0 - 2 * s },
    ],
    sharpenedBy: [{ requestId: 'sharper', action: 'stop', trigger: 'http', startedAt: t0 }],
    died: 2,
    periodSeconds: 30,
    thenStart: true,
    restartOf: { uid: 'before', message: 'off' },
  });
  const of = (text: string) => operationOf(wukong({ [operationKey]: text }));
  const without = (...keys: string[]) => {
    const record = JSON.parse(write(full)) as Record<string, unknown>;
    for (const key of keys) delete record[key];
    return of(JSON.stringify(record));
  };

  it('is read as it was written, in every step', () => {
    for (const step of ['Claimed', 'AskedAgain', 'Forced', 'PodDeleted'] as const)
      expect(of(write({ ...full, step }))).toEqual({ ...full, step });
  });

  it('has its instants in RFC 3339 with milliseconds, and only those', () => {
    const text = write({ ...operation({ forceAt: t0 }), declared: { deadline: 'never' } });
    const at = '"2026-11-23T20:00:00.000Z"';
    for (const key of ['stepAt', 'requestedAt', 'startedAt', 'forceAt']) expect(text).toContain(`"${key}":${at}`);
    expect(text).toContain('"deadline":"2026-11-23T20:10:00.000Z"');
    expect(text).toContain('"declared":{"deadline":"never"}');
    expect(write(lastAfter(full, stopped))).toContain('"finishedAt":"2026-11-23T20:00:01.000Z"');
    expect(of(text.replaceAll('.000Z', '+00:00'))?.deadline).toBe(t0 + 600 * s);
  });

  it('is read once, whatever else is read beside it, until it is another', () => {
    const annotations = { [operationKey]: write(full), [lastKey]: write(lastAfter(full, stopped)) };
    const first = operationOf(wukong(annotations));
    const last = lastOf(wukong(annotations));
    expect(operationOf(wukong(annotations))).toBe(first);
    expect(lastOf(wukong(annotations))).toBe(last);
    annotations[operationKey] = write({ ...full, attempts: 3 });
    expect(operationOf(wukong(annotations))?.attempts).toBe(3);
  });

  it('is one only of the Wukong that it was written for', () => {
    const { metadata } = wukong({ [operationKey]: write({ ...full, wukongUid: 'one' }) });
    const of = (uid: string) => operationOf({ metadata: { ...metadata, uid } })?.wukongUid;
    expect([of('one'), of('two')]).toEqual(['one', undefined]);
  });

  it('shows no more than 1024 characters of what somebody said', () => {
    expect(of(write({ ...full, reason: 'x'.repeat(1_025) }))?.reason).toHaveLength(1_024);
  });

  it('of an older version has what was not known then', () => {
    const old = without('comebacks', 'attempts', 'force', 'deletePodWhenStuck', 'waitSeconds', 'supersedes');
    expect(old).toMatchObject({ comebacks: 0, attempts: 1, force: false, deletePodWhenStuck: false, waitSeconds: 300 });
    expect(old?.supersedes).toEqual([]);
  });

  it.each(['requestId', 'holder', 'action', 'step', 'stepAt', 'trigger', 'requestedAt', 'startedAt', 'deadline'])(
    'without its %s is none',
    (key) => expect(without(key)).toBeUndefined(),
  );

  it('that cannot be understood is none', () => {
    expect(of('{')).toBeUndefined();
    expect(operationOf({ metadata: { name: 'web' } })).toBeUndefined();
  });
});

describe('what stays after the end', () => {
  it('tells it again just as it was', () => {
    const unseen: Outcome = { ...stopped, observed: false };
    for (const outcome of [stopped, forced, failed, unseen]) {
      const last = lastOf(wukong({ [lastKey]: write(lastAfter(operation({}), outcome)) }));
      expect(outcomeOf(wukong(), last!)).toEqual(outcome);
    }
    const renamed = write(lastAfter(operation({}), failed)).replace('"Stuck"', '"Weather"');
    expect(outcomeOf(wukong(), lastOf(wukong({ [lastKey]: renamed }))!)).toMatchObject({ reason: 'Unknown' });
    expect(outcomeOf({ metadata: { name: 'web' } }, lastAfter(operation({}), stopped)).namespace).toBe('');
  });

  it('says that the end was not observed only where that is so', () => {
    expect(outcomeOf(wukong(), lastAfter(operation({}), stopped))).not.toHaveProperty('observed');
  });

  it('knows what the requests before it were for, and which joined it', () => {
    const earlier = {
      earlier: ['c', 'b', 'a'],
      earlierActions: ['start', 'stop', null] as ('start' | 'stop' | null)[],
    };
    const last = { ...lastAfter(operation({}), stopped), ...earlier };
    expect(lastOf(wukong({ [lastKey]: write(last) }))).toMatchObject(earlier);
    const joined = { to: 'c', requests: [{ requestId: 'd', action: 'stop' as const, trigger: 'http', startedAt: t0 }] };
    const so = { requestId: 'e', action: 'stop', outcome: 'AlreadyOff', requestedAt: t0, ...earlier, joined } as const;
    expect(settledOf(wukong({ [settledKey]: write(so) }))).toEqual(so);
  });

  it('remembers the strategy, and the requests that were taken over', () => {
    const supersedes = [{ requestId: 'old', action: 'start' as const, trigger: 'http', startedAt: t0 }];
    const last = lastAfter(operation({ restore: 'Once', supersedes, requestedAt: t0 - s }), stopped);
    expect(last).toMatchObject({ restore: 'Once', requestedAt: t0 - s, superseded: supersedes });
    expect(lastOf(wukong({ [lastKey]: write(last) }))).toEqual({ ...last, reason: undefined });
    const later = lastAfter(operation({ requestId: 'later' }), stopped, { ...last, earlier: ['first'] });
    expect(later.earlier).toEqual([last.requestId, 'old', 'first']);
    expect(lastOf(wukong({ [lastKey]: write(later) }))?.earlier).toEqual(later.earlier);
    const many = Array.from({ length: 20 }, (_, i) => `r-${i}`);
    expect(lastAfter(operation({}), stopped, { ...last, earlier: many }).earlier).toHaveLength(8);
    expect(lastAfter(operation({}), stopped)).not.toHaveProperty('earlier');
    expect(lastAfter(operation({}), stopped)).not.toHaveProperty('superseded');
    expect(lastAfter(operation({}), stopped)).not.toHaveProperty('forceReason');
  });
});

describe('an end that was not told', () => {
  const last = lastAfter(operation({}), stopped);
  const has = (shown?: Partial<LifecycleState>) => wukong({ [lastKey]: write(last) }, shown);
  const minutes30 = last.finishedAt + 1_800 * s;
  it.each<[string, Wukong, number, boolean]>([
    ['where the status shows nothing', has(), t0, true],
    ['where the status has no lifecycle', { ...has(), status: {} }, t0, true],
    ['where the status shows another', has({ requestId: 'other', outcome: 'Stopped' }), t0, true],
    ['where the status shows that it was under way', has({ requestId: 'request', outcome: 'InProgress' }), t0, true],
    ['but not where the status shows it', has({ requestId: 'request', outcome: 'Stopped' }), t0, false],
    ['for half an hour', has(), minutes30, true],
    ['and not for longer', has(), minutes30 + 1, false],
    ['where another clock is a minute ahead', has(), last.finishedAt - 60 * s, true],
    ['but not where it has yet to come', has(), last.finishedAt - 60 * s - 1, false],
    ['but not where nothing has ended', wukong(undefined, { requestId: 'x' }), t0, false],
    ['but not where nothing ever was', wukong(), t0, false],
  ])('is found %s', (_, given, now, found) =>
    expect(untoldEnd(given, now)?.requestId).toBe(found ? 'request' : undefined),
  );
});

describe('what was so already', () => {
  const command = { requestId: 'new', action: 'stop', requestedAt: t0 } as Command;
  const settled = (requestId: string, earlier: string[], requestedAt = t0) =>
    ({ requestId, action: 'start', outcome: 'AlreadyOn', requestedAt, earlier }) as const;

  it('is remembered with the four before it', () => {
    const alone = { requestId: 'new', action: 'stop', outcome: 'AlreadyOff', requestedAt: t0, earlier: [] };
    expect(settledBy(command, 'AlreadyOff', wukong())).toEqual(alone);
    const before = wukong({ [settledKey]: write(settled('4', ['3', '2', '1', '0'])) });
    expect(settledBy(command, 'AlreadyOff', before)).toEqual({
      ...alone,
      earlierActions: ['start', null, null, null],
      earlier: ['4', '3', '2', '1'],
    });
    expect(settledOf(before)).toEqual(settled('4', ['3', '2', '1', '0']));
    const { earlier: _, ...old } = settled('4', []);
    expect(settledOf(wukong({ [settledKey]: JSON.stringify(JSON.parse(write(old as never))) }))?.earlier).toEqual([]);
  });

  it('and what was done: the newer wish counts', () => {
    const both = (at: number) =>
      newestDone(
        wukong({
          [lastKey]: write(lastAfter(operation({}), stopped)),
          [settledKey]: write(settled('settled', [], at)),
        }),
      )?.requestId;
    expect([both(t0 + 1), both(t0 - 1)]).toEqual(['settled', 'request']);
    const ahead = { [lastKey]: write({ ...lastAfter(operation({}), stopped), requestedAt: t0 + 61 * s }) };
    const known = { ...ahead, [settledKey]: write(settled('settled', [])) };
    expect([newestDone(wukong(known), t0)?.requestId, newestDone(wukong(known))?.requestId]).toEqual([
      'settled',
      'request',
    ]);
    expect(newestDone(wukong())).toBeUndefined();
    expect(newestDone(wukong({ [lastKey]: write(lastAfter(operation({}), stopped)) }))?.requestId).toBe('request');
    expect(newestDone(wukong({ [settledKey]: write(settled('settled', [])) }))?.requestId).toBe('settled');
  });
});

it('what was skipped is remembered, and nothing where that cannot be understood', () => {
  const skipped = [{ requestId: 'a', reason: 'Protected' }];
  const of = (text: string) => skippedOf(wukong({ [skippedKey]: text }));
  expect(of(JSON.stringify(skipped))).toEqual(skipped);
  expect(of('[{"requestId":"a","reason":"Weather"}]')).toEqual([]);
  expect(skippedOf(wukong())).toEqual([]);
  const late = [
    { requestId: 'request', reason: 'Superseded', action: 'start' },
    { requestId: 'other', reason: 'Superseded', action: 'stop' },
  ];
  expect(of(JSON.stringify(late))).toEqual(late);
});

describe('how long', () => {
  it('a claim holds', () => {
    expect(claimDeadline({ action: 'start', waitSeconds: 10 }, t0, 99)).toBe(t0 + 70 * s);
    expect(claimDeadline({ action: 'stop', waitSeconds: 99 }, t0, 10)).toBe(t0 + 445 * s);
  });
  it('a superseded owner who wanted the opposite may still be heard of', () => {
    const old = (action: 'start' | 'stop') => ({ requestId: 'old', action, trigger: 'http', startedAt: t0 });
    expect(undoneUntil(operation({ supersedes: [old('stop'), old('start')] }))).toBe(t0 + 35 * s);
    expect(undoneUntil(operation({ supersedes: [old('stop')] }))).toBe(t0);
    expect(undoneUntil(operation({}))).toBe(t0);
  });
});

describe('a record that somebody wrote who may patch the Wukong', () => {
  const at = new Date(t0).toISOString();
  const times = { requestedAt: at, startedAt: at, finishedAt: at };
  const last = { requestId: 'r', action: 'stop', outcome: 'Stopped', message: 'off', trigger: 'direct', ...times };
  const read = (more: object) => lastOf(wukong({ [lastKey]: JSON.stringify({ ...last, ...more }) }));

  it.each(['9999-12-31T23:59:59-23:59', '0000-01-01T00:00:00+23:59'])(
    'is none where an instant is of no year that a status takes (%s)',
    (startedAt) => {
      expect(read({ startedAt })).toBeUndefined();
      expect(read({ startedAt: '9999-12-31T23:59:59Z' })?.startedAt).toBe(Date.parse('9999-12-31T23:59:59Z'));
      const claimed = JSON.parse(write(operation({}))) as object;
      expect(operationOf(wukong({ [operationKey]: JSON.stringify({ ...claimed, startedAt }) }))).toBeUndefined();
    },
  );

  it.each([1e300, -1e300])('waits for no time that nobody could write down (%d s)', (given) => {
    const keys = ['waitSeconds', 'graceSeconds', 'periodSeconds', 'cappedFrom', 'leaseSeconds'] as const;
    const claimed = JSON.parse(write(operation({}))) as object;
    for (const key of keys) {
      const text = JSON.stringify({ ...claimed, [key]: given });
      expect(operationOf(wukong({ [operationKey]: text }))?.[key], key).toBe(given > 0 ? 1e9 : 0);
    }
  });

  it('has no more told of other requests than one of ours has', () => {
    const named = Array.from({ length: 300 }, (_, i) => ({
      ...{ requestId: `r${i}`, action: 'stop', trigger: 't', startedAt: at },
    }));
    const found = read({ superseded: named, sharpenedBy: named });
    expect([found?.superseded, found?.sharpenedBy].map((all) => all?.map(({ requestId }) => requestId).join())).toEqual(
      Array(2).fill('r0,r1,r2,r3,r4,r5,r6,r7,r8,r9'),
    );
    const claimed = JSON.parse(write(operation({}))) as object;
    const running = operationOf(wukong({ [operationKey]: JSON.stringify({ ...claimed, supersedes: named }) }));
    expect(running?.supersedes).toHaveLength(10);
  });
});
