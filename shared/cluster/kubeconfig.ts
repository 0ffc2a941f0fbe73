import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';

import { load } from 'js-yaml';

import { LifecycleError } from '../domain/errors.ts';

/** A cluster, user or context as it is written, and the file that it stands in. */
export interface Entry {
  name: string;
  /** `FILE: users[0].user`: where to look for what is wrong. */
  where: string;
  /** Relative paths are those of this folder; undefined for a text that is no file. */
  folder?: string;
  value: Record<string, unknown>;
}

/**
 * One or several kubeconfig files as one, by the rules of client-go (clientcmd.ClientConfigLoadingRules): the first file
 * that has a name, or a current-context, counts, whole. Nothing is checked that is not used.
 */
export interface KubeConfigFile {
  /** The files, for messages. */
  from: string;
  currentContext?: string;
  clusters: Map<string, Entry>;
  users: Map<string, Entry>;
  contexts: Map<string, Entry>;
}

/** What a kubeconfig says is wrong; nothing was called. */
export const misconfigured = (where: string, problem: string): LifecycleError =>
  new LifecycleError('Unreachable', `${where}: ${problem}`, { next: mend });

export const mend = 'Mend what the message names; kubectl config view shows the kubeconfig without its secrets.';

/** @throws LifecycleError naming the file, and the line where it is not YAML. */
export function parseKubeConfig(text: string, file?: string): KubeConfigFile {
  const from = file ?? 'kubeconfig';
  const read = parsed(text, from);
  const folder = file === undefined ? undefined : dirname(resolve(file));
  const entries = (list: string, inside: string) => named(read[list], { from, folder, list, inside });
  const current = read['current-context'];
  return {
    from,
    ...(typeof current === 'string' && current !== '' ? { currentContext: current } : {}),
    clusters: entries('clusters', 'cluster'),
    users: entries('users', 'user'),
    contexts: entries('contexts', 'context'),
  };
}

/** Never quotes the text, which holds secrets: of js-yaml's error only reason and line are passed on. */
function parsed(text: string, from: string): Record<string, unknown> {
  let read: unknown;
  try {
    read = load(text);
  } catch (thrown) {
    const { reason, mark } = thrown as { reason?: string; mark?: { line: number } };
    throw misconfigured(from, `line ${(mark?.line ?? 0) + 1} is not YAML (${reason ?? 'unreadable'})`);
  }
  if (read === undefined || read === null) return {};
  if (!isObject(read)) throw misconfigured(from, 'not a kubeconfig (expected clusters, users and contexts)');
  return read;
}

interface Listed {
  from: string;
  folder?: string;
  list: string;
  inside: string;
}

function named(given: unknown, { from, folder, list, inside }: Listed): Map<string, Entry> {
  const found = new Map<string, Entry>();
  if (given === undefined || given === null) return found;
  if (!Array.isArray(given)) throw misconfigured(`${from}: ${list}`, 'expected a list');
  for (const [at, one] of given.entries()) {
    const { name = '', [inside]: value } = isObject(one) ? one : {};
    const where = `${from}: ${list}[${at}]`;
    // Two of one name: kubectl refuses the file, as nobody knows which is meant.
    if (found.has(String(name))) throw misconfigured(where, `the name "${String(name)}" stands there twice`);
    found.set(String(name), {
      name: String(name),
      where: `${where}.${inside}`,
      folder,
      value: isObject(value) ? value : {},
    });
  }
  return found;
}

/** @throws LifecycleError naming the file that cannot be read. */
export function readKubeConfig(file: string): KubeConfigFile {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (thrown) {
    throw misconfigured(file, unreadable(thrown));
  }
  return parseKubeConfig(text, file);
}

/** Why a file could not be read, in words. */
export function unreadable(thrown: unknown): string {
  const { code } = thrown as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such file';
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read by this user';
  if (code === 'EISDIR') return 'is a folder, not a file';
  return `cannot be read (${code ?? 'unknown'})`;
}

/** Several files as one: of each name, and of current-context, the first that has it. */
export function mergeKubeConfigs(files: KubeConfigFile[]): KubeConfigFile {
  const first = (pick: (file: KubeConfigFile) => Map<string, Entry>) => {
    const found = new Map<string, Entry>();
    for (const file of files) for (const [name, entry] of pick(file)) if (!found.has(name)) found.set(name, entry);
    return found;
  };
  return {
    from: files.map(({ from }) => from).join(', '),
    currentContext: files.find(({ currentContext }) => currentContext !== undefined)?.currentContext,
    clusters: first(({ clusters }) => clusters),
    users: first(({ users }) => users),
    contexts: first(({ contexts }) => contexts),
  };
}

/** A path of the file, against the folder that the file is in. @throws LifecycleError where the text is no file. */
export function pathIn({ folder, where }: Entry, field: string, path: string): string {
  if (isAbsolute(path)) return path;
  if (folder === undefined)
    throw misconfigured(`${where}.${field}`, 'a relative path means nothing here; give the data itself');
  return resolve(folder, path);
}

/** @throws LifecycleError when the field is there and is no text. */
export function textOf({ value, where }: Entry, field: string): string | undefined {
  const found = Object.hasOwn(value, field) ? value[field] : undefined;
  if (found === undefined || found === null || found === '') return undefined;
  if (typeof found !== 'string') throw misconfigured(`${where}.${field}`, `expected text, found ${kindOf(found)}`);
  return found;
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const kindOf = (value: unknown): string => (Array.isArray(value) ? 'a list' : `a ${typeof value}`);
