import { expect, test } from 'vitest';

import { nextActionFor } from '../../shared/schedule/nextAction.ts';
import { rfc3339 } from '../../shared/time/clock.ts';
import { at, facts, never, schedule } from './schedules.ts';

const enforced = schedule({ policy: 'Enforce' });
const stopAt = at('2026-03-31T18:00:00Z');
const noon = '2026-03-31T10:00:00Z';
const skipNext = { 'skip-next': 'true' };

test.each([
  ['the next boundary', [schedule()], facts(), noon, 'stop 2026-03-31T18:00:00Z'],
  ['beside a schedule that never happens', [schedule(), never()], facts(), noon, 'stop 2026-03-31T18:00:00Z'],
  ['nothing', [never()], facts(), noon, undefined],
  ['nothing, though something may change', [never()], facts({ 'keep-running-until': 'friday' }), noon, undefined],
  [
    'after skip-next of the namespace',
    [schedule()],
    facts({}, { namespace: skipNext }),
    noon,
    'start 2026-04-01T06:00:00Z',
  ],
  [
    'after what is missed now, which does not use up skip-next',
    [schedule()],
    facts({}, { namespace: skipNext }),
    '2026-03-31T19:30:00Z',
    'stop 2026-04-01T18:00:00Z',
  ],
  [
    'after skip-next, which uses up no other annotation',
    [schedule()],
    facts({ ...skipNext, 'keep-stopped-until': '2026-04-01T08:00:00Z' }),
    noon,
    'start 2026-04-01T08:00:00Z',
  ],
  [
    'after skip-next, whose boundary is done with for good',
    [schedule()],
    facts({ ...skipNext, 'keep-stopped-until': '2026-03-31T18:30:00Z' }),
    noon,
    'start 2026-04-01T06:00:00Z',
  ],
  [
    'of the schedule, not what Enforce does to a change by hand',
    [enforced],
    facts({}, { power: 'on', lastHandled: stopAt, freezeUntil: at('2026-03-31T23:00:00Z') }),
    '2026-03-31T22:00:00Z',
    'start 2026-04-01T06:00:00Z',
  ],
  [
    'when what holds all of a namespace back ends',
    [schedule()],
    facts({}, { namespace: { 'keep-stopped-until': '2026-04-01T08:00:00Z' } }),
    '2026-03-31T22:00:00Z',
    'start 2026-04-01T08:00:00Z',
  ],
  [
    'with an override that cannot be read',
    [schedule()],
    facts({ 'keep-running-until': 'friday' }),
    noon,
    'start 2026-04-01T06:00:00Z',
  ],
])('what comes next: %s', (_, schedules, known, now, expected) => {
  const found = nextActionFor(schedules, known, at(now));
  expect(found && `${found.action} ${rfc3339(found.at)}`).toBe(expected);
});

test('what comes next says why', () => {
  expect(nextActionFor([schedule()], facts(), at(noon))).toMatchObject({
    because: 'stop of 2026-03-31T20:00 by schedule dev/office',
    boundary: { at: stopAt, action: 'stop' },
  });
});
