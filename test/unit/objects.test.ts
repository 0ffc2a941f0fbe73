import { describe, expect, it } from 'vitest';

import { answerFailure, bodyOf, messageOf } from '../../shared/cluster/failure.ts';
import { listAll, listPages } from '../../shared/cluster/list.ts';
import {
  jsonPatch,
  mergePatch,
  pointer,
  readObject,
  readWukong,
  runPath,
  slim,
  withCondition,
  wukongPath,
} from '../../shared/cluster/objects.ts';
import { apiPath, namespaceIn } from '../../shared/cluster/path.ts';
import type { Answer, Transport } from '../../shared/cluster/transport.ts';
import type { LifecycleError } from '../../shared/domain/errors.ts';
import type { Condition, Wukong } from '../../shared/domain/model.ts';
import { VirtualClock } from '../../sim/clock.ts';

interface Call {
  method: string;
  path: string;
  body?: unknown;
  contentType?: string;
  safe?: boolean;
}
const limits = { deadline: 10_000 };
/** A cluster that gives these answers, one after the other; when, and how, it was asked. */
function answering(...answers: [status: number, body?: unknown][]) {
  const clock = new VirtualClock(0);
  const calls: Call[] = [];
  const at: number[] = [];
  const transport = {
    call: (call: Call, within: unknown) => {
      expect(within).toMatchObject(limits);
      calls.push(call);
      at.push(clock.now());
      const [status, body] = answers.shift()!;
      return Promise.resolve({ status, body, warnings: [] });
    },
  } as unknown as Transport;
  return { cluster: { transport, clock, random: () => 0.25 }, transport, calls, at, clock };
}
const web = { metadata: { namespace: 'team-a', name: 'web' } };
const place = { namespace: 'team-a', name: 'web' };
const root = '/apis/vm.novasphere.dev/v1alpha1';
const one = `${root}/namespaces/team-a/wukongs/web`;

describe('an answer that is no success', () => {
  const answer = (status: number, body: unknown = { message: 'no' }) => ({ status, body, warnings: [] }) as Answer;

  it('is said in its own words, or by its number', () => {
    const said = [
      { message: 'no' },
      { message: 'x'.repeat(1_100) },
      { message: 7 },
      undefined,
      'a\nb',
      'y'.repeat(600),
      '',
    ].map((body) => messageOf({ status: 500, body, warnings: [] } as Answer));
    expect(said).toEqual(['no', 'x'.repeat(1_000), 'HTTP 500', 'HTTP 500', 'a', 'y'.repeat(500), '']);
  });

  it.each([
    [401, 'Denied', 'read: the token is not accepted (401); renew the credentials'],
    [403, 'Denied', 'read: no'],
    [404, 'NotFound', 'read: no'],
    [400, 'Refused', 'read: no'],
    [408, 'Unreachable', 'read: no (408)'],
    [429, 'Unreachable', 'read: no (429)'],
    [499, 'Refused', 'read: no'],
    [500, 'Unreachable', 'read: no (500)'],
    [503, 'Unreachable', 'read: no (503)'],
  ])('%i is %s', (status, code, message) => {
    expect(answerFailure(answer(status), 'read')).toMatchObject({ code, message, status });
    expect(() => bodyOf(answer(status), 'read')).toThrow(message);
  });

  it('is what is not from 200 to 299', () => {
    expect([200, 299].map((status) => bodyOf(answer(status, status), 'read'))).toEqual([200, 299]);
    for (const status of [199, 300]) expect(() => bodyOf(answer(status), 'read')).toThrow('read: no');
  });
});

describe('an object is read', () => {
  it('as ours', async () => {
    const { cluster, calls } = answering([200, web]);
    expect(await readWukong(cluster, place, limits)).toEqual(web);
    expect(calls).toEqual([{ method: 'GET', path: one, safe: true }]);
    await expect(readWukong(answering([404, { message: 'gone' }]).cluster, place, limits)).rejects.toMatchObject({
      code: 'NotFound',
      message: 'Wukong team-a/web: gone',
    });
    await expect(readWukong(answering([200, {}]).cluster, place, limits)).rejects.toMatchObject({
      ...{ code: 'Refused', message: 'Wukong team-a/web: the answer of the API server is no such object' },
    });
  });

  it('of any kind, where it is there', async () => {
    const { cluster, calls } = answering([200, web], [404], [200, {}]);
    const read = () => readObject(cluster, '/p', 'it', limits);
    expect([await read(), await read(), await read()]).toEqual([web, undefined, undefined]);
    expect(calls[0]).toEqual({ method: 'GET', path: '/p', safe: true });
    await expect(readObject(answering([403, {}]).cluster, '/p', 'it', limits)).rejects.toMatchObject({
      code: 'Denied',
      message: 'it: HTTP 403',
    });
  });

  it('by its path', () => {
    expect([
      runPath(),
      runPath('team-a', 'r', { a: 'b' }),
      pointer('a/b', 'c~d'),
      wukongPath('team-a', 'web', 'status'),
    ]).toEqual([
      ...[`${root}/wukongruns`, `${root}/namespaces/team-a/wukongruns/r?a=b`, '/a~1b/c~0d', `${one}/status`],
    ]);
  });

  it('and of a Wukong what is needed is kept', () => {
    const kept = {
      name: 'web',
      namespace: 'team-a',
      uid: 'u',
      resourceVersion: '7',
      generation: 3,
      creationTimestamp: 'x',
      labels: { a: 'b' },
    };
    const annotations = { c: 'd', 'kubectl.kubernetes.io/last-applied-configuration': '{}' };
    const more = { deletionTimestamp: 'y', finalizers: ['f'] };
    const spec = { startStrategy: { autoStart: true }, lifecycleAction: { action: 'stop' }, cpu: 4 };
    const whole = {
      kind: 'Wukong',
      metadata: { ...kept, ...more, annotations, managedFields: [] },
      spec,
      status: { phase: 'Ready' },
    };
    expect(slim(whole as unknown as Wukong)).toStrictEqual({
      metadata: { ...kept, ...more, annotations: { c: 'd' } },
      spec: { startStrategy: { autoStart: true }, lifecycleAction: { action: 'stop' } },
      status: { phase: 'Ready' },
    });
    const bare = slim({ metadata: { name: 'web' } } as Wukong);
    expect([
      Object.keys(bare.metadata).includes('finalizers'),
      'deletionTimestamp' in bare.metadata,
      bare.metadata.annotations,
      bare.spec,
    ]).toEqual([...[false, false, {}, { startStrategy: undefined, lifecycleAction: undefined }]]);
  });
});

describe('a list is read', () => {
  const page = (items: unknown, next?: unknown) =>
    [200, { metadata: { resourceVersion: '9', continue: next }, items }] as [number, unknown];

  it('page by page, of what is an object', async () => {
    const { transport, calls } = answering(page([web, {}], 'a b'), page([web]));
    const pages = [];
    for await (const one of listPages(transport, '/p', limits)) pages.push(one);
    expect(pages).toEqual([
      { items: [web], resourceVersion: '9' },
      { items: [web], resourceVersion: '9' },
    ]);
    expect(calls).toEqual(
      ['/p?limit=500', '/p?limit=500&continue=a%20b'].map((path) => ({ method: 'GET', path, safe: true })),
    );
  });

  it('at once, where it may be asked for by labels', async () => {
    const { transport, calls } = answering(page([web], 'a'), page([web], 'b'), page([web], ''));
    expect(await listAll(transport, '/p?labelSelector=x', limits)).toEqual([web, web, web]);
    expect(calls[0]?.path).toBe('/p?labelSelector=x&limit=500');
    expect(calls).toHaveLength(3);
  });

  it('to its end, though the server has forgotten it meanwhile', async () => {
    const { transport, calls } = answering(page([web], 'a'), [410, { metadata: { continue: 'b' } }], page([web]));
    expect(await listAll(transport, '/p', limits)).toEqual([web, web]);
    expect(calls.at(-1)?.path).toBe('/p?limit=500&continue=b');
    for (const answers of [
      [page([web], 'a'), [410, {}]],
      [[410, { metadata: { continue: 'b' } }]],
      [page([web], 'a'), [410, undefined]],
    ] as [number, unknown][][])
      await expect(listAll(answering(...answers).transport, '/p', limits)).rejects.toMatchObject({ code: 'Refused' });
  });

  it('of a server that says something else as empty', async () => {
    for (const body of [undefined, {}, { items: 7 }, { items: [], metadata: { continue: 7, resourceVersion: 7 } }]) {
      const { transport } = answering([200, body]);
      for await (const one of listPages(transport, '/p', limits))
        expect(one).toEqual({ items: [], resourceVersion: '' });
    }
    await expect(listAll(answering([500, { message: 'down' }]).transport, '/p?a=b', limits)).rejects.toThrow(
      'list of /p: down (500)',
    );
  });
});

describe('an object is changed', () => {
  it('by steps, again after each lost race, ever later', async () => {
    const steps = [{ op: 'test', path: '/a', value: 1 }] as const;
    const { cluster, calls, at, clock } = answering([409], [409], [200, web]);
    const answer = await clock.run(jsonPatch(cluster, '/p', [...steps], limits), { sims: [] });
    expect([answer.status, at]).toEqual([200, [0, 75, 225]]);
    expect(calls[0]).toEqual({
      method: 'PATCH',
      path: '/p',
      body: steps,
      contentType: 'application/json-patch+json',
      safe: true,
    });
    const lost = answering([409], [409], [409], [409], [409]);
    expect((await lost.clock.run(jsonPatch(lost.cluster, '/p', [], limits), { sims: [] })).status).toBe(409);
    expect(lost.calls).toHaveLength(5);
    const wrong = answering([422]);
    expect((await jsonPatch(wrong.cluster, '/p', [], limits)).status).toBe(422);
  });

  it('by steps no more once that is not wanted', async () => {
    const wish = new AbortController();
    wish.abort(new Error('over'));
    const { cluster } = answering([409]);
    await expect(jsonPatch(cluster, '/p', [], { ...limits, signal: wish.signal })).rejects.toThrow('over');
  });

  it('by what is merged into it', async () => {
    const { cluster, calls } = answering([200, web]);
    expect((await mergePatch(cluster, '/p', { a: 1 }, limits)).body).toEqual(web);
    expect(calls).toEqual([
      { method: 'PATCH', path: '/p', body: { a: 1 }, contentType: 'application/merge-patch+json', safe: true },
    ]);
  });

  it('in one of its conditions, whose time moves with its status alone', () => {
    const is = (type: string, status: 'True' | 'False', lastTransitionTime?: string): Condition => ({
      type,
      status,
      ...(lastTransitionTime ? { lastTransitionTime } : {}),
    });
    const before = [is('A', 'True', 'old'), is('B', 'True', 'older')];
    expect(withCondition(before, { ...is('A', 'True'), message: 'm' }, 'now')).toEqual([
      before[1],
      { ...is('A', 'True', 'old'), message: 'm' },
    ]);
    expect(withCondition(before, is('B', 'False'), 'now')).toEqual([before[0], is('B', 'False', 'now')]);
    expect(withCondition(undefined, is('A', 'True'), 'now')).toEqual([is('A', 'True', 'now')]);
  });
});

describe('a path of the API', () => {
  const refused = (name: unknown) => {
    try {
      return apiPath({ api: 'v1', kind: 'pods', name: name as string });
    } catch (thrown) {
      const { code, message } = thrown as LifecycleError;
      return `${code}: ${message}`;
    }
  };
  const why = ' cannot be the name of an object: nothing was asked of the cluster';

  it('has what is asked for behind it, where anything is', () => {
    const path = (query?: Record<string, string>) => apiPath({ api: 'v1', kind: 'pods', ...(query ? { query } : {}) });
    expect([path(), path({}), path({ a: 'b c' })]).toEqual(['/api/v1/pods', '/api/v1/pods', '/api/v1/pods?a=b+c']);
    expect(apiPath({ api: 'apps/v1', namespace: 'a', kind: 'x', name: 'y', subresource: 'z' })).toBe(
      '/apis/apps/v1/namespaces/a/x/y/z',
    );
  });

  it('has names of 253 characters, and says which cannot be one', () => {
    expect(refused('x'.repeat(253))).toBe(`/api/v1/pods/${'x'.repeat(253)}`);
    expect(refused('x'.repeat(254))).toBe(`InvalidAction: "${'x'.repeat(80)}"${why}`);
    expect([refused('a/b'), refused('..'), refused({ length: 1 }), refused(['x'])]).toEqual([
      ...[
        `InvalidAction: "a/b"${why}`,
        `InvalidAction: ".."${why}`,
        `InvalidAction: "object"${why}`,
        `InvalidAction: "object"${why}`,
      ],
    ]);
  });

  it('is of a namespace, or of none', () => {
    const paths = [
      '/api/v1/namespaces/a/pods',
      '/api/v1/namespaces/b?x=/namespaces/c',
      '/api/v1/pods?a=/namespaces/b',
      '/api/v1/namespaces',
    ];
    expect(paths.map(namespaceIn)).toEqual(['a', 'b', '', '']);
  });
});
