import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';

import { namespace, type Scene, scene } from '../flow/scene.ts';
import { clientOf } from '../sim/client.ts';

const shipped = [...parseAllDocuments(readFileSync('infra/policies/vm-fields.yaml', 'utf8'))].map(
  (one) => one.toJS() as object,
);
const path = `/apis/kubevirt.io/v1/namespaces/${namespace}/virtualmachines/web-vm`;
const ours = 'system:serviceaccount:wukong-lifecycle:wukong-stop';

/** A cluster with the policy, a VM, and somebody who may do anything with VMs. */
async function withPolicy(user = ours) {
  const at = await scene();
  at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always' });
  await at.pass(5_000);
  for (const object of shipped) at.sim.create(object);
  at.sim.addToken('token-under-test', user, 'admin');
  const { send } = clientOf(at.sim);
  const patch = (body: unknown, sub = '') =>
    at.run(() =>
      send('PATCH', `${path}${sub}`, { body, type: 'application/merge-patch+json', token: 'token-under-test' }),
    );
  return { at, patch };
}

describe('the policy that is shipped lets our accounts change of a VM', () => {
  it('its run strategy', async () => {
    const { at, patch } = await withPolicy();
    expect((await patch({ spec: { runStrategy: 'Halted' } })).status).toBe(200);
    expect(at.vm('web').spec['runStrategy']).toBe('Halted');
  });

  it.each<[string, unknown, string?]>([
    [
      'the template',
      { spec: { template: { spec: { volumes: [{ name: 'x', hostDisk: { path: '/', type: 'Disk' } }] } } } },
    ],
    [
      'the template, beside the run strategy',
      { spec: { runStrategy: 'Halted', template: { metadata: { labels: { a: 'b' } } } } },
    ],
    ['a field that was not there', { spec: { instancetype: { name: 'u1.nano' } } }],
    ['an annotation', { metadata: { annotations: { a: 'b' } } }],
    ['a label', { metadata: { labels: { a: 'b' } } }],
    ['its owner', { metadata: { ownerReferences: null } }],
    ['a finalizer', { metadata: { finalizers: ['example.com/mine'] } }],
    ['what its status says', { status: { printableStatus: 'Stopped' } }, '/status'],
    ['a condition', { status: { conditions: [] } }, '/status'],
  ])('not %s', async (_what, body, sub) => {
    const { at, patch } = await withPolicy();
    const before = JSON.stringify(at.vm('web').spec);
    const answer = await patch(body, sub);
    expect([answer.status, answer.text]).toEqual([422, expect.stringContaining('Wukong Lifecycle')]);
    expect(JSON.stringify(at.vm('web').spec)).toBe(before);
  });

  it('and leaves others alone', async () => {
    const { patch } = await withPolicy('anna');
    expect((await patch({ metadata: { labels: { a: 'b' } } })).status).toBe(200);
  });

  it.each(['system:serviceaccount:team-a:wukong-reconcile', 'system:serviceaccount:x:wukong-aws'])(
    'whoever of us it is: %s',
    async (user) => {
      const { patch } = await withPolicy(user);
      expect((await patch({ metadata: { labels: { a: 'b' } } })).status).toBe(422);
    },
  );
});

it('asks whether there is a subresource: where there is none the API server has no such field, and an error would deny', () => {
  const text = readFileSync('infra/policies/vm-fields.yaml', 'utf8');
  expect(text.match(/request\.subResource [!=]=/g)?.length).toBe(text.match(/has\(request\.subResource\)/g)?.length);
});

describe('with the policy', () => {
  const asOurs = async (at: Scene) => {
    for (const object of shipped) at.sim.create(object);
    // The stories' token is that of another account: here it has the name of ours.
    at.sim.addToken('token-of-the-lifecycle-functions', ours, 'admin');
    return at;
  };

  it.each(['Always', 'Once', 'RerunOnFailure', 'Manual'] as const)(
    'a %s VM is stopped and started all the same',
    async (runStrategy) => {
      const at = await asOurs(await scene());
      at.sim.createWukong({ namespace, name: 'web', runStrategy });
      if (runStrategy === 'Manual') await at.perform('start', 'web');
      await at.pass(5_000);
      expect(await at.perform('stop', 'web')).toMatchObject({ outcome: 'Stopped' });
      expect(await at.perform('start', 'web')).toMatchObject({ outcome: 'Started' });
      expect(at.sim.requests.filter(({ status }) => status === 422 || status === 403)).toEqual([]);
    },
  );

  it('and so it is by patches alone', async () => {
    const at = await asOurs(await scene({}, { POWER_METHOD: 'patch' }));
    at.sim.createWukong({ namespace, name: 'web', running: true });
    await at.pass(5_000);
    expect(await at.perform('stop', 'web')).toMatchObject({ outcome: 'Stopped' });
    expect(await at.perform('start', 'web')).toMatchObject({ outcome: 'Started' });
  });
});
