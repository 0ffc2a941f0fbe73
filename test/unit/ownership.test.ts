import { describe, expect, it } from 'vitest';

import type { KubeObject, Wukong } from '../../shared/domain/model.ts';
import { isOwnedBy, lacksVm, owningWukongs, ownMachine, vmNameIn, vmNamesOf } from '../../shared/domain/ownership.ts';
import type { Machine } from '../../shared/domain/vm.ts';
import { machineOf } from './machines.ts';

const wukong = (vmName?: string, more: object = {}) =>
  ({
    metadata: { namespace: 'team-a', name: 'web', uid: 'w', ...more },
    ...(vmName ? { status: { vmName } } : {}),
  }) as unknown as Wukong;
const owned = (ownerReferences: unknown) =>
  owningWukongs({ metadata: { name: 'x', ownerReferences } } as unknown as KubeObject);
const own = { apiVersion: 'vm.novasphere.dev/v1alpha1', kind: 'Wukong', uid: 'w' };

it('an object is owned by the Wukongs of its owner references, of any version', () => {
  expect(owned([own, { ...own, apiVersion: 'vm.novasphere.dev/v2', uid: 'v' }])).toEqual(['w', 'v']);
  for (const wrong of [
    { kind: 'VirtualMachine' },
    { uid: 7 },
    { apiVersion: 'apps/v1' },
    { apiVersion: undefined },
    { apiVersion: 'vm.novasphere.dev' },
  ])
    expect(owned([{ ...own, ...wrong }])).toEqual([]);
  for (const odd of [undefined, 'x', {}]) expect(owned(odd)).toEqual([]);
});

it.each<[Parameters<typeof isOwnedBy>[1], boolean]>([
  [{ owners: ['w'] }, true],
  [{ owners: ['v', 'w'] }, true],
  [{ adoptedBy: 'web' }, true],
  [{ owners: ['v'], adoptedBy: 'web' }, true],
  [{ owners: ['v'] }, false],
  [{ adoptedBy: 'db' }, false],
  [{}, false],
])('a VM with %j is its own: %s', (vm, expected) => expect(isOwnedBy(wukong(), vm)).toBe(expected));

it('a Wukong without a uid owns nothing by it', () =>
  expect(isOwnedBy(wukong(undefined, { uid: undefined }), { owners: ['undefined', undefined as never] })).toBe(false));

describe('the VM of a Wukong', () => {
  const mine = (name: string) => machineOf({ name, owners: ['w'] });
  const theirs = (name: string) => machineOf({ name, owners: ['v'] });
  const found = (one: Wukong, there: Record<string, Machine>) => ownMachine(one, (name) => there[name] ?? {});

  it('may be the one of its status, or the one of the rule', () => {
    expect([vmNamesOf(wukong()), vmNamesOf(wukong('web-vm')), vmNamesOf(wukong('other'))]).toEqual([
      ...[['web-vm'], ['web-vm'], ['other', 'web-vm']],
    ]);
  });

  it('is the first of these that is its own', () => {
    const all = { other: mine('other'), 'web-vm': mine('web-vm') };
    expect(found(wukong('other'), all)).toBe(all.other);
    const behind = { other: theirs('other'), 'web-vm': mine('web-vm') };
    expect(found(wukong('other'), behind)).toBe(behind['web-vm']);
    expect(found(wukong('other'), { 'web-vm': all['web-vm'] })).toBe(all['web-vm']);
  });

  it('is none, with the name of the first that is another’s', () => {
    expect(found(wukong('other'), { other: theirs('other'), 'web-vm': theirs('web-vm') })).toEqual({
      foreign: 'other',
    });
    expect(found(wukong('other'), { 'web-vm': theirs('web-vm') })).toEqual({ foreign: 'web-vm' });
    expect(found(wukong(), {})).toStrictEqual({});
  });

  it('is waited for under its name, that of the other’s, or the one that it should have', () => {
    expect(vmNameIn(wukong('other'), mine('mine'))).toBe('mine');
    expect([vmNameIn(wukong(), { foreign: 'x' }), vmNameIn(wukong('other'), {})]).toEqual(['x', 'other']);
  });

  it('that is not there, or another’s, is said to be so', () => {
    expect(lacksVm(wukong(), {})).toEqual({ reason: 'NotFound', message: 'Wukong team-a/web has no VM.' });
    expect(lacksVm(wukong(), { foreign: 'x' })).toEqual({
      reason: 'NotOwned',
      message:
        "VM team-a/x is not Wukong web's: it is neither owned by it nor annotated lifecycle.novasphere.dev/adopted-by: web.",
    });
  });
});
