// What virt-api answers to calls that it does not carry out, and to VMs that its webhook does not take.
import { expect, test } from 'vitest';

import type { Vmi } from '../../sim/kubevirt/kubevirt.ts';
import { answered, type Row } from './answered.ts';
import { story } from './client.ts';

const at = (version: string, kind: 'virtualmachines' | 'virtualmachineinstances', name: string, verb: string) =>
  `/apis/subresources.kubevirt.io/${version}/namespaces/dev/${kind}/${name}/${verb}`;
const call = (name: string, verb: string, body: unknown, status: number, message?: RegExp): Row => [
  ...(['PUT', at('v1', 'virtualmachines', name, verb), { body }, status] as const),
  ...(message ? ([message] as const) : ([] as const)),
];
const guest = (name: string, verb: string, body: unknown, status: number, message?: RegExp): Row => [
  ...(['PUT', at('v1', 'virtualmachineinstances', name, verb), { body }, status] as const),
  ...(message ? ([message] as const) : ([] as const)),
];
const bad = /^Can not unmarshal Request body to struct, error/;

test.each(['v1', 'v1alpha3'])('at %s: what is not there, not served, or not asked so', (version) =>
  story({}, async ({ sim, send, sleep }) => {
    sim.createWukong({ namespace: 'dev', name: 'web', runStrategy: 'Always' });
    sim.addToken('weak', 'weak', []);
    await sleep(2_000);
    const vm = (name: string, verb: string) => at(version, 'virtualmachines', name, verb);
    const vmi = (name: string, verb: string) => at(version, 'virtualmachineinstances', name, verb);
    const json = { accept: 'application/json', body: {} };
    await answered(send, [
      ...['start', 'stop', 'restart', 'migrate'].flatMap((verb): Row[] => [
        ['PUT', vm('none', verb), {}, 404, /^virtualmachine\.kubevirt\.io "none" not found$/],
        ['PUT', vm('none', verb), { token: 'weak' }, 403, /virtualmachines\/\w+" in API group "subresources/],
        ['PUT', vm('none', verb), { token: '' }, 403, /User "system:anonymous" cannot update/],
        ['PUT', vm('none', verb), { token: 'wrong' }, 401],
        ['GET', vm('web-vm', verb), {}, 405],
        ['PUT', vm('web-vm', verb), json, 406],
      ]),
      ...['pause', 'unpause'].flatMap((verb): Row[] => [
        ['PUT', vmi('none', verb), {}, 404, /^virtualmachineinstance\.kubevirt\.io "none" not found$/],
        ['DELETE', vmi('web-vm', verb), {}, 405],
        ['PUT', vmi('web-vm', verb), json, 406],
      ]),
      ...['userlist', 'guestosinfo'].flatMap((verb): Row[] => [
        ['GET', vmi('none', verb), {}, 500, /^Operation|virtualmachineinstance\.kubevirt\.io "none" not found$/],
        ['GET', vmi('web-vm', verb), {}, 500, /: VMI does not have guest agent connected$/],
        ['GET', vmi('web-vm', verb), { token: 'weak' }, 403],
      ]),
      ['PUT', vm('web-vm', 'become'), {}, 404, /^404: Page Not Found/],
      ['PUT', at('v2', 'virtualmachines', 'web-vm', 'stop'), {}, 404, /^404 page not found/],
    ]);
    expect(sim.get<{ spec: object }>('virtualmachines', 'dev', 'web-vm')?.spec).toMatchObject({
      runStrategy: 'Always',
    });
  }),
);

test('bodies that cannot be read are 400, in JSON and in YAML; a start looks at the VM first', () =>
  story({}, async ({ sim, send, sleep }) => {
    sim.createWukong({ namespace: 'dev', name: 'on', runStrategy: 'Always' });
    sim.createWukong({ namespace: 'dev', name: 'off', runStrategy: 'Halted' });
    await sleep(2_000);
    await answered(send, [
      ...['{', '[]', '5', '"x"', '{"dryRun":"All"}'].flatMap((body) => [
        call('on-vm', 'stop', body, 400, bad),
        call('off-vm', 'start', body, 400, bad),
        call('on-vm', 'restart', body, 400, bad),
        call('on-vm', 'start', body, 409, /VM is already running/),
        call('none', 'start', body, 404),
      ]),
      call('on-vm', 'stop', { gracePeriod: 1.5 }, 400, bad),
      call('off-vm', 'start', { paused: 'yes' }, 400, bad),
      call('on-vm', 'restart', { gracePeriodSeconds: '0' }, 400, bad),
      call('on-vm', 'restart', { gracePeriodSeconds: 5 }, 400, /only gracePeriod=0 is supported/),
      call('on-vm', 'restart', { gracePeriodSeconds: -1 }, 400, /greater or equal to 0/),
      call('on-vm', 'stop', { dryRun: ['Some'] }, 500, /dryRun: Unsupported value/),
      call('on-vm', 'stop', { gracePeriod: 5, dryRun: ['Some'] }, 500),
      call('on-vm', 'stop', { dryRun: ['All'], gracePeriod: 5 }, 202),
      guest('on-vm', 'pause', { dryRun: ['All'] }, 200),
      call('on-vm', 'migrate', { dryRun: ['All'] }, 202),
    ]);
    const vmi = sim.get<Vmi>('virtualmachineinstances', 'dev', 'on-vm');
    expect([vmi?.status?.phase, vmi?.spec.terminationGracePeriodSeconds]).not.toContain(5);
    expect(vmi?.status?.conditions?.map(({ type }) => type)).not.toContain('Paused');
    expect(sim.list('virtualmachineinstancemigrations', 'dev')).toEqual([]);
    await answered(send, [call('on-vm', 'stop', 'gracePeriod: 7\n', 202)]); // it says that it is JSON
    const stopping = sim.get<Vmi>('virtualmachineinstances', 'dev', 'on-vm');
    expect(stopping?.spec.terminationGracePeriodSeconds).toBe(7);
  }));

test('pause, unpause and migrate in each state', () =>
  story({}, async ({ sim, send, sleep }) => {
    for (const [name, runStrategy] of [
      ['on', 'Always'],
      ['off', 'Halted'],
    ] as const)
      sim.createWukong({ namespace: 'dev', name, runStrategy });
    sim.createWukong({ namespace: 'dev', name: 'slow', runStrategy: 'Always', guest: { 'boot-seconds': '60' } });
    await sleep(3_000);
    await answered(send, [
      guest('off-vm', 'pause', {}, 404, /virtualmachineinstance\.kubevirt\.io "off-vm" not found/),
      call('off-vm', 'migrate', {}, 404, /virtualmachineinstance\.kubevirt\.io "off-vm" not found/),
      guest('slow-vm', 'pause', {}, 409, /VM is not running$/),
      guest('slow-vm', 'unpause', {}, 409, /VMI is not running$/),
      call('slow-vm', 'migrate', {}, 409, /VM is not running$/),
      guest('on-vm', 'unpause', {}, 409, /VMI is not paused$/),
      guest('on-vm', 'pause', {}, 200),
      guest('on-vm', 'pause', {}, 409, /VMI is already paused$/),
      guest('on-vm', 'unpause', undefined, 200),
      call('on-vm', 'migrate', undefined, 202),
    ]);
    await sleep(1_000);
    await answered(send, [
      guest('on-vm', 'pause', {}, 409, /Cannot pause VM 'on-vm' because it is currently being migrated$/),
    ]);
    await sleep(10_000);
    await answered(send, [guest('on-vm', 'pause', {}, 200)]);
    sim.change<Vmi>('virtualmachineinstances', 'dev', 'on-vm', ({ spec, status }) => {
      spec['livenessProbe'] = {};
      status!.conditions = [];
    });
    await answered(send, [guest('on-vm', 'pause', {}, 403, /Pausing VMIs with LivenessProbe/)]);
  }));

test('the webhook takes one wish of a known strategy, and no other', () =>
  story({}, async ({ sim, send, patch }) => {
    sim.createWukong({ namespace: 'dev', name: 'web', runStrategy: 'Halted' });
    const vms = '/apis/kubevirt.io/v1/namespaces/dev/virtualmachines';
    const body = (spec: object) => ({
      apiVersion: 'kubevirt.io/v1',
      kind: 'VirtualMachine',
      metadata: { generateName: 'v-' },
      spec: { template: { spec: {} }, ...spec },
    });
    const row = (spec: object, status: number, message?: RegExp): Row => [
      ...(['POST', vms, { body: body(spec) }, status] as const),
      ...(message ? ([message] as const) : ([] as const)),
    ];
    await answered(send, [
      ...['Always', 'Halted', 'Manual', 'RerunOnFailure', 'Once'].map((runStrategy) => row({ runStrategy }, 201)),
      ...['always', 'Never', '', 'WaitAsReceiver'].map((one) =>
        row({ runStrategy: one }, 422, /Invalid RunStrategy \(/),
      ),
      row(
        { runStrategy: 5 },
        422,
        /cannot unmarshal number into Go struct field VirtualMachineSpec\.spec\.runStrategy/,
      ),
      row({ running: 'yes', runStrategy: 'Always' }, 422, /cannot unmarshal string .*spec\.running of type bool/),
      row({ running: true, runStrategy: 'Always' }, 422, /mutually exclusive/),
      row({ running: false, runStrategy: 'Halted' }, 422, /mutually exclusive/),
      row({}, 422, /RunStrategy must be specified/),
      row({ running: null, runStrategy: null }, 422, /RunStrategy must be specified/),
      row({ runStrategy: 'Halted', template: undefined }, 422, /missing virtual machine template/),
      row({ running: true }, 201),
    ]);
    const warned = await send('POST', vms, { body: body({ running: false }) });
    expect(String(warned.headers['warning'])).toContain('spec.running is deprecated');
    for (const spec of [
      { runStrategy: 'WaitAsReceiver' },
      { running: true },
      { runStrategy: 'Never' },
      { runStrategy: null },
    ])
      expect((await patch(`${vms}/web-vm`, { spec })).status, JSON.stringify(spec)).toBe(422);
  }));
