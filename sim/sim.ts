/**
 * The embedded cluster: an API server with Kubernetes' and KubeVirt's manners (KUBEVIRT.md), in this process, over real
 * HTTP. For the demo, the tests and the benchmarks.
 *
 *     const sim = await startSim({ clock });
 *     sim.createWukong({ namespace: 'dev', name: 'web', guest: { 'ignore-acpi': 'true' } });
 *     // a client with sim.kubeconfig() and, on a VirtualClock, sim.dispatcher() or sim.inProcess()
 *     await clock.run(() => stop('dev', 'web'), { sims: [sim] });
 *     sim.get('wukongs', 'dev', 'web');
 *     await sim.close();
 *
 * What is arranged and looked at through the Sim itself costs no request and is not recorded.
 */
import { randomBytes } from 'node:crypto';

import type { Dispatcher } from 'undici';

import type { Clock } from '../shared/time/clock.ts';
import { loadCel } from './apiserver/cel.ts';
import { makeCertificates } from './apiserver/certificate.ts';
import { Cluster } from './apiserver/cluster.ts';
import { Discovery } from './apiserver/discovery.ts';
import { HttpServer } from './apiserver/http.ts';
import { Access, type PolicyRule } from './apiserver/rbac.ts';
import { Lists } from './apiserver/reading.ts';
import { type RequestRecord, Service } from './apiserver/service.ts';
import { type Arranging, arranging } from './arranging.ts';
import { realClock } from './clock.ts';
import { type ControllerOptions, startControllers } from './controllers.ts';
import { type Fault, Faults } from './faults.ts';
import { furnish, type Furnishing } from './furnish.ts';
import { InProcess } from './inProcess.ts';
import { LimitedPace, unlimitedPace } from './kubevirt/limits.ts';
import { Power } from './kubevirt/power.ts';
import { Timers } from './timers.ts';
import { Traffic } from './traffic.ts';

export type { Thing } from './apiserver/object.ts';
export type { PolicyRule } from './apiserver/rbac.ts';
export type { RequestRecord } from './apiserver/service.ts';
export { VirtualClock } from './clock.ts';
export type { Fault, Harm, When } from './faults.ts';
export type { GuestAnnotations } from './kubevirt/kubevirt.ts';
export type { WukongOptions } from './operator/wukong.ts';

export interface SimOptions extends Furnishing, ControllerOptions {
  /** Default: the machine's. */
  clock?: Clock;
  /** Default 0: any. Always on 127.0.0.1, always TLS with a CA of its own. */
  port?: number;
}

export interface Sim extends Arranging {
  readonly url: string;
  readonly caPem: string;
  readonly adminToken: string;
  readonly clock: Clock;
  /** Every API request, in order of arrival. */
  readonly requests: RequestRecord[];
  /** Clients' connections that are open, and the most that were at once. */
  readonly connections: { readonly open: number; readonly most: number };
  readonly faults: {
    /** Returns how to take it away again. */
    add(fault: Fault): () => void;
    clear(): void;
    /** Subresources 503, VM writes 500, reads go on. */
    virtApiDown(on: boolean): void;
    /** The API server restarts: every connection and watch is lost, and for so long nothing is answered. */
    restart(downMs: number): void;
  };
  readonly operator: { enable(): void; disable(): void };
  /** Kubeconfig (YAML) for a token; default: the admin's. */
  kubeconfig(token?: string): string;
  addToken(token: string, user: string, rules: PolicyRule[] | 'admin'): void;
  /** A token of that ServiceAccount: it may do what is bound to it. */
  tokenFor(namespace: string, serviceAccount: string): string;
  /** 401 from now on. */
  expireToken(token: string): void;
  /** The VM's node does not answer any more: VMI Ready=Unknown, VM Unknown. */
  loseNode(namespace: string, vm: string): void;
  /** Forgets history: continue tokens and old watches get 410. */
  compact(): void;
  /** For undici: pooled connections that trust the CA and are counted, so that `quiet` knows of them. */
  dispatcher(): Dispatcher;
  /** The same without sockets, for histories by the thousand: requests are handed to the API server as they are. */
  inProcess(): Dispatcher;
  /** Nothing is under way between clients and server. */
  quiet(): boolean;
  /** Ends everything: no timer, socket or listener is left. */
  close(): Promise<void>;
}

export async function startSim(options: SimOptions = {}): Promise<Sim> {
  const clock = new Timers(options.clock ?? realClock);
  const cluster = new Cluster(clock);
  cluster.cel = await loadCel();
  const traffic = new Traffic();
  const certificates = makeCertificates();
  const access = new Access(cluster);
  const requests: RequestRecord[] = [];
  const operator = furnish(cluster, options);
  const pace = options.limits === 'limited' ? new LimitedPace(clock) : unlimitedPace;
  const lists = new Lists({ cluster, clock });
  const node = startControllers(cluster, options);
  const served = {
    cluster,
    clock,
    access,
    lists,
    power: new Power({ cluster, clock }, access, pace),
    discovery: new Discovery(cluster),
  };
  const faults: Faults = new Faults({
    now: () => clock.now(),
    onDeath: (user) => service.cut(user),
    setVirtApi: (down) => (cluster.virtApiDown = down),
    disconnect: () => [server, ...ways].forEach((way) => way.disconnect()),
  });
  const service = new Service({ served, access, faults, traffic, requests });
  const server = new HttpServer(service, certificates.server);
  const ways: InProcess[] = [];
  const port = await server.listen(options.port ?? 0);
  const url = `https://127.0.0.1:${port}`;
  const adminToken = randomBytes(24).toString('base64url');
  access.addToken(adminToken, 'admin', 'admin');
  return {
    url,
    caPem: certificates.caPem,
    adminToken,
    clock: options.clock ?? realClock,
    requests,
    connections: server.connections,
    faults,
    operator,
    kubeconfig: (token = adminToken) => kubeconfig(url, certificates.caPem, token),
    ...arranging(cluster),
    addToken: (token, user, rules) => access.addToken(token, user, rules),
    tokenFor(namespace, serviceAccount) {
      const token = randomBytes(24).toString('base64url');
      access.addToken(token, `system:serviceaccount:${namespace}:${serviceAccount}`, []);
      return token;
    },
    expireToken: (token) => access.expireToken(token),
    loseNode: (namespace, vm) => node.lose(namespace, vm),
    compact() {
      cluster.store.compact();
      lists.expire();
    },
    dispatcher: () => traffic.dispatcher(certificates.caPem),
    inProcess() {
      const way = new InProcess(service);
      ways.push(way);
      return traffic.inProcess(way);
    },
    quiet: () => traffic.quiet(),
    async close() {
      clock.close();
      for (const way of ways) way.disconnect();
      await traffic.close();
      await server.close();
    },
  };
}

const kubeconfig = (server: string, caPem: string, token: string): string =>
  `apiVersion: v1
kind: Config
clusters:
  - name: sim
    cluster:
      server: ${server}
      certificate-authority-data: ${Buffer.from(caPem).toString('base64')}
contexts:
  - name: sim
    context:
      cluster: sim
      user: sim
current-context: sim
users:
  - name: sim
    user:
      token: ${token}
`;
