// ResourceQuotas count any kind, and what pods ask for: Kubernetes' names for them, and its words.
import { expect, test } from 'vitest';

import type { Vm } from '../../sim/kubevirt/kubevirt.ts';
import { answered, dev, maps, wukong, wukongs } from './answered.ts';

const quotas = '/api/v1/namespaces/dev/resourcequotas';
const quota = (hard: object, name = 'small') => ({ body: { metadata: { name }, spec: { hard } } });

test('objects of any kind are counted by their full name, some by their plural, and each quota says what is used', () =>
  dev(async ({ send, sleep }) => {
    const made = (name: string) => ({ body: { ...wukong, metadata: { name }, spec: { cpu: 1, memory: '1Gi' } } });
    const map = (name: string) => ({ body: { metadata: { name } } });
    const hard = {
      'count/wukongs.vm.novasphere.dev': '2',
      configmaps: '1',
      'count/leases.coordination.k8s.io': '0',
      pods: '5',
    };
    await answered(send, [
      ['POST', quotas, quota(hard), 201],
      ['POST', wukongs, made('second'), 201],
      [
        'POST',
        wukongs,
        made('third'),
        403,
        /^wukongs\.vm\.novasphere\.dev "third" is forbidden: exceeded quota: small, requested: count\/wukongs\.vm\.novasphere\.dev=1, used: count\/wukongs\.vm\.novasphere\.dev=2, limited: count\/wukongs\.vm\.novasphere\.dev=2$/,
      ],
      ['POST', maps, map('a'), 201],
      [
        'POST',
        maps,
        map('b'),
        403,
        /^configmaps "b" is forbidden: exceeded quota: small, requested: configmaps=1, used/,
      ],
      ['POST', '/api/v1/namespaces/default/configmaps', map('b'), 201],
      [
        'POST',
        '/apis/coordination.k8s.io/v1/namespaces/dev/leases',
        map('l'),
        403,
        /^leases\.coordination\.k8s\.io "l" is forbidden/,
      ],
      ['DELETE', `${maps}/a`, {}, 200],
      ['POST', maps, map('b'), 201],
    ]);
    await sleep(1_000);
    const { used } = (await send('GET', `${quotas}/small`)).body.status;
    expect(used).toEqual({
      'count/wukongs.vm.novasphere.dev': '2',
      configmaps: '1',
      'count/leases.coordination.k8s.io': '0',
      pods: '1',
    });
  }));

test('a quota of VMIs refuses the guest: the VM stays Stopped, and says why', () =>
  dev(async ({ sim, send, sleep }) => {
    await sleep(2_000);
    await answered(send, [['POST', quotas, quota({ 'count/virtualmachineinstances.kubevirt.io': '1' }), 201]]);
    sim.createWukong({ namespace: 'dev', name: 'second' });
    await sleep(2_000);
    const vm = () => sim.get<Vm>('virtualmachines', 'dev', 'second-vm');
    const failure = vm()?.status?.conditions?.find(({ type }) => type === 'Failure');
    expect([vm()?.status?.printableStatus, failure?.reason]).toEqual(['Stopped', 'FailedCreate']);
    expect(failure?.message).toMatch(
      /exceeded quota: small, requested: count\/virtualmachineinstances\.kubevirt\.io=1/,
    );
    await answered(send, [['DELETE', `${quotas}/small`, {}, 200]]);
    await sleep(30_000);
    expect(vm()?.status?.printableStatus).toBe('Running');
  }));

test.each([
  ['requests.memory', '100Mi', 'must specify requests.memory'],
  ['limits.cpu', '1', 'must specify limits.cpu'],
  ['memory', '1Gi', 'must specify memory'],
])('a pod that says nothing of %s is refused where a quota holds it', (name, limit, message) =>
  dev(async ({ send }) => {
    const pod = { metadata: { name: 'probe' }, spec: { containers: [{ name: 'c' }] } };
    await answered(send, [
      ['POST', quotas, quota({ [name]: limit }), 201],
      ['POST', '/api/v1/namespaces/dev/pods', { body: pod }, 403, new RegExp(`failed quota: small: ${message}$`)],
    ]);
  }),
);
