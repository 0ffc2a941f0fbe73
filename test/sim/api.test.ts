import { describe, expect, test } from 'vitest';

import { type Client, story, watched } from './client.ts';

const wukongs = '/apis/vm.novasphere.dev/v1alpha1/namespaces/dev/wukongs';
const vms = '/apis/kubevirt.io/v1/namespaces/dev/virtualmachines';
const web = `${wukongs}/web`;

interface WatchEvent {
  type: string;
  object: { metadata: { name: string; resourceVersion: string; annotations?: Record<string, string> }; code?: number };
}

const makeWeb = async ({ send }: Client) => {
  await send('POST', '/api/v1/namespaces', {
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'dev' } },
  });
  return makeWukong(send, 'web', { env: 'dev' });
};

const makeWukong = (send: Client['send'], name: string, labels = {}, query = '', spec = {}) =>
  send('POST', `${wukongs}${query}`, {
    body: {
      apiVersion: 'vm.novasphere.dev/v1alpha1',
      kind: 'Wukong',
      metadata: { name, labels },
      spec: { cpu: 1, memory: '1Gi', ...spec },
    },
  });

describe('a write', () => {
  test('with a stale resourceVersion is a conflict, on the object and on its status', () =>
    story({}, async (stage) => {
      const made = await makeWeb(stage);
      await stage.patch(web, { spec: { cpu: 2 } });
      const { resourceVersion } = made.body.metadata;
      for (const path of [web, `${web}/status`]) {
        const late = await stage.patch(path, {
          metadata: { resourceVersion },
          spec: { cpu: 3 },
          status: { phase: 'Running' },
        });
        expect(late.status).toBe(409);
        expect(late.body.message).toContain('the object has been modified');
      }
    }));

  test('through the wrong door is ignored in silence', () =>
    story({}, async (stage) => {
      await makeWeb(stage);
      await stage.patch(`${web}/status`, {
        metadata: { labels: { a: 'b' } },
        spec: { cpu: 9 },
        status: { vmName: 'x' },
      });
      const after = (await stage.patch(web, { status: { vmName: 'y' } })).body;
      expect([after.metadata.labels, after.spec.cpu, after.status.vmName]).toEqual([{ env: 'dev' }, 1, 'x']);
    }));

  test('that changes nothing keeps the resourceVersion; one of the spec bumps the generation', () =>
    story({}, async (stage) => {
      const made = (await makeWeb(stage)).body;
      const same = (await stage.patch(web, { spec: { cpu: 1 } })).body;
      expect(same.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
      const annotated = (await stage.patch(web, { metadata: { annotations: { a: 'b' } } })).body;
      const bigger = (await stage.patch(web, { spec: { cpu: 2 } })).body;
      expect([made, annotated, bigger].map(({ metadata }) => metadata.generation)).toEqual([1, 1, 2]);
    }));

  test('of a field that the CRD does not know is pruned with a warning, or refused when strict', () =>
    story({}, async (stage) => {
      await makeWeb(stage);
      const pruned = await stage.patch(web, { spec: { foo: 1 } });
      expect([pruned.status, pruned.body.spec.foo]).toEqual([200, undefined]);
      expect(pruned.headers['warning']).toBe('299 - "unknown field \\"spec.foo\\""');
      expect((await stage.patch(`${web}?fieldValidation=Strict`, { spec: { foo: 1 } })).status).toBe(422);
      expect((await makeWukong(stage.send, 'b', {}, '?fieldValidation=Strict', { foo: 1 })).status).toBe(400);
    }));

  test('that breaks the schema names the field', () =>
    story({}, async (stage) => {
      await makeWeb(stage);
      const bad = await stage.patch(web, { spec: { cpu: 'two' } });
      expect([bad.status, bad.body.reason]).toEqual([422, 'Invalid']);
      expect(bad.body.message).toBe(
        'Wukong.vm.novasphere.dev "web" is invalid: spec.cpu: Invalid value: "string": spec.cpu in body must be of type integer: "string"',
      );
    }));

  test('by PUT needs a resourceVersion', () =>
    story({}, async (stage) => {
      const { body } = await makeWeb(stage);
      const { resourceVersion: _, ...metadata } = body.metadata;
      const bare = await stage.send('PUT', web, { body: { ...body, metadata } });
      expect([bare.status, bare.body.message]).toEqual([
        422,
        expect.stringContaining('must be specified for an update'),
      ]);
      expect((await stage.send('PUT', web, { body })).status).toBe(200);
    }));

  test('by JSON patch whose test fails is 422, by strategic merge patch on a custom resource 415', () =>
    story({}, async (stage) => {
      await makeWeb(stage);
      const failed = await stage.patch(
        web,
        [{ op: 'test', path: '/spec/cpu', value: 7 }],
        'application/json-patch+json',
      );
      expect([failed.status, failed.body.message]).toEqual([
        422,
        'the server rejected our request due to an error in our request',
      ]);
      expect((await stage.patch(web, {}, 'application/strategic-merge-patch+json')).status).toBe(415);
    }));

  test('by server-side apply conflicts with another manager, and takes over when forced', () =>
    story({}, async (stage) => {
      await makeWeb(stage);
      const apply = (manager: string, cpu: number, more = '') =>
        stage.patch(
          `${web}?fieldManager=${manager}${more}`,
          { apiVersion: 'vm.novasphere.dev/v1alpha1', kind: 'Wukong', metadata: { name: 'web' }, spec: { cpu } },
          'application/apply-patch+yaml',
        );
      expect((await apply('a', 1)).status).toBe(200);
      const clash = await apply('b', 2);
      expect([clash.status, clash.body.message]).toEqual([409, expect.stringContaining('Apply failed with ')]);
      expect((await apply('b', 2, '&force=true')).body.spec.cpu).toBe(2);
    }));

  test('of a dry run answers as if, and changes nothing', () =>
    story({}, async (stage) => {
      await makeWeb(stage);
      expect((await stage.patch(`${web}?dryRun=All`, { spec: { cpu: 5 } })).body.spec.cpu).toBe(5);
      expect((await stage.send('GET', web)).body.spec.cpu).toBe(1);
    }));

  test('of a Lease or an Event keeps to their own times', () =>
    story({}, async (stage) => {
      await makeWeb(stage);
      const lease = (renewTime: string) =>
        stage.send('POST', '/apis/coordination.k8s.io/v1/namespaces/dev/leases', {
          body: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'l' }, spec: { renewTime } },
        });
      expect((await lease('2026-03-02T19:00:00.818Z')).status).toBe(400);
      expect((await lease('2026-03-02T19:00:00.818000Z')).status).toBe(201);
      const event = (apiVersion: string, metadata: object, more: object) =>
        stage.send('POST', `/api${apiVersion === 'v1' ? '' : 's'}/${apiVersion}/namespaces/dev/events`, {
          body: { apiVersion, kind: 'Event', metadata, ...more },
        });
      const regarding = { kind: 'Wukong', name: 'web', namespace: 'dev' };
      expect((await event('events.k8s.io/v1', { generateName: 'a.' }, { regarding })).status).toBe(422);
      expect(
        (await event('events.k8s.io/v1', { name: 'a' }, { regarding, eventTime: '2026-03-02T19:00:00Z' })).status,
      ).toBe(400);
      const core = { involvedObject: regarding, firstTimestamp: '2026-03-02T19:00:00Z', message: 'said' };
      expect((await event('v1', { generateName: 'a.' }, core)).status).toBe(201);
      const shown = await stage.send('GET', '/apis/events.k8s.io/v1/namespaces/dev/events');
      expect(shown.body.items[0]).toMatchObject({ note: 'said', regarding });
    }));
});

describe('a list', () => {
  test('gives kinds to items of custom resources, and none to built-in ones', () =>
    story({}, async (stage) => {
      await makeWeb(stage);
      expect((await stage.send('GET', wukongs)).body.items[0].kind).toBe('Wukong');
      expect((await stage.send('GET', '/api/v1/namespaces')).body.items[0].kind).toBeUndefined();
    }));

  test('comes in pages of one moment, until the token is too old', () =>
    story({}, async (stage) => {
      await makeWeb(stage);
      for (const name of ['a', 'b', 'c']) await makeWukong(stage.send, name);
      const page = (query: string) => stage.send('GET', `${wukongs}?limit=2${query}`);
      const names = (reply: Awaited<ReturnType<typeof page>>) =>
        reply.body.items.map((one: { metadata: { name: string } }) => one.metadata.name);
      const first = await page('');
      const token = encodeURIComponent(first.body.metadata.continue);
      await makeWukong(stage.send, 'd');
      const second = await page(`&continue=${token}`);
      expect([names(first), names(second), second.body.metadata.continue]).toEqual([
        ['a', 'b'],
        ['c', 'web'],
        undefined,
      ]);
      stage.sim.compact();
      const late = await page(`&continue=${token}`);
      expect([late.status, late.body.reason]).toEqual([410, 'Expired']);
      const rest = await page(`&continue=${encodeURIComponent(late.body.metadata.continue)}`);
      expect(names(rest)).toEqual(['c', 'd']);
    }));

  test.each([
    ['env=dev', ['web']],
    ['env!=dev', ['a']],
    ['env in (dev,prod),tier', []],
    ['env notin (dev)', ['a']],
    ['!env', ['a']],
    ['env', ['web']],
  ])('selects by labels: %s', (selector, wanted) =>
    story({}, async (stage) => {
      await makeWeb(stage);
      await makeWukong(stage.send, 'a');
      const { body } = await stage.send('GET', `${wukongs}?labelSelector=${encodeURIComponent(selector)}`);
      expect(body.items.map((one: { metadata: { name: string } }) => one.metadata.name)).toEqual(wanted);
    }),
  );

  test('of the future is refused', () =>
    story({}, async (stage) => {
      await makeWeb(stage);
      const reply = await stage.send('GET', `${wukongs}?resourceVersion=999999`);
      expect([reply.status, reply.headers['retry-after']]).toEqual([504, '1']);
      expect(reply.body.message).toContain('Too large resource version');
    }));
});

describe('a watch', () => {
  test('with a label selector tells of a label that goes as of a deletion', () =>
    story({}, async (stage) => {
      await makeWeb(stage);
      const events = watched<WatchEvent>(
        stage.sim,
        `${wukongs}?watch=true&labelSelector=env%3Ddev`,
        (all) => all.length === 3,
      );
      await stage.sleep(10);
      await stage.patch(web, { metadata: { labels: { env: 'prod' } } });
      await stage.patch(web, { metadata: { labels: { env: 'dev' } } });
      expect((await events).map(({ type }) => type)).toEqual(['ADDED', 'DELETED', 'ADDED']);
    }));

  test('begins with all there is, a bookmark that says so, and one a minute from then on', () =>
    story({}, async (stage) => {
      await makeWeb(stage);
      const path = `${wukongs}?watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan`;
      const events = watched<WatchEvent>(stage.sim, path, (all) => all.length === 3);
      await stage.sleep(61_000);
      const [added, initial, later] = await events;
      expect([added?.type, initial?.type, later?.type]).toEqual(['ADDED', 'BOOKMARK', 'BOOKMARK']);
      expect(initial?.object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' });
    }));

  test('goes on from a revision, ends at its time limit, and is told when that is gone', () =>
    story({}, async (stage) => {
      const made = (await makeWeb(stage)).body;
      await stage.patch(web, { spec: { cpu: 2 } });
      const path = `${wukongs}?watch=true&timeoutSeconds=5&resourceVersion=${made.metadata.resourceVersion}`;
      const events = await watched<WatchEvent>(stage.sim, path, () => false);
      expect(events.map(({ type }) => type)).toEqual(['MODIFIED']);
      stage.sim.compact();
      const [gone] = await watched<WatchEvent>(stage.sim, path, () => false);
      expect([gone?.type, gone?.object.code]).toEqual(['ERROR', 410]);
    }));
});

test('who may not is told user, verb and resource; a bad token is 401', () =>
  story({}, async (stage) => {
    await makeWeb(stage);
    stage.sim.addToken('reader', 'jane', [
      { namespaces: ['dev'], apiGroups: ['vm.novasphere.dev'], resources: ['wukongs'], verbs: ['get'] },
    ]);
    expect((await stage.send('GET', web, { token: 'reader' })).status).toBe(200);
    const refused = await stage.send('GET', wukongs, { token: 'reader' });
    expect([refused.status, refused.body.message]).toEqual([
      403,
      'wukongs.vm.novasphere.dev is forbidden: User "jane" cannot list resource "wukongs" in API group "vm.novasphere.dev" in the namespace "dev"',
    ]);
    stage.sim.expireToken('reader');
    expect((await stage.send('GET', web, { token: 'reader' })).status).toBe(401);
  }));

test('a ServiceAccount may do what its roles say', () =>
  story({}, async (stage) => {
    await makeWeb(stage);
    const rbac = 'rbac.authorization.k8s.io/v1';
    const rules = [{ apiGroups: ['subresources.kubevirt.io'], resources: ['virtualmachines/stop'], verbs: ['update'] }];
    stage.sim.create({ apiVersion: rbac, kind: 'Role', metadata: { name: 'r', namespace: 'dev' }, rules });
    stage.sim.create({
      apiVersion: rbac,
      kind: 'RoleBinding',
      metadata: { name: 'b', namespace: 'dev' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' },
      subjects: [{ kind: 'ServiceAccount', name: 'wukong' }],
    });
    const token = stage.sim.tokenFor('dev', 'wukong');
    const power = (verb: string) =>
      stage.send('PUT', `/apis/subresources.kubevirt.io/v1/namespaces/dev/virtualmachines/x/${verb}`, { token });
    expect([(await power('stop')).status, (await power('start')).status]).toEqual([404, 403]);
  }));

test('what a Wukong owns goes with it, and all goes with a namespace', () =>
  story({}, async ({ sim, send, sleep }) => {
    sim.createWukong({ namespace: 'dev', name: 'web' });
    sim.createWukong({ namespace: 'dev', name: 'db' });
    await sleep(2000);
    await send('DELETE', web);
    await sleep(5000);
    expect([sim.list('virtualmachines', 'dev').length, sim.list('virtualmachineinstances', 'dev').length]).toEqual([
      1, 1,
    ]);
    await send('DELETE', '/api/v1/namespaces/dev');
    await sleep(5000);
    expect([sim.get('namespaces', '', 'dev'), sim.list('virtualmachines').length, sim.list('pods').length]).toEqual([
      undefined,
      0,
      0,
    ]);
  }));

test('a VM may not have both running and runStrategy, nor an unknown strategy', () =>
  story({}, async ({ sim, patch }) => {
    sim.createWukong({ namespace: 'dev', name: 'web' });
    const both = await patch(`${vms}/web-vm`, { spec: { running: true } });
    expect([both.status, both.body.message]).toEqual([
      422,
      expect.stringContaining('Running and RunStrategy are mutually exclusive'),
    ]);
    const odd = await patch(`${vms}/web-vm`, { spec: { runStrategy: 'Sometimes' } });
    expect([odd.status, odd.body.message]).toEqual([422, expect.stringContaining('Invalid RunStrategy (Sometimes)')]);
    const legacy = await patch(`${vms}/web-vm`, { spec: { runStrategy: null, running: true } });
    expect(legacy.headers['warning']).toContain('spec.running is deprecated');
  }));
