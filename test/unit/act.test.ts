import { describe, expect, it } from 'vitest';

import { LifecycleError } from '../../shared/domain/errors.ts';
import type { KubeObject } from '../../shared/domain/model.ts';
import type { Operation } from '../../shared/domain/operation.ts';
import type { VmView } from '../../shared/domain/vm.ts';
import { act } from '../../shared/lifecycle/act.ts';
import { nothingSeen, type Seen, type Step } from '../../shared/lifecycle/step.ts';
import { worldOf } from './asked.ts';
import { machineOf, operation, s, t0 } from './machines.ts';

const vmPath = '/apis/kubevirt.io/v1/namespaces/team-a/virtualmachines/web-vm';
const vmiPath = '/apis/kubevirt.io/v1/namespaces/team-a/virtualmachineinstances/web-vm';
const call = (verb: string) => `/apis/subresources.kubevirt.io/v1/namespaces/team-a/virtualmachines/web-vm/${verb}`;
const pods = '/api/v1/namespaces/team-a/pods';
const guest = (uid: string): KubeObject => ({
  apiVersion: 'kubevirt.io/v1',
  kind: 'VirtualMachineInstance',
  metadata: { namespace: 'team-a', name: 'web-vm', uid },
});
const says = (message: string) => ({ message }) as unknown as KubeObject;
const launchers = { items: [{ metadata: { name: 'launcher' } }] } as unknown as KubeObject;

interface Row {
  op?: Partial<Operation>;
  vm?: Partial<VmView> | null;
  /** null: no guest is there. */
  vmi?: null;
  seen?: Partial<Seen>;
  patches?: boolean;
  answers?: [status: number, body?: KubeObject][];
}

/** What KubeVirt was asked for one step of a stop, and what is known afterwards. */
async function after(step: Step, { op, vm, vmi, seen: known, patches, answers = [[202]] }: Row = {}) {
  const { world, asked, within } = worldOf(t0, ...answers);
  if (patches) world.config = { ...world.config, powerMethod: 'patch' };
  const { call: answer } = world.transport;
  world.transport.call = (one, limits) => {
    if (one.method === 'GET') expect(one.safe, 'a look whose answer is lost is taken again').toBe(true);
    return answer(one, limits);
  };
  const seen: Seen = { ...nothingSeen(), refusals: 2, ...known };
  const limits = { deadline: t0 + 60 * s };
  const machine = machineOf(vm === undefined ? {} : vm, vmi);
  await act(step, machine, { op: operation({ vmiUid: 'one', ...op }), seen }, { world, limits });
  expect(within.every((one) => one === limits)).toBe(true);
  return { asked, seen };
}
const replaced = (path: string, old: unknown, value: unknown) => [
  {
    method: 'PATCH',
    path: vmPath,
    body: [
      { op: 'test', path, value: old },
      { op: 'replace', path, value },
    ],
  },
];
const start = { action: 'start' } as const;
const ask: Step = { do: 'ask' };
const strategy = '/spec/runStrategy';

describe('KubeVirt is asked', () => {
  it.each<[string, Step, Row, object[]]>([
    [
      'to start a VM',
      ask,
      { op: start, vm: { strategy: 'Halted' } },
      [{ method: 'PUT', path: call('start'), body: {} }],
    ],
    [
      'to start a VM, by its strategy where the subresource is not to be used',
      ask,
      { op: start, vm: { strategy: 'Halted' }, patches: true },
      replaced(strategy, 'Halted', 'Always'),
    ],
    [
      'to start a VM, by its strategy where there is no subresource',
      ask,
      { op: start, vm: { strategy: 'Halted' }, seen: { noSubresource: true } },
      replaced(strategy, 'Halted', 'Always'),
    ],
    [
      'to start a VM of its owner’s strategy by the subresource all the same',
      ask,
      { op: start, vm: { strategy: 'Manual' }, patches: true },
      [{ method: 'PUT', path: call('start'), body: {} }],
    ],
    [
      'to stop a guest, in the time that it has',
      { do: 'ask', graceSeconds: 20 },
      {},
      [{ method: 'PUT', path: call('stop'), body: { gracePeriod: 20 } }],
    ],
    ['to stop a guest by its strategy', ask, { patches: true }, replaced(strategy, 'Always', 'Halted')],
    [
      'to stop what is left of a VM that is Halted',
      ask,
      { patches: true, vm: { strategy: 'Halted' } },
      [{ method: 'PUT', path: call('stop'), body: {} }],
    ],
    [
      'to force the guest, after a look whether it is still that one',
      { do: 'force' },
      { answers: [[200, guest('one')], [202]] },
      [
        { method: 'GET', path: vmiPath },
        { method: 'PUT', path: call('stop'), body: { gracePeriod: 0 } },
      ],
    ],
    [
      'to delete the pod of the guest, after a look whether it is still that one',
      { do: 'deletePod' },
      { answers: [[200, guest('one')], [200, launchers], [200]] },
      [
        { method: 'GET', path: vmiPath },
        { method: 'GET', path: `${pods}?labelSelector=kubevirt.io%2Fcreated-by%3Done` },
        { method: 'DELETE', path: `${pods}/launcher`, body: { gracePeriodSeconds: 0 } },
      ],
    ],
    [
      'to forget a start that is queued',
      { do: 'clearQueue' },
      { vm: { queue: [{ action: 'Start' }] } },
      [
        {
          method: 'PATCH',
          path: `${vmPath}/status`,
          body: [
            { op: 'test', path: '/status/stateChangeRequests', value: [{ action: 'Start' }] },
            { op: 'remove', path: '/status/stateChangeRequests' },
          ],
        },
      ],
    ],
    ['for the owner’s strategy', { do: 'strategy', value: 'Manual' }, {}, replaced(strategy, 'Always', 'Manual')],
    ['for nothing where there is no VM', ask, { vm: null, answers: [] }, []],
  ])('%s', async (_what, step, row, expected) => expect((await after(step, row)).asked).toEqual(expected));

  it.each(['force', 'deletePod'] as const)('for no %s of another guest, nor of one that is gone', async (what) => {
    for (const answer of [
      [200, guest('two')],
      [404, guest('one')],
      [200, says('nothing')],
    ] as const)
      for (const op of [{}, { vmiUid: undefined }]) {
        if (answer[0] === 200 && answer[1].metadata?.uid === 'two' && !('vmiUid' in op)) continue;
        const { asked, seen } = await after({ do: what }, { op, answers: [[...answer]] });
        expect(asked).toEqual([{ method: 'GET', path: vmiPath }]);
        expect(seen).toEqual({ ...nothingSeen(), missed: true, refusals: 3 });
      }
  });
});

describe('what KubeVirt took', () => {
  const askedOn = { generation: 3, strategy: 'Always', queue: [] };
  const vm = { generation: 3 };
  const known = { ...nothingSeen(), askedAt: t0, askedFor: 'one', askedOn, overtaken: 0 };

  it.each<[Step, Partial<Seen>]>([
    [ask, {}],
    [{ do: 'clearQueue' }, { clearedQueue: true }],
    [{ do: 'force' }, { forced: true }],
    [{ do: 'deletePod' }, { podDeleted: true }],
  ])('is remembered: %o', async (step, more) => {
    const answers: Row['answers'] = [[200, guest('one')], [200, launchers], [200]];
    const { seen } = await after(step, { vm, answers: 'clearQueue ask'.includes(step.do) ? [[200]] : answers });
    expect(seen).toEqual({ ...known, ...more });
  });

  it('is remembered as long as the operation lasts, also of a VM without a guest', async () => {
    const before = { clearedQueue: true, forced: true, podDeleted: true };
    const { seen } = await after(ask, { vm, vmi: null, seen: before });
    expect(seen).toEqual({ ...known, ...before, askedFor: 'none' });
  });

  it.each<[string, Partial<Seen>, number]>([
    ['counts as taken back where the VM says something else since', { overtaken: 1 }, 2],
    ['for the first time', {}, 1],
    ['not where the VM says the same', { overtaken: 1, askedOn }, 0],
    ['not after five seconds', { overtaken: 1, askedAt: t0 - 5 * s }, 0],
  ])('%s', async (_what, seen, overtaken) => {
    const recently = { askedAt: t0 - 4_999, askedOn: { ...askedOn, generation: 2 }, ...seen };
    expect((await after(ask, { vm, seen: recently })).seen.overtaken).toBe(overtaken);
  });
});

describe('where KubeVirt did not take it', () => {
  const none = says('404 page not found');
  it.each<[string, Step, [number, KubeObject][], object]>([
    ['there is no subresource', ask, [[404, none]], { noSubresource: true, refusals: 2 }],
    ['the call is invalid', ask, [[400, says('bad')]], { invalid: true, refusal: 'bad (400)', refusals: 2 }],
    ['it is refused', ask, [[409, says('not running')]], { refusal: 'not running (409)', refusals: 3 }],
    [
      'a second force is refused as the first one holds',
      { do: 'force' },
      [
        [200, guest('one')],
        [409, says('existing shorter graceperiod')],
      ],
      { refusal: 'existing shorter graceperiod (409)', refusals: 3, forced: true },
    ],
    [
      'a force is refused as nothing runs',
      { do: 'force' },
      [
        [200, guest('one')],
        [409, says('VM is not running')],
      ],
      { refusal: 'VM is not running (409)', refusals: 3, forced: true },
    ],
    [
      'a force is refused for another reason',
      { do: 'force' },
      [
        [200, guest('one')],
        [409, says('busy')],
      ],
      { refusal: 'busy (409)', refusals: 3 },
    ],
  ])('that is remembered: %s', async (_what, step, answers, expected) => {
    expect((await after(step, { answers })).seen).toEqual({ ...nothingSeen(), ...expected });
  });

  it('and nobody knows, that is remembered as a refusal', async () => {
    const { world } = worldOf(t0);
    world.transport.call = () => Promise.reject(new LifecycleError('Unreachable', 'nobody answers'));
    const seen = nothingSeen();
    await act(ask, machineOf(), { op: operation({}), seen }, { world, limits: { deadline: t0 } });
    expect(seen).toEqual({ ...nothingSeen(), refusal: 'nobody answers', refusals: 1 });
  });

  it.each<[[number, KubeObject], string]>([
    [[404, none], 'needs the subresource API'],
    [[400, says('bad')], 'refused to force: bad'],
  ])('a guest that is to be forced is not, and that is said (%j)', async (answer, message) => {
    const forcing = after({ do: 'force' }, { answers: [[200, guest('one')], answer] });
    await expect(forcing).rejects.toMatchObject({ code: 'Refused' });
    await expect(forcing).rejects.toThrow(message);
  });
});
