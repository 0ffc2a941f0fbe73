import { describe, expect, it } from 'vitest';

import { each, eachApart, inTurns } from '../../shared/time/forEachLimited.ts';

/** Work that ends a moment later: what was begun, how many at once, and how many at once of a namespace. */
function working() {
  const begun: string[] = [];
  const open = new Map<string, number>();
  let [all, most] = [0, 0];
  const mostOf = new Map<string, number>();
  const work = async (one: string) => {
    const space = one.split('/')[0]!;
    begun.push(one);
    most = Math.max(most, ++all);
    open.set(space, (open.get(space) ?? 0) + 1);
    mostOf.set(space, Math.max(mostOf.get(space) ?? 0, open.get(space)!));
    await new Promise((next) => setImmediate(next));
    all--;
    open.set(space, open.get(space)! - 1);
  };
  return { begun, work, most: () => most, mostOf };
}
const names = (count: number, space = 'a') => Array.from({ length: count }, (_, i) => `${space}/${i}`);
const spaceOf = (one: string) => one.split('/')[0];

describe('work for each of many', () => {
  it('is done for all, in order, so many at once', async () => {
    const { begun, work, most } = working();
    await each(names(7), 3, work);
    expect([begun, most()]).toEqual([names(7), 3]);
  });

  it('takes no more than it can use', async () => {
    const { begun, work, most } = working();
    let asked = 0;
    function* two() {
      asked++;
      yield 'a/0';
      asked++;
      yield 'a/1';
      asked++;
    }
    await each(two(), 9, work);
    expect([begun, most(), asked]).toEqual([names(2), 2, 3]);
    let taken = 0;
    const queue = {
      [Symbol.iterator]: () => ({
        next: () => (++taken > 2 ? { done: true as const, value: undefined } : { value: `a/${taken}` }),
      }),
    };
    await each(queue, 9, async () => {});
    expect(taken).toBe(2 + 1 + 2); // and each of the two that worked looks once more
    await each([], 3, work);
    expect(begun).toHaveLength(2);
  });

  it('fails with the first that fails', async () =>
    expect(
      each(names(3), 2, (one) => (one === 'a/1' ? Promise.reject(new Error(one)) : Promise.resolve())),
    ).rejects.toThrow('a/1'));

  it('is so many at once of each namespace', async () => {
    const { begun, work, mostOf, most } = working();
    await eachApart([...names(5), ...names(1, 'b')], spaceOf, 2, work);
    expect([begun.slice(0, 3), begun.length, mostOf, most()]).toEqual([
      ['a/0', 'a/1', 'b/0'],
      6,
      new Map([
        ['a', 2],
        ['b', 1],
      ]),
      3,
    ]);
  });
});

it('a list is taken from each namespace in turn', () => {
  expect(inTurns([...names(3), ...names(2, 'b'), ...names(1, 'c')], spaceOf)).toEqual([
    'a/0',
    'b/0',
    'c/0',
    'a/1',
    'b/1',
    'a/2',
  ]);
});
