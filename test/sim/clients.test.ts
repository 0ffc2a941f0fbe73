import { expect, test } from 'vitest';

import { story, watched } from './client.ts';

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

const own = '/apis/vm.novasphere.dev/v1alpha1';
const watchable = [
  `${own}/wukongs`,
  `${own}/namespaces/dev/wukongs`,
  '/apis/kubevirt.io/v1/namespaces/dev/virtualmachines',
  '/api/v1/namespaces/dev/pods',
  '/api/v1/nodes',
  '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
];

test('a watch without a resourceVersion, or with 0, begins with all there is, however a client spells it', () =>
  story({}, async ({ sim, send, sleep }) => {
    sim.createWukong({ namespace: 'dev', name: 'web' });
    await sleep(30_000);
    for (const path of watchable) {
      const names = (await send('GET', path)).body.items.map(({ metadata }: Named) => metadata.name);
      expect(names, path).not.toEqual([]);
      for (const asked of ['true', 'True', '1', 't', ''])
        for (const from of ['', '&resourceVersion=', '&resourceVersion=0', '&timeoutSeconds=3']) {
          const query = `${path}?watch=${asked}${from}`;
          const events = await watched<Told>(sim, query, (all) => all.length === names.length);
          const told = events.map(({ type, object }) => [type, object.metadata.name]);
          expect(told, query).toEqual(names.map((name: string) => ['ADDED', name]));
        }
    }
    for (const not of ['watch=false', 'watch=False', 'watch=0', 'watching=true'])
      expect((await send('GET', `${own}/wukongs?${not}`)).body.kind, not).toBe('WukongList');
    expect((await send('GET', `${own}/namespaces/dev/wukongs/web?watch=true`)).body.metadata.name).toBe('web');
  }));
interface Named {
  metadata: { name: string };
}
interface Told {
  type: string;
  object: Named;
}

test('a watch that began with what there was tells what comes, changes and goes, and ends at its time', () =>
  story({}, async ({ sim, send, patch, sleep }) => {
    sim.createWukong({ namespace: 'dev', name: 'web' });
    const wukongs = `${own}/namespaces/dev/wukongs`;
    const events = watched<Told>(sim, `${wukongs}?watch=True&timeoutSeconds=3`, () => false);
    await sleep(10);
    await patch(`${wukongs}/web`, { metadata: { labels: { env: 'dev' } } });
    await send('DELETE', `${wukongs}/web`);
    expect((await events).map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'DELETED']);
  }));

test('a number of a query that is none is refused as the API server refuses it', () =>
  story({}, async ({ send }) => {
    for (const query of ['watch=true&timeoutSeconds=soon', 'limit=many', 'limit=', 'limit=1.5']) {
      const { status, body } = await send('GET', `/api/v1/nodes?${query}`);
      const value = query.split('=').at(-1);
      expect([status, body.message]).toEqual([400, `strconv.ParseInt: parsing "${value}": invalid syntax`]);
    }
  }));
