import { describe, expect, it } from 'vitest';

import { firstInstant, instantText, lastInstant, writable } from '../../shared/domain/instant.ts';
import {
  adoptsKey,
  annotationPrefix,
  conditionOf,
  group,
  hasIntent,
  isOperated,
  keyOf,
  placeOf,
  stateNames,
  version,
  vmNameOf,
  type Wukong,
} from '../../shared/domain/model.ts';
import { isLabel, isObjectName } from '../../shared/domain/names.ts';
import { isForging, oneLine } from '../../shared/domain/oneLine.ts';
import { fieldsIn, instantIn, listIn, secondsIn, textIn, wholeIn } from '../../shared/domain/read.ts';
import { remember } from '../../shared/domain/remember.ts';
import { isOver, runNameOf, runPhases } from '../../shared/domain/run.ts';

const junk = [undefined, null, 7, 'x', true, [], {}];

describe('a field of somebody else’s object', () => {
  it('is a text of 256 characters, or of as many as are wanted', () => {
    expect(junk.map((one) => textIn(one))).toEqual([
      undefined,
      undefined,
      undefined,
      'x',
      undefined,
      undefined,
      undefined,
    ]);
    expect([textIn('y'.repeat(300))?.length, textIn('yyyy', 3)]).toEqual([256, 'yyy']);
  });

  it('is a whole number, or so many seconds', () => {
    expect([...junk, 0.5, 2 ** 53].map(wholeIn).filter((one) => one !== undefined)).toEqual([7]);
    expect([0, -1, 0.5, 1_000_000_001, 2 ** 63, 2 ** 64, '7'].map(secondsIn)).toEqual([
      ...[0, undefined, undefined, 1_000_000_000, 1_000_000_000, undefined, undefined],
    ]);
  });

  it('is an object, or a list of a hundred of them', () => {
    expect(junk.map(fieldsIn)).toEqual([undefined, undefined, undefined, undefined, undefined, undefined, {}]);
    expect([listIn(junk), listIn({}), listIn(Array(150).fill({ a: 1 })).length]).toEqual([[{}], [], 100]);
  });

  it('is an instant that can be written down again', () => {
    const at = Date.parse('2026-11-23T20:00:00Z');
    expect(['2026-11-23T20:00:00Z', 'tonight', 7, undefined].map(instantIn)).toEqual([
      at,
      undefined,
      undefined,
      undefined,
    ]);
    expect([instantIn('+010000-01-01T00:00:00Z'), instantIn('-000001-12-31T23:59:59Z')]).toEqual([
      undefined,
      undefined,
    ]);
    expect([instantIn('0000-01-01T00:00:00Z'), instantIn('9999-12-31T23:59:59.999Z')]).toEqual([
      firstInstant,
      lastInstant,
    ]);
    expect(instantIn(`${' '.repeat(40)}23 Nov 2026 20:00:00 GMTx`)).toBe(at); // of 64 characters
    expect([writable(-Infinity), writable(Infinity), writable(at)]).toEqual([firstInstant, lastInstant, at]);
    expect([instantText(at + 5), instantText(Infinity)]).toEqual([
      '2026-11-23T20:00:00.005Z',
      '9999-12-31T23:59:59.999Z',
    ]);
  });
});

describe('a name', () => {
  it.each([
    ['a', true, true],
    ['a-9', true, true],
    ['a'.repeat(63), true, true],
    ['a'.repeat(64), false, true],
    [`${'a'.repeat(251)}.b`, false, true],
    [`${'a'.repeat(252)}.b`, false, false],
    ['a.b', false, true],
    ['', false, false],
    ['-a', false, false],
    ['a-', false, false],
    ['a..b', false, false],
    ['a.-b', false, false],
    ['A', false, false],
    ['a\n', false, false],
  ])('%.20j is a label: %s, and of an object: %s', (text, label, object) =>
    expect([isLabel(text), isObjectName(text)]).toEqual([label, object]),
  );
});

describe('a text on one line', () => {
  it.each([
    ['as it is', 'as it is'],
    ['a\n\r\nb\u2028c', 'a b c'],
    ['a\u202eb\u200bc', 'abc'],
    ['\u001b[31mred\u001b[0m', 'red'],
    ['\u001b]0;title\u0007x', 'x'],
    ['a\ud800b', 'a\ufffdb'],
  ])('%j', (text, expected) => {
    expect(oneLine(text, 100)).toBe(expected);
    expect([isForging(text), isForging(expected)]).toEqual([text !== expected, false]);
  });

  it('is as long as it may be, with a mark where it was cut', () => {
    expect([oneLine('abcd', 4), oneLine('abcde', 4)]).toEqual(['abcd', 'abc…']);
    expect(oneLine('abcd'.repeat(10), 4)).toBe('abc…');
    expect(oneLine('ab😀d', 4)).toBe('ab…');
    expect(oneLine(`${'\u200b'.repeat(31)}abc`, 4)).toBe('a');
    expect(oneLine(`${'\u200b'.repeat(29)}abc`, 4)).toBe('abc');
  });
});

describe('an object', () => {
  const web = (more: object = {}, status?: object) =>
    ({ metadata: { namespace: 'a', name: 'web', ...more }, ...(status ? { status } : {}) }) as unknown as Wukong;

  it('stands where it says', () => {
    expect([placeOf(web()), placeOf(web({ namespace: undefined })), keyOf({ namespace: 'a', name: 'web' })]).toEqual([
      ...[{ namespace: 'a', name: 'web' }, { namespace: '', name: 'web' }, 'a/web'],
    ]);
    const conditions = [
      { type: 'A', status: 'True' as const },
      { type: 'B', status: 'False' as const },
    ];
    expect([conditionOf(conditions, 'B'), conditionOf(conditions, 'C'), conditionOf(undefined, 'A')]).toEqual([
      conditions[1],
      undefined,
      undefined,
    ]);
  });

  it('has a VM that is called as it adopts, says, or by the rule', () => {
    const adopting = (name: unknown) => ({ annotations: { [adoptsKey]: name } });
    expect(vmNameOf(web(adopting('mine'), { vmName: 'other' }))).toBe('mine');
    expect(vmNameOf(web(adopting('../x'), { vmName: 'other' }))).toBe('other');
    expect([vmNameOf(web({}, { vmName: '../x' })), vmNameOf(web({}, { vmName: 7 })), vmNameOf(web())]).toEqual([
      'web-vm',
      'web-vm',
      'web-vm',
    ]);
  });

  it('has an intent where an operator looks after it', () => {
    const finalizers = ['x', 'vm.novasphere.dev/finalizer'];
    const annotations = { [adoptsKey]: 'mine' };
    expect([isOperated(web({ finalizers })), isOperated(web({ finalizers: ['x'] })), isOperated(web())]).toEqual([
      true,
      false,
      false,
    ]);
    expect([
      hasIntent(web()),
      hasIntent(web({ annotations: {} })),
      hasIntent(web({ annotations })),
      hasIntent(web({ annotations, finalizers })),
    ]).toEqual([...[true, true, false, true]]);
  });
});

it('what is remembered is the newest', () => {
  const map = new Map<string, number>();
  for (const [i, key] of ['a', 'b', 'a', 'c'].entries()) remember(map, key, i, 2);
  expect([...map]).toEqual([
    ['a', 2],
    ['c', 3],
  ]);
});

describe('a run', () => {
  const spec = { schedule: 'office', action: 'stop', dueAt: '2026-11-23T20:30:00Z' } as const;
  it('is named by its schedule, its time, and what it does', () => {
    expect(runNameOf(spec, 'u')).toMatch(/^office-20261123-2030-stop-[0-9a-f]{10}$/);
    expect(runNameOf({ ...spec, schedule: undefined as never, requestId: 'r' })).toMatch(
      /^fleet-20261123-2030-stop-[0-9a-f]{10}$/,
    );
    expect(runNameOf({ ...spec, schedule: `${'a'.repeat(199)}.b` }, 'u')).toMatch(/^a{199}-2026/);
    expect(runNameOf({ ...spec, schedule: 'a'.repeat(201) }, 'u')).toMatch(/^a{200}-2026/);
  });

  it('is the same in each version, and another for another', () => {
    expect(runNameOf(spec, 'u')).toBe('office-20261123-2030-stop-8c6e449c7f');
    const fleet = { action: 'stop', dueAt: spec.dueAt, requestId: 'r' } as const;
    const all = [
      runNameOf(spec, 'u'),
      runNameOf(spec, 'v'),
      runNameOf({ ...spec, action: 'start' }, 'u'),
      runNameOf({ ...spec, dueAt: '2026-11-23T20:30:01Z' }, 'u'),
      runNameOf(fleet),
      runNameOf({ ...fleet, requestId: 's' }),
      runNameOf({ ...fleet, action: 'start' }),
    ];
    expect(new Set(all).size).toBe(all.length);
    expect(runNameOf({ ...fleet, dueAt: '2026-11-23T20:30:01Z' })).toBe(runNameOf(fleet));
    expect([runNameOf(spec), runNameOf({ ...fleet, requestId: undefined as never })]).toEqual([
      runNameOf(spec, ''),
      runNameOf({ ...fleet, requestId: '' }),
    ]);
  });

  it('is over for a VM that came to an end', () =>
    expect((['Pending', 'InProgress', 'Stopped'] as const).map((outcome) => isOver({ outcome }))).toEqual([
      false,
      false,
      true,
    ]));
});

it('the words of the API are these', () => {
  expect([group, version, annotationPrefix]).toEqual(['vm.novasphere.dev', 'v1alpha1', 'lifecycle.novasphere.dev/']);
  expect([stateNames.join(' '), runPhases.join(' ')]).toEqual([
    ...['Running Stopped Starting Stopping Paused Failed Unknown', 'Running Succeeded Incomplete Missed Skipped'],
  ]);
});
