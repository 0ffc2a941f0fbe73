import { createServer } from 'node:net';

import { describe, expect, it } from 'vitest';

import { credentialsOf, parseKubeConfig } from '../../shared/cluster/credentials.ts';
import { transportTo } from '../../shared/cluster/transport.ts';
import type { World } from '../../shared/cluster/world.ts';
import { LifecycleError } from '../../shared/domain/errors.ts';
import { settledKey } from '../../shared/domain/operation.ts';
import { performOne } from '../../shared/lifecycle/perform.ts';
import { systemClock } from '../../shared/time/clock.ts';
import { namespace, type Scene, scene, token } from './scene.ts';

const running = async (options = {}): Promise<Scene> => {
  const at = await scene(options);
  at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always' });
  await at.pass(5_000);
  return at;
};

/** The same cluster, with another token. */
async function withToken(at: Scene, token: string): Promise<World> {
  const credentials = await credentialsOf(parseKubeConfig(at.sim.kubeconfig(token)), at.sim.inProcess());
  return { ...at.world, transport: transportTo(credentials, at.clock, at.world.random) };
}

const stopWith = (at: Scene, world: World) =>
  at.run(
    performOne(at.command('stop', 'web'), { namespace, name: 'web' }, world, {
      limits: { deadline: at.clock.now() + 600_000 },
    }),
  );

/** What one request over the machine's own network comes to. */
async function failureOf(kubeconfig: string): Promise<LifecycleError> {
  try {
    const transport = transportTo(await credentialsOf(parseKubeConfig(kubeconfig)), systemClock, Math.random);
    await transport.call({ method: 'GET', path: '/version', safe: false });
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(LifecycleError);
    return thrown as LifecycleError;
  }
  throw new Error('it was answered');
}

describe('a cluster that cannot be used says why, and what to do', () => {
  it('names an expired token', async () => {
    const at = await running();
    at.sim.expireToken(token);
    const outcome = await stopWith(at, at.world);
    expect(outcome).toMatchObject({ outcome: 'Failed', reason: 'Denied' });
    expect(outcome.message).toContain('renew the credentials');
    expect(outcome.message).not.toContain(token);
  });

  it('names the verb that RBAC refuses', async () => {
    const at = await running();
    const all = ['get', 'list', 'watch', 'patch', 'create'];
    at.sim.addToken('weak', 'system:serviceaccount:x:weak', [
      { apiGroups: ['vm.novasphere.dev'], resources: ['wukongs', 'wukongs/status'], verbs: all },
      { apiGroups: ['kubevirt.io'], resources: ['virtualmachines', 'virtualmachineinstances'], verbs: all },
      { apiGroups: [''], resources: ['events'], verbs: all },
    ]);
    const outcome = await stopWith(at, await withToken(at, 'weak'));
    expect(outcome).toMatchObject({ outcome: 'Failed', reason: 'Denied' });
    expect(outcome.message).toContain('virtualmachines/stop');
    expect(at.wukong('web').status?.lifecycleState).toMatchObject({ outcome: 'Failed', reason: 'Denied' });
  });

  it('names a Wukong CRD that was not extended, and the command that extends it; the VM is off all the same', async () => {
    const at = await running({ crd: 'original' });
    const outcome = await stopWith(at, at.world);
    expect(outcome).toMatchObject({ outcome: 'Failed', reason: 'CrdNotExtended' });
    expect(outcome.message).toContain('kubectl patch crd wukongs.vm.novasphere.dev');
    expect(at.vmi('web')).toBeUndefined();
  });

  it('names a Wukong that is not there', async () => {
    const at = await running();
    expect(await at.perform('stop', 'nobody')).toMatchObject({ outcome: 'Failed', reason: 'NotFound' });
  });

  it('names a CA that does not fit', async () => {
    const [here, there] = [await scene(), await scene()];
    const mixed = here.sim.kubeconfig().replace(here.sim.url, there.sim.url);
    const error = await failureOf(mixed);
    expect(error.code).toBe('Unreachable');
    expect(error.message).toMatch(/TLS is not trusted .* check the CA/);
  });

  it('names an address where nothing listens', async () => {
    const server = createServer();
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    const { port } = server.address() as { port: number };
    await new Promise((closed) => server.close(closed));
    const at = await scene();
    const error = await failureOf(at.sim.kubeconfig().replace(at.sim.url, `https://127.0.0.1:${port}`));
    expect(error.message).toMatch(/nothing listens there/);
  });

  it.each([
    ['no YAML', 'a: [', /kubeconfig/],
    ['no context', 'apiVersion: v1\nkind: Config\nclusters: []\nusers: []\ncontexts: []\n', /current-context/],
    [
      'plain http',
      'apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{name: c, cluster: {server: "http://x"}}]\nusers: [{name: u, user: {}}]\ncontexts: [{name: c, context: {cluster: c, user: u}}]\n',
      /https/,
    ],
    [
      'TLS that is not to be verified',
      'apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{name: c, cluster: {server: "https://x", insecure-skip-tls-verify: true}}]\nusers: [{name: u, user: {}}]\ncontexts: [{name: c, context: {cluster: c, user: u}}]\n',
      /insecure-skip-tls-verify is refused/,
    ],
  ])('names a kubeconfig with %s', async (_what, text, message) =>
    expect((await failureOf(text)).message).toMatch(message),
  );
});

describe('the cluster has a bad hour', () => {
  it('handles the empty 202, and never asks in a way that is answered 406', async () => {
    const at = await running();
    expect(await stopWith(at, at.world)).toMatchObject({ outcome: 'Stopped' });
    expect(at.calls().map(({ status }) => status)).toEqual([202]);
    expect(at.sim.requests.filter(({ status }) => status === 406)).toEqual([]);
  });

  it('goes on when virt-api comes back', async () => {
    const at = await running();
    at.sim.faults.virtApiDown(true);
    at.clock.after(20_000, () => at.sim.faults.virtApiDown(false));
    expect(await stopWith(at, at.world)).toMatchObject({ outcome: 'Stopped' });
  });

  it.each([
    ['cut', { kind: 'cutWatch', afterEvents: 2 } as const],
    ['expired', { kind: 'expireWatch' } as const],
  ])('survives watches that are %s', async (_what, does) => {
    const at = await running();
    at.sim.faults.add({ when: { watch: true }, times: 4, does });
    expect(await stopWith(at, at.world)).toMatchObject({ outcome: 'Stopped' });
  });

  it('tells the bus where nobody answers whose the Event is that is there already', async () => {
    const at = await running();
    at.sim.faults.add({ when: { method: 'POST', path: /events/ }, times: 1, does: { kind: 'dropAfter' } });
    at.sim.faults.add({ when: { method: 'GET', path: /events\// }, does: { kind: 'status', status: 503 } });
    expect(await stopWith(at, at.world)).toMatchObject({ outcome: 'Stopped' });
    expect(at.bus).toHaveLength(1);
  });

  it('does not say that nothing was to be done where it cannot be remembered: the next delivery may find it otherwise', async () => {
    const at = await running();
    await at.perform('stop', 'web');
    const does = { kind: 'status', status: 429, retryAfterSeconds: 600 } as const;
    at.sim.faults.add({ when: { method: 'PATCH' }, times: 1, does });
    expect(await stopWith(at, at.world)).toMatchObject({ outcome: 'Failed', reason: 'Unreachable' });
    expect(at.wukong('web').metadata.annotations?.[settledKey]).toBeUndefined();
    expect(await stopWith(at, at.world)).toMatchObject({ outcome: 'AlreadyOff' });
    expect(at.wukong('web').metadata.annotations?.[settledKey]).toBeDefined();
  });

  it('does not say that a wish is being fulfilled where it cannot be noted that it counts from now on', async () => {
    const at = await running();
    const first = performOne(at.command('stop', 'web'), { namespace, name: 'web' }, at.world, {
      limits: { deadline: at.clock.now() + 600_000 },
    });
    await at.pass(500);
    const does = { kind: 'status', status: 503, retryAfterSeconds: 600 } as const;
    at.sim.faults.add({ when: { method: 'PATCH' }, times: 1, does });
    expect(await stopWith(at, at.world)).toMatchObject({ outcome: 'Failed', reason: 'Unreachable' });
    expect(await at.run(first)).toMatchObject({ outcome: 'Stopped' });
  });

  it.each([
    ['answers 429 with Retry-After', { kind: 'status', status: 429, retryAfterSeconds: 1 } as const],
    ['answers 503', { kind: 'status', status: 503 } as const],
    ['answers 500', { kind: 'status', status: 500 } as const],
    ['drops requests before they are done', { kind: 'dropBefore' } as const],
    ['drops answers after it is done', { kind: 'dropAfter' } as const],
    ['cuts answers short', { kind: 'cutBody' } as const],
    ['is slow', { kind: 'delay', ms: 20_000 } as const],
  ])('comes to the same when the API server %s, whichever call it is', async (_what, does) => {
    for (let nth = 1; nth <= 8; nth++) {
      const at = await running();
      at.sim.faults.add({ when: { nth }, does });
      const outcome = await stopWith(at, at.world);
      expect([nth, outcome.outcome, outcome.message]).toEqual([nth, 'Stopped', expect.anything()]);
      expect(at.wukong('web').status?.lifecycleState, `call ${nth}`).toMatchObject({
        state: 'Stopped',
        outcome: 'Stopped',
      });
      expect(
        at.sim.list('events', namespace).filter((e) => (e as { reason: string }).reason === 'Stopped'),
      ).toHaveLength(1);
      expect(at.bus, `call ${nth}`).toHaveLength(1);
    }
  });
});
