import { beforeEach, describe, expect, it } from 'vitest';

import { Store } from '../../shared/cluster/store.ts';

const vmi = (name: string, uid: string, resourceVersion?: string) => ({
  metadata: { namespace: 'a', name, uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
});

describe('what is kept of VMIs', () => {
  let changes = 0;
  let told: string[] = [];
  let known: Store<string>;
  beforeEach(() => {
    [changes, told] = [0, []];
    known = new Store({
      read: ({ metadata }) => `${metadata.uid} ${metadata.resourceVersion}`,
      changed: () => changes++,
    });
    known.put(vmi('web', 'one', '1'));
  });
  const listen = (who: string) => known.on('a', 'web', () => told.push(who));

  it('tells everybody who waits for it, and nobody who has stopped waiting', () => {
    const [end] = [listen('first'), listen('second')];
    known.put(vmi('web', 'one', '2'));
    expect(told).toEqual(['first', 'second']);
    end();
    known.put(vmi('web', 'one', '3'));
    expect(told).toEqual(['first', 'second', 'second']);
    expect(changes).toBe(3);
  });

  it('tells everybody when the watch failed for good', () => {
    listen('first');
    known.tellAll();
    expect([told, changes]).toEqual([['first'], 2]);
    const plain = new Store({ read: () => 1 });
    expect(() => plain.tellAll()).not.toThrow();
  });

  it('says of each change what is now and what was before', () => {
    const seen: unknown[] = [];
    const all = new Store<string>({ read: ({ metadata }) => metadata.uid!, changed: (...change) => seen.push(change) });
    all.put(vmi('web', 'one', '1'));
    all.put(vmi('web', 'two', '2'));
    all.remove(vmi('web', 'two', '3'));
    expect(seen).toEqual([
      ['a/web', 'one', undefined],
      ['a/web', 'two', 'one'],
      ['a/web', undefined, 'two'],
    ]);
  });

  it('remembers of ever new names the newest ten thousand ends', () => {
    for (let i = 0; i <= 10_000; i++) {
      known.put(vmi(`vm-${i}`, `${i}`, '1'));
      known.remove(vmi(`vm-${i}`, `${i}`, '2'));
    }
    expect([known.gone('a', 'vm-0'), known.gone('a', 'vm-1')]).toEqual([undefined, '1 2']);
  });

  it('is no change when it is shown once more; where it bears no version nobody knows', () => {
    known.put(vmi('web', 'one', '1'));
    expect(changes).toBe(1);
    known.put(vmi('web', 'other', '1'));
    expect(known.get('a', 'web')).toBe('other 1');
    for (let i = 0; i < 2; i++) known.put(vmi('bare', 'two'));
    expect(changes).toBe(4);
  });

  it('has gone when another generation of its name is there, and not when it only changed', () => {
    known.put(vmi('web', 'one', '2'));
    expect(known.gone('a', 'web')).toBeUndefined();
    known.put(vmi('web', 'two', '3'));
    expect(known.gone('a', 'web')).toBe('one 2');
  });

  it('is not taken away by the end of an older generation, nor by that of a stranger', () => {
    known.put(vmi('web', 'two', '3'));
    expect(known.remove(vmi('web', 'one', '4'))).toBeUndefined();
    expect(known.remove(vmi('stranger', 'x', '5'))).toBeUndefined();
    expect(known.get('a', 'web')).toBe('two 3');
    expect(known.remove(vmi('web', 'two', '6'))).toBe('a/web');
    expect([known.get('a', 'web'), known.gone('a', 'web')]).toEqual([undefined, 'two 6']);
  });
});
