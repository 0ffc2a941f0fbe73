import { describe, expect, it } from 'vitest';

import { adoptedByKey, adoptsKey, hasIntent, vmNameOf, type Wukong } from '../../shared/domain/model.ts';
import { type RawVm, sizeOf } from '../../shared/domain/vmSize.ts';
import { planAdoption, planRelease } from '../../shared/lifecycle/adoption.ts';

const vm = (name: string, more: Partial<RawVm['metadata']> = {}, domain: object = {}): RawVm => ({
  metadata: { namespace: 'team-a', name, ...more },
  spec: { runStrategy: 'Always', template: { spec: { domain } } },
});
const wukong = (
  name: string,
  annotations?: Record<string, string>,
  more: Partial<Wukong['metadata']> = {},
): Wukong => ({
  metadata: { namespace: 'team-a', name, ...(annotations ? { annotations } : {}), ...more },
});
const size = { cpu: 1, memory: '1Gi' };
const plan = (one: RawVm, wukongs: Wukong[] = [], name?: string) => planAdoption(one, { wukongs, size, name });
const owner = (kind: string, apiVersion = 'x/v1', controller = true) => ({
  ownerReferences: [{ apiVersion, kind, name: 'theirs', uid: 'u', controller }],
});

describe('a VM that nobody owns', () => {
  it('named web-vm is given to web, any other to a Wukong of its own name', () => {
    expect(plan(vm('web-vm'))).toMatchObject({ do: 'adopt', name: 'web' });
    expect(plan(vm('web'))).toMatchObject({ do: 'adopt', name: 'web' });
    expect(plan(vm('-vm'.slice(1)))).toMatchObject({ do: 'adopt', name: 'vm' });
    expect(plan(vm('web-vm'), [wukong('web', { [adoptsKey]: 'web' })])).toMatchObject({ do: 'adopt', name: 'web-vm' });
    expect(plan(vm('web-vm'), [], 'billing')).toMatchObject({ do: 'adopt', name: 'billing' });
  });

  it('gives its labels to the Wukong, but none of those by which tools know what is theirs', () => {
    const labels = {
      env: 'dev',
      'app.kubernetes.io/name': 'web',
      'app.kubernetes.io/instance': 'argo-app',
      'app.kubernetes.io/managed-by': 'Helm',
      'vm.kubevirt.io/template': 'rhel9',
      'harvesterhci.io/creator': 'harvester',
      'kustomize.toolkit.fluxcd.io/name': 'x',
      'argocd.argoproj.io/instance': 'x',
      'example.com/owner': 'team',
    };
    const made = plan(vm('web-vm', { labels }));
    expect(made.do === 'adopt' && made.wukong?.metadata.labels).toEqual({
      env: 'dev',
      'app.kubernetes.io/name': 'web',
      'example.com/owner': 'team',
    });
  });

  it('is given to a Wukong that is all that the API asks for', () => {
    expect(plan(vm('web-vm', { labels: { env: 'dev' } }))).toEqual({
      ...{ do: 'adopt', name: 'web' },
      wukong: {
        ...{ apiVersion: 'vm.novasphere.dev/v1alpha1', kind: 'Wukong', spec: { cpu: 1, memory: '1Gi' } },
        metadata: { namespace: 'team-a', name: 'web', labels: { env: 'dev' }, annotations: { [adoptsKey]: 'web-vm' } },
      },
    });
  });

  it('named -vm alone keeps its name', () => {
    expect(plan(vm('-vm'))).toMatchObject({ do: 'adopt', name: '-vm' });
  });

  it('whose Wukong is there without knowing of it is only marked', () => {
    expect(plan(vm('web-vm'), [wukong('web')])).toEqual({ do: 'adopt', name: 'web' });
    expect(plan(vm('web-vm'), [wukong('web')], 'web')).toEqual({ do: 'adopt', name: 'web' });
    const two = [wukong('one', { [adoptsKey]: 'm' }), wukong('two', { [adoptsKey]: 'm' })];
    expect(plan(vm('m'), two)).toEqual({ do: 'adopt', name: 'one' });
  });

  it('whose adoption was interrupted goes on with the same Wukong', () => {
    const half = vm('web-vm', { annotations: { [adoptedByKey]: 'front' } });
    expect(plan(half)).toMatchObject({ do: 'adopt', name: 'front', wukong: {} });
    const front = [wukong('front', { [adoptsKey]: 'web-vm' })];
    expect(plan(half, front)).toEqual({ do: 'already', name: 'front' });
    expect(plan(half, front, 'front')).toEqual({ do: 'already', name: 'front' });
    expect(plan(half, front, 'back')).toMatchObject({
      because: expect.stringMatching(/^Wukong front has adopted/) as string,
    });
  });
});

describe('refused, with the reason, is a VM', () => {
  it.each<[string, RawVm, Wukong[], RegExp]>([
    ['of a Wukong', vm('web-vm', owner('Wukong', 'vm.novasphere.dev/v1alpha1', false)), [], /belongs to Wukong theirs/],
    ['of a pool', vm('p-0', owner('VirtualMachinePool', 'pool.kubevirt.io/v1beta1')), [], /Pool theirs owns it.*scale/],
    ['of any controller', vm('m', owner('KubevirtMachine')), [], /KubevirtMachine theirs owns it/],
    [
      'of a Wukong, whoever else owns it',
      vm('m', {
        ownerReferences: ['other', 'first', 'second'].map((name, i) => ({
          ...{ apiVersion: i > 0 ? 'vm.novasphere.dev/v1' : 'else/v1', kind: i > 0 ? 'Wukong' : 'Other', name },
          controller: true,
        })),
      }),
      [],
      /belongs to Wukong first,/,
    ],
    ['of another kind of that group', vm('m', owner('Other', 'vm.novasphere.dev/v1')), [], /^Other theirs owns it/],
    ['of a Wukong of another group', vm('m', owner('Wukong', 'x/v1')), [], /^Wukong theirs owns it/],
    [
      'of two pools',
      vm('m', {
        ownerReferences: ['one', 'two'].map((name) => ({ apiVersion: 'x/v1', kind: 'VirtualMachinePool', name })),
      }),
      [],
      /^VirtualMachinePool one owns it/,
    ],
    [
      'of two controllers',
      vm('m', {
        ownerReferences: ['one', 'two'].map((name) => ({ apiVersion: 'x/v1', kind: 'Other', name, controller: true })),
      }),
      [],
      /^Other one owns it/,
    ],
    [
      'of what has no name that can be read',
      vm('m', { ownerReferences: [{ kind: 7, name: 'x'.repeat(300), controller: true } as never] }),
      [],
      /^something x{252}… owns it/,
    ],
    ['that is being deleted', vm('m', { deletionTimestamp: '2026-01-01T00:00:00Z' }), [], /being deleted/],
    [
      'that another Wukong has adopted',
      vm('m', { annotations: { [adoptedByKey]: 'other' } }),
      [wukong('other', { [adoptsKey]: 'n' })],
      /Wukong other has adopted it/,
    ],
    [
      'where the operator is at work',
      vm('m'),
      ['x', 'y'].map((name) => wukong(name, undefined, { finalizers: ['vm.novasphere.dev/finalizer'] })),
      /operator looks after namespace team-a \(Wukong x\)/,
    ],
  ])('%s', (_, one, wukongs, because) => {
    expect(plan(one, wukongs)).toMatchObject({ do: 'refuse', because: expect.stringMatching(because) as string });
  });

  it('whose name for the Wukong is taken, or that stands for another already', () => {
    const refused = (because: string) => ({ do: 'refuse', because });
    expect(plan(vm('m'), [wukong('w', { [adoptsKey]: 'n' })], 'w')).toEqual(
      refused('there is a Wukong w already, for VM n; --name gives this one another'),
    );
    expect(plan(vm('web-vm'), [wukong('web')], 'other')).toEqual(refused('Wukong web stands for it already'));
  });

  it('not one with an owner that controls nothing, such as a template instance', () => {
    expect(plan(vm('m', owner('TemplateInstance', 'template.openshift.io/v1', false))).do).toBe('adopt');
  });
});

describe('the size of a VM', () => {
  const sizes = (domain: object, type?: object) => sizeOf(vm('m', {}, domain), type as never);
  it('is of its instance type, else of its domain, else of its resources', () => {
    const type = { metadata: { name: 't' }, spec: { cpu: { guest: 3 }, memory: { guest: '6Gi' } } };
    expect(sizes({ cpu: { cores: 9 } }, type)).toEqual({ cpu: 3, memory: '6Gi' });
    expect(sizes({ cpu: { sockets: 2, cores: 2, threads: 2 }, memory: { guest: '4G' } })).toEqual({
      cpu: 8,
      memory: '4G',
    });
    expect(
      sizes({ resources: { requests: { cpu: '1500m', memory: '512Mi' }, limits: { cpu: '8', memory: '8Gi' } } }),
    ).toEqual({ cpu: 2, memory: '512Mi' });
    expect(sizes({ resources: { limits: { cpu: '2', memory: '4Gi' } } })).toEqual({ cpu: 2, memory: '4Gi' });
  });
  it('is written as the schema takes it, and what it cannot say is noted', () => {
    expect(sizes({ cpu: { cores: 96 }, memory: { guest: '1e9' } })).toEqual({
      cpu: 64,
      memory: '1000000000',
      note: 'it has 96 CPUs, and a Wukong can say 64 at most',
    });
    expect(sizes({ memory: { guest: '500k' } }).memory).toBe('500000');
    expect(sizes({ memory: { guest: 1024 } }).memory).toBe('1024');
    expect(sizes({})).toEqual({ cpu: 1, memory: '0', note: 'it does not say how much memory it has' });
    expect(sizes({ cpu: { cores: 'many' }, memory: { guest: '<b>' } })).toMatchObject({ cpu: 1, memory: '0' });
  });
});

describe('what adopting leaves behind', () => {
  it('says the name of the VM, before the status and the rule', () => {
    expect(vmNameOf({ ...wukong('w', { [adoptsKey]: 'plain' }), status: { vmName: 'other' } })).toBe('plain');
    expect(vmNameOf({ ...wukong('w', { [adoptsKey]: '../x' }), status: { vmName: 'other' } })).toBe('other');
    expect(vmNameOf(wukong('w'))).toBe('w-vm');
  });
  it('has no intent, unless an operator has come', () => {
    const operated = { finalizers: ['vm.novasphere.dev/finalizer'] };
    expect(
      [wukong('w'), wukong('w', { [adoptsKey]: 'v' }), wukong('w', { [adoptsKey]: 'v' }, operated)].map(hasIntent),
    ).toEqual([true, false, true]);
  });
  it('is undone by release: the Wukong goes that adopting has made', () => {
    const mine = vm('v', { annotations: { [adoptedByKey]: 'w' } });
    expect(planRelease(wukong('w', { [adoptsKey]: 'v' }), mine, false)).toEqual({ do: 'release', remove: true });
    expect(planRelease(wukong('w', { [adoptsKey]: 'v' }), undefined, false)).toEqual({ do: 'release', remove: true });
    expect(planRelease(wukong('w'), mine, false)).toEqual({ do: 'release', remove: false });
    expect(planRelease(wukong('w'), vm('v'), false).do).toBe('refuse');
    expect(planRelease(wukong('w', { [adoptsKey]: 'v' }), mine, true).do).toBe('refuse');
    const operated = wukong('w', { [adoptsKey]: 'v' }, { finalizers: ['vm.novasphere.dev/finalizer'] });
    expect(planRelease(operated, mine, false)).toEqual({ do: 'release', remove: false });
  });
});
