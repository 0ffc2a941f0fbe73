import { describe, expect, it } from 'vitest';

import type { KubeObject } from '../../shared/domain/model.ts';
import { readVm, readVmi } from '../../shared/domain/readVm.ts';

const metadata = { namespace: 'team-a', name: 'web-vm', uid: 'u', resourceVersion: '7' };
const vm = (spec: object = {}, status: object = {}, more: object = {}) =>
  readVm({ metadata: { ...metadata, ...more }, spec, status } as KubeObject);
const vmi = (status: object = {}, spec: object = {}, more: object = {}) =>
  readVmi({ metadata: { ...metadata, ...more }, spec, status } as KubeObject);
const at = (text: string) => Date.parse(text);

describe('a VM', () => {
  it('is what it says of itself', () => {
    const status = {
      stateChangeRequests: [{ action: 'Start', uid: 'a' }, { uid: 'b' }],
      printableStatus: 'Running',
      conditions: [{ type: 'Failure', status: 'True', reason: 'r', message: 'm', lastTransitionTime: 'x' }],
      startFailure: { consecutiveFailCount: 3, retryAfterTimestamp: '2026-11-23T20:00:00Z' },
      ...{ created: true, observedGeneration: 4 },
    };
    const ownerReferences = [{ apiVersion: 'vm.novasphere.dev/v1alpha1', kind: 'Wukong', uid: 'w' }];
    const annotations = { 'lifecycle.novasphere.dev/adopted-by': 'web' };
    expect(vm({ runStrategy: 'Manual' }, status, { generation: 5, ownerReferences, annotations })).toStrictEqual({
      ...metadata,
      ...{ strategy: 'Manual', field: 'runStrategy', queue: [{ action: 'Start', uid: 'a' }], observed: true },
      ...{ deleting: false, printableStatus: 'Running', created: true, generation: 5, observedGeneration: 4 },
      conditions: [{ type: 'Failure', status: 'True', reason: 'r', message: 'm' }],
      startFailure: { failures: 3, retryAfter: '2026-11-23T20:00:00Z' },
      ...{ owners: ['w'], adoptedBy: 'web' },
    });
  });

  it('is off, and nobody has looked at it, where it says nothing', () => {
    expect(readVm({ metadata: { name: 'x' } })).toStrictEqual({
      ...{ namespace: '', name: 'x', uid: '', resourceVersion: '', strategy: 'Halted', field: 'running', queue: [] },
      ...{ observed: false, deleting: false, printableStatus: '', conditions: [], created: false, owners: [] },
    });
  });

  it('says by either field whether it is to run', () => {
    const { strategy, field } = vm({ running: true });
    expect([strategy, field, vm({ running: false }).strategy]).toEqual(['Always', 'running', 'Halted']);
    expect(vm({ runStrategy: 'x'.repeat(70) }).strategy).toHaveLength(64);
  });

  it('may be about to go, and may have failed to start once', () => {
    expect(vm({}, {}, { deletionTimestamp: '2026-11-23T20:00:00Z' }).deleting).toBe(true);
    const { startFailure } = vm({}, { startFailure: { retryAfterTimestamp: 'x'.repeat(70) } });
    expect([startFailure?.failures, startFailure?.retryAfter?.length]).toEqual([1, 64]);
  });

  it('keeps the conditions that complain', () => {
    const all = [
      { type: 'Ready', status: 'True' },
      { type: 'Ready', status: 'False', reason: 'r', message: 'x'.repeat(2_100), lastTransitionTime: 'x' },
      { type: 'Odd', status: 'maybe' },
      { status: 'False' },
    ];
    const { conditions } = vm({}, { conditions: all });
    expect(conditions.map(({ type, status, reason }) => [type, status, reason])).toEqual([
      ...[
        ['Ready', 'False', 'r'],
        ['Odd', 'Unknown', undefined],
        ['', 'False', undefined],
      ],
    ]);
    expect([conditions[0]?.message?.length, Object.keys(conditions[0]!)]).toEqual([
      2_000,
      ['type', 'status', 'reason', 'message'],
    ]);
    const well = vm({}, { conditions: [{ type: 'Ready', status: 'True' }] }).conditions;
    expect(well).toEqual([]);
    expect(well).toBe(vm().conditions); // ten thousand of them are one
  });
});

describe('a guest', () => {
  const phases = (...all: [string, string][]) => ({
    phaseTransitionTimestamps: all.map(([phase, time]) => ({ phase, phaseTransitionTimestamp: `2026-11-23T${time}Z` })),
  });
  const condition = (type: string, status = 'True') => ({ type, status, lastTransitionTime: '2026-11-23T20:00:01Z' });

  it('is what it says of itself', () => {
    const status = {
      ...{ phase: 'Running', nodeName: 'node', ...phases(['Pending', '20:00:00'], ['Running', '20:00:02']) },
      conditions: ['Ready', 'Paused', 'AgentConnected'].map((type) => condition(type)),
    };
    const more = { deletionTimestamp: '2026-11-23T21:00:00Z', finalizers: ['f'] };
    expect(vmi(status, { terminationGracePeriodSeconds: 60 }, more)).toStrictEqual({
      ...{
        namespace: 'team-a',
        name: 'web-vm',
        uid: 'u',
        phase: 'Running',
        graceSeconds: 60,
        ready: 'True',
        paused: true,
      },
      ...{ deletingSince: at('2026-11-23T21:00:00Z'), readySince: at('2026-11-23T20:00:01Z'), agentConnected: true },
      ...{ migrating: false, node: 'node', finalizers: ['f'], conditions: [], ranAt: at('2026-11-23T20:00:02Z') },
    });
  });

  it('is nothing where it says nothing', () => {
    expect(readVmi({ metadata: { name: 'x' } })).toStrictEqual({
      ...{ namespace: '', name: 'x', uid: '', phase: '', graceSeconds: 30, ready: 'False', paused: false },
      ...{ agentConnected: false, migrating: false, node: undefined, finalizers: [], conditions: [] },
    });
  });

  it.each([
    ['Ready', { ready: 'Unknown' }],
    ['Paused', { paused: false }],
    ['AgentConnected', { agentConnected: false }],
  ])('of whose %s nobody knows', (type, expected) =>
    expect(vmi({ conditions: [condition(type, 'Unknown')] })).toMatchObject(expected),
  );

  it.each<[object | undefined, boolean]>([
    [{ startTimestamp: 'x' }, true],
    [{ startTimestamp: 'x', completed: true }, false],
    [{ startTimestamp: 'x', failed: true }, false],
    [{}, false],
    [undefined, false],
  ])('moves to another node where it says %j: %s', (migrationState, expected) =>
    expect(vmi({ migrationState }).migrating).toBe(expected),
  );

  it('has the grace of its own where that is any', () => {
    expect(
      [0, 60, -1].map((terminationGracePeriodSeconds) => vmi({}, { terminationGracePeriodSeconds }).graceSeconds),
    ).toEqual([0, 60, 30]);
    expect(vmi({ nodeName: 'x'.repeat(300) }).node).toHaveLength(253);
  });

  it('says when it came to run, and when it ended', () => {
    const times = phases(
      ['Scheduled', '20:00:00'],
      ['Running', '20:00:02'],
      ['Succeeded', '20:00:05'],
      ['Failed', '20:00:06'],
    );
    const ended = vmi({ phase: 'Succeeded', ...times });
    expect([ended.ranAt, ended.endedAt]).toEqual([at('2026-11-23T20:00:02Z'), at('2026-11-23T20:00:05Z')]);
    expect(vmi({ phase: 'Failed', ...phases(['Failed', '20:00:06']) })).toMatchObject({
      ranAt: null,
      endedAt: at('2026-11-23T20:00:06Z'),
    });
    expect(vmi({ phase: 'Running', ...times })).not.toHaveProperty('endedAt');
    expect(vmi({ phase: 'Failed', phaseTransitionTimestamps: [{}] })).toMatchObject({
      ranAt: null,
      endedAt: undefined,
    });
    expect(vmi({ phase: 'Failed', ...phases(['NotRunning', '20:00:06'], ['Failedly', '20:00:06']) })).toMatchObject({
      ranAt: null,
      endedAt: undefined,
    });
  });

  it('keeps the conditions that complain', () =>
    expect(vmi({ conditions: [condition('Ready', 'False')] }).conditions).toMatchObject([
      { type: 'Ready', status: 'False' },
    ]));
});
