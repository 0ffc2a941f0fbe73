// Metadata that cannot be read, that nobody knows, or that says what cannot be.
import { expect, test } from 'vitest';

import { answered, dev, maps, type Row, spec, web, wukong, wukongs } from './answered.ts';
import { watched } from './client.ts';

const merge = 'application/merge-patch+json';

test('metadata of other types is not read: 400 in a body, 422 in a patch', () =>
  dev(async ({ send }) => {
    const before = (await send('GET', web)).text;
    const rows: [object | number, RegExp][] = [
      [5, /cannot unmarshal number into Go struct field ObjectMeta\.metadata of type/],
      [{ name: 5 }, /cannot unmarshal number .*metadata\.name of type string/],
      [{ labels: 'x' }, /cannot unmarshal string .*metadata\.labels of type map\[string\]string/],
      [{ labels: { a: 5 } }, /cannot unmarshal number .*metadata\.labels of type string/],
      [{ annotations: { a: true } }, /cannot unmarshal bool .*metadata\.annotations/],
      [{ annotations: { a: {} } }, /cannot unmarshal object .*metadata\.annotations/],
      [{ finalizers: 'x' }, /cannot unmarshal string .*metadata\.finalizers/],
      [{ finalizers: [5] }, /cannot unmarshal number .*metadata\.finalizers/],
      [{ ownerReferences: {} }, /cannot unmarshal object .*metadata\.ownerReferences/],
    ];
    await answered(send, [
      ...rows.map(([metadata, message]): Row => {
        const named = typeof metadata === 'object' ? { name: 'x', ...metadata } : metadata;
        return ['POST', wukongs, { body: { ...wukong, metadata: named, spec } }, 400, message];
      }),
      ...rows.map(([metadata, message]): Row => ['PATCH', web, { body: { metadata }, type: merge }, 422, message]),
      ['POST', maps, { body: { metadata: { name: 'm', labels: { a: 5 } } } }, 400, /^ConfigMap in version "v1" cannot/],
      ['PATCH', web, { body: { metadata: null }, type: merge }, 422, /metadata\.resourceVersion: .*must be specified/],
      ['PATCH', web, { body: { metadata: { resourceVersion: null } }, type: merge }, 422, /must be specified/],
    ]);
    expect((await send('GET', web)).text).toBe(before);
  }));

test('what metadata does not know is dropped with a warning, or refused when strict', () =>
  dev(async ({ send }) => {
    const body = { ...wukong, metadata: { name: 'x', colour: 'red' }, spec };
    await answered(send, [
      [
        'POST',
        `${wukongs}?fieldValidation=Strict`,
        { body },
        400,
        /strict decoding error: unknown field "metadata\.colour"$/,
      ],
      [
        'PATCH',
        `${web}?fieldManager=a&force=true`,
        { body: { ...body, metadata: { name: 'web', colour: 'red' } }, type: 'application/apply-patch+yaml' },
        500,
        /\.metadata\.colour: field not declared in schema/,
      ],
    ]);
    const made = await send('POST', wukongs, { body });
    expect([made.status, made.body.metadata.colour, String(made.headers['warning'])]).toEqual([
      201,
      undefined,
      '299 - "unknown field \\"metadata.colour\\""',
    ]);
  }));

test('owners are named in full, and one alone is the controller', () =>
  dev(async ({ send }) => {
    const owner = { apiVersion: 'v1', kind: 'Pod', name: 'a', uid: 'u', controller: true };
    const owned = (...ownerReferences: object[]) => ({ body: { metadata: { ownerReferences } }, type: merge });
    await answered(send, [
      ['PATCH', web, owned({}), 422, /\.apiVersion: .*version must not be empty.*\.kind: .*\.name: .*\.uid: /],
      [
        'PATCH',
        web,
        owned({ ...owner, uid: '' }),
        422,
        /metadata\.ownerReferences\.uid: Invalid value: "": must not be empty/,
      ],
      [
        'PATCH',
        web,
        owned(owner, { ...owner, name: 'b', uid: 'v' }),
        422,
        /Only one reference can have Controller set to true/,
      ],
    ]);
  }));

test('namespaces have names of one label, and some may not be deleted', () =>
  dev(async ({ send }) => {
    const named = (name: string) => ({ body: { metadata: { name } } });
    await answered(send, [
      ['POST', '/api/v1/namespaces', named('a.b'), 422, /a lowercase RFC 1123 label must consist/],
      ['POST', '/api/v1/namespaces', named('Team'), 422, /RFC 1123 label/],
      ['POST', '/api/v1/namespaces', named('n'.repeat(64)), 422, /must be no more than 63 bytes/],
      [
        'DELETE',
        '/api/v1/namespaces/default',
        {},
        403,
        /^namespaces "default" is forbidden: this namespace may not be deleted$/,
      ],
      ['DELETE', '/api/v1/namespaces/kube-system', {}, 403],
    ]);
  }));

test('answers are not made up in a type that nobody serves; a review is of the kind its path says', () =>
  dev(async ({ send }) => {
    const review = '/apis/authentication.k8s.io/v1/tokenreviews';
    await answered(send, [
      ['GET', web, { accept: 'text/html' }, 406, /^only the following media types are accepted: application\/json/],
      ['GET', web, { accept: 'text/html, */*;q=0.1' }, 200],
      ['GET', web, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }, 200],
      ['POST', review, { body: { kind: 'Odd', spec: { token: 'a' } } }, 400, /cannot be handled as a Odd/],
      ['POST', review, { body: { apiVersion: 'authentication.k8s.io/v1beta1', spec: { token: 'a' } } }, 400],
      [
        'POST',
        '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
        { body: { spec: {} } },
        422,
        /^SelfSubjectAccessReview/,
      ],
    ]);
  }));

test('a watch begins with what is there, but for who asks for no initial events', () =>
  dev(async ({ sim }) => {
    const begins = async (query: string) =>
      (await watched<{ type: string }>(sim, `${wukongs}?watch=true&timeoutSeconds=1&${query}`, () => false)).map(
        ({ type }) => type,
      );
    const match = 'resourceVersionMatch=NotOlderThan';
    expect(await begins('')).toEqual(['ADDED']);
    expect(await begins('resourceVersion=0')).toEqual(['ADDED']);
    expect(await begins('resourceVersion=0&limit=1')).toEqual(['ADDED']);
    expect(await begins(`sendInitialEvents=true&${match}`)).toEqual(['ADDED']);
    expect(await begins(`sendInitialEvents=true&${match}&allowWatchBookmarks=true`)).toEqual(['ADDED', 'BOOKMARK']);
    expect(await begins(`sendInitialEvents=false&${match}&allowWatchBookmarks=true`)).toEqual([]);
  }));
