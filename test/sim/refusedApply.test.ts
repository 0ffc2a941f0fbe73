// What the API server answers to a server-side apply that it does not carry out.
import { test } from 'vitest';

import { answered, dev, spec, web, wukong, wukongs } from './answered.ts';

const apply = 'application/apply-patch+yaml';

test('server-side apply names its manager, its kind, and whom it would take fields from', () =>
  dev(async ({ send }) => {
    const applied = (change: object = {}) => ({
      type: apply,
      body: { ...wukong, metadata: { name: 'web' }, spec, ...change },
    });
    const as = (manager: string, path = web) => `${path}?fieldManager=${manager}`;
    await answered(send, [
      [
        'PATCH',
        web,
        applied(),
        422,
        /^PatchOptions\.meta\.k8s\.io "" is invalid: fieldManager: Required value: is required for apply patch$/,
      ],
      [
        'PATCH',
        as('a'),
        applied({ apiVersion: 'vm.novasphere.dev/v9' }),
        400,
        /Incorrect version specified in apply patch/,
      ],
      ['PATCH', as('a'), applied({ kind: 'Ape' }), 400],
      ['PATCH', as('a'), { type: apply, body: '- 1' }, 400],
      ['PATCH', as('a'), { type: apply, body: 'a: [' }, 400, /error decoding YAML/],
      [
        'PATCH',
        `${as('a')}&force=true`,
        applied({ metadata: { name: 'other' } }),
        400,
        /does not match the name on the URL/,
      ],
      [
        'PATCH',
        as('a', `${wukongs}/new`),
        applied({ metadata: { name: 'new', uid: 'x' } }),
        409,
        /uid mismatch: the provided object specified uid x, and no existing object was found/,
      ],
      [
        'PATCH',
        as('a', `${wukongs}/new`),
        applied({ metadata: { name: 'new' }, spec: { ...spec, nothing: 1 } }),
        500,
        /\.spec\.nothing: field not declared in schema/,
      ],
      ['PATCH', as('a', `${wukongs}/new`), applied({ metadata: { name: 'new' } }), 201],
      [
        'PATCH',
        as('b', `${wukongs}/new`),
        applied({ metadata: { name: 'new', labels: { b: '1' } }, spec: { cpu: 1 } }),
        200,
      ],
      [
        'PATCH',
        as('c', `${wukongs}/new`),
        applied({ metadata: { name: 'new', labels: { b: '2' } }, spec: { cpu: 2 } }),
        409,
        /^Apply failed with 3 conflicts: conflicts with "a":\n- \.spec\.cpu\nconflicts with "b":\n- \.metadata\.labels\.b\n- \.spec\.cpu$/,
      ],
      [
        'PATCH',
        `${as('c', `${wukongs}/new`)}&force=true`,
        applied({ metadata: { name: 'new' }, spec: { cpu: 2 } }),
        200,
      ],
    ]);
  }));
