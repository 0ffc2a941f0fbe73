import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

import type { KubeConfig } from '@kubernetes/client-node';

import { type Credentials, credentialsOf, findKubeConfig, parseKubeConfig } from '../shared/cluster/credentials.ts';
import type { Log, World } from '../shared/cluster/world.ts';
import { LifecycleError } from '../shared/domain/errors.ts';
import { connect } from '../shared/entry/connect.ts';
import { silentLog } from '../shared/report/log.ts';
import { silentMetrics } from '../shared/report/metrics.ts';
import { redact } from '../shared/report/plain.ts';
import { checkChoice, type Io, type Options, type Values } from './command.ts';

/** The options of every command that talks to a cluster. */
export const clusterOptions: Options = {
  kubeconfig: { type: 'string', value: 'FILE', about: "default: $KUBECONFIG, ~/.kube/config, the pod's own account" },
  context: { type: 'string', value: 'NAME', about: 'default: the current context of the kubeconfig' },
  verbose: { type: 'boolean', short: 'v', about: 'tells on standard error what is done' },
};
export const namespaceOption: Options = {
  namespace: { type: 'string', short: 'n', value: 'NAME', about: 'default: the namespace of the context' },
};
export const scopeOptions: Options = {
  ...namespaceOption,
  'all-namespaces': { type: 'boolean', short: 'A', about: 'in all namespaces' },
  selector: { type: 'string', short: 'l', value: 'SELECTOR', about: 'by labels: env=dev,tier!=db' },
};

export interface Session {
  world: World;
  credentials: Credentials;
  /** Of -n, else of the context. */
  namespace: string;
}

/**
 * The cluster that the options and the environment mean, as kubectl finds it.
 * @throws LifecycleError Unreachable naming what is missing; UsageError for an unknown context.
 */
export async function openCluster(values: Values, io: Io): Promise<Session> {
  const env = io.env ?? {};
  const config = kubeConfig(values.kubeconfig as string | undefined, env);
  const context = values.context as string | undefined;
  if (context !== undefined) {
    checkChoice(
      '--context',
      context,
      config.getContexts().map(({ name }) => name),
    );
    config.setCurrentContext(context);
  }
  const credentials = await credentialsOf(config);
  const log = values.verbose === true ? plainLog(io) : silentLog;
  const world = await connect({ env, log, metrics: silentMetrics, credentials });
  const own = config.getContextObject(config.getCurrentContext())?.namespace;
  return { world, credentials, namespace: (values.namespace as string | undefined) ?? own ?? 'default' };
}

/** As kubectl: the option, the files of $KUBECONFIG (the first that names a thing counts), ~/.kube/config, the pod. */
function kubeConfig(option: string | undefined, env: Record<string, string | undefined>): KubeConfig {
  if (option !== undefined && !existsSync(option))
    throw new LifecycleError('Unreachable', `kubeconfig: --kubeconfig names ${option}, which is not there`);
  if (option !== undefined) return findKubeConfig({ KUBECONFIG: option });
  const home = join(env['HOME'] || homedir(), '.kube', 'config');
  const named = env['KUBECONFIG']?.split(delimiter).filter((file) => file !== '') ?? [];
  const files = named.length > 0 ? named : [home];
  const there = files.filter((file) => existsSync(file));
  if (there.length === 0 && named.length > 0)
    throw new LifecycleError('Unreachable', `kubeconfig: $KUBECONFIG names ${named.join(' and ')}, which is not there`);
  if (there.length <= 1) {
    try {
      return findKubeConfig(there[0] === undefined ? {} : { KUBECONFIG: there[0] });
    } catch (thrown) {
      if (there.length === 1) throw thrown;
      const where = `no --kubeconfig, no $KUBECONFIG, no ${home}, and this is no pod with a service account`;
      throw new LifecycleError('Unreachable', `no cluster is configured: ${where}`, { cause: thrown });
    }
  }
  return merged(there);
}

function merged(files: string[]): KubeConfig {
  const [all, ...others] = files.map((file) => parseKubeConfig(readFileSync(file, 'utf8')));
  if (!all) throw new Error('expected at least one kubeconfig');
  const missing = <T extends { name: string }>(known: T[], more: T[]) =>
    more.filter(({ name }) => !known.some((one) => one.name === name));
  for (const config of others) {
    all.clusters.push(...missing(all.clusters, config.clusters));
    all.users.push(...missing(all.users, config.users));
    all.contexts.push(...missing(all.contexts, config.contexts));
    if (!all.currentContext) all.currentContext = config.currentContext;
  }
  return all;
}

/** What the library says, for people, on standard error. */
function plainLog(io: Io): Log {
  const say = (level: string) => (message: string, fields?: Record<string, unknown>) =>
    io.err(`${level}: ${redact(message)}${fields ? ` ${redact(JSON.stringify(fields))}` : ''}\n`);
  return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
}
