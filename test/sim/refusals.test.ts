// What an API server answers to requests that it does not carry out: who asks, for what, and how it is to be read.
import { expect, test } from 'vitest';

import { answered, dev, maps, spec, web, wukong, wukongs } from './answered.ts';
import { story } from './client.ts';
import { crdOf, crds, make, toys } from './toys.ts';

test('what is no bearer token counts as none; a wrong or expired one is 401, for what is not served too', () =>
  dev(async ({ sim, send }) => {
    sim.addToken('old', 'old', 'admin');
    sim.expireToken('old');
    const by = (authorization: string) => ({ token: '', headers: { authorization } });
    const anonymous = /User "system:anonymous" cannot list resource "wukongs"/;
    await answered(send, [
      ['GET', wukongs, by('Bearer'), 403, anonymous],
      ['GET', wukongs, by('Bearer '), 403, anonymous],
      ['GET', wukongs, by('Basic YTpi'), 403, anonymous],
      ['GET', wukongs, by(sim.adminToken), 403, anonymous],
      ['GET', wukongs, by('Bearer none'), 401, /^Unauthorized$/],
      ['GET', wukongs, by('Bearer old'), 401, /^Unauthorized$/],
      ['GET', '/nothing', by('Bearer none'), 401],
      ['GET', '/version', by('Bearer none'), 401],
      ['GET', wukongs, by(`bearer ${sim.adminToken}`), 200],
      ['GET', wukongs, by(`BEARER ${sim.adminToken} more`), 200],
      [
        'GET',
        wukongs,
        { token: '', headers: { 'impersonate-user': 'admin' } },
        403,
        /cannot impersonate resource "users"/,
      ],
      ['GET', '/nothing', { token: '' }, 403, /^forbidden: User "system:anonymous" cannot get path "\/nothing"$/],
      ['POST', '/apis', { token: '' }, 403, /cannot post path "\/apis"$/],
      ['GET', '/healthz', { token: '' }, 200],
      [
        'POST',
        '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
        { token: '', body: {} },
        403,
        /cannot create resource "selfsubjectaccessreviews"/,
      ],
    ]);
  }));

test('whoever may not is told so before anybody looks whether there is such a kind', () =>
  dev(async ({ sim, send }) => {
    sim.addToken('weak', 'weak', [
      { apiGroups: ['vm.novasphere.dev'], resources: ['wukongs'], verbs: ['get', 'list'] },
    ]);
    const weak = { token: 'weak' };
    const none = /^404 page not found\n$/;
    await answered(send, [
      ['GET', '/apis/vm.novasphere.dev/v1/namespaces/dev/wukongs', weak, 404, none],
      ['GET', '/apis/vm.novasphere.dev/v1/namespaces/dev/apes', weak, 403, /cannot list resource "apes"/],
      ['GET', '/apis/nobody.example.com/v1/things/a', weak, 403, /cannot get resource "things" in API group "nobody/],
      ['GET', '/nothing', weak, 403, /User "weak" cannot get path "\/nothing"/],
      ['GET', '/api', weak, 200],
      ['GET', '/apis/nobody.example.com/v1', weak, 404, none],
      ['HEAD', web, weak, 200],
      ['HEAD', wukongs, weak, 200],
      ['OPTIONS', wukongs, weak, 403, /User "weak" cannot {2}resource "wukongs"/],
      ['OPTIONS', wukongs, {}, 405],
      ['HEAD', maps, {}, 405],
      ['GET', '/apis/vm.novasphere.dev/v9/wukongs', {}, 404, none],
      ['GET', '/apis/kubevirt.io/v1alpha3/virtualmachines', {}, 404, none],
      ['GET', '/api/v2/pods', {}, 404, /^the server could not find the requested resource$/],
      ['GET', '/api/v1/namespaces/dev/apes', {}, 404, /^the server could not find/],
      ['GET', '/apis/batch/v1beta1/cronjobs', {}, 404, /^the server could not find/],
      ['GET', `${web}/scale`, {}, 404, /^wukongs\.vm\.novasphere\.dev "web" not found$/],
      ['GET', `${web}/apes`, {}, 404, /^wukongs\.vm\.novasphere\.dev "web" not found$/],
      ['POST', '/apis/vm.novasphere.dev/v1alpha1/wukongs', { body: { ...wukong, spec } }, 404, none],
      ['PUT', wukongs, { body: { ...wukong, spec } }, 400, /^name must be provided$/],
      ['PUT', maps, { body: {} }, 405],
      ['POST', '/api/v1/configmaps', { body: {} }, 405],
      ['GET', '/apis/authentication.k8s.io/v1/tokenreviews', {}, 405],
      [
        'POST',
        '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews',
        { body: { spec: {} } },
        400,
        /^no namespace on request$/,
      ],
    ]);
  }));

test('options of a list or watch that do not go together are all told', () =>
  dev(async ({ sim, send }) => {
    const revision = String(Number((await send('GET', web)).body.metadata.resourceVersion));
    const list = (query: string) => `${wukongs}?${query}`;
    const match = 'resourceVersionMatch';
    await answered(send, [
      ['GET', list(`${match}=Newest&resourceVersion=1`), {}, 422, /supported values: "Exact", "NotOlderThan", ""$/],
      ['GET', list(`${match}=Exact&resourceVersion=0`), {}, 422, /"exact" is forbidden for resourceVersion "0"/],
      ['GET', list(`${match}=NotOlderThan`), {}, 422, /forbidden unless resourceVersion is provided/],
      ['GET', list(`${match}=NotOlderThan&resourceVersion=0`), {}, 200],
      [
        'GET',
        list(`${match}=NotOlderThan&resourceVersion=5&continue=x`),
        {},
        422,
        /forbidden when continue is provided/,
      ],
      [
        'GET',
        list('sendInitialEvents=false'),
        {},
        422,
        /sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list/,
      ],
      [
        'GET',
        list(`watch=1&sendInitialEvents=true&${match}=Exact&resourceVersion=5`),
        {},
        422,
        /\[.*requires setting.*, .*supported values: "NotOlderThan"\]/,
      ],
      ['GET', list('resourceVersion=abc'), {}, 400, /invalid resource version/],
      ['GET', list('resourceVersion=99999999'), {}, 504, /Too large resource version/],
      [
        'GET',
        list(`${match}=Exact&resourceVersion=2`),
        {},
        410,
        /The resourceVersion for the provided list is too old/,
      ],
      ['GET', list('limit=2&resourceVersion=2'), {}, 410],
      ['GET', list('resourceVersion=2'), {}, 200],
      ['GET', list('limit=x'), {}, 400, /invalid syntax/],
      ['GET', list('continue=%21'), {}, 400, /^invalid continue token: continue key is not valid/],
      [
        'GET',
        list(`continue=${Buffer.from('null').toString('base64url')}`),
        {},
        400,
        /does not recognize this encoded version/,
      ],
      [
        'GET',
        list(`continue=${Buffer.from('{"v":"meta.k8s.io/v1","rv":5}').toString('base64url')}`),
        {},
        400,
        /start key empty/,
      ],
      ['GET', list(`continue=x&resourceVersion=${revision}`), {}, 400, /specifying resource version is not allowed/],
      ['GET', list('fieldSelector=spec.cpu=1'), {}, 400, /^field label not supported: spec\.cpu$/],
      ['GET', list('watch=true&fieldSelector=spec.cpu=1'), {}, 400, /field label not supported/],
      ['GET', list('fieldSelector=metadata.name'), {}, 400, /can't understand 'metadata\.name'/],
      ['GET', list('labelSelector=a+in'), {}, 400, /unable to parse requirement/],
    ]);
    sim.change<{ spec: object }>('wukongs', 'dev', 'web', ({ spec }) => Object.assign(spec, { cpu: 7 }));
    sim.createWukong({ namespace: 'dev', name: 'later' });
    sim.remove('wukongs', 'dev', 'web');
    const then = (await send('GET', list(`${match}=Exact&resourceVersion=${revision}`))).body;
    expect(then.metadata.resourceVersion).toBe(revision);
    const found = then.items as { metadata: { name: string }; spec: { cpu: number } }[];
    expect(found.map(({ metadata: { name }, spec: { cpu } }) => [name, cpu])).toEqual([['web', 1]]);
  }));

test('fields of a custom resource may be selected by where its CRD says so', () =>
  story({}, async ({ send }) => {
    const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    const body = crdOf(schema, { selectableFields: [{ jsonPath: '.spec.size' }] });
    expect((await send('POST', crds, { body })).status).toBe(201);
    for (const size of [1, 2]) await make(send, { size }, `toy-${size}`);
    const found = await send('GET', `${toys}?fieldSelector=spec.size=2`);
    expect(found.body.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)).toEqual(['toy-2']);
    await answered(send, [['GET', `${toys}?fieldSelector=spec.colour=red`, {}, 400, /not supported: spec\.colour/]]);
  }));
