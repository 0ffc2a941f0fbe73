import { globSync, readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { wukongPath } from '../../shared/cluster/objects.ts';
import { apiPath } from '../../shared/cluster/path.ts';
import { vmPath } from '../../shared/cluster/vmInformer.ts';
import { LifecycleError } from '../../shared/domain/errors.ts';

const hostile = [
  '',
  '.',
  '..',
  '../../team-b/wukongs/secret',
  '../../../../../../api/v1/namespaces/x/configmaps/y',
  'a/b',
  'a%2fb',
  '%2e%2e',
  '\ud800',
  'a'.repeat(254),
  undefined as unknown as string,
  { toString: () => 'web' } as unknown as string,
];

describe('a path of the API', () => {
  it('is that of a collection, an object, or its subresource', () => {
    expect(wukongPath()).toBe('/apis/vm.novasphere.dev/v1alpha1/wukongs');
    expect(wukongPath('team-a', 'db.prod', 'status')).toBe(
      '/apis/vm.novasphere.dev/v1alpha1/namespaces/team-a/wukongs/db.prod/status',
    );
    expect(apiPath({ api: 'v1', kind: 'namespaces', name: 'team-a' })).toBe('/api/v1/namespaces/team-a');
    expect(apiPath({ api: 'v1', kind: 'pods', query: { labelSelector: 'a in (b,c)' } })).toBe(
      '/api/v1/pods?labelSelector=a+in+%28b%2Cc%29',
    );
  });

  it('encodes what is in a part: nothing begins a query there', () => {
    expect(vmPath('virtualmachines', 'team-a', 'web?x=y#z')).toMatch(/\/web%3Fx%3Dy%23z$/);
  });

  it.each(hostile.map((name) => [JSON.stringify(name)?.slice(0, 60), name]))('is not made of %s', (_shown, name) => {
    for (const place of [
      { namespace: name ?? '', name: 'web' },
      { namespace: 'team-a', name: name ?? '' },
      { subresource: name ?? '' },
    ])
      expect(() => apiPath({ api: 'kubevirt.io/v1', kind: 'virtualmachines', ...place })).toThrow(LifecycleError);
  });
});

/** Everything that talks to the API, without its comments. */
const sources = globSync('{shared,cli,functions}/**/*.ts')
  .filter((file) => file !== 'shared/cluster/path.ts')
  .map((file) => ({ file, text: readFileSync(file, 'utf8').replaceAll(/^\s*(\/\*\*|\*|\/\/).*$/gm, '') }));

/** What only shared/cluster/path.ts may do: write down a path, or put something behind one. */
const joins = [
  /(?<!startsWith\()['"`]\/apis?\b/,
  /\$\{[^}]*[pP]ath[^}]*\}\//,
  /[pP]ath(\(.*\))? \+ ['"`]\//,
  /namespaces\/\$\{/,
];
const joinsIn = (text: string): string[] => joins.flatMap((one) => one.exec(text)?.[0] ?? []);

describe('no other file makes a path of the API', () => {
  it('in the whole project', () => {
    expect(sources.length).toBeGreaterThan(150);
    expect(sources.flatMap(({ file, text }) => joinsIn(text).map((one) => `${file}: ${one}`))).toEqual([]);
  });

  it.each([
    'const path = `/api/v1/namespaces/${name}`;',
    "const path = '/apis/kubevirt.io/v1/kubevirts';",
    "`${vmPath('virtualmachines', namespace)}/${name}`",
    "wukongPath(namespace) + '/status'",
    '`${base}/namespaces/${namespace}/events`',
  ])('as %s would', (line) => expect(joinsIn(line)).not.toEqual([]));
});
