import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { type Credentials, credentialsFor, filesOf, readKubeConfigs } from '../shared/cluster/credentials.ts';
import { type KubeConfigFile, misconfigured, readKubeConfig } from '../shared/cluster/kubeconfig.ts';
import { type Login, loginOf, ownLogin } from '../shared/cluster/login.ts';
import type { Transport } from '../shared/cluster/transport.ts';
import type { Log, World } from '../shared/cluster/world.ts';
import { LifecycleError } from '../shared/domain/errors.ts';
import { connect } from '../shared/entry/connect.ts';
import { redact } from '../shared/report/plain.ts';
import { silentLog, silentMetrics } from '../shared/report/silent.ts';
import { checkChoice, type Io, type Options, type Values } from './command.ts';
import { durationMs } from './terminal/duration.ts';

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
  'request-timeout': { type: 'string', value: 'DURATION', about: 'for one request to the cluster; 0: what is usual' },
  verbose: { type: 'boolean', short: 'v', level: true, about: 'tells on standard error what is done' },
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
  const limitMs = requestTimeoutMs(values);
  const login = findLogin(values, env);
  const credentials = await credentialsFor(login, { env });
  const log = values.verbose === true ? plainLog(io) : silentLog;
  const connected = await connect({ env, log, metrics: silentMetrics, credentials });
  const world = { ...connected, transport: timed(connected, limitMs) };
  return { world, credentials, namespace: textOf(values, 'namespace') ?? login.namespace ?? 'default' };
}

/** As kubectl has it: `5s`, or a number of seconds; 0 is no limit of its own. @throws UsageError */
function requestTimeoutMs(values: Values): number {
  const text = textOf(values, 'request-timeout') ?? '0';
  return durationMs('request-timeout', /^\d+$/.test(text) ? `${text}s` : text);
}

function timed({ transport, clock }: World, limitMs: number): Transport {
  if (limitMs === 0) return transport;
  const call: Transport['call'] = (call, limits = {}) => {
    const deadline = Math.min(limits.deadline ?? Infinity, clock.now() + limitMs);
    return transport.call(call, { ...limits, deadline });
  };
  return { ...transport, call };
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
/** Undefined where there is no home: a container's user, of a number that the platform chose, may have none. */
export function homeConfig(env: Record<string, string | undefined>, lookUp = homedir): string | undefined {
  try {
    return join(env['HOME'] || lookUp(), '.kube', 'config');
  } catch {
    return undefined;
  }
}

/** As kubectl: the option, the files of $KUBECONFIG, ~/.kube/config. */
export function findConfig(
  option: string | undefined,
  env: Record<string, string | undefined>,
): KubeConfigFile | undefined {
  if (option !== undefined) {
    if (!existsSync(option)) throw misconfigured('kubeconfig', `--kubeconfig names ${option}, which is not there`);
    return readKubeConfig(option);
  }
  const named = filesOf(env);
  if (named.length > 0) return readKubeConfigs(named);
  const home = homeConfig(env);
  return home !== undefined && existsSync(home) ? readKubeConfig(home) : undefined;
}

/** What the library says, for people, on standard error. */
function plainLog(io: Io): Log {
  const say = (level: string) => (message: string, fields?: Record<string, unknown>) =>
    io.err(`${level}: ${redact(message)}${fields ? ` ${redact(JSON.stringify(fields))}` : ''}\n`);
  return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
}
