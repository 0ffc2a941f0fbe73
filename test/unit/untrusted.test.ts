import { describe, expect, it } from 'vitest';

import { ours, textsOf } from '../../shared/cluster/ours.ts';
import type { KubeObject } from '../../shared/domain/model.ts';

interface Whatever extends KubeObject {
  spec?: unknown;
  status?: { conditions?: unknown };
}
/** What becomes of an object whose metadata has this beside its name. */
const kept = (more: object) =>
  ours<Whatever>({ metadata: { name: 'web', ...more } })?.metadata as Record<string, unknown> | undefined;
/** What becomes of one field of it. */
const field = (key: string, value: unknown) => {
  const metadata = kept({ [key]: value });
  return key in metadata! ? metadata![key] : 'gone';
};
const applied = 'kubectl.kubernetes.io/last-applied-configuration';

describe('what stands in an object of the API', () => {
  it('is the object itself, put in order', () => {
    const raw = { kind: 'Wukong', metadata: { name: 'web', namespace: 'team-a' }, spec: { a: 1 }, status: { b: 2 } };
    const same = structuredClone(raw);
    expect(ours(raw)).toBe(raw);
    expect(raw).toStrictEqual(same);
    expect(ours({ metadata: { name: 'web' } })).toStrictEqual({ metadata: { name: 'web' } });
  });

  it('has a name, and perhaps a namespace, as Kubernetes gives them', () => {
    const long = (count: number) => 'a'.repeat(count);
    expect([253, 254].map((count) => ours({ metadata: { name: long(count) } }) !== undefined)).toEqual([true, false]);
    expect([63, 64].map((count) => kept({ namespace: long(count) }) !== undefined)).toEqual([true, false]);
    for (const odd of [null, 7, [], 'x', { metadata: [] }, { metadata: null }, [{ metadata: { name: 'web' } }]])
      expect(ours(odd)).toBeUndefined();
    expect([ours({ metadata: { name: 'Web' } }), kept({ namespace: 'team.a' })]).toEqual([undefined, undefined]);
    expect(kept({ namespace: undefined })).toEqual({ name: 'web' });
  });

  it.each([
    ['uid', 256],
    ['resourceVersion', 256],
    ['creationTimestamp', 64],
    ['deletionTimestamp', 64],
  ])('has a text in %s of at most %i characters, or nothing', (key, most) => {
    const texts = [most, most + 1].map((count) => 'x'.repeat(count));
    expect(texts.map((text) => field(key, text))).toEqual([texts[0], 'gone']);
    for (const odd of [7, null, {}, ['x']]) expect(field(key, odd)).toBe('gone');
  });

  it('has a whole number in generation, or nothing', () =>
    expect([3, 0.5, '3', null].map((one) => field('generation', one))).toEqual([3, 'gone', 'gone', 'gone']));

  it('has lists of at most a hundred, of what they are of', () => {
    const hundred = Array<string>(100).fill('f');
    expect(field('finalizers', hundred)).toBe(hundred);
    expect(field('finalizers', [...hundred, 'g'])).toEqual(hundred);
    expect(field('finalizers', ['f', 7, 'x'.repeat(257), 'x'.repeat(256)])).toEqual(['f', 'x'.repeat(256)]);
    expect([field('finalizers', 'f'), field('finalizers', { length: 1 })]).toEqual(['gone', 'gone']);
    expect(field('ownerReferences', [{ uid: 'u' }, 7, null, ['x']])).toEqual([{ uid: 'u' }]);
    expect(field('ownerReferences', 7)).toBe('gone');
  });

  it('has texts in labels and annotations, but for what kubectl keeps there', () => {
    expect(field('labels', { a: 'b', c: 7 })).toEqual({ a: 'b' });
    expect(field('annotations', { a: 'b', [applied]: '{}' })).toEqual({ a: 'b' });
    expect(field('labels', { [applied]: 'x' })).toEqual({ [applied]: 'x' });
    for (const key of ['labels', 'annotations']) expect([field(key, ['x']), field(key, 'x')]).toEqual(['gone', 'gone']);
  });

  it('has a thousand of them, of 64 KB each', () => {
    const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'v']));
    expect([1_000, 1_001].map((count) => Object.keys(textsOf(many(count))!).length)).toEqual([1_000, 1_000]);
    const large = 'x'.repeat(65_536);
    expect({ ...textsOf({ a: large, b: `${large}x`, c: ['x'] }) }).toEqual({ a: large });
    expect(Object.getPrototypeOf(textsOf({}))).toBeNull();
  });

  it('has an object in spec and status, or nothing', () => {
    const parts = (spec: unknown) => ours<Whatever>({ metadata: { name: 'web' }, spec, status: spec });
    expect(parts({ a: 1 })).toMatchObject({ spec: { a: 1 }, status: { a: 1 } });
    for (const odd of [null, 'x', [1], 7]) expect(parts(odd)).toMatchObject({ spec: undefined, status: undefined });
    expect(ours({ metadata: { name: 'web' } })).not.toHaveProperty('spec');
  });

  it('has objects among its conditions', () => {
    const conditions = (given: unknown) =>
      ours<Whatever>({ metadata: { name: 'web' }, status: { conditions: given } })?.status;
    const many = Array.from({ length: 101 }, (_, i) => ({ type: `${i}` }));
    expect(conditions(many)?.conditions).toHaveLength(100);
    expect([conditions(['x', { type: 'A' }]), conditions('x'), conditions(null), conditions(undefined)]).toEqual([
      ...[{ conditions: [{ type: 'A' }] }, { conditions: [] }, { conditions: [] }, { conditions: undefined }],
    ]);
    expect(conditions(undefined)).toStrictEqual({ conditions: undefined });
  });

  it('has no prototype of its own choice', () => {
    const raw: unknown = JSON.parse('{"metadata": {"name": "web", "__proto__": {"uid": "x"}}}');
    const { metadata } = ours(raw)!;
    expect([
      Object.hasOwn(metadata, '__proto__'),
      { ...metadata }.uid,
      Object.getPrototypeOf(metadata) === Object.prototype,
    ]).toEqual([false, undefined, true]);
  });
});
