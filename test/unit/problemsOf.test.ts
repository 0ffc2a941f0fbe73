import { describe, expect, it } from 'vitest';
import * as z from 'zod';

import { firstProblems, type Problem, problemsOf, problemsText } from '../../shared/schedule/problem.ts';

const problem = (i: number): Problem => ({
  field: `spec.f${i}`,
  reason: i === 0 ? 'InvalidCron' : 'InvalidSpec',
  message: `m${i}`,
});
const many = (count: number) => Array.from({ length: count }, (_, i) => problem(i));

it('of the problems of a schedule the first ten are told, and how many more there are', () => {
  expect([firstProblems([]), firstProblems(many(10))]).toEqual([[], many(10)]);
  const more = { field: 'spec', reason: 'InvalidCron', message: '3 more problems' };
  expect(firstProblems(many(13))).toEqual([...many(10), more]);
  expect(firstProblems(many(11)).at(-1)).toEqual({ ...more, message: '1 more problems' });
});

it('they are told in one line', () => expect(problemsText(many(2))).toBe('spec.f0: m0; spec.f1: m1'));

describe('what is wrong with a field', () => {
  const shape = z.strictObject({ start: z.string('expected a cron'), list: z.array(z.string('expected a text')) });
  const wrong = (given: object, known = ['start', 'timeZone']) =>
    problemsOf(shape.safeParse({ start: '', list: [], ...given }).error?.issues ?? [], {
      ...{ under: ['spec'], known, reasonOf: (field) => (field === 'start' ? 'InvalidCron' : 'InvalidSpec') },
    });

  it('is told by its name, down to the place in a list', () => {
    expect(wrong({ start: 7, list: ['', 8] })).toEqual([
      { field: 'spec.start', reason: 'InvalidCron', message: 'expected a cron' },
      { field: 'spec.list[1]', reason: 'InvalidSpec', message: 'expected a text' },
    ]);
  });

  it('is that nobody knows it, and what was meant', () => {
    expect(wrong({ TIMEzone: 'x', ['y'.repeat(70)]: 1 })).toEqual([
      { field: 'spec.TIMEzone', reason: 'InvalidSpec', message: 'unknown: did you mean timeZone?' },
      { field: `spec.${'y'.repeat(64)}`, reason: 'InvalidSpec', message: 'unknown' },
    ]);
  });

  it('is told of eleven at the most', () => {
    expect(wrong({ list: Array(20).fill(1) })).toHaveLength(11);
    expect(wrong(Object.fromEntries(many(20).map(({ field }) => [field, 1])))).toHaveLength(11);
  });
});
