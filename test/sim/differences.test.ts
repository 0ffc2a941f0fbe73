// Each row was measured on a real API server beside the embedded one, which answered otherwise.
import { expect, test } from 'vitest';

import type { Vm } from '../../sim/kubevirt/kubevirt.ts';
import { story, watched } from './client.ts';

const wukongs = '/apis/vm.novasphere.dev/v1alpha1/namespaces/dev/wukongs';
const vms = '/apis/kubevirt.io/v1/namespaces/dev/virtualmachines';
const apply = 'application/apply-patch+yaml';
const wukong = { apiVersion: 'vm.novasphere.dev/v1alpha1', kind: 'Wukong', metadata: { name: 'new' } };

test('a watch from the future is silent until something happens after it', () =>
  story({}, async ({ sim, send, sleep }) => {
    sim.createWukong({ namespace: 'dev', name: 'web' });
    await sleep(2_000);
    const now = Number((await send('GET', wukongs)).body.metadata.resourceVersion);
    const events = watched<{ type: string; object: { metadata: { name: string } } }>(
      sim,
      `${wukongs}?watch=true&resourceVersion=${now + 20}&timeoutSeconds=60`,
      (seen) => seen.length > 0,
    );
    await sleep(1_000);
    for (let i = 0; i < 30; i++)
      sim.change<{ spec: object }>('wukongs', 'dev', 'web', ({ spec }) => Object.assign(spec, { cpu: i + 1 }));
    const [first] = await events;
    expect(first?.type).toBe('MODIFIED');
  }));

test('a watch from what has been compacted long ago is told 410, one from no number 500', () =>
  story({}, async ({ sim, send }) => {
    sim.createWukong({ namespace: 'dev', name: 'web' });
    const [event] = await watched<{ type: string; object: { code: number } }>(
      sim,
      `${wukongs}?watch=true&resourceVersion=2`,
      (seen) => seen.length > 0,
    );
    expect([event?.type, event?.object.code]).toEqual(['ERROR', 410]);
    expect((await send('GET', `${wukongs}?watch=true&resourceVersion=abc`)).status).toBe(500);
  }));

test.each([
  ['watch=true&sendInitialEvents=true', /sendInitialEvents requires setting resourceVersionMatch/],
  ['watch=true&resourceVersionMatch=NotOlderThan', /forbidden for watch unless sendInitialEvents/],
  ['resourceVersionMatch=Exact', /forbidden unless resourceVersion is provided/],
  ['sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=0', /forbidden for list/],
])('options that do not go together are refused: %s', (query, message) =>
  story({}, async ({ send }) => {
    const { status, body } = await send('GET', `${wukongs}?${query}`);
    expect(status).toBe(422);
    expect(body.message).toMatch(message);
  }),
);

test('a key that stands twice is an error when strict, and the last one counts when not', () =>
  story({}, async ({ sim, send }) => {
    sim.createWukong({ namespace: 'dev', name: 'web' });
    const body = JSON.stringify({ ...wukong, spec: { cpu: 1, memory: '1Gi' } }).replace('"cpu":1', '"cpu":1,"cpu":2');
    const strict = await send('POST', `${wukongs}?fieldValidation=Strict`, { body });
    expect([strict.status, strict.body.message]).toEqual([400, expect.stringContaining('duplicate field "spec.cpu"')]);
    expect((await send('POST', wukongs, { body })).body.spec.cpu).toBe(2);
  }));

test('a patch with another uid is refused as a change of it, a PUT as a conflict', () =>
  story({}, async ({ sim, send, patch }) => {
    sim.createWukong({ namespace: 'dev', name: 'web' });
    const path = `${wukongs}/web`;
    const uid = '00000000-0000-0000-0000-000000000000';
    expect((await patch(path, { metadata: { uid } })).status).toBe(422);
    const there = (await send('GET', path)).body;
    const put = await send('PUT', path, { body: { ...there, metadata: { ...there.metadata, uid } } });
    expect(put.status).toBe(409);
  }));

test('server-side apply: no managedFields, no unknown field, and no status of what is not there', () =>
  story({}, async ({ sim, send }) => {
    sim.createWukong({ namespace: 'dev', name: 'web' });
    const applied = (path: string, body: object) =>
      send('PATCH', `${wukongs}/${path}?fieldManager=me&force=true`, { body, type: apply });
    const spec = { cpu: 1, memory: '1Gi' };
    const managed = { ...wukong, metadata: { name: 'web', managedFields: [{ manager: 'x' }] }, spec };
    expect((await applied('web', managed)).status).toBe(400);
    expect((await applied('new', { ...wukong, spec: { ...spec, nothing: 1 } })).status).toBe(500);
    expect((await applied('new/status', { ...wukong, status: { phase: 'Running' } })).status).toBe(404);
    expect((await applied('new', { ...wukong, spec })).status).toBe(201);
  }));

test('an events.k8s.io Event must say when, who, what and why', () =>
  story({}, async ({ sim, send }) => {
    sim.createWukong({ namespace: 'dev', name: 'web' });
    const regarding = { kind: 'Wukong', name: 'web', namespace: 'dev' };
    const event = {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: 'e' },
      regarding,
      eventTime: '2026-03-02T19:00:00.000000Z',
      reportingController: 'a/b',
      reportingInstance: 'b-1',
      action: 'Stop',
      reason: 'Stopped',
      type: 'Normal',
    };
    const sent = (change: object) =>
      send('POST', '/apis/events.k8s.io/v1/namespaces/dev/events', { body: { ...event, ...change } });
    for (const field of ['eventTime', 'reportingController', 'reportingInstance', 'action', 'reason', 'type'])
      expect((await sent({ [field]: undefined })).status, field).toBe(422);
    expect((await sent({ type: 'Odd' })).status).toBe(422);
    expect((await sent({ note: 'x'.repeat(1025) })).status).toBe(422);
    expect((await sent({})).status).toBe(201);
  }));

test('a Lease lasts for more than no time', () =>
  story({}, async ({ send }) => {
    const lease = (spec: object) =>
      send('POST', '/apis/coordination.k8s.io/v1/namespaces/default/leases?dryRun=All', {
        body: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'l' }, spec },
      });
    expect((await lease({ leaseDurationSeconds: 0 })).status).toBe(422);
    expect((await lease({ leaseTransitions: -1 })).status).toBe(422);
    expect((await lease({ leaseDurationSeconds: 1, leaseTransitions: 0 })).status).toBe(201);
  }));

test.each([
  [{ running: 'yes' }, /cannot unmarshal string/],
  [{ runStrategy: 'WaitAsReceiver' }, /WaitAsReceiver/],
])('KubeVirt refuses a VM with %j by its webhook', (wish, message) =>
  story({}, async ({ sim, send }) => {
    sim.createWukong({ namespace: 'dev', name: 'web' });
    const body = { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachine', metadata: { name: 'v' } };
    const answer = await send('POST', vms, { body: { ...body, spec: { ...wish, template: { spec: {} } } } });
    expect(answer.status).toBe(422);
    expect(answer.body.message).toMatch(/^admission webhook "virtualmachine-validator/);
    expect(answer.body.message).toMatch(message);
  }),
);

test('a PVC that is missing: the pod is Unschedulable, and the Event is a normal one', () =>
  story({}, async ({ sim, sleep }) => {
    sim.createWukong({ namespace: 'dev', name: 'web', guest: { 'pvc-missing': 'true' } });
    await sleep(2_000);
    const { status } = sim.get<Vm>('virtualmachines', 'dev', 'web-vm')!;
    const reasonOf = (wanted: string) => status?.conditions?.find(({ type }) => type === wanted)?.reason;
    expect(status?.printableStatus).toBe('ErrorPvcNotFound');
    expect([reasonOf('PodScheduled'), reasonOf('Synchronized')]).toEqual(['Unschedulable', 'FailedPvcNotFound']);
    const events = sim.list<{ reason: string; type: string }>('events', 'dev');
    expect(events.find(({ reason }) => reason === 'FailedPvcNotFound')?.type).toBe('Normal');
  }));

test('a quota is held: the launcher pod is refused, the VM reads Starting, and comes up when there is room', () =>
  story({}, async ({ sim, send, sleep }) => {
    const hard = { pods: '1', 'requests.memory': '8Gi' };
    const quota = (namespace: string) => `/api/v1/namespaces/${namespace}/resourcequotas`;
    sim.createWukong({ namespace: 'dev', name: 'first' });
    await sleep(2_000);
    const body = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'small' }, spec: { hard } };
    await send('POST', quota('dev'), { body });
    await sleep(1_000);
    expect((await send('GET', `${quota('dev')}/small`)).body.status.used.pods).toBe('1');
    sim.createWukong({ namespace: 'dev', name: 'second' });
    await sleep(2_000);
    const vm = () => sim.get<Vm>('virtualmachines', 'dev', 'second-vm');
    const said = vm()?.status?.conditions?.find(({ type }) => type === 'Synchronized');
    expect([vm()?.status?.printableStatus, said?.reason]).toEqual(['Starting', 'FailedCreate']);
    expect(said?.message).toMatch(/exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1$/);
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'probe' }, spec: { containers: [{ name: 'c' }] } };
    const probe = await send('POST', '/api/v1/namespaces/dev/pods?dryRun=All', { body: pod });
    expect([probe.status, probe.body.message]).toEqual([403, expect.stringContaining('must specify requests.memory')]);
    sim.change<Vm>('virtualmachines', 'dev', 'first-vm', ({ spec }) => void (spec.runStrategy = 'Halted'));
    await sleep(70_000);
    expect(vm()?.status?.printableStatus).toBe('Running');
  }));
