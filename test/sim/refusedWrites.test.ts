// What an API server answers to writes that it does not carry out, or not as they are meant.
import { expect, test } from 'vitest';

import { answered, dev, maps, spec, web, wukong, wukongs } from './answered.ts';

const jsonPatch = 'application/json-patch+json';
const merge = 'application/merge-patch+json';

test('a patch that names another object, or that does not fit, changes nothing', () =>
  dev(async ({ send }) => {
    const by = (type: string, body: unknown) => ({ type, body });
    const operations = (...body: unknown[]) => by(jsonPatch, body);
    const stumbles = /^the server rejected our request due to an error in our request$/;
    const before = (await send('GET', web)).text;
    await answered(send, [
      [
        'PATCH',
        web,
        by(merge, { metadata: { name: 'other' } }),
        400,
        /the name of the object \(other\) does not match the name on the URL \(web\)/,
      ],
      [
        'PATCH',
        web,
        by(merge, { metadata: { namespace: 'other' } }),
        400,
        /the namespace of the provided object does not match/,
      ],
      [
        'PATCH',
        web,
        by(merge, { metadata: { uid: 'other' } }),
        422,
        /metadata\.uid: Invalid value: "other": field is immutable/,
      ],
      ['PATCH', web, by(merge, { metadata: { resourceVersion: '1' } }), 409, /the object has been modified/],
      ['PATCH', web, by(merge, [1]), 400],
      ['PATCH', web, by(merge, ''), 400],
      ['PATCH', web, by('text/plain', '{}'), 415],
      ['PATCH', `${wukongs}/none`, by(merge, {}), 404],
      ['PATCH', `${web}?force=true`, by(merge, {}), 422, /force: Forbidden: may not be specified for non-apply patch/],
      ['PATCH', web, by(jsonPatch, {}), 400],
      ['PATCH', web, operations(null), 400],
      ['PATCH', web, operations({ op: 'test', path: '/spec/cpu', value: 99 }), 422, stumbles],
      ['PATCH', web, operations({ op: 'test', path: '/nothing/here', value: null }), 422, stumbles],
      ['PATCH', web, operations({ op: 'remove', path: '/spec/nothing' }), 422, stumbles],
      ['PATCH', web, operations({ op: 'replace', path: '/spec/nothing', value: 1 }), 422, stumbles],
      ['PATCH', web, operations({ op: 'copy', from: '/spec/nothing', path: '/spec/cpu' }), 422, stumbles],
      ['PATCH', web, operations({ op: 'add', path: '/nothing/here', value: 1 }), 422, stumbles],
      [
        'PATCH',
        web,
        operations(
          { op: 'add', path: '/metadata/finalizers', value: [] },
          { op: 'add', path: '/metadata/finalizers/5', value: 'a/b' },
        ),
        422,
        stumbles,
      ],
      ['PATCH', web, operations({ op: 'become', path: '/spec/cpu', value: 2 }), 422, stumbles],
      ['PATCH', web, operations({ op: 'test', path: '/spec/nothing', value: null }), 200],
      [
        'PATCH',
        web,
        operations(
          { op: 'replace', path: '/metadata/resourceVersion', value: '1' },
          { op: 'add', path: '/spec/cpu', value: 2 },
        ),
        409,
      ],
    ]);
    expect((await send('GET', web)).text).toBe(before);
  }));

test('options that nobody knows are refused before anything is written', () =>
  dev(async ({ send }) => {
    const body = { ...wukong, metadata: { name: 'new' }, spec };
    await answered(send, [
      [
        'POST',
        `${wukongs}?fieldValidation=Lax`,
        { body },
        422,
        /^CreateOptions\.meta\.k8s\.io "" is invalid: fieldValidation: Unsupported value: "Lax": supported values: "", "Ignore", "Strict", "Warn"$/,
      ],
      ['POST', `${wukongs}?dryRun=Some`, { body }, 422, /dryRun: Unsupported value/],
      ['POST', `${wukongs}?fieldManager=${'x'.repeat(129)}`, { body }, 422, /fieldManager: Too long/],
      ['PUT', `${web}?dryRun=Some`, { body }, 422, /^UpdateOptions/],
      ['PATCH', `${web}?dryRun=Some`, { body: {}, type: merge }, 422, /^PatchOptions/],
      [
        'POST',
        wukongs,
        { body: { ...body, metadata: { name: 'n'.repeat(254) } } },
        422,
        /must be no more than 253 bytes/,
      ],
      ['POST', wukongs, { body: { ...body, metadata: { name: 'Big' } } }, 422, /a lowercase RFC 1123 subdomain/],
      [
        'POST',
        wukongs,
        { body: { ...body, metadata: {} } },
        422,
        /metadata\.name: Required value: name or generateName is required/,
      ],
      [
        'POST',
        wukongs,
        { body: { ...body, metadata: { name: 'new', namespace: 'other' } } },
        400,
        /namespace of the provided object/,
      ],
      [
        'POST',
        '/apis/vm.novasphere.dev/v1alpha1/namespaces/none/wukongs',
        { body },
        404,
        /namespaces "none" not found/,
      ],
    ]);
    expect((await send('GET', `${wukongs}/new`)).status).toBe(404);
  }));

test('a key that stands twice is told by its path, by its line in YAML, and in patches; not where it is ignored', () =>
  dev(async ({ send }) => {
    const twice = `{"spec":{"cpu":1,"cpu":1},"metadata":{"annotations":{"a":"1","a":"2"}}}`;
    const made = twice
      .replace('{"spec"', '{"apiVersion":"vm.novasphere.dev/v1alpha1","kind":"Wukong","spec"')
      .replace('"cpu":1}', '"cpu":1,"memory":"1Gi"}')
      .replace('"metadata":{', '"metadata":{"generateName":"w-",');
    const warned = async (query: string, sending = { body: made }) =>
      (await send('POST', `${wukongs}${query}`, sending)).headers['warning'] ?? [];
    expect([await warned('')].flat().join()).toMatch(
      /duplicate field \\"spec\.cpu\\".*duplicate field \\"metadata\.annotations\.a\\"/,
    );
    expect(await warned('?fieldValidation=Ignore')).toEqual([]);
    const yaml =
      'apiVersion: vm.novasphere.dev/v1alpha1\nkind: Wukong\nmetadata: {generateName: w-}\nspec:\n  cpu: 1\n  cpu: 2\n  memory: 1Gi\n';
    const inYaml = { body: yaml, type: 'application/yaml' };
    expect((await send('POST', wukongs, inYaml)).body.spec.cpu).toBe(2);
    await answered(send, [
      [
        'POST',
        `${wukongs}?fieldValidation=Strict`,
        { body: made },
        400,
        /strict decoding error: duplicate field "spec\.cpu", duplicate field "metadata/,
      ],
      ['POST', `${wukongs}?fieldValidation=Strict`, inYaml, 400, /line 6: key "cpu" already set in map/],
      [
        'PATCH',
        `${web}?fieldValidation=Strict`,
        { body: twice, type: merge },
        422,
        /patch: Invalid value: .*strict decoding error: duplicate field "spec\.cpu"/,
      ],
      ['PATCH', `${web}?fieldValidation=Warn`, { body: twice, type: merge }, 200],
      [
        'POST',
        `${maps}?fieldValidation=Strict`,
        { body: '{"metadata":{"name":"m"},"data":{"a":"1","a":"2"}}' },
        400,
        /duplicate field "data\.a"/,
      ],
      [
        'POST',
        `${maps}?fieldValidation=Strict`,
        { body: '{ "metadata": {"name": "m"}, "data": {"a": "{\\"a\\":1,\\"a\\":2}"} }' },
        201,
      ],
    ]);
  }));
