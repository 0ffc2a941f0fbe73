import { connect } from 'node:http2';

import { expect, test } from 'vitest';

import { startSim } from '../../sim/sim.ts';
import { story } from './client.ts';
import { crdOf, crds, make, toys } from './toys.ts';

const wukongs = '/apis/vm.novasphere.dev/v1alpha1/namespaces/dev/wukongs';
const asTable = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

test('kubectl get prints the columns of the CRD', () =>
  story({}, async ({ sim, send, sleep }) => {
    sim.createWukong({ namespace: 'dev', name: 'web' });
    await sleep(65_000);
    const { body } = await send('GET', '/apis/kubevirt.io/v1/virtualmachines', { accept: asTable });
    expect(body.columnDefinitions.map(({ name }: { name: string }) => name)).toEqual([
      'Name',
      'Age',
      'Status',
      'Ready',
    ]);
    expect(body.rows[0].cells).toEqual(['web-vm', '65s', 'Running', 'True']);
    const own = await send('GET', wukongs, { accept: asTable });
    expect(own.body.columnDefinitions.map(({ name }: { name: string }) => name)).toContain('State');
  }));

test('discovery names every kind, its short names and its status', () =>
  story({}, async ({ send }) => {
    const { body } = await send('GET', '/apis/kubevirt.io/v1');
    expect(body.resources).toContainEqual(
      expect.objectContaining({ name: 'virtualmachines', shortNames: ['vm', 'vms'] }),
    );
    expect(body.resources).toContainEqual(expect.objectContaining({ name: 'virtualmachines/status' }));
    const groups = (await send('GET', '/apis')).body.groups.map(({ name }: { name: string }) => name);
    expect(groups).toEqual(expect.arrayContaining(['vm.novasphere.dev', 'events.k8s.io', 'subresources.kubevirt.io']));
  }));

test('a CRD that is made, changed and deleted is served, served anew and gone', () =>
  story({}, async ({ send, patch }) => {
    const body = crdOf({
      type: 'object',
      properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
    });
    expect((await send('POST', crds, { body })).status).toBe(201);
    expect((await make(send, { size: 1, colour: 'red' })).body.spec).toEqual({ size: 1 });
    const path = '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/colour';
    await patch(
      `${crds}/toys.example.com`,
      [{ op: 'add', path, value: { type: 'string' } }],
      'application/json-patch+json',
    );
    expect((await patch(`${toys}/ball`, { spec: { colour: 'blue' } })).body.spec).toEqual({ size: 1, colour: 'blue' });
    await send('DELETE', `${crds}/toys.example.com`);
    expect((await send('GET', toys)).status).toBe(404);
  }));

test('an old kubectl gets its OpenAPI in protobuf, a new one learns that the server validates', () =>
  story({}, async ({ send }) => {
    const accept = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
    const old = await send('GET', '/openapi/v2', { accept });
    expect([old.status, old.headers['content-type']]).toEqual([200, accept.replace('@', '.')]);
    const { body } = await send('GET', '/openapi/v3/apis/vm.novasphere.dev/v1alpha1');
    const operation = body.paths['/apis/vm.novasphere.dev/v1alpha1/namespaces/{namespace}/wukongs/{name}'].patch;
    expect(operation.parameters).toContainEqual(expect.objectContaining({ name: 'fieldValidation' }));
  }));

test('kubectl create namespace, as it is sent', () =>
  story({}, async ({ sim, send }) => {
    const text = (field: number, value: string) => String.fromCharCode((field << 3) | 2, value.length) + value;
    const meta = text(1, text(1, 'team'));
    const type = text(1, 'v1') + text(2, 'Namespace');
    const body = `k8s\0${text(1, type)}${text(2, meta)}`;
    const reply = await send('POST', '/api/v1/namespaces', { body, type: 'application/vnd.kubernetes.protobuf' });
    expect([reply.status, sim.get('namespaces', '', 'team')]).toMatchObject([201, { status: { phase: 'Active' } }]);
  }));

/** A field of protobuf: a number, or what has a length. */
const field = (number: number, value: number | string | Buffer): Buffer => {
  const varint = (n: bigint): number[] => (n < 128n ? [Number(n)] : [Number(n & 127n) | 128, ...varint(n >> 7n)]);
  if (typeof value === 'number') return Buffer.from([number << 3, ...varint(BigInt(value))]);
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...varint(BigInt(bytes.length))]), bytes]);
};
const fields = (...all: Buffer[]) => Buffer.concat(all);

test("a Lease, and whose it is, as client-go's leader election writes it", () =>
  story({}, async ({ sim, send }) => {
    sim.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'dev' } });
    const owner = fields(field(1, 'ConfigMap'), field(3, 'x'), field(4, 'u'), field(5, 'v1'), field(6, 1));
    const never = field(8, Buffer.from([8, 0x80, 0x92, 0xb8, 0xc3, 0x98, 0xfe, 0xff, 0xff, 0xff, 1]));
    const metadata = fields(field(1, 'led'), field(3, 'dev'), never, field(13, owner));
    const renewed = fields(field(1, 1_795_000_000), field(2, 7_654_321));
    const spec = fields(field(1, 'me'), field(2, 15), field(4, renewed), field(5, 1));
    const type = fields(field(1, 'coordination.k8s.io/v1'), field(2, 'Lease'));
    const lease = fields(field(1, metadata), field(2, spec));
    const sent = Buffer.concat([Buffer.from('k8s\0'), field(1, type), field(2, lease)]);
    const path = '/apis/coordination.k8s.io/v1/namespaces/dev/leases';
    const made = await send('POST', path, { body: sent, type: 'application/vnd.kubernetes.protobuf' });
    expect(made.body).toMatchObject({
      metadata: { ownerReferences: [{ kind: 'ConfigMap', name: 'x', uid: 'u', apiVersion: 'v1', controller: true }] },
      spec: {
        holderIdentity: 'me',
        leaseDurationSeconds: 15,
        renewTime: '2026-11-18T11:06:40.007654Z',
        leaseTransitions: 1,
      },
    });
    expect(made.body.metadata.creationTimestamp).toMatch(/^2026-/);
  }));

test('both protocols are spoken, and nothing is left after closing', async () => {
  const sim = await startSim();
  const session = connect(sim.url, { ca: sim.caPem });
  const stream = session.request({ ':path': '/version', authorization: `Bearer ${sim.adminToken}` });
  let said = '';
  for await (const chunk of stream) said += String(chunk);
  expect(JSON.parse(said)).toMatchObject({ major: '1' });
  const gone = new Promise((resolve) => session.once('close', resolve));
  session.on('error', () => undefined);
  await sim.close();
  await gone;
});
