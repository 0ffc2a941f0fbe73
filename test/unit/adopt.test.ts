import { describe, expect, it } from 'vitest';

import type { Call } from '../../shared/cluster/transport.ts';
import { adoptedByKey, adoptsKey, type KubeObject, type Wukong } from '../../shared/domain/model.ts';
import { lastKey } from '../../shared/domain/operation.ts';
import type { RawVm } from '../../shared/domain/vmSize.ts';
import { adopt, readSize, release } from '../../shared/lifecycle/adopt.ts';
import { worldOf } from './asked.ts';
import { t0 } from './machines.ts';

type Answers = [status: number, body?: object][];
const limits = { deadline: t0 + 60_000 };
const vmPath = '/apis/kubevirt.io/v1/namespaces/team-a/virtualmachines/m';
const wukongs = '/apis/vm.novasphere.dev/v1alpha1/namespaces/team-a/wukongs';
const vm = (resourceVersion = '1', given?: string, spec: RawVm['spec'] = { runStrategy: 'Always' }): RawVm => ({
  metadata: {
    ...{ namespace: 'team-a', name: 'm', uid: 'u', resourceVersion },
    ...(given === undefined ? {} : { annotations: { [adoptedByKey]: given } }),
  },
  spec,
});
const wukong = (annotations: Record<string, string> = {}, of = 'm'): Wukong => ({
  metadata: {
    namespace: 'team-a',
    name: 'w',
    uid: 'x',
    resourceVersion: '7',
    annotations: { [adoptsKey]: of, ...annotations },
  },
});
const says = { message: 'no' };

/** What came of it, and each request as `METHOD path`, with what it writes. */
async function asking<T>(answers: Answers, work: (world: ReturnType<typeof worldOf>['world']) => Promise<T>) {
  const { world, within } = worldOf(t0, ...(answers as [number, KubeObject][]));
  const { call } = world.transport;
  const calls: Call[] = [];
  world.transport.call = (one, by) => (calls.push(one), call(one, by));
  const done = await work(world).then(
    (value) => ({ value, thrown: undefined }),
    (error: Error & { code?: string }) => ({ value: undefined, thrown: `${error.code ?? ''}: ${error.message}` }),
  );
  return {
    ...done,
    calls,
    within,
    asked: calls.map(({ method, path, body }) => [`${method} ${path}`, ...(body ? [body] : [])]),
  };
}
const giving = (to: string | null, resourceVersion: string) => ({
  metadata: { resourceVersion, annotations: { [adoptedByKey]: to } },
});
const marks = (to: string | null, resourceVersion = '1', query = '') => [
  `PATCH ${vmPath}${query}`,
  giving(to, resourceVersion),
];
const looks = [`GET ${vmPath}`];
const made = { metadata: { name: 'm', namespace: 'team-a' } };

describe('the size of a VM that names an instance type', () => {
  const typed = (instancetype: unknown) => vm('1', undefined, { instancetype } as RawVm['spec']);
  const size = (one: RawVm, ...answers: Answers) => asking(answers, (world) => readSize(world, one, limits));
  const path = '/apis/instancetype.kubevirt.io/v1beta1';
  const inTeam = `GET ${path}/namespaces/team-a/virtualmachineinstancetypes/u1`;
  const inCluster = `GET ${path}/virtualmachineclusterinstancetypes/u1`;
  const u1 = { metadata: { name: 'u1' }, spec: { cpu: { guest: 3 }, memory: { guest: '6Gi' } } };

  it.each([
    [undefined, inCluster],
    ['VirtualMachineClusterInstancetype', inCluster],
    ['virtualmachineclusterinstancetypes', inCluster],
    ['VirtualMachineInstancetype', inTeam],
    ['NoVirtualMachineClusterInstancetype', inTeam],
    ['VirtualMachineClusterInstancetypeToo', inTeam],
  ])('is that of it: %s', async (kind, request) => {
    const { value, asked, calls, within } = await size(typed({ name: 'u1', kind }), [200, u1]);
    expect([value, asked]).toEqual([{ cpu: 3, memory: '6Gi' }, [[request]]]);
    expect([calls[0]?.safe, within]).toEqual([true, [limits]]);
  });

  it.each([{ kind: 'x' }, { name: 7 }, { name: '../x' }, { name: 'x'.repeat(254) }, { name: 'a/b' }, null])(
    'is its own where that is no name: %j',
    async (instancetype) => {
      const { value, asked } = await size(typed(instancetype));
      expect([value, asked]).toEqual([expect.objectContaining({ cpu: 1, memory: '0' }), []]);
    },
  );

  it('is its own where it has no spec, or the type cannot be read, which is noted', async () => {
    const { spec: _, ...bare } = vm();
    expect((await size(bare)).value).toMatchObject({ cpu: 1, memory: '0' });
    const { value } = await size(typed({ name: 'u1' }), [403, says]);
    expect(value).toEqual({ cpu: 1, memory: '0', note: 'its instance type u1 cannot be read (403)' });
  });
});

describe('a VM that is adopted', () => {
  const take = (one: RawVm, answers: Answers, { known = [] as Wukong[], dryRun = false } = {}) =>
    asking(answers, (world) => adopt(world, one, { wukongs: known, name: 'w' }, { ...limits, dryRun }));
  const posts = (query = '') => [`POST ${wukongs}${query}`, expect.objectContaining({ kind: 'Wukong' })];
  const names = [`PATCH ${wukongs}/w/status`, { status: { vmName: 'm' } }];

  it('says so first, then its Wukong is made, and names it, all within the time that there is', async () => {
    const { value, asked, calls, within } = await take(vm(), [
      [200, vm('2')],
      [201, made],
      [200, made],
    ]);
    expect(asked).toEqual([marks('w'), posts(), names]);
    expect(value).toMatchObject({ plan: { do: 'adopt', name: 'w' }, size: { cpu: 1, memory: '0' } });
    expect(within).toEqual([limits, limits, limits]);
    expect(calls[1]?.safe).toBe(false);
  });

  it('has its size told, whatever is done with it', async () => {
    const { value, asked } = await take(vm('1', 'w'), [], { known: [wukong()] });
    expect([value, asked]).toEqual([
      { plan: { do: 'already', name: 'w' }, size: expect.objectContaining({ cpu: 1 }) as unknown },
      [],
    ]);
  });

  it('is only marked where its Wukong is there', async () => {
    expect((await take(vm(), [[200, vm('2')]], { known: [wukong()] })).asked).toEqual([marks('w')]);
  });

  it('is asked for by a dry run, which takes nothing back as nothing was written', async () => {
    const query = '?dryRun=All';
    const { asked } = await take(
      vm(),
      [
        [200, vm('2')],
        [201, made],
      ],
      { dryRun: true },
    );
    expect(asked).toEqual([marks('w', '1', query), posts(query)]);
    const { thrown, asked: refused } = await take(
      vm(),
      [
        [200, vm('2')],
        [403, says],
      ],
      { dryRun: true },
    );
    expect([thrown, refused.length]).toEqual(['Denied: Wukong team-a/w cannot be made: no', 2]);
  });

  it.each([
    [undefined, null],
    ['old', 'old'],
  ])('is given back as it was where its Wukong cannot be made (%s)', async (before, back) => {
    const { asked, within } = await take(vm('1', before), [
      [200, vm('2')],
      [403, says],
      [409, says],
    ]);
    expect(asked).toEqual([marks('w'), posts(), marks(back, '2')]);
    expect(within[2], 'for as long as one call may take').toEqual({});
  });

  it('whose status changes is marked at the fifth time, or not at all', async () => {
    const tries = (n: number) =>
      Array.from({ length: n }, (_, i): Answers => [
        [409, says],
        [200, vm(`${i + 2}`)],
      ]).flat();
    const taken = await take(vm(), [...tries(4), [200, vm('6')]], { known: [wukong()] });
    expect(taken.asked).toEqual([
      marks('w'),
      looks,
      marks('w', '2'),
      looks,
      marks('w', '3'),
      looks,
      marks('w', '4'),
      looks,
      marks('w', '5'),
    ]);
    const refused = await take(vm(), [...tries(4), [409, says]], { known: [wukong()] });
    expect([refused.thrown, refused.calls.length]).toEqual([
      'Refused: VM team-a/m was changed meanwhile; adopt it again',
      9,
    ]);
  });

  it('is not marked where it was changed or deleted meanwhile', async () => {
    const changed = await take(vm(), [
      [409, says],
      [200, vm('2', 'other')],
    ]);
    expect([changed.thrown, changed.calls.length]).toEqual([
      'Refused: VM team-a/m was changed meanwhile; adopt it again',
      2,
    ]);
    const gone = await take(vm(), [
      [409, says],
      [404, says],
    ]);
    expect(gone.thrown).toBe('NotFound: VM team-a/m cannot be given to Wukong w: no');
    const denied = await take(vm(), [
      [409, says],
      [403, says],
    ]);
    expect(denied.thrown).toBe('Denied: VM team-a/m: no');
  });

  it('has a Wukong that was made meanwhile, where that is for it', async () => {
    const { asked } = await take(vm(), [
      [200, vm('2')],
      [409, says],
      [200, wukong()],
      [200, made],
    ]);
    expect(asked).toEqual([marks('w'), posts(), [`GET ${wukongs}/w`], names]);
    const { thrown, asked: refused } = await take(vm(), [
      [200, vm('2')],
      [409, says],
      [200, wukong({}, 'n')],
      [200, vm()],
    ]);
    expect(thrown).toBe('Refused: a Wukong team-a/w was made meanwhile, for another VM');
    expect(refused.at(-1)).toEqual(marks(null, '2'));
  });

  it('is given back where its Wukong cannot name it', async () => {
    const { thrown, asked } = await take(vm(), [
      [200, vm('2')],
      [201, made],
      [403, says],
      [200, vm()],
    ]);
    expect([thrown, asked.at(-1)]).toEqual(['Denied: status of Wukong w: no', marks(null, '2')]);
  });
});

describe('a VM that is released', () => {
  const give = (answers: Answers, { of = wukong(), dryRun = false } = {}) =>
    asking(answers, (world) => release(world, of, { ...limits, dryRun }));
  const removes = [`DELETE ${wukongs}/w`, { preconditions: { uid: 'x', resourceVersion: '7' } }];
  const plan = { do: 'release', remove: true };

  it('does not say any more whose it is, and the Wukong goes that was made for it, as it was seen', async () => {
    const { value, asked, calls, within } = await give([[200, vm('1', 'w')], [200, vm()], [200]]);
    expect(value).toEqual({ plan, vmName: 'm', restore: undefined });
    expect(asked).toEqual([looks, marks(null), removes]);
    expect([within, calls[2]?.safe]).toEqual([[limits, limits, limits], true]);
  });

  it('is left to a Wukong that was not made for it', async () => {
    const named = { ...wukong(), status: { vmName: 'm' } };
    named.metadata = { ...named.metadata, annotations: {} };
    const { value, asked } = await give(
      [
        [200, vm('1', 'w')],
        [200, vm()],
      ],
      { of: named },
    );
    expect([value, asked]).toEqual([
      expect.objectContaining({ plan: { do: 'release', remove: false } }),
      [looks, marks(null)],
    ]);
    expect((await give([[200, vm()]], { of: named })).asked).toEqual([looks]);
  });

  it('is only looked at by a dry run', async () => {
    const { value, asked } = await give([[200, vm('1', 'w')]], { dryRun: true });
    expect([value, asked]).toEqual([{ plan, vmName: 'm', restore: undefined }, [looks]]);
  });

  it('has its strategy named that a stop has replaced, where it is still so', async () => {
    const time = new Date(t0).toISOString();
    const last = {
      ...{ requestId: 'r', action: 'stop', outcome: 'Stopped', message: '', trigger: 'direct' },
      ...{ requestedAt: time, startedAt: time, finishedAt: time, restore: 'RerunOnFailure' },
    };
    const stopped = wukong({ [lastKey]: JSON.stringify(last) });
    const restored = async (spec: RawVm['spec'] | null, of = stopped) => {
      const found = { ...vm('1', 'w'), spec };
      return (await give([[200, found]], { of, dryRun: true })).value;
    };
    const halted = { runStrategy: 'Halted' };
    expect(await restored(halted)).toEqual({ plan, vmName: 'm', restore: 'RerunOnFailure' });
    expect(await restored({ runStrategy: 'Always' })).toEqual({ plan, vmName: 'm', restore: undefined });
    expect(await restored(null)).toEqual({ plan, vmName: 'm', restore: undefined });
    expect(await restored(halted, wukong())).toEqual({ plan, vmName: 'm', restore: undefined });
  });

  it('is gone already, or goes meanwhile: so is its Wukong', async () => {
    expect((await give([[404, says], [200]])).asked).toEqual([looks, removes]);
    expect(
      (
        await give([
          [200, vm('1', 'w')],
          [404, says],
          [404, says],
        ])
      ).value,
    ).toMatchObject({ plan });
  });

  it('is not touched where it says that it is another’s, or where its version is older than what it says', async () => {
    expect((await give([[200, vm('1', 'other')], [200]])).asked).toEqual([looks, removes]);
    const late = await give([[200, vm()], [409, says], [200, vm('2', 'w')], [200, vm()], [200]]);
    expect(late.asked).toEqual([looks, marks(null), looks, marks(null, '2'), removes]);
    const others = await give([[200, vm()], [409, says], [200, vm('2', 'other')], [200]]);
    expect(others.asked).toEqual([looks, marks(null), looks, removes]);
  });

  it.each<[string, Answers]>([
    ['Unreachable: VM team-a/m: no (503)', [[503, says]]],
    [
      'Denied: VM team-a/m cannot be released: no',
      [
        [200, vm('1', 'w')],
        [403, says],
      ],
    ],
    [
      'Refused: Wukong team-a/w was changed meanwhile; release it again',
      [
        [200, vm('1', 'w')],
        [200, vm()],
        [409, says],
      ],
    ],
    [
      'Denied: Wukong team-a/w cannot be removed: no',
      [
        [200, vm('1', 'w')],
        [200, vm()],
        [403, says],
      ],
    ],
  ])('%s', async (expected, answers) => expect((await give(answers)).thrown).toBe(expected));
});
