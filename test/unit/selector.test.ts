import { describe, expect, it } from 'vitest';

import { format, matches, parseSelector, readLabelSelector, type Requirement } from '../../shared/domain/selector.ts';

const isIn = (key: string, ...values: string[]): Requirement => ({ key, operator: 'In', values });
const notIn = (key: string, ...values: string[]): Requirement => ({ key, operator: 'NotIn', values });
const exists = (key: string): Requirement => ({ key, operator: 'Exists' });
const lacks = (key: string): Requirement => ({ key, operator: 'DoesNotExist' });
const label = 'a'.repeat(63);
const keyOf253 = `${Array(4).fill(label).join('.').slice(0, 253)}/x`;

describe('a selector as people write it', () => {
  it.each<[string, Requirement[]]>([
    ['env=dev', [isIn('env', 'dev')]],
    ['env==dev', [isIn('env', 'dev')]],
    [' env = dev , tier != db ', [isIn('env', 'dev'), notIn('tier', 'db')]],
    ['x in (a,b)', [isIn('x', 'a', 'b')]],
    ['y  notin  ( c , d )', [notIn('y', 'c', 'd')]],
    ['y notin(c)', [notIn('y', 'c')]],
    ['z', [exists('z')]],
    ['!w', [lacks('w')]],
    ['! w', [lacks('w')]],
    ['x in (a,b),!w,env=', [isIn('x', 'a', 'b'), lacks('w'), isIn('env', '')]],
    ['app.example.com/part=web', [isIn('app.example.com/part', 'web')]],
    ['a9/B_.-c=D', [isIn('a9/B_.-c', 'D')]],
    [`${label}=${label}`, [isIn(label, label)]],
    [`${keyOf253}`, [exists(keyOf253)]],
    [`x=${'a,x='.repeat(1_023)}ab`, [...Array.from({ length: 1_023 }, () => isIn('x', 'a')), isIn('x', 'ab')]],
  ])('%.40s', (text, selector) => expect(parseSelector(text)).toEqual(selector));

  const key = '" is no label key: expected [prefix/]name, the name at most 63 of A-Z a-z 0-9 - _ .';
  const value = '" is no label value: expected at most 63 of A-Z a-z 0-9 - _ .';
  it.each([
    ['', 'expected a label selector; an empty one would mean every Wukong'],
    ['   ', 'expected a label selector; an empty one would mean every Wukong'],
    ['a=b,', 'expected a requirement between the commas'],
    ['a=b,,c=d', 'expected a requirement between the commas'],
    [`a=${'b'.repeat(4_095)}`, 'expected a selector of at most 4096 characters'],
    ['x in (a', 'expected matching parentheses'],
    ['x in a)', 'expected matching parentheses'],
    ['x in ((a))', 'expected matching parentheses'],
    [')(', 'expected matching parentheses'],
    ['-a=b', `"-a${key}`],
    ['a-=b', `"a-${key}`],
    ['a/b/c=d', `"a/b/c${key}`],
    ['A/b=d', `"A/b${key}`],
    ['-a/b=d', `"-a/b${key}`],
    ['a-/b=d', `"a-/b${key}`],
    ['a./b=d', `"a./b${key}`],
    ['a.-b/b=d', `"a.-b/b${key}`],
    ['a/=d', `"a/${key}`],
    ['/a=d', `"/a${key}`],
    ['a/-b=d', `"a/-b${key}`],
    ['x%y', `"x%y${key}`],
    ['!', `"${key}`],
    ['a b', `"a b${key}`],
    ['x in (a b)', `"a b${value}`],
    ['x=-', `"-${value}`],
    ['x=a-', `"a-${value}`],
    [`x=${label}a`, `"${label}a${value}`],
    [`${label}a=x`, `"${label}a${key}`],
    [`a${keyOf253}`, `"a${keyOf253.slice(0, 79)}${key}`],
    [`x=${'-'.repeat(90)}`, `"${'-'.repeat(80)}${value}`],
  ])('"%.40s" is refused', (text, message) => {
    const thrown = (() => {
      try {
        return parseSelector(text);
      } catch (error) {
        return (error as Error).message;
      }
    })();
    expect(thrown).toBe(message);
  });
});

describe('a selector as an object', () => {
  const many = (count: number, one: (i: number) => unknown) => Array.from({ length: count }, (_, i) => one(i));
  const labels = (count: number) => Object.fromEntries(many(count, (i) => [`k${i}`, 'v']) as [string, string][]);

  it('is its labels, and then its expressions', () => {
    const matchExpressions = [
      { key: 'a', operator: 'In', values: ['x', 'y'] },
      { key: 'b', operator: 'NotIn', values: ['z'] },
      { key: 'c', operator: 'Exists' },
      { key: 'd', operator: 'DoesNotExist', values: [] },
    ];
    expect(readLabelSelector({ matchLabels: { env: 'dev' }, matchExpressions })).toEqual([
      ...[isIn('env', 'dev'), isIn('a', 'x', 'y'), notIn('b', 'z'), exists('c'), lacks('d')],
    ]);
    expect(readLabelSelector({}, { mayBeEmpty: true })).toEqual([]);
  });

  it('has at most 64 of each', () => {
    expect(readLabelSelector({ matchLabels: labels(64) })).toHaveLength(64);
    const one = (values: unknown = ['x']) => ({ key: 'a', operator: 'In', values });
    expect(readLabelSelector({ matchExpressions: many(64, () => one(many(64, () => 'x'))) })).toHaveLength(64);
  });

  const expression = (more: object) => ({ matchExpressions: [{ key: 'a', operator: 'In', values: ['x'], ...more }] });
  const shape = 'matchExpressions[0]: expected {key, operator, values}';
  const strings = 'matchExpressions[0].values: expected a list of at most 64 strings';
  it.each<[unknown, string]>([
    [null, 'expected {matchLabels} or {matchExpressions}'],
    ['env=dev', 'expected {matchLabels} or {matchExpressions}'],
    [[], 'expected {matchLabels} or {matchExpressions}'],
    [{}, 'is empty, which would mean every Wukong: expected at least one label'],
    [{ matchLabel: {} }, '"matchLabel" is unknown: expected matchLabels and matchExpressions'],
    [{ odd: 1, even: 2 }, '"odd" is unknown: expected matchLabels and matchExpressions'],
    [{ ['x'.repeat(90)]: 1 }, `"${'x'.repeat(80)}" is unknown: expected matchLabels and matchExpressions`],
    [{ matchLabels: [] }, 'matchLabels: expected labels with their values'],
    [{ matchLabels: 'x' }, 'matchLabels: expected labels with their values'],
    [{ matchExpressions: {} }, 'matchExpressions: expected a list'],
    [{ matchLabels: labels(65) }, 'matchLabels: expected at most 64'],
    [{ matchExpressions: many(65, () => ({})) }, 'matchExpressions: expected at most 64'],
    [{ matchLabels: { env: 7 } }, 'matchLabels.env: expected a string, found 7'],
    [
      { matchLabels: { '-': 'x' } },
      '"-" is no label key: expected [prefix/]name, the name at most 63 of A-Z a-z 0-9 - _ .',
    ],
    [{ matchLabels: { a: '-' } }, '"-" is no label value: expected at most 63 of A-Z a-z 0-9 - _ .'],
    [{ matchExpressions: ['x'] }, shape],
    [{ matchExpressions: [null] }, shape],
    [expression({ key: 7 }), shape],
    [expression({ operator: 'Has' }), 'matchExpressions[0].operator: expected In, NotIn, Exists, DoesNotExist'],
    [expression({ operator: undefined }), 'matchExpressions[0].operator: expected In, NotIn, Exists, DoesNotExist'],
    [expression({ values: 'x' }), strings],
    [expression({ values: [7, 'x'] }), strings],
    [expression({ values: many(65, () => 'x') }), strings],
    [expression({ operator: 'Exists' }), 'matchExpressions[0].values: expected none for Exists'],
    [expression({ operator: 'DoesNotExist' }), 'matchExpressions[0].values: expected none for DoesNotExist'],
    [expression({ values: [] }), 'matchExpressions[0].values: expected at least one for In'],
    [
      expression({ operator: 'NotIn', values: undefined }),
      'matchExpressions[0].values: expected at least one for NotIn',
    ],
    [expression({ key: '-' }), '"-" is no label key: expected [prefix/]name, the name at most 63 of A-Z a-z 0-9 - _ .'],
    [
      expression({ key: '-', operator: 'Exists', values: [] }),
      '"-" is no label key: expected [prefix/]name, the name at most 63 of A-Z a-z 0-9 - _ .',
    ],
    [expression({ values: ['-'] }), '"-" is no label value: expected at most 63 of A-Z a-z 0-9 - _ .'],
  ])('%j is refused', (given, message) => {
    expect(() => readLabelSelector(given)).toThrow(expect.objectContaining({ message }) as Error);
  });
});

it('a selector is written as the API server takes it', () => {
  const all = [isIn('a', 'x'), notIn('b', 'y'), isIn('c', 'x', 'y'), notIn('d', 'x', 'y'), exists('e'), lacks('f')];
  expect(format(all)).toBe('a=x,b!=y,c in (x,y),d notin (x,y),e,!f');
});

it.each<[Requirement, Record<string, string> | undefined, boolean]>([
  [isIn('a', 'x', 'y'), { a: 'y' }, true],
  [isIn('a', 'x'), { a: 'z' }, false],
  [isIn('a', 'x'), undefined, false],
  [notIn('a', 'x', 'y'), { a: 'y' }, false],
  [notIn('a', 'x'), { a: 'z' }, true],
  [notIn('a', 'x'), {}, true],
  [exists('a'), { a: '' }, true],
  [exists('a'), {}, false],
  [exists('toString'), {}, false],
  [lacks('a'), {}, true],
  [lacks('a'), { a: '' }, false],
])('%j of %j: %s', (one, labels, expected) => {
  expect(matches([one], labels)).toBe(expected);
  expect(matches([one, lacks('other')], labels)).toBe(expected);
  expect(matches([one, exists('other')], labels)).toBe(false);
});
