import { globSync, readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { ours, textsOf } from '../../shared/cluster/ours.ts';
import { type KubeObject } from '../../shared/domain/model.ts';
import { readVm, readVmi } from '../../shared/domain/readVm.ts';

const metadata = { name: 'web', namespace: 'team-a', uid: 'u-1', resourceVersion: '7' };
const junk = [null, 7, 'x', [], [null], { toString: 7 }, true];

describe('an object of the API becomes ours', () => {
  it('as it is, where it is what it should be', () => {
    const object = {
      metadata: { ...metadata, labels: { a: 'b' }, annotations: { c: 'd' }, finalizers: ['x'], generation: 3 },
      spec: { runStrategy: 'Always' },
      status: { conditions: [{ type: 'Ready', status: 'True', by: 'somebody' }] },
    };
    expect(ours(object)).toEqual(object);
  });

  it.each(['', 'Web', '..', '../x', 'a/b', 'x'.repeat(254), 7, undefined])('not with %j for a name', (name) => {
    expect(ours({ metadata: { ...metadata, name } })).toBeUndefined();
  });

  it.each(['', 'team.a', '../x', 7, null])('not in %j', (namespace) => {
    expect(ours({ metadata: { ...metadata, namespace } })).toBeUndefined();
  });

  it.each(junk.map((one) => [one]))('where a field is %j that field counts as absent', (wrong) => {
    expect(ours(wrong)).toBeUndefined();
    const fields = ['uid', 'resourceVersion', 'generation', 'labels', 'annotations', 'finalizers', 'deletionTimestamp'];
    const made = ours({ metadata: { ...metadata, ...Object.fromEntries(fields.map((field) => [field, wrong])) } });
    expect(made?.metadata.name).toBe('web');
    for (const [field, value] of Object.entries(made?.metadata ?? {}))
      if (typeof value === 'string') expect([field, value.length < 64]).toEqual([field, true]);
    const parts = ours<KubeObject & { spec?: unknown; status?: unknown }>({ metadata, spec: wrong, status: wrong })!;
    for (const part of [parts.spec, parts.status])
      expect(typeof part === 'undefined' || 'toString' in (part as object)).toBe(true);
    expect(() => [readVm(parts), readVmi(parts)]).not.toThrow();
  });

  it('and no look-up in its texts finds what every object has', () => {
    const texts = textsOf(JSON.parse('{"__proto__": "x", "constructor": "y", "a": "b", "n": 7}'))!;
    expect([texts['a'], texts['toString'], texts['n'], texts['constructor']]).toEqual(['b', undefined, undefined, 'y']);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it('and none in its metadata finds what a field __proto__ has', () => {
    const raw: unknown = JSON.parse('{"metadata": {"name": "web", "__proto__": {"annotations": {"a": "b"}}}}');
    expect(ours(raw)?.metadata.annotations).toBeUndefined();
  });

  it('without what is larger than any value of ours', () => {
    const large = 'x'.repeat(200_000);
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`k${i}`, 'v']));
    expect(ours({ metadata: { ...metadata, annotations: { large, small: 's' } } })?.metadata.annotations).toEqual({
      small: 's',
    });
    expect(Object.keys(ours({ metadata: { ...metadata, labels: many } })?.metadata.labels ?? {}).length).toBe(1_000);
    const conditions = Array(10_000).fill({ type: 'x', status: 'False', message: large });
    expect(JSON.stringify(readVmi({ metadata, status: { conditions } } as KubeObject)).length).toBeLessThan(300_000);
  });
});

describe('a VM and a VMI are read', () => {
  it.each(junk.map((one) => [one]))('whatever is in them: %j', (wrong) => {
    const keys = [
      'printableStatus',
      'conditions',
      'stateChangeRequests',
      'startFailure',
      'created',
      'phase',
      'nodeName',
    ];
    const more = ['migrationState', 'phaseTransitionTimestamps', 'observedGeneration'];
    const status = Object.fromEntries([...keys, ...more].map((key) => [key, wrong]));
    const spec = { runStrategy: wrong, running: wrong, terminationGracePeriodSeconds: wrong };
    const vm = readVm({ metadata, spec, status } as KubeObject);
    const vmi = readVmi({ metadata, spec, status } as KubeObject);
    expect([typeof vm.strategy, typeof vm.printableStatus, typeof vmi.phase, typeof vmi.graceSeconds]).toEqual([
      ...['string', 'string', 'string', 'number'],
    ]);
    for (const list of [vm.queue, vm.conditions, vmi.conditions, vmi.finalizers])
      expect(Array.isArray(list)).toBe(true);
  });

  it.each([-1, 0.5, 1e300, '30', null])('with its own grace period, and with KubeVirt’s where that is %j', (wrong) => {
    const spec = { terminationGracePeriodSeconds: wrong };
    expect(readVmi({ metadata, spec } as never).graceSeconds).toBe(30);
  });

  it.each([1e9 + 1, 8.7e12, 9e15, 2 ** 63])('with thirty years for a grace period where KubeVirt has %d s', (many) => {
    const spec = { terminationGracePeriodSeconds: many };
    expect(readVmi({ metadata, spec } as never).graceSeconds).toBe(1_000_000_000);
  });

  it.each(['+275760-09-13T00:00:00Z', '+012026-01-01T00:00:00Z', '-000044-03-15T00:00:00Z', 'soon', 7, null])(
    'without an instant that nobody can write down: %j',
    (wrong) => {
      const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: wrong }];
      const vmi = readVmi({ metadata: { ...metadata, deletionTimestamp: wrong }, status: { conditions } } as never);
      expect([vmi.deletingSince, vmi.readySince]).toEqual([undefined, undefined]);
    },
  );
});

describe('nothing else touches what the API server answers', () => {
  /** They look at what is their own, or at one field of something that is not kept. */
  const own = [
    'shared/report/events.ts',
    'shared/lifecycle/power.ts',
    'shared/lifecycle/trace.ts',
    'shared/reconcile/inUse.ts',
    'shared/reconcile/scheduleInputs.ts',
  ];

  it('whoever reads an object of somebody else’s has it from ours', () => {
    const readers = globSync('shared/*/*.ts')
      .filter((file) => !file.startsWith('shared/cluster/'))
      .filter((file) => /method: 'GET'/.test(readFileSync(file, 'utf8')));
    for (const file of readers.filter((one) => !own.includes(one)))
      expect([file, /\bours[<(]/.test(readFileSync(file, 'utf8'))]).toEqual([file, true]);
    for (const file of ['list', 'objects', 'namespaces', 'informer'])
      expect([file, /\bours[<(]/.test(readFileSync(`shared/cluster/${file}.ts`, 'utf8'))]).toEqual([file, true]);
  });
});
