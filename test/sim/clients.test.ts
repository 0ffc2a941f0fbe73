import { expect, test } from 'vitest';

import { story } from './client.ts';

const apps = '/apis/apps/v1/namespaces/default/deployments';

test('every object of a new cluster has a creationTimestamp: clients of other languages parse it', () =>
  story({}, async ({ sim, send, sleep }) => {
    sim.createWukong({ namespace: 'dev', name: 'web' });
    await sleep(3_000);
    let seen = 0;
    for (const { groupVersion } of (await send('GET', '/apis')).body.groups
      .flatMap(({ versions }: { versions: { groupVersion: string }[] }) => versions)
      .concat({ groupVersion: 'v1' })) {
      const base = groupVersion === 'v1' ? '/api/v1' : `/apis/${groupVersion}`;
      const { resources } = (await send('GET', base)).body;
      for (const { name, verbs } of resources as { name: string; verbs: string[] }[]) {
        if (name.includes('/') || !verbs.includes('list')) continue;
        const { items } = (await send('GET', `${base}/${name}`)).body;
        for (const { metadata } of items as { metadata: { creationTimestamp: string } }[]) {
          expect(metadata.creationTimestamp, name).toMatch(/^2026-03-02T19:00:0\dZ$/);
          seen++;
        }
      }
    }
    expect(seen).toBeGreaterThan(10);
  }));

test('kubectl logs: a running pod says some lines, one that waits says why not', () =>
  story({}, async ({ sim, send, sleep }) => {
    sim.createWukong({ namespace: 'dev', name: 'web' });
    await sleep(3_000);
    const [pod] = sim.list<{ metadata: { name: string } }>('pods', 'dev');
    const log = await send('GET', `/api/v1/namespaces/dev/pods/${pod!.metadata.name}/log?container=compute`);
    expect([log.status, log.text]).toEqual([
      200,
      expect.stringMatching(/compute of pod virt-launcher.*\n.*is Running\n/),
    ]);
    const wrong = await send('GET', `/api/v1/namespaces/dev/pods/${pod!.metadata.name}/log?container=none`);
    expect(wrong.status).toBe(400);
  }));

test('kubectl scale changes the replicas of a Deployment', () =>
  story({}, async ({ send, patch }) => {
    const metadata = { name: 'serve' };
    const body = { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { replicas: 1 } };
    await send('POST', apps, { body });
    expect((await patch(`${apps}/serve/scale`, { spec: { replicas: 3 } })).body.spec.replicas).toBe(3);
    expect((await send('GET', `${apps}/serve/scale`)).body.kind).toBe('Scale');
    expect((await send('GET', `${apps}/serve`)).body.spec.replicas).toBe(3);
    expect((await patch(`${apps}/serve/scale`, { spec: { replicas: 'x' } })).status).toBe(400);
  }));

test('a Secret may be replaced without its resourceVersion, as helm does; a Wukong or a Lease may not', () =>
  story({}, async ({ sim, send }) => {
    sim.createWukong({ namespace: 'dev', name: 'web' });
    const secrets = '/api/v1/namespaces/dev/secrets';
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', labels: { status: 'pending-install' } } };
    await send('POST', secrets, { body: secret });
    const deployed = { ...secret, metadata: { name: 's', labels: { status: 'deployed' } } };
    expect((await send('PUT', `${secrets}/s`, { body: deployed })).body.metadata.labels.status).toBe('deployed');
    const web = '/apis/vm.novasphere.dev/v1alpha1/namespaces/dev/wukongs/web';
    const { metadata: _, ...rest } = (await send('GET', web)).body;
    expect((await send('PUT', web, { body: { ...rest, metadata: { name: 'web' } } })).status).toBe(422);
  }));
