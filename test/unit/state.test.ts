import { describe, expect, it } from 'vitest';

import { adoptedByKey, adoptsKey, type KubeObject, type Wukong } from '../../shared/domain/model.ts';
import { leaseKey, operationKey, write } from '../../shared/domain/operation.ts';
import { parseStateQuery, readStates, stateFrom } from '../../shared/entry/state.ts';
import { worldOf } from './asked.ts';
import { operation, s, t0 } from './machines.ts';

const prefix = 'lifecycle.novasphere.dev/';
const limits = { deadline: t0 + 5 * s };
const wukong = (name = 'web', annotations: Record<string, string> = {}, more: Partial<Wukong> = {}): Wukong => ({
  metadata: { namespace: 'team-a', name, uid: name, annotations: { [adoptsKey]: `${name}-vm`, ...annotations } },
  ...more,
});
const vm = (name = 'web', by = name): KubeObject & { spec: object; status: object } => ({
  metadata: { namespace: 'team-a', name: `${name}-vm`, annotations: { [adoptedByKey]: by } },
  spec: { runStrategy: 'Always' },
  status: { printableStatus: 'Running' },
});
const vmi = (name = 'web'): KubeObject & { status: object } => ({
  metadata: { namespace: 'team-a', name: `${name}-vm`, uid: 'g' },
  status: { phase: 'Running', nodeName: 'node01', conditions: [{ type: 'Ready', status: 'True' }] },
});
const problem = (query: unknown): string => {
  try {
    parseStateQuery(query);
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: 'InvalidAction' });
    return (thrown as Error).message;
  }
  throw new Error('it was taken');
};

describe('a question for states', () => {
  const http = (more: object) => ({ version: '2.0', requestContext: { http: { method: 'GET', path: '/' } }, ...more });
  it('names one, or those of a selector, in a cluster; or asks for all', () => {
    const one = { namespace: 'team-a', name: 'web', cluster: 'edge' };
    const many = { namespace: 'team-a', selector: 'env=dev' };
    for (const query of [one, many, {}, { selector: 'env=dev' }]) expect(parseStateQuery(query)).toEqual(query);
    for (const none of [undefined, null]) expect(parseStateQuery(none)).toEqual({});
    const asked = http({ pathParameters: { namespace: 'team-a' }, queryStringParameters: { selector: 'env=dev' } });
    expect(parseStateQuery(asked)).toEqual(many);
    expect(parseStateQuery(http({}))).toEqual({});
  });

  it.each([
    ['text', /^query: Invalid input: expected object/],
    [{ color: 'red' }, /^query: Unrecognized key: "color"$/],
    [{ namespace: 7, name: 8 }, /^namespace: expected a string; name: expected a string$/],
    [{ namespace: 'team.a' }, /^namespace: expected a DNS label/],
    [{ cluster: 'team.a' }, /^cluster: expected a DNS label/],
    [{ namespace: 'a', name: '../x' }, /^name: expected/],
    [{ name: 'web' }, /^namespace: expected, because a name is given$/],
    [{ namespace: 'a', name: 'web', selector: 'a=b' }, /^selector: expected either a name or a selector, not both$/],
    [{ selector: 'env in' }, /^selector: ./],
    [{ name: 'web', selector: 'env in' }, /^namespace: .*; selector: expected either.*; selector: ./],
  ])('is refused for what it says wrong: %j', (query, message) => expect(problem(query)).toMatch(message));
});

describe('the state of one', () => {
  it('is read live: its Wukong, its VM and its VMI', async () => {
    const { world, asked, within } = worldOf(t0, [200, wukong()], [200, vm()], [200, vmi()]);
    const [state] = await readStates(world, { namespace: 'team-a', name: 'web' }, limits);
    expect(state).toEqual({
      ...{ namespace: 'team-a', name: 'web', state: 'Running', node: 'node01' },
      vm: { name: 'web-vm', strategy: 'Always', label: 'Running' },
    });
    const places = [
      'vm.novasphere.dev/v1alpha1/namespaces/team-a/wukongs/web',
      'kubevirt.io/v1/namespaces/team-a/virtualmachines/web-vm',
      'kubevirt.io/v1/namespaces/team-a/virtualmachineinstances/web-vm',
    ];
    expect(asked.map(({ path }) => path)).toEqual(places.map((place) => `/apis/${place}`));
    expect(within).toEqual([limits, limits, limits]);
  });

  it('is read by both names that its VM may have', async () => {
    const said = wukong('web', {}, { status: { vmName: 'other-vm' } } as Partial<Wukong>);
    delete said.metadata.annotations;
    const own = vm();
    const { world } = worldOf(
      t0,
      [200, said],
      [200, { ...own, metadata: { ...own.metadata, name: 'other-vm', annotations: {} } }],
      [404],
      [200, own],
      [404],
    );
    expect(await readStates(world, { namespace: 'team-a', name: 'web' }, limits)).toMatchObject([
      { vm: { name: 'web-vm' }, state: 'Starting' },
    ]);
  });

  it.each([
    [[[404, { message: 'no' }]], 'NotFound: Wukong team-a/web'],
    [[[200, wukong()], [403, { message: 'no' }], [404]], 'Denied: VM web-vm'],
    [[[200, wukong()], [404], [403, { message: 'no' }]], 'Denied: VMI web-vm'],
  ])('that cannot be read is none: %#', async (answers, message) => {
    const { world } = worldOf(t0, ...(answers as unknown as [number, KubeObject][]));
    const reading = readStates(world, { namespace: 'team-a', name: 'web' }, limits);
    await expect(reading).rejects.toSatisfy((error: Error & { code: string }) =>
      `${error.code}: ${error.message}`.startsWith(message),
    );
  });
});

describe('the states of many', () => {
  const lists = (...items: KubeObject[][]) =>
    items.map((each): [number, KubeObject] => [200, { items: each } as unknown as KubeObject]);
  it('are read in three lists, each with its own VM', async () => {
    const elsewhere = { ...vmi(), metadata: { ...vmi().metadata, namespace: 'team-b' } };
    const { world, asked, within } = worldOf(
      t0,
      ...lists([wukong(), wukong('mail')], [vm(), vm('mail')], [vmi('mail'), elsewhere]),
    );
    const states = await readStates(world, { namespace: 'team-a', selector: 'env in (dev),!x' }, limits);
    expect(states.map(({ name, state, vm: of, node }) => [name, state, of.name, node])).toEqual([
      ['web', 'Starting', 'web-vm', undefined],
      ['mail', 'Running', 'mail-vm', 'node01'],
    ]);
    expect(asked.map(({ path }) => path)).toEqual([
      `/apis/vm.novasphere.dev/v1alpha1/namespaces/team-a/wukongs?labelSelector=${encodeURIComponent('env=dev,!x')}&limit=500`,
      '/apis/kubevirt.io/v1/namespaces/team-a/virtualmachines?limit=500',
      '/apis/kubevirt.io/v1/namespaces/team-a/virtualmachineinstances?limit=500',
    ]);
    expect(within).toEqual([limits, limits, limits]);
  });

  it('are of all namespaces where none is named', async () => {
    const { world, asked } = worldOf(t0, ...lists([], [], []));
    expect(await readStates(world, {}, limits)).toEqual([]);
    expect(asked[0]?.path).toBe('/apis/vm.novasphere.dev/v1alpha1/wukongs?limit=500');
  });

  it('of a namespace with a name for nobody, or a name without one, are of many', async () => {
    for (const query of [{ namespace: 'team-a' }, { name: 'web' }]) {
      const { world, asked } = worldOf(t0, ...lists([], [], []));
      await readStates(world, query, limits);
      expect(asked).toHaveLength(3);
    }
  });
});

describe('a state', () => {
  it('of a Wukong without a VM, or with that of another, says no more than its name', () => {
    const unknown = { namespace: 'team-a', name: 'web', state: 'Unknown', vm: { name: 'web-vm' } };
    expect(stateFrom(wukong(), () => undefined)).toEqual(unknown);
    expect(stateFrom(wukong(), () => ({ vm: vm('web', 'other'), vmi: vmi() }))).toEqual(unknown);
  });

  it('says what is being carried out, and when it is forced', () => {
    const op = operation({ step: 'Forced' });
    const shown = (more: object) =>
      stateFrom(wukong('web', { [operationKey]: write({ ...op, ...more }) }), () => ({ vm: vm(), vmi: vmi() }))
        .operation;
    const startedAt = '2026-11-23T20:00:00.000Z';
    expect(shown({})).toEqual({ action: 'stop', requestId: 'request', step: 'Forced', startedAt });
    expect(shown({ forceAt: t0 + 35 * s })).toMatchObject({ forceAt: '2026-11-23T20:00:35.000Z' });
  });

  it('says how it was last switched, and what comes next', () => {
    const lifecycleState = { state: 'Running', nextAction: 'stop', nextActionTime: '2026-11-24T20:00:00Z' };
    const state = stateFrom(wukong('web', {}, { status: { lifecycleState } } as unknown as Partial<Wukong>), () => ({
      vm: vm(),
      vmi: vmi(),
    }));
    expect(state).toMatchObject({ last: lifecycleState, nextAction: 'stop', nextActionTime: '2026-11-24T20:00:00Z' });
  });

  it('says what overrules its schedules, as it stands there', () => {
    const own = {
      [`${prefix}keep-running-until`]: 'friday',
      [`${prefix}protected`]: '',
      [leaseKey]: '2026-11-24T00:00:00Z',
    };
    expect(stateFrom(wukong('web', { ...own, [`${prefix}wave`]: '2' }), () => ({ vm: vm() })).overrides).toEqual({
      ...{ 'keep-running-until': 'friday', protected: '', 'lease-until': '2026-11-24T00:00:00Z' },
    });
    const one = { [`${prefix}protected`]: 'true' };
    expect(stateFrom(wukong('web', one), () => ({ vm: vm() })).overrides).toEqual({ protected: 'true' });
    const { annotations: _, ...bare } = wukong().metadata;
    expect(stateFrom({ metadata: bare }, () => ({ vm: vm() })).overrides).toBeUndefined();
    expect(stateFrom(wukong(), () => ({ vm: vm() })).overrides).toBeUndefined();
  });
});
