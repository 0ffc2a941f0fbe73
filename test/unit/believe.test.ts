import { expect, it } from 'vitest';

import { isBelievable, isContradicted } from '../../shared/domain/believe.ts';
import type { StateName } from '../../shared/domain/model.ts';
import {
  forceReasons,
  isFinal,
  isUnobserved,
  type OutcomeName,
  outcomeNames,
  reasonOf,
  skipReasons,
} from '../../shared/domain/outcome.ts';

const states = ['Running', 'Stopped', 'Starting'] as const satisfies StateName[];

it.each<['start' | 'stop', OutcomeName, string, string]>([
  ['start', 'Started', 'Running', 'Stopped'],
  ['start', 'AlreadyOn', 'Running', 'Stopped'],
  ['stop', 'Stopped', 'Stopped', 'Running'],
  ['stop', 'ForcedOff', 'Stopped', 'Running'],
  ['stop', 'AlreadyOff', 'Stopped', 'Running'],
  ['start', 'Failed', 'Stopped Starting', 'Running'],
  ['stop', 'Failed', 'Running Starting', 'Stopped'],
  ['stop', 'Skipped', 'Running Stopped Starting', ''],
  ['stop', 'InProgress', '', 'Running Stopped'],
  ['start', 'Superseded', '', 'Running Stopped'],
])('a %s that came to %s is believed of a VM that is %s, and denied by one that is %s', (action, outcome, yes, no) => {
  const claim = { action, outcome };
  expect(states.filter((state) => isBelievable(claim, state)).join(' ')).toBe(yes);
  expect(states.filter((state) => isContradicted(claim, state)).join(' ')).toBe(no);
});

it('an outcome says why, whether its guest was seen to end, and whether it is the last word', () => {
  const message = '';
  expect(reasonOf({ outcome: 'Failed', reason: 'Stuck', message })).toBe('Stuck');
  expect(reasonOf({ outcome: 'Stopped', message })).toBeUndefined();
  expect(isUnobserved({ outcome: 'Stopped', observed: false, message })).toBe(true);
  expect(isUnobserved({ outcome: 'Stopped', observed: undefined, message } as never)).toBe(false);
  expect(isUnobserved({ outcome: 'Stopped', message })).toBe(false);
  expect([isFinal({ outcome: 'InProgress', message }), isFinal({ outcome: 'Started', message })]).toEqual([
    false,
    true,
  ]);
});

it('what a command can come to is a closed set, as is why', () => {
  expect([outcomeNames.join(' '), skipReasons.join(' '), forceReasons.join(' ')]).toEqual([
    'Started AlreadyOn Stopped AlreadyOff ForcedOff InProgress Superseded Skipped Failed',
    'Protected Override Stale NotDue DryRun Duplicate',
    'Requested GracePeriodExceeded GuestIgnoredShutdown RefusedGracefully PodDeleted',
  ]);
});
