import { accessSync, chmodSync, closeSync, constants, openSync, readSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** The first line of what we write: a file without it is somebody else's. */
const mark = '# Of the embedded cluster of Wukong Lifecycle, which writes this file anew.\n';

/**
 * Why a kubeconfig of ours may not be written to `file`; undefined where it may. Another cluster's kubeconfig, or anything
 * else that somebody has there, is never written over; an empty file, a pipe or one of our own is.
 */
export function checkKubeconfigFile(file: string): string | undefined {
  const there = statSync(file, { throwIfNoEntry: false });
  try {
    accessSync(there ? file : dirname(file), constants.W_OK);
  } catch (thrown) {
    return unwritable(file, thrown);
  }
  if (there?.isDirectory()) return `--kubeconfig-out ${file}: is a folder; expected a file`;
  if (!there?.isFile() || there.size === 0 || startOf(file) === mark) return undefined;
  return `--kubeconfig-out ${file}: is there already and was not written by the embedded cluster; remove it, or name another file`;
}

const unwritable = (file: string, why: unknown): string =>
  `--kubeconfig-out ${file}: cannot be written (${(why as NodeJS.ErrnoException).code ?? 'unknown'})`;

/** The first bytes; another text where they may not be read. */
function startOf(file: string): string {
  try {
    const open = openSync(file, 'r');
    const bytes = Buffer.alloc(Buffer.byteLength(mark));
    const length = readSync(open, bytes);
    closeSync(open);
    return bytes.toString('utf8', 0, length);
  } catch {
    return '';
  }
}

/** Writes it for its owner alone. @throws Error saying why not, as `checkKubeconfigFile` does */
export function writeKubeconfig(file: string, kubeconfig: string): void {
  const problem = checkKubeconfigFile(file);
  if (problem !== undefined) throw new Error(problem);
  // It may have been there before, open to all; a device or a pipe keeps its mode.
  if (statSync(file, { throwIfNoEntry: false })?.isFile()) chmodSync(file, 0o600);
  try {
    writeFileSync(file, mark + kubeconfig, { mode: 0o600 });
  } catch (thrown) {
    throw new Error(unwritable(file, thrown), { cause: thrown });
  }
}
