import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { tickEveryMinute } from '../../cli/commands/reconcile.ts';
import { scene, token } from '../flow/scene.ts';
import { simulate, type Simulated } from './simulated.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const wukongs = (namespace: string, name = '') =>
  `/apis/vm.novasphere.dev/v1alpha1/namespaces/${namespace}/wukongs${name && `/${name}`}`;
const vms = (namespace: string, name: string) => `/apis/kubevirt.io/v1/namespaces/${namespace}/virtualmachines/${name}`;
const wukong = (name: string, spec: object = {}) => ({
  apiVersion: 'vm.novasphere.dev/v1alpha1',
  kind: 'Wukong',
  metadata: { name },
  spec: { cpu: 1, memory: '64Mi', ...spec },
});

describe('wukong sim --operator --reconcile', () => {
  let sim: Simulated;
  beforeAll(async () => void (sim = await simulate('--operator', '--reconcile')));
  afterAll(() => sim.close());

  it('makes the VM of a new Wukong, and takes it away with it', async () => {
    expect((await sim.api('POST', wukongs('demo-a'), wukong('mail'))).status).toBe(201);
    await vi.waitUntil(async () => (await sim.api('GET', vms('demo-a', 'mail-vm'))).status === 200, 10_000);
    expect((await sim.wukong('stop mail -n demo-a')).out).toMatch(/^demo-a\/mail +Stopped/);
    expect((await sim.api('DELETE', wukongs('demo-a', 'mail'))).status).toBe(200);
    await vi.waitUntil(async () => (await sim.api('GET', vms('demo-a', 'mail-vm'))).status === 404, 10_000);
  });

  it('leaves the VMs of the eight as they are, but the one whose operator is shown', async () => {
    expect((await sim.api('PATCH', wukongs('demo-a', 'import'), { spec: { cpu: 2 } })).status).toBe(200);
    expect((await sim.api('PATCH', wukongs('demo-a', 'shop'), { spec: { cpu: 2 } })).status).toBe(200);
    expect((await sim.api('GET', vms('demo-a', 'import-vm'))).body).toMatchObject({ spec: { runStrategy: 'Once' } });
    expect((await sim.api('GET', vms('demo-a', 'shop-vm'))).body).toMatchObject({ spec: { running: true } });
  });

  it('has ticked when it is up, says what a tick did, and ends with 0', async () => {
    await sim.says(/Z 8 Wukongs: 0 outcomes, \d statuses put right/);
    expect((await sim.api('GET', wukongs('demo-a', 'web'))).body).toMatchObject({
      status: { lifecycleState: { state: 'Running' } },
    });
    expect((await sim.end()).code).toBe(0);
  });
});

it('a tick comes every minute, also after one that failed', async () => {
  const at = await scene();
  at.sim.createWukong({ namespace: 'team-a', name: 'web' });
  let told = '';
  const io = { out: (text: string) => void (told += text), err: (text: string) => void (told += text), colour: false };
  const ended = new AbortController();
  const ticking = tickEveryMinute(at.world, { timeoutMs: 50_000, signal: ended.signal }, io);
  ticking.catch(() => {});
  await at.pass(30_000);
  at.sim.change<{ spec: object }>('wukongs', 'team-a', 'web', ({ spec }) =>
    Object.assign(spec, { lifecycleAction: { action: 'stop' } }),
  );
  await at.pass(20_000);
  expect(at.vm('web').status['printableStatus']).toBe('Running');
  await at.pass(20_000);
  expect(told).toMatch(/^team-a\/web +Stopped/m);
  const before = told.length;
  at.sim.expireToken(token);
  await at.pass(60_000);
  expect(told.slice(before)).toMatch(/^2026-11-23T20:02:00Z .*401/m);
  await at.pass(60_000);
  expect(told.slice(before)).toMatch(/^2026-11-23T20:03:00Z /m);
  ended.abort(new Error('ended'));
  await expect(ticking).rejects.toThrow();
});
