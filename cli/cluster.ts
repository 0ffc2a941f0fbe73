import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { type Credentials, credentialsFor, filesOf, readKubeConfigs } from '../shared/cluster/credentials.ts';
import { type KubeConfigFile, misconfigured, readKubeConfig } from '../shared/cluster/kubeconfig.ts';
import { type Login, loginOf, ownLogin } from '../shared/cluster/login.ts';
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
  cluster: { type: 'string', value: 'NAME', about: "a cluster of the kubeconfig instead of the context's" },
  user: { type: 'string', value: 'NAME', about: "a user of the kubeconfig instead of the context's" },
  server: { type: 'string', short: 's', value: 'URL', about: 'another address of the API server' },
  as: { type: 'string', value: 'USER', about: 'acts as this user (impersonation)' },
  'as-group': { type: 'string', multiple: true, value: 'GROUP', about: 'and as a member of it; may be given again' },
  'as-uid': { type: 'string', value: 'UID', about: 'and with this uid' },
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
 * @throws LifecycleError Unreachable naming file and field; UsageError for an unknown context.
 */
export async function openCluster(values: Values, io: Io): Promise<Session> {
  const env = io.env ?? {};
  const login = findLogin(values, env);
  const credentials = await credentialsFor(login, { env });
  const log = values.verbose === true ? plainLog(io) : silentLog;
  const world = await connect({ env, log, metrics: silentMetrics, credentials });
  return { world, credentials, namespace: textOf(values, 'namespace') ?? login.namespace ?? 'default' };
}

const textOf = (values: Values, name: string): string | undefined => values[name] as string | undefined;

/** Of the kubeconfig, as the options change it; without one, of the pod. */
export function findLogin(values: Values, env: Record<string, string | undefined>): Login {
  const config = findConfig(textOf(values, 'kubeconfig'), env);
  if (!config) {
    const own = ownLogin(env);
    if (own) return own;
    const where = `no --kubeconfig, no $KUBECONFIG, no ${homeConfig(env)}, and this is no pod with a service account`;
    throw new LifecycleError('Unreachable', `no cluster is configured: ${where}`, { next: nameOne });
  }
  for (const kind of ['context', 'cluster', 'user'] as const) {
    const name = textOf(values, kind);
    if (name !== undefined) checkChoice(`--${kind}`, name, [...config[`${kind}s`].keys()]);
  }
  return loginOf(config, {
    context: textOf(values, 'context'),
    cluster: textOf(values, 'cluster'),
    user: textOf(values, 'user'),
    server: textOf(values, 'server'),
    as: textOf(values, 'as'),
    asUid: textOf(values, 'as-uid'),
    asGroups: values['as-group'] as string[] | undefined,
  });
}

const nameOne = 'Name a kubeconfig with --kubeconfig FILE or $KUBECONFIG.';
const homeConfig = (env: Record<string, string | undefined>): string =>
  join(env['HOME'] || ownHome(), '.kube', 'config');

/** A uid that is in no list of users, as OpenShift gives them, has none. */
function ownHome(): string {
  try {
    return homedir();
  } catch {
    return '/';
  }
}

/** As kubectl: the option, the files of $KUBECONFIG, ~/.kube/config. */
function findConfig(option: string | undefined, env: Record<string, string | undefined>): KubeConfigFile | undefined {
  if (option !== undefined) {
    if (!existsSync(option)) throw misconfigured('kubeconfig', `--kubeconfig names ${option}, which is not there`);
    return readKubeConfig(option);
  }
  const named = filesOf(env);
  if (named.length > 0) return readKubeConfigs(named);
  const home = homeConfig(env);
  return existsSync(home) ? readKubeConfig(home) : undefined;
}

/** What the library says, for people, on standard error. */
function plainLog(io: Io): Log {
  const say = (level: string) => (message: string, fields?: Record<string, unknown>) =>
    io.err(`${level}: ${redact(message)}${fields ? ` ${redact(JSON.stringify(fields))}` : ''}\n`);
  return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
}
