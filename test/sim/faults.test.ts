import { describe, expect, test } from 'vitest';

import type { Harm } from '../../sim/sim.ts';
import { story, watched } from './client.ts';

const web = '/apis/vm.novasphere.dev/v1alpha1/namespaces/dev/wukongs/web';
const wukong = { namespace: 'dev', name: 'web' };

interface Wukong {
  metadata: { annotations?: Record<string, string> };
  spec: { cpu: number };
}

/** What the client sees of a patch under a fault, and whether the patch was carried out. */
const harms: [Harm, number | 'lost', boolean][] = [
  [{ kind: 'dropBefore' }, 'lost', false],
  [{ kind: 'dropAfter' }, 'lost', true],
  [{ kind: 'cutBody' }, 'lost', true],
  [{ kind: 'crash', before: true }, 'lost', false],
  [{ kind: 'crash', before: false }, 'lost', true],
  [{ kind: 'status', status: 409 }, 409, false],
  [{ kind: 'status', status: 429 }, 429, false],
  [{ kind: 'status', status: 500 }, 500, false],
  [{ kind: 'status', status: 503 }, 503, false],
];

test.each(harms)('a patch under %o', (does, seen, done) =>
  story({}, async ({ sim, patch }) => {
    sim.createWukong(wukong);
    sim.faults.add({ when: { method: 'PATCH', path: /wukongs\/web/ }, times: 1, does });
    const reply = await patch(web, { spec: { cpu: 2 } }).catch(() => undefined);
    expect(reply?.status ?? 'lost').toBe(seen);
    expect(sim.get<Wukong>('wukongs', 'dev', 'web')?.spec.cpu).toBe(done ? 2 : 1);
    sim.faults.clear();
    expect((await patch(web, { spec: { cpu: 3 } })).status).toBe(200);
  }),
);

test('429 is plain text and says when to come again', () =>
  story({}, async ({ sim, send }) => {
    sim.faults.add({ when: {}, does: { kind: 'status', status: 429, retryAfterSeconds: 3 } });
    const { headers, body } = await send('GET', web);
    expect([headers['retry-after'], headers['content-type'], typeof body]).toEqual([
      '3',
      'text/plain; charset=utf-8',
      'string',
    ]);
  }));

test('a delay passes on the virtual clock', () =>
  story({}, async ({ sim, send, clock }) => {
    sim.createWukong(wukong);
    sim.faults.add({ when: { nth: 2 }, does: { kind: 'delay', ms: 30_000 } });
    const start = clock.now();
    await send('GET', web);
    expect(clock.now()).toBe(start);
    expect((await send('GET', web)).status).toBe(200);
    expect(clock.now() - start).toBe(30_000);
  }));

test('a stale read shows the version before the newest', () =>
  story({}, async ({ sim, send, patch }) => {
    sim.createWukong(wukong);
    await patch(web, { spec: { cpu: 2 } });
    sim.faults.add({ when: { method: 'GET' }, times: 2, does: { kind: 'stale' } });
    expect((await send('GET', web)).body.spec.cpu).toBe(1);
    expect((await send('GET', web.replace('/web', ''))).body.items[0].spec.cpu).toBe(1);
    expect((await send('GET', web)).body.spec.cpu).toBe(2);
  }));

describe('a watch', () => {
  const path = `${web.replace('/web', '')}?watch=true`;

  test('is cut after so many events', () =>
    story({}, async ({ sim }) => {
      for (const name of ['a', 'b', 'c']) sim.createWukong({ namespace: 'dev', name });
      sim.faults.add({ when: { watch: true }, does: { kind: 'cutWatch', afterEvents: 2 } });
      await expect(watched(sim, path, () => false)).rejects.toThrow();
    }));

  test('is told that its revision is gone', () =>
    story({}, async ({ sim }) => {
      sim.faults.add({ when: { watch: true }, does: { kind: 'expireWatch' } });
      const [event] = await watched<{ type: string; object: { code: number } }>(sim, path, () => false);
      expect([event?.type, event?.object.code]).toEqual(['ERROR', 410]);
    }));

  test('of a client that crashed is cut, and others go on', () =>
    story({}, async ({ sim, send }) => {
      sim.createWukong(wukong);
      sim.addToken('other', 'other', 'admin');
      const cut = watched(sim, path, () => false).catch(() => 'cut');
      sim.faults.add({ when: { method: 'GET', user: 'admin', watch: false }, does: { kind: 'crash', before: true } });
      await expect(send('GET', web)).rejects.toThrow();
      expect(await cut).toBe('cut');
      expect((await send('GET', web, { token: 'other' })).status).toBe(200);
    }));
});

test('the operator undoes a stop that forgets autoStart, and wipes what it does not know', () =>
  story({ operator: true }, async ({ sim, send, patch, power, sleep }) => {
    const body = {
      apiVersion: 'vm.novasphere.dev/v1alpha1',
      kind: 'Wukong',
      metadata: { name: 'web' },
      spec: { cpu: 1, memory: '64Mi' },
    };
    sim.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'dev' } });
    await send('POST', web.replace('/web', ''), { body });
    await sleep(3000);
    type Machine = { spec: { running: boolean }; metadata: { ownerReferences: { kind: string }[] } };
    const running = () => sim.get<Machine>('virtualmachines', 'dev', 'web-vm')?.spec.running;
    expect([running(), (await send('GET', web)).body.status]).toMatchObject([
      true,
      { phase: 'Running', vmName: 'web-vm' },
    ]);
    await patch(`${web}/status`, { status: { lifecycleState: { state: 'Stopping' } } });
    expect((await power('dev', 'web-vm', 'stop')).status).toBe(202);
    expect(running()).toBe(false);
    await patch(web, { metadata: { annotations: { looked: 'at' } } });
    await sleep(1000);
    expect(running()).toBe(true);
    await patch(web, { spec: { startStrategy: { autoStart: false } } });
    await sleep(6000);
    const { status, metadata } = (await send('GET', web)).body;
    expect([running(), status.phase, status.lifecycleState, metadata.annotations]).toEqual([
      false,
      'Stopped',
      undefined,
      { looked: 'at' },
    ]);
  }));

test('the original CRD prunes what the lifecycle writes', () =>
  story({ crd: 'original' }, async ({ sim, patch }) => {
    sim.createWukong(wukong);
    const reply = await patch(`${web}/status`, { status: { lifecycleState: { state: 'Stopped' } } });
    expect([reply.status, reply.body.status.lifecycleState]).toEqual([200, undefined]);
  }));
