import { describe, expect, it } from 'vitest';

import { getState } from '../../functions/getState/handler.ts';
import { stopVm } from '../../functions/stopVm/handler.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import { parseTrigger } from '../../shared/entry/trigger.ts';
import { eventBus } from '../../shared/report/bus.ts';
import { namespace, type Scene, scene } from './scene.ts';

const withVm = (at: Scene, name: string, more: object = {}) => {
  at.sim.createWukong({ namespace, name, ...more });
};

describe('a name that Kubernetes allows is allowed everywhere', () => {
  it.each(['db.prod', 'a'.repeat(240), `${'a'.repeat(124)}.${'b'.repeat(124)}`])('%s', (name) => {
    const origin = { action: 'stop', requestId: 'r', requestedAt: 0 } as const;
    const { target } = parseTrigger({ target: { names: [{ namespace, name }] } }, origin);
    expect(target).toEqual({ names: [{ namespace, name }] });
    const detail = {
      target: { namespace, name },
      requestId: `schedule:${'n'.repeat(63)}/${'s'.repeat(253)}@2026-11-23T20:30:00Z`,
    };
    const source = 'novasphere.wukong-lifecycle';
    expect(parseTrigger({ source, 'detail-type': 'Wukong VM Stop Requested', detail }, origin)).toMatchObject(detail);
  });

  it.each(['Web', '.web', 'web.', 'a..b', 'a/b', '..', 'a'.repeat(254), ''])('and %s is not', (name) => {
    const origin = { action: 'stop', requestId: 'r', requestedAt: 0 } as const;
    expect(() => parseTrigger({ target: { namespace, name } }, origin)).toThrow(/target.name: expected the name/);
    expect(() => parseTrigger({ target: { namespace: 'team.a', name: 'web' } }, origin)).toThrow(/DNS label/);
  });

  it('a Wukong whose name has a dot is stopped, by name and in a part of a fleet', async () => {
    const at = await scene();
    withVm(at, 'db.prod');
    withVm(at, 'web.prod');
    const one = await at.run(stopVm({ target: { namespace, name: 'db.prod' } }, at.invocation()));
    expect(one.counts).toEqual({ Stopped: 1 });
    const part = { target: { names: [{ namespace, name: 'web.prod' }] }, part: '3' };
    expect((await at.run(stopVm(part, at.invocation()))).counts).toEqual({ Stopped: 1 });
  });
});

describe('getState reads what it was asked for, and nothing else', () => {
  const outside = [
    { namespace, name: '../../team-b/wukongs/secret' },
    { namespace: '../../../api/v1/namespaces/x/configmaps', name: 'y' },
    { namespace, name: '..' },
    { namespace: '..', name: 'web' },
    { namespace: '../team-b' },
    { namespace: '' },
    { cluster: '../x', namespace, name: 'web' },
  ];

  it.each(outside)('%j is refused, asked directly or over HTTP with decoded path parameters', async (asked) => {
    const at = await scene();
    const before = at.sim.requests.length;
    const { cluster, ...pathParameters } = asked as Record<string, string>;
    const request = {
      version: '2.0',
      rawPath: '/',
      pathParameters,
      ...(cluster === undefined ? {} : { queryStringParameters: { cluster } }),
      requestContext: { http: { method: 'GET', path: '/' } },
    };
    for (const event of [asked, request])
      await expect(at.run(() => getState(event, at.invocation()))).rejects.toMatchObject({ code: 'InvalidAction' });
    expect(at.sim.requests.length).toBe(before);
  });

  it('a status that names a VM elsewhere reads nothing there', async () => {
    const at = await scene();
    withVm(at, 'web');
    at.sim.change<Wukong>('wukongs', namespace, 'web', (one) => {
      one.status = { ...one.status, vmName: '../../team-b/virtualmachines/secret' };
    });
    const before = at.sim.requests.length;
    const { states } = await at.run(() => getState({ namespace, name: 'web' }, at.invocation()));
    expect(states[0]?.vm.name).toBe('web-vm');
    expect(at.sim.requests.slice(before).filter(({ path }) => path.includes('team-b') || path.includes('..'))).toEqual(
      [],
    );
  });
});

describe('the bus', () => {
  it('takes ten parts of a fleet with the longest names: no call is above 256 KB', async () => {
    const at = await scene();
    const calls: number[] = [];
    const bus = eventBus(
      'b',
      (entries) => {
        calls.push(entries.reduce((sum, { Detail }) => sum + Detail.length, 0));
        return Promise.resolve({});
      },
      at.clock,
    );
    const names = Array.from({ length: 100 }, () => ({ namespace: 'n'.repeat(63), name: 'a'.repeat(253) }));
    await bus.put(Array.from({ length: 10 }, () => ({ type: 't', detail: { names }, time: 0 })));
    expect(Math.max(...calls)).toBeLessThan(256_000);
    expect(calls.length).toBe(2);
  });
});
