import { type ChildProcess, spawn } from 'node:child_process';

import { LifecycleError } from '../domain/errors.ts';
import { type Entry, isObject, mend, pathIn } from './kubeconfig.ts';

/** A credential plugin, as the kubeconfig names it (client-go's exec authenticator). */
export interface ExecPlugin {
  apiVersion: string;
  /** Of $PATH, or whole: a relative path is one of the kubeconfig's folder. */
  command: string;
  args: string[];
  env: Record<string, string>;
  interactiveMode: 'Never' | 'IfAvailable' | 'Always';
  provideClusterInfo: boolean;
  installHint?: string;
  where: string;
}

/** What a plugin answered. */
export interface Credential {
  token?: string;
  cert?: string;
  key?: string;
  /** Instant in milliseconds; Infinity where the plugin names none. */
  expires: number;
}

const versions = ['v1', 'v1beta1'].map((version) => `client.authentication.k8s.io/${version}`);
const modes = ['Never', 'IfAvailable', 'Always'];

/** The plugin that is written there; what is wrong with it joins `problems`. */
export function readExec(user: Entry, exec: unknown, problems: string[]): ExecPlugin | undefined {
  const where = `${user.where}.exec`;
  if (!isObject(exec)) return void problems.push(`${where}: expected a mapping`);
  const before = problems.length;
  const wrong = (field: string, problem: string) => problems.push(`${where}.${field}: ${problem}`);
  const { apiVersion, command, args = [], env = [], interactiveMode, installHint } = exec;
  if (typeof command !== 'string' || command === '') wrong('command', 'is missing');
  if (!versions.includes(apiVersion as string)) wrong('apiVersion', `expected ${versions.join(' or ')}`);
  const mode = interactiveMode ?? 'IfAvailable'; // kubectl asks for it in v1
  if (!modes.includes(mode as string)) wrong('interactiveMode', `expected ${modes.join(', ')}`);
  const words = Array.isArray(args ?? []) ? ((args ?? []) as unknown[]) : undefined;
  if (!words) wrong('args', 'expected a list');
  const variables: Record<string, string> = {};
  for (const one of Array.isArray(env) ? (env as unknown[]) : []) {
    if (isObject(one) && typeof one['name'] === 'string' && one['name'] !== '')
      variables[one['name']] = String(one['value'] ?? '');
    else wrong('env', 'each needs a name');
  }
  if (problems.length > before) return undefined;
  return {
    apiVersion: apiVersion as string,
    command: /[/\\]/.test(command as string) ? pathIn(user, 'exec.command', command as string) : (command as string),
    args: words!.map(String),
    env: variables,
    interactiveMode: mode as ExecPlugin['interactiveMode'],
    provideClusterInfo: exec['provideClusterInfo'] === true,
    ...(typeof installHint === 'string' ? { installHint } : {}),
    where,
  };
}

const failed = (where: string, problem: string): LifecycleError =>
  new LifecycleError('Denied', `${where}: ${problem}`, { next: mend });

/** Somebody may have to type a code, or to touch a key. */
const interactiveLimitMs = 5 * 60_000;
const limitMs = 60_000;
const mostOutput = 1024 * 1024;

export interface Running {
  /** What the plugin is told of the cluster where it asks for that. */
  cluster: () => Record<string, unknown>;
  env: Record<string, string | undefined>;
  /** Whether standard input is a terminal. */
  terminal: boolean;
  /** Calls back after so many milliseconds, unless it is cancelled. */
  after: (ms: number, call: () => void) => () => void;
}

/**
 * Runs the plugin, its standard error shown as it comes, its standard input the terminal or none at all (interactiveMode).
 * @throws LifecycleError Denied naming the plugin and what is wrong; never with what it printed, which may be the token.
 */
export async function runExec(plugin: ExecPlugin, running: Running): Promise<Credential> {
  const interactive = plugin.interactiveMode !== 'Never' && running.terminal;
  if (plugin.interactiveMode === 'Always' && !interactive)
    throw failed(plugin.where, 'the plugin needs a terminal (interactiveMode Always), and there is none');
  const spec = { interactive, ...(plugin.provideClusterInfo ? { cluster: running.cluster() } : {}) };
  const info = JSON.stringify({ kind: 'ExecCredential', apiVersion: plugin.apiVersion, spec });
  const child = spawn(plugin.command, plugin.args, {
    env: { ...running.env, ...plugin.env, KUBERNETES_EXEC_INFO: info },
    stdio: [interactive ? 'inherit' : 'ignore', 'pipe', 'inherit'],
  });
  const cancel = running.after(interactive ? interactiveLimitMs : limitMs, () => end(child));
  try {
    return credentialIn(plugin, await outputOf(plugin, child));
  } finally {
    cancel();
  }
}

/** What the plugin itself has started may go on, and is not waited for. */
function end(child: ChildProcess): void {
  child.kill('SIGKILL');
  child.stdout?.destroy();
}

async function outputOf(plugin: ExecPlugin, child: ChildProcess): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  child.stdout?.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > mostOutput) end(child);
    else chunks.push(chunk);
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.once('error', (error: NodeJS.ErrnoException) => reject(notStarted(plugin, error)));
  child.once('close', (code, signal) => {
    if (size > mostOutput) reject(failed(plugin.where, `${plugin.command} printed more than 1 MB`));
    else if (signal) reject(failed(plugin.where, `${plugin.command} was ended (${signal}); it may take a minute`));
    else if (code !== 0) reject(failed(plugin.where, `${plugin.command} failed with exit code ${code}`));
    else resolve();
  });
  await promise;
  return Buffer.concat(chunks).toString('utf8');
}

function notStarted({ where, command, installHint }: ExecPlugin, { code }: NodeJS.ErrnoException): LifecycleError {
  const why =
    code === 'ENOENT' ? 'is not installed, or not where it was looked for' : `cannot be run (${code ?? 'unknown'})`;
  const next = installHint?.slice(0, 1000) ?? 'Install the credential plugin, or name it by its whole path.';
  return new LifecycleError('Denied', `${where}.command: ${command} ${why}`, { next });
}

function credentialIn({ where, command, apiVersion }: ExecPlugin, printed: string): Credential {
  const wrong = (what: string) => failed(where, `${command} ${what}`);
  let answer: unknown;
  try {
    answer = JSON.parse(printed);
  } catch {
    throw wrong('printed something that is no ExecCredential');
  }
  if (!isObject(answer)) throw wrong('printed something that is no ExecCredential');
  if (answer['apiVersion'] !== apiVersion) throw wrong(`answered in another apiVersion than ${apiVersion}`);
  const { status } = answer;
  if (!isObject(status)) throw wrong('answered without a status');
  const text = (key: string) => (typeof status[key] === 'string' && status[key] !== '' ? status[key] : undefined);
  const [token, cert, key] = [text('token')?.trim(), text('clientCertificateData'), text('clientKeyData')];
  if (!cert !== !key) throw wrong('answered only one of certificate and key');
  if (token === undefined && cert === undefined) throw wrong('answered neither a token nor a certificate');
  const until = text('expirationTimestamp');
  const expires = until === undefined ? Infinity : Date.parse(until);
  if (Number.isNaN(expires)) throw wrong('answered an expirationTimestamp that is no time');
  return { token, cert, key, expires };
}
