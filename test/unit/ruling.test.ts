import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { clusterCrd } from '../../infra/crds/cluster.ts';
import { parseSelector } from '../../shared/domain/selector.ts';
import {
  type Claimant,
  claimantOf,
  claimantsOf,
  namespaceLabels,
  ruling,
  whyRules,
} from '../../shared/schedule/ruling.ts';
import { checkSchedule, type WukongSchedule } from '../../shared/schedule/schedule.ts';

const wukong = { metadata: { namespace: 'team-a', name: 'web', labels: { env: 'dev' } } };
const own = (key: string, selector = 'env=dev', suspended = false): Claimant => ({
  key: `team-a/${key}`,
  namespace: 'team-a',
  selector: parseSelector(selector),
  suspended,
});
const cluster = (
  key: string,
  { over = false, spaces = 'tier=dev', suspended = false, selector = 'env=dev' } = {},
): Claimant => ({
  key,
  namespace: undefined,
  selector: selector ? parseSelector(selector) : [],
  suspended,
  cluster: { namespaces: spaces ? parseSelector(spaces) : [], overNamespaces: over },
});
const rules = (claimants: Claimant[], labels: Record<string, string> | undefined = { tier: 'dev' }) => {
  const found = ruling(wukong, claimants, labels);
  return { rules: found.rules.map(({ key }) => key), not: found.overruled.map(({ key }) => key) };
};

describe('who rules a Wukong', () => {
  it.each<[string, Claimant[], string[], string[]]>([
    ['a schedule of the cluster alone', [cluster('night')], ['night'], []],
    ["the namespace's own in its place", [cluster('night'), own('office')], ['team-a/office'], ['night']],
    [
      'not the own one where it is enforced',
      [cluster('night', { over: true }), own('office')],
      ['night'],
      ['team-a/office'],
    ],
    [
      'all of one rank together',
      [cluster('a'), cluster('b'), own('c'), own('d')],
      ['team-a/c', 'team-a/d'],
      ['a', 'b'],
    ],
    ['the enforced one before another of the cluster', [cluster('a'), cluster('b', { over: true })], ['b'], ['a']],
    [
      'an own one that is suspended: nothing is to be done',
      [cluster('a'), own('c', 'env=dev', true)],
      ['team-a/c'],
      ['a'],
    ],
    ['nobody, where that of the cluster is suspended', [cluster('a', { suspended: true })], [], []],
    [
      'the own one beside a suspended one that is enforced',
      [cluster('a', { over: true, suspended: true }), own('c')],
      ['team-a/c'],
      [],
    ],
    ['not one that selects other labels', [own('c', 'env=prod'), cluster('a')], ['a'], []],
    ['not one for other namespaces', [cluster('a', { spaces: 'tier=prod' })], [], []],
    ['one for all VMs of a namespace', [cluster('a', { selector: '' })], ['a'], []],
  ])('%s', (_, claimants, ruled, not) => expect(rules(claimants)).toEqual({ rules: ruled, not }));

  it('no selector chooses a namespace whose labels nobody knows; one for all namespaces does', () => {
    const unknown = (spaces: string) => ruling(wukong, [cluster('a', { spaces })], undefined).rules.length;
    expect([unknown('tier!=prod'), unknown('!tier'), unknown('')]).toEqual([0, 0, 1]);
  });

  it('is told with the reason', () => {
    const why = (claimants: Claimant[]) => whyRules(ruling(wukong, claimants, { tier: 'dev' }));
    expect(why([own('c')])).toBe('');
    expect(why([own('c'), cluster('a')])).toBe("the namespace's own, in the place of a");
    expect(why([own('c'), cluster('a', { over: true })])).toBe('enforceOverNamespaces: in the place of team-a/c');
    const many = ['a', 'b', 'c', 'd', 'e', 'f'].map((key) => cluster(key));
    expect(why([own('c'), ...many])).toBe("the namespace's own, in the place of a, b, c, d, e");
  });

  it('a namespace is known by its name as a label, and by its own labels', () => {
    const name = 'kubernetes.io/metadata.name';
    expect(namespaceLabels({ metadata: { name: 'a', labels: { tier: 'dev' } } })).toEqual({ [name]: 'a', tier: 'dev' });
    expect(namespaceLabels({ metadata: { name: 'a' } })).toEqual({ [name]: 'a' });
  });
});

describe('a schedule of a namespace that is wrong', () => {
  const object = (selector: unknown, more: object = {}): WukongSchedule => ({
    metadata: { namespace: 'team-a', name: 'office' },
    spec: { start: 'never', selector },
    ...more,
  });
  it('stands for its team all the same, where it says for whom it is', () => {
    const found = claimantOf(object({ matchLabels: { env: 'dev' } }))!;
    expect(rules([cluster('a'), found])).toEqual({ rules: ['team-a/office'], not: ['a'] });
    expect(claimantOf(object('all'))).toBeUndefined();
    expect(claimantOf(object({ matchLabels: { env: 'dev' } }, { kind: 'ClusterWukongSchedule' }))).toBeUndefined();
  });
});

describe('a ClusterWukongSchedule', () => {
  const check = (spec: object) =>
    checkSchedule({
      kind: 'ClusterWukongSchedule',
      metadata: { name: 'night' },
      spec: { stop: '0 20 * * *', ...spec },
    });
  const problems = (spec: object) => check(spec).problems?.map(({ field, message }) => `${field}: ${message}`);
  it('chooses namespaces, Wukongs or both, and has its name for a key', () => {
    expect(check({ namespaceSelector: { matchLabels: { tier: 'dev' } } }).schedule).toMatchObject({
      key: 'night',
      namespace: undefined,
      selector: [],
      cluster: { namespaces: [{ key: 'tier', operator: 'In', values: ['dev'] }], overNamespaces: false },
    });
    expect(check({ selector: { matchLabels: { env: 'dev' } }, enforceOverNamespaces: true }).schedule?.cluster).toEqual(
      {
        namespaces: [],
        overNamespaces: true,
      },
    );
  });
  it('that would mean every VM of the cluster is refused, as are fields of a wrong kind', () => {
    const all = 'spec.namespaceSelector: expected it, selector, or both: without them it means every VM';
    expect(problems({})).toEqual([all]);
    expect(problems({ namespaceSelector: {}, selector: {} })).toEqual([all]);
    expect(problems({ namespaceSelector: { tier: 'dev' }, enforceOverNamespaces: 'yes' })).toEqual([
      'spec.namespaceSelector: "tier" is unknown: expected matchLabels and matchExpressions',
      'spec.enforceOverNamespaces: expected true or false',
    ]);
  });
  it('alone has these fields', () => {
    const spec = { stop: '0 20 * * *', selector: { matchLabels: { env: 'dev' } }, enforceOverNamespaces: true };
    expect(checkSchedule({ metadata: { namespace: 'a', name: 'b' }, spec }).problems).toMatchObject([
      { field: 'spec.enforceOverNamespaces', message: 'unknown' },
    ]);
  });
  it('has a CRD made from that of WukongSchedules: node infra/crds/cluster.ts', () => {
    expect(readFileSync('infra/crds/clusterwukongschedules.vm.novasphere.dev.yaml', 'utf8')).toBe(clusterCrd());
  });
});

describe('what may rule', () => {
  const spec = { selector: { matchLabels: { env: 'dev' } }, start: '0 8 * * *' };
  const objects: WukongSchedule[] = [
    { metadata: { namespace: 'team-a', name: 'good' }, spec },
    { metadata: { namespace: 'team-a', name: 'bad' }, spec: { ...spec, start: 'x' } },
    { metadata: { namespace: 'team-a', name: 'of-nobody' }, spec: { start: 'x' } },
    { metadata: { namespace: 'team-a', name: 'empty' } },
    { kind: 'ClusterWukongSchedule', metadata: { name: 'bad' }, spec: { ...spec, start: 'x' } },
  ];
  it('are those that can be evaluated, and those of a namespace that say at least whom they are for', () => {
    const schedules = objects.flatMap((object) => checkSchedule(object).schedule ?? []);
    const all = claimantsOf(objects, schedules);
    expect(all.map(({ key }) => key)).toEqual(['team-a/good', 'team-a/bad']);
    expect(all[0]).toBe(schedules[0]);
  });
  it('has the name alone where no namespace is given', () => {
    expect(claimantOf({ metadata: { name: 'file' }, spec })).toEqual({
      ...{ key: 'file', namespace: undefined, suspended: false },
      selector: parseSelector('env=dev'),
    });
  });
});
