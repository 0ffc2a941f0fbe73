import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';
import { parse } from 'yaml';

import { installCrds } from '../contract/crds.ts';
import type { Ground } from '../contract/ground.ts';
import { story } from './client.ts';
import { crdOf, crds } from './toys.ts';

const apply = 'application/apply-patch+yaml';
const shipped = (name: string) => readFileSync(`infra/crds/${name}.vm.novasphere.dev.yaml`, 'utf8');
const schedules = `${crds}/wukongschedules.vm.novasphere.dev`;
const wukongs = `${crds}/wukongs.vm.novasphere.dev`;
/** As client-node's loadYaml makes it: with keys that no API server knows. */
const renamed = shipped('wukongschedules').replaceAll('default:', '_default:');

const toy = (spec: object, schema: object = {}) => crdOf({ type: 'object', properties: { spec }, ...schema });

test('server-side apply of a CRD with unknown keys is refused, and nothing changes', () =>
  story({}, async ({ send }) => {
    const before = (await send('GET', schedules)).text;
    const { status, body } = await send('PATCH', `${schedules}?fieldManager=me&force=true`, {
      body: renamed,
      type: apply,
    });
    expect(status).toBe(500);
    expect(body.message).toMatch(/\._default: field not declared in schema/);
    expect((await send('GET', schedules)).text).toBe(before);
  }));

test('PUT and merge patch of the same drop the keys, with a warning, or are refused when strict', () =>
  story({}, async ({ send, patch }) => {
    const there = (await send('GET', schedules)).body;
    const { spec } = parse(renamed) as { spec: object };
    const put = await send('PUT', schedules, { body: { ...there, spec } });
    expect(put.status).toBe(200);
    expect(String(put.headers['warning'])).toContain('._default');
    expect(put.text).not.toContain('default"');
    const asShipped = (parse(shipped('wukongschedules')) as { spec: object }).spec;
    expect((await patch(schedules, { spec: asShipped })).text).toContain('"default"');
    const merged = await patch(schedules, { spec });
    expect([merged.status, merged.text.includes('"default"')]).toEqual([200, false]);
    expect((await patch(`${schedules}?fieldValidation=Strict`, { spec })).status).toBe(422);
  }));

test.each<[string, object, RegExp, object?]>([
  [
    'has no type',
    { properties: {} },
    /properties\[spec\]\.type: Required value: must not be empty for specified object f/,
  ],
  ['has an array without items', { type: 'array' }, /properties\[spec\]\.items: Required value/],
  ['has items without a type', { type: 'array', items: {} }, /items\.type: Required value/],
  ['has no type at its root', { type: 'object' }, /openAPIV3Schema\.type: Required value/, { type: undefined }],
  ['is no object at its root', { type: 'object' }, /must be object at the root/, { type: 'string' }],
  ['refers to another', { $ref: '#/a', type: 'object' }, /\$ref: Forbidden: \$ref is not supported/],
  ['has a type that is none', { type: 'text' }, /Unsupported value: "text"/],
  ['wants unique items', { type: 'array', items: { type: 'string' }, uniqueItems: true }, /uniqueItems: Forbidden/],
  [
    'has properties and additional ones',
    { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: { type: 'string' } },
    /mutual exclusive/,
  ],
  [
    'has a map list without keys',
    { type: 'array', items: { type: 'object' }, 'x-kubernetes-list-type': 'map' },
    /x-kubernetes-list-map-keys: Required value/,
  ],
  ['has a default that it refuses', { type: 'string', default: 7 }, /\.default: Invalid value/],
  [
    'has a default with a field that it does not know',
    { type: 'object', properties: {}, default: { a: 1 } },
    /must not have unknown fields/,
  ],
  [
    'declares a field only inside anyOf',
    { type: 'object', anyOf: [{ properties: { a: { minimum: 1 } } }] },
    /properties\[a\]: Required value: because it is defined in/,
  ],
])('a CRD whose schema %s is refused', (_name, spec, message, root) =>
  story({}, async ({ send }) => {
    const { status, body } = await send('POST', crds, { body: toy(spec, root) });
    expect([status, body.reason]).toEqual([422, 'Invalid']);
    expect(body.message).toMatch(message);
  }),
);

test('a structural schema is served: values of int or string, open objects, maps', () =>
  story({}, async ({ send }) => {
    const spec = {
      type: 'object',
      properties: {
        port: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
        open: { 'x-kubernetes-preserve-unknown-fields': true },
        tags: { type: 'object', additionalProperties: { type: 'string' } },
        oneOfTwo: { type: 'integer', anyOf: [{ minimum: 5 }, { maximum: 2 }] },
      },
    };
    expect((await send('POST', crds, { body: toy(spec) })).status).toBe(201);
  }));

test('the Wukong CRD of an operator that knows more loses nothing by test:cluster --install-crds', () =>
  story({ crd: 'original' }, async ({ sim, send, patch, clock }) => {
    const before = (await send('GET', wukongs)).body;
    const { schema } = before.spec.versions[0];
    schema.openAPIV3Schema.properties.spec.properties.cpu.default = 2;
    schema.openAPIV3Schema.properties.spec.properties.theirs = { type: 'string', default: 'kept' };
    await patch(wukongs, { spec: before.spec });
    await send('DELETE', schedules);
    const ground = {
      clock,
      send: (method: string, path: string, body?: unknown, type = 'application/json') =>
        send(method, path, { body, type }),
    };
    await installCrds(ground as unknown as Ground);
    const properties = (found: { spec: { versions: { schema: typeof schema }[] } }) =>
      found.spec.versions[0]?.schema.openAPIV3Schema.properties;
    const now = properties((await send('GET', wukongs)).body);
    expect(now.spec.properties.lifecycleAction.type).toBe('object');
    delete now.spec.properties.lifecycleAction;
    delete now.status.properties.lifecycleState;
    expect(now).toEqual(properties(before));
    expect(sim.list<{ metadata: { name: string }; spec: object }>('customresourcedefinitions')).toContainEqual(
      expect.objectContaining({ spec: (parse(shipped('wukongschedules')) as { spec: object }).spec }),
    );
    const revision = (await send('GET', wukongs)).body.metadata.resourceVersion;
    await installCrds(ground as unknown as Ground);
    expect((await send('GET', wukongs)).body.metadata.resourceVersion).toBe(revision);
  }));
