import { describe, expect, it } from 'vitest';

import type { VmiView } from '../../shared/domain/vm.ts';
import { remember } from '../../shared/lifecycle/remember.ts';
import { nothingSeen, type Seen } from '../../shared/lifecycle/step.ts';
import { machineOf, operation, s, t0 } from './machines.ts';

const halted = { strategy: 'Halted' };
const died = { phase: 'Failed' };
const asked = { deletingSince: t0 };

/** What is known after these looks, one a second. */
function after(
  looks: Parameters<typeof machineOf>[],
  vmiUid: string | undefined = 'one',
  seen: Partial<Seen> = {},
): Seen {
  const known = { ...nothingSeen(), ...seen };
  looks.forEach((look, i) => remember(known, operation({ vmiUid }), machineOf(...look), t0 + i * s));
  return known;
}
const diedOf = (seen: Seen) => [...seen.died];

describe('how a guest ended', () => {
  it('is remembered as it was first seen, of the guest that is to be stopped', () => {
    const ended = { uid: 'one', phase: 'Succeeded', at: t0 + s };
    const looks: Parameters<typeof machineOf>[] = [
      [{}, asked],
      [{}, { ...asked, phase: 'Succeeded' }],
      [halted, null, { ...asked, phase: 'Succeeded' }],
    ];
    expect(after(looks).ended).toEqual(ended);
    expect(
      after([
        [{}, {}],
        [halted, null, { phase: 'Failed' }],
      ]).ended,
    ).toEqual({ uid: 'one', phase: 'Failed', at: t0 + s, unasked: true });
    expect(after(looks, 'another').ended).toBeUndefined();
  });

  it('is its phase where that comes after it was gone, as of when it was gone', () => {
    const looks: Parameters<typeof machineOf>[] = [
      [halted, null, { ...asked, phase: 'Running' }],
      [halted, null, { ...asked, phase: 'Succeeded' }],
      [halted, null, { ...asked, phase: 'Failed' }],
    ];
    expect(after(looks).ended).toEqual({ uid: 'one', phase: 'Succeeded', at: t0 });
    const other = { ended: { uid: 'two', phase: 'Failed', at: 7 } };
    expect(after(looks.slice(0, 1), 'one', other).ended).toEqual({ uid: 'one', phase: 'Running', at: t0 });
  });

  it('is of whichever stands there where none was known, and of none that is gone', () => {
    const unknown = { ...nothingSeen() };
    remember(unknown, operation({}), machineOf(halted, { uid: 'x', phase: 'Failed' }), t0);
    expect(unknown.ended).toEqual({ uid: 'x', phase: 'Failed', at: t0, unasked: true });
    const gone = { ...nothingSeen() };
    remember(gone, operation({}), machineOf(halted, null, { uid: 'x', phase: 'Failed' }), t0);
    expect(gone.ended).toBeUndefined();
  });

  it('is nothing of a guest that runs', () => expect(after([[{}, {}]]).ended).toBeUndefined());
});

describe('a guest has died', () => {
  const soon = (more: Partial<VmiView> = {}): Partial<VmiView> => ({
    ...{ uid: 'two', phase: 'Failed', ranAt: t0 - 20 * s, endedAt: t0 - 10 * s },
    ...more,
  });
  it('where its end is seen, by whichever look', () => {
    expect(
      diedOf(
        after([
          [{}, {}],
          [{}, { ...died }],
        ]),
      ),
    ).toEqual(['one']);
    expect(
      diedOf(
        after([
          [{}, {}],
          [{}, null, died],
        ]),
      ),
    ).toEqual(['one']);
    expect(
      diedOf(
        after([
          [{}, {}],
          [{}, { uid: 'two', ...died }, died],
        ]),
      ),
    ).toEqual(['one', 'two']);
    expect(
      diedOf(
        after([
          [{}, {}],
          [{}, {}],
        ]),
      ),
    ).toEqual([]);
  });

  it('not where it was asked to go; another one was not asked', () => {
    expect(
      diedOf(
        after([
          [{}, {}],
          [{}, { ...died, ...asked }],
        ]),
      ),
    ).toEqual([]);
    expect(
      diedOf(
        after([
          [{}, {}],
          [{}, { ...died, ...asked, uid: 'two' }],
        ]),
      ),
    ).toEqual(['two']);
  });

  it.each<[string, object, Partial<VmiView>, string[]]>([
    ['ten seconds after it came to run', {}, {}, ['two']],
    ['later', {}, { ranAt: t0 - 20_001 }, []],
    ['having never run', {}, { ranAt: null }, []],
    ['nobody knows when', {}, { endedAt: undefined }, []],
    ['nobody knows since when it ran', {}, { ranAt: undefined }, []],
    ['just as it was asked to go', {}, { deletingSince: t0 - 10 * s }, ['two']],
    ['after it was asked to go', {}, { deletingSince: t0 - 10_001 }, []],
    ['and nothing makes another', halted, {}, []],
    ['and failed, where only that makes another', { strategy: 'RerunOnFailure' }, {}, ['two']],
    ['and shut down, where only a failure makes another', { strategy: 'RerunOnFailure' }, { phase: 'Succeeded' }, []],
    ['and shut down, where another is always made', {}, { phase: 'Succeeded' }, ['two']],
  ])('before the first look: %s', (_what, vm, more, expected) => {
    const end = { ...soon(), ...more };
    for (const [key, value] of Object.entries(end)) if (value === undefined) delete end[key as keyof VmiView];
    expect(diedOf(after([[vm, end]]))).toEqual(expected);
    expect(diedOf(after([[vm, null, end]]))).toEqual(expected);
  });

  it('not where nothing is there of the VM', () => expect(diedOf(after([[null, soon()]]))).toEqual([]));
});

describe('since when', () => {
  it('a VM is off is as of the first look of those that see it off', () => {
    const off: Parameters<typeof machineOf> = [halted, null];
    expect(after([off, off]).offSince).toBe(t0);
    expect(after([off, [{}, {}]]).offSince).toBeUndefined();
    expect(after([off, [{}, {}], off]).offSince).toBe(t0 + 2 * s);
  });

  it('a guest is up is as of the first look of those that see that very one up', () => {
    expect(
      after([
        [{}, {}],
        [{}, {}],
      ]).up,
    ).toEqual({ uid: 'one', since: t0 });
    expect(
      after([
        [{}, {}],
        [{}, { uid: 'two' }],
      ]).up,
    ).toEqual({ uid: 'two', since: t0 + s });
    expect(
      after([
        [{}, {}],
        [{}, { ready: 'False' }],
      ]).up,
    ).toBeUndefined();
    expect(
      after([
        [{}, {}],
        [{}, { ready: 'False' }],
        [{}, {}],
      ]).up,
    ).toEqual({ uid: 'one', since: t0 + 2 * s });
    expect(after([[halted, null]]).up).toBeUndefined();
  });

  it('the spec is as it is, is as of the first look that sees it so', () => {
    const spec = (generation?: number): Parameters<typeof machineOf> => [
      generation === undefined ? {} : { generation },
      {},
    ];
    expect(after([spec(3), spec(3)]).spec).toEqual({ generation: 3, since: t0 });
    expect(after([spec(3), spec(4)]).spec).toEqual({ generation: 4, since: t0 + s });
    expect(after([spec(3), spec()]).spec).toEqual({ generation: 3, since: t0 });
    expect(after([[null, null]]).spec).toBeUndefined();
  });
});
