import { request } from 'undici';

import type { World } from '../../shared/cluster/world.ts';
import { serve } from '../../shared/entry/serve.ts';
import { silentLog } from '../../shared/report/log.ts';
import { prometheusMetrics } from '../../shared/report/prometheus.ts';
import { closeAfterTest } from '../closeAfterTest.ts';
import { allRules, shippedRules } from '../flow/roles.ts';
import { namespace, type Scene, scene, token } from '../flow/scene.ts';

export const audience = 'wukong-lifecycle';

export interface Answered {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

export interface Server {
  world: World;
  port: number;
  /** What it has logged as errors. */
  errors: string[];
  /** Drains it as SIGTERM does. */
  end(): Promise<void>;
  /** Ends it as a power cut does: nothing of its goes out any more. */
  kill(): void;
  send(method: string, path: string, more?: { headers?: Record<string, string>; body?: string }): Promise<Answered>;
}

/** A server over the cluster of a scene, which keeps its clock going while requests are under way. */
export async function served(at: Scene, identity = 'one', secret?: string): Promise<Server> {
  const metrics = prometheusMetrics();
  const errors: string[] = [];
  let dead = false;
  const { transport } = at.world;
  const gone = () => new Promise<never>(() => {});
  const world: World = {
    ...at.world,
    metrics,
    log: { ...silentLog, error: (message) => void errors.push(message) },
    transport: {
      call: (...call) => (dead ? gone() : transport.call(...call)),
      stream: (...stream) => (dead ? gone() : transport.stream(...stream)),
    },
  };
  delete world.bus;
  const draining = new AbortController();
  let port = 0;
  const over = serve(world, {
    ...{ port: 0, host: '127.0.0.1', audience, metrics, identity, secret, signal: draining.signal },
    listening: (found) => (port = found),
  });
  over.catch(() => {});
  closeAfterTest({ close: () => draining.abort() });
  const server: Omit<Server, 'port'> = {
    world,
    errors,
    end: () => at.run(() => (draining.abort(new Error('SIGTERM')), over)),
    kill: () => (dead = true),
    async send(method, path, { headers = {}, body } = {}) {
      const answer = await request(`http://127.0.0.1:${port}${path}`, {
        method: method as 'GET',
        headers: { 'content-type': 'application/json', ...headers },
        ...(body === undefined ? {} : { body }),
      });
      return { status: answer.statusCode, headers: answer.headers, body: await answer.body.text() };
    },
  };
  const ready = async () => {
    while (port === 0 || (await server.send('GET', '/readyz')).status !== 200)
      await Promise.race([over, new Promise<void>((next) => at.clock.after(100, next))]);
  };
  await at.run(ready);
  return { ...server, port };
}

export const home = 'wukong-lifecycle';

/** A cluster with a namespace for the Lease, where the server has the rights that are shipped and no more. */
export async function ground(options: Parameters<typeof scene>[0] = {}): Promise<Scene> {
  const at = await scene(options);
  at.sim.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: home } });
  at.sim.addToken(token, `system:serviceaccount:${home}:wukong-reconcile`, [...allRules(), ...shippedRules(['serve'])]);
  return at;
}

/** A token of an account in team-a that may do this, as kubectl create token makes it. */
export async function tokenOf(
  at: Scene,
  verbs: ('start' | 'stop' | 'get')[],
  { name = 'caller', spec = { audiences: [audience] } }: { name?: string; spec?: object } = {},
): Promise<string> {
  const metadata = { namespace, name };
  const rbac = 'rbac.authorization.k8s.io';
  if (!at.sim.get('serviceaccounts', namespace, name)) {
    at.sim.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata });
    const rules = verbs.map((verb) => ({
      apiGroups: ['vm.novasphere.dev'],
      resources: [verb === 'get' ? 'wukongs' : `wukongs/${verb}`],
      verbs: [verb === 'get' ? 'get' : 'update'],
    }));
    at.sim.create({ apiVersion: `${rbac}/v1`, kind: 'Role', metadata, rules });
    const roleRef = { apiGroup: rbac, kind: 'Role', name };
    const subjects = [{ kind: 'ServiceAccount', ...metadata }];
    at.sim.create({ apiVersion: `${rbac}/v1`, kind: 'RoleBinding', metadata, roleRef, subjects });
  }
  const answer = await at.run(
    request(`${at.sim.url}/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`, {
      method: 'POST',
      dispatcher: at.sim.dispatcher(),
      headers: { authorization: `Bearer ${at.sim.adminToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ spec }),
    }).then(({ body }) => body.json() as Promise<{ status: { token: string } }>),
  );
  return answer.status.token;
}
