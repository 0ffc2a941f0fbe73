import assert from 'node:assert/strict';

import { Agent } from 'undici';

import { NotApplicable } from './case.ts';
import { clientOf, paths, type Reply } from './client.ts';
import { type Stage, watching } from './stage.ts';

export const audience = 'wukong-lifecycle';

export interface Server {
  /** Asks it as this caller. */
  ask(
    method: string,
    path: string,
    more?: { token?: string; headers?: Record<string, string>; body?: unknown },
  ): Promise<Reply>;
  /** Drains it, as SIGTERM does. */
  end(): Promise<void>;
}

/** `wukong serve` for the namespace of a case, while `work` lasts. */
export async function serving(stage: Stage, work: (server: Server) => Promise<void>, identity = 'one'): Promise<void> {
  const server = await begun(stage, identity);
  try {
    await work(server);
  } finally {
    await server.end();
  }
}

export async function begun(stage: Stage, identity: string): Promise<Server> {
  const { functions } = stage.ground;
  const metrics = functions.prometheusMetrics();
  const world = { ...(await stage.world('server', { env: watching(stage.namespace) })), metrics };
  const draining = new AbortController();
  let port = 0;
  const over = functions.serve(world, {
    ...{ port: 0, host: '127.0.0.1', audience, metrics, identity, signal: draining.signal },
    listening: (found) => (port = found),
  });
  let failure: unknown;
  over.catch((thrown: unknown) => (failure = thrown));
  const dispatcher = new Agent();
  const ask: Server['ask'] = async (method, path, { token, headers = {}, body } = {}) => {
    const all = { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
    const access = { server: `http://127.0.0.1:${port}`, dispatcher, headers: () => Promise.resolve(all) };
    return clientOf(access)(method, path, body, headers['content-type']);
  };
  const ready = async () => {
    if (failure) throw failure as Error;
    return port !== 0 && (await ask('GET', '/readyz')).status === 200;
  };
  const end = async () => {
    draining.abort(new Error('SIGTERM'));
    await over.catch(() => {});
    await dispatcher.destroy();
  };
  try {
    await stage.until('the server to be ready', ready, 60_000);
  } catch (thrown) {
    await end();
    throw thrown;
  }
  return { ask, end };
}

let callers = 0;

/** A token, for the server, of an account that may do this in the namespace of the case. */
export async function callerWith(
  stage: Stage,
  verbs: ('start' | 'stop' | 'get')[],
  audiences = [audience],
): Promise<string> {
  const { send, namespace } = stage;
  const metadata = { name: `caller-${++callers}` };
  const rbac = 'rbac.authorization.k8s.io';
  await send('POST', paths.core(namespace, 'serviceaccounts'), { apiVersion: 'v1', kind: 'ServiceAccount', metadata });
  const rules = verbs.map((verb) => ({
    apiGroups: ['vm.novasphere.dev'],
    resources: [verb === 'get' ? 'wukongs' : `wukongs/${verb}`],
    verbs: [verb === 'get' ? 'get' : 'update'],
  }));
  const role = { apiVersion: `${rbac}/v1`, kind: 'Role', metadata, rules };
  assert.equal((await send('POST', paths.rbac(namespace, 'roles'), role)).status, 201);
  const roleRef = { apiGroup: rbac, kind: 'Role', ...metadata };
  const subjects = [{ kind: 'ServiceAccount', namespace, ...metadata }];
  const bound = { apiVersion: `${rbac}/v1`, kind: 'RoleBinding', metadata, roleRef, subjects };
  assert.equal((await send('POST', paths.rbac(namespace, 'rolebindings'), bound)).status, 201);
  const asked = await send('POST', `${paths.core(namespace, 'serviceaccounts', metadata.name)}/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { audiences, expirationSeconds: 3_600 },
  });
  if (asked.status !== 201) throw new NotApplicable('this cluster gives no tokens for an audience');
  return asked.body.status.token;
}
