import { describe, expect, test } from 'vitest';

import { decide, type Facts } from '../../shared/schedule/decide.ts';
import type { Schedule } from '../../shared/schedule/schedule.ts';
import { at, facts, never, schedule } from './schedules.ts';

// A Tuesday evening; the schedule stops at 18:00 UTC, and starts at 06:00 UTC of the next day.
const stopAt = at('2026-03-31T18:00:00Z');
const keepUntil = (time: string) => ({ 'keep-running-until': `2026-03-31T${time}Z` });
const enforced = (name?: string) => schedule({ policy: 'Enforce' }, name);
const because = 'stop of 2026-03-31T20:00 by schedule dev/office';
const ended = (time: string) =>
  `lifecycle.novasphere.dev/keep-running-until ended at 2026-03-31T${time}Z, and schedule dev/office wants stop since 2026-03-31T20:00`;

interface Case {
  name: string;
  schedules?: Schedule[];
  facts?: Facts;
  now?: string;
  expected: object;
}
const table = (cases: Case[]) =>
  test.each(cases)('$name', ({ schedules = [schedule()], facts: known = facts(), now = '18:00:00', expected }) =>
    expect(decide(schedules, known, at(now.includes('T') ? now : `2026-03-31T${now}Z`))).toMatchObject(expected),
  );
const nothing = (why: string, until?: string) => ({ do: 'nothing', because: why, until: until && at(until) });
const skip = (reason: string, message: string) => ({ do: 'skip', reason, message, boundary: { at: stopAt } });

describe('every decision says why', () => {
  table([
    { name: 'no schedule', schedules: [], expected: nothing('no schedule selects it') },
    {
      name: 'only suspended ones',
      schedules: [schedule({ suspend: true })],
      expected: nothing('its schedules are suspended'),
    },
    { name: 'none that ever happens', schedules: [never()], expected: nothing('nothing is due') },
    {
      name: 'what is due',
      expected: { do: 'stop', because, boundary: { at: stopAt, action: 'stop' }, remember: { lastHandled: stopAt } },
    },
    {
      name: 'the newer of two, in whatever order',
      schedules: [schedule(), schedule({ stop: '30 19 * * *' }, 'early')],
      expected: { do: 'stop', because },
    },
    {
      name: 'the newer of two, the other way round',
      schedules: [schedule({ stop: '30 19 * * *' }, 'early'), schedule()],
      expected: { do: 'stop', because },
    },
    ...[[0, 1] as const, [1, 0] as const].map(([a, b]): Case => {
      const two = [schedule({}, 'day'), schedule({ start: undefined, stop: '0 8 * * *' }, 'night')] as const;
      return {
        name: `of two at one instant the start, as ${a === 0 ? 'the first' : 'the second'}`,
        schedules: [two[a], two[b]],
        now: '2026-04-01T06:00:00Z',
        expected: { do: 'start', boundary: { schedule: { key: 'dev/day' } } },
      };
    }),
    {
      name: 'a Wukong that was made after the boundary',
      facts: facts({}, { createdAt: stopAt + 1 }),
      now: '18:00:01',
      expected: nothing('nothing is due'),
    },
    {
      name: 'a freeze, and its end',
      facts: facts({}, { freezeUntil: at('2026-03-31T19:00:00Z') }),
      expected: nothing('all schedules are frozen until 2026-03-31T19:00:00Z', '2026-03-31T19:00:00Z'),
    },
    {
      name: 'a freeze whose end cannot be read',
      facts: facts({}, { freezeUntil: Infinity }),
      expected: { ...nothing('all schedules are frozen, whose time cannot be read'), until: Infinity },
    },
    {
      name: 'skip-next',
      facts: facts({ 'skip-next': 'true' }),
      expected: skip('Override', `The ${because}, is skipped once: skip-next on the Wukong.`),
    },
    {
      name: 'protected, and the boundary is done with',
      facts: facts({ protected: 'true' }),
      expected: {
        ...skip('Protected', `The ${because}, is not done: protected on the Wukong.`),
        remember: { lastHandled: stopAt },
      },
    },
    {
      name: 'an override',
      facts: facts(keepUntil('21:00:00')),
      expected: skip(
        'Override',
        `The ${because}, is held back: lifecycle.novasphere.dev/keep-running-until on the Wukong until 2026-03-31T21:00:00Z.`,
      ),
    },
    {
      name: 'what was missed',
      now: '19:00:01',
      expected: skip('Stale', `Missed: ${because} is 3601 s late, more than 3600 s.`),
    },
    {
      name: 'but Enforce does it all the same',
      schedules: [enforced()],
      now: '19:00:01',
      expected: { do: 'stop', enforced: false },
    },
    {
      name: 'jitter',
      schedules: [schedule({ jitterSeconds: 600 })],
      now: '06:00:00',
      expected: { do: 'nothing', because: 'start of 2026-03-31T08:00 by schedule dev/office, spread by its jitter' },
    },
  ]);
});

describe('how long a decision is wanted, and where it is kept', () => {
  const of = (known: Facts, time: string, one = schedule()) => {
    const decision = decide([one], known, at(`2026-03-31T${time}Z`));
    if (decision.do === 'nothing') return decision;
    if (decision.do === 'skip') return [decision.reason, decision.told, decision.keep];
    const { resumed, expires, keep } = decision;
    return [decision.do, resumed, expires, keep];
  };
  const deadline = at('2026-03-31T19:00:00Z');
  const withheld = { withheld: stopAt };
  test('a boundary of its own: up to its deadline; the mark of its schedule says that it was done', () => {
    expect(of(facts(), '18:00:00')).toEqual(['stop', false, deadline, undefined]);
    expect(of(facts(), '19:00:00')).toEqual(['stop', false, deadline, undefined]);
    expect(of(facts(), '19:00:01')).toEqual(['Stale', false, undefined]);
  });
  test('one that waits for its wave: for longer, and for ever', () => {
    const waiting = (time: string) => facts({}, { turnAt: at(`2026-03-31T${time}Z`) });
    expect(of(waiting('18:30:00'), '19:00:01')).toEqual(['stop', false, undefined, undefined]);
    expect(of(waiting('18:30:00'), '19:30:00')).toEqual(['stop', false, undefined, undefined]);
    expect(of(waiting('18:30:00'), '19:30:01')).toEqual(['Stale', false, undefined]);
    expect(of(waiting('17:00:00'), '19:00:00')).toEqual(['stop', false, deadline, undefined]);
  });
  test('one that is enforced: for ever', () => {
    expect(of(facts(), '18:00:00', enforced())).toEqual(['stop', false, undefined, undefined]);
  });
  test('one that was held back, and is not any more: for ever, and with the Wukong', () => {
    expect(of(facts({}, withheld), '18:30:00')).toEqual(['stop', false, undefined, true]);
    expect(of(facts({}, withheld), '19:00:01')).toEqual(['stop', false, undefined, true]);
    expect(of(facts({ protected: 'true' }, withheld), '18:30:00')).toEqual(['Protected', false, true]);
    expect(of(facts(keepUntil('21:00:00'), withheld), '18:30:00')).toEqual(['Override', true, undefined]);
    expect(of(facts(keepUntil('21:00:00')), '18:30:00')).toEqual(['Override', false, undefined]);
  });
  test('the end of an override: for ever, and with the Wukong', () => {
    const ended = facts(keepUntil('21:00:00'), withheld);
    expect(of(ended, '21:00:00')).toEqual(['stop', true, undefined, true]);
    expect(of(ended, '22:00:01')).toEqual(['Stale', false, true]);
    expect(
      of({ ...ended, ...facts({ ...keepUntil('21:00:00'), protected: 'true' }), ...withheld }, '21:00:00'),
    ).toEqual(['Protected', false, true]);
  });
  test('what is spread: as when its moment comes', () => {
    const one = schedule({ jitterSeconds: 600 });
    const now = at('2026-03-31T06:00:00Z');
    expect(decide([one], facts(), now)).toMatchObject({
      do: 'nothing',
      then: { do: 'start', enforced: false, resumed: false, expires: now + 3_600_000, remember: { lastHandled: now } },
    });
  });
});

describe('the end of an override', () => {
  const later = facts(keepUntil('21:00:00'), { withheld: stopAt });
  const resumed = { do: 'stop', because: ended('21:00:00'), boundary: { note: ended('21:00:00') } };
  table([
    { name: 'is when the schedule rules again', facts: later, now: '21:00:00', expected: resumed },
    { name: 'counts for as long as a boundary would', facts: later, now: '22:00:00', expected: resumed },
    { name: 'and no longer', facts: later, now: '22:00:01', expected: { do: 'skip', reason: 'Stale' } },
    {
      name: 'does not use up skip-next',
      facts: facts({ ...keepUntil('21:00:00'), 'skip-next': 'true' }, { withheld: stopAt }),
      now: '21:00:00',
      expected: resumed,
    },
    {
      name: 'before the boundary does not matter',
      facts: facts(keepUntil('17:00:00')),
      expected: { do: 'stop', because, remember: { lastHandled: stopAt } },
    },
    { name: 'at the boundary does not matter', facts: facts(keepUntil('18:00:00')), expected: { do: 'stop', because } },
    {
      name: 'does not make up for what was skipped',
      facts: facts(keepUntil('21:00:00'), { lastHandled: stopAt, skipped: stopAt }),
      now: '21:00:00',
      expected: nothing('nothing is due'),
    },
    {
      name: 'is none while another one holds',
      facts: facts(keepUntil('19:00:00'), { lastHandled: stopAt, namespace: keepUntil('23:00:00') }),
      now: '19:30:00',
      expected: nothing('nothing is due'),
    },
    {
      name: 'from before the Wukong was made does not matter',
      facts: facts(keepUntil('21:00:00'), { createdAt: at('2026-03-31T21:00:01Z') }),
      now: '21:30:00',
      expected: nothing('nothing is due'),
    },
    {
      name: 'from before the schedule was made does not matter',
      schedules: [schedule({}, 'office', '2026-03-31T21:00:01Z')],
      facts: later,
      now: '21:30:00',
      expected: nothing('nothing is due'),
    },
    {
      name: 'as the Wukong was made does',
      facts: facts(keepUntil('21:00:00'), { createdAt: at('2026-03-31T21:00:00Z') }),
      now: '21:30:00',
      expected: resumed,
    },
  ]);
});

describe('Enforce', () => {
  const night = '22:00:00';
  const is = (power: 'on' | 'off', annotations = {}, more: Partial<Facts> = {}) =>
    facts(annotations, { lastHandled: stopAt, power, ...more });
  const stopped = { 'keep-stopped-until': '2026-04-01T12:00:00Z' };
  const kept = { 'keep-running-until': '2026-04-01T12:00:00Z' };
  const morning = '2026-04-01T07:00:00Z';
  const started = at('2026-04-01T06:00:00Z');
  table([
    {
      name: 'stops what was switched on',
      schedules: [enforced()],
      facts: is('on'),
      now: night,
      expected: {
        do: 'stop',
        because: 'it is on, and should be off by schedule dev/office since 2026-03-31T20:00 (Enforce)',
        boundary: { at: stopAt, action: 'stop' },
        enforced: true,
        remember: {},
      },
    },
    {
      name: 'starts what is to be kept running',
      schedules: [enforced()],
      facts: is('off', kept),
      now: night,
      expected: {
        do: 'start',
        because: 'it is off, and should be on by lifecycle.novasphere.dev/keep-running-until on the Wukong (Enforce)',
        boundary: { at: stopAt, action: 'start' },
      },
    },
    {
      name: 'stops what is to be kept stopped',
      schedules: [enforced()],
      facts: is('on', stopped, { lastHandled: started }),
      now: morning,
      expected: {
        do: 'stop',
        because: 'it is on, and should be off by lifecycle.novasphere.dev/keep-stopped-until on the Wukong (Enforce)',
      },
    },
    {
      name: 'knows no way between two overrides',
      schedules: [enforced()],
      facts: is('on', { ...kept, ...stopped }),
      now: night,
      expected: nothing('overrides hold back both start and stop'),
    },
    {
      name: 'leaves what was skipped',
      schedules: [enforced()],
      facts: is('on', {}, { skipped: stopAt }),
      now: night,
      expected: nothing('stop of 2026-03-31T20:00 was skipped'),
    },
    {
      name: 'starts what is to be kept running, though its stop was skipped',
      schedules: [enforced()],
      facts: is('off', kept, { skipped: stopAt }),
      now: night,
      expected: { do: 'start' },
    },
    {
      name: 'stops what is to be kept stopped, though its stop was skipped',
      schedules: [enforced()],
      facts: is('on', stopped, { skipped: stopAt }),
      now: night,
      expected: { do: 'stop' },
    },
    {
      name: 'leaves the protected running',
      schedules: [enforced()],
      facts: is('on', { protected: 'true' }),
      now: night,
      expected: nothing('protected on the Wukong'),
    },
    {
      name: 'starts the protected',
      schedules: [enforced()],
      facts: is('off', { protected: 'true' }, { lastHandled: started }),
      now: morning,
      expected: { do: 'start', enforced: true },
    },
  ]);
});
