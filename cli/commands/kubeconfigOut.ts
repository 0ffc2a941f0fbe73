import { accessSync, chmodSync, constants, existsSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { UsageError } from '../command.ts';

const refusal = (file: string, cause: unknown): UsageError =>
  new UsageError(
    `--kubeconfig-out ${file}: cannot be written (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`,
    {
      cause,
    },
  );

/** Says before a cluster is started whether its kubeconfig can be written there. @throws UsageError */
export function checkKubeconfigOut(file: string): void {
  try {
    accessSync(existsSync(file) ? file : dirname(file), constants.W_OK);
  } catch (thrown) {
    throw refusal(file, thrown);
  }
}

/** Writes a kubeconfig that its owner alone may read, as a token is in it. @throws UsageError */
export function writeKubeconfig(file: string, text: string): void {
  try {
    writeFileSync(file, text, { mode: 0o600 });
    chmodSync(file, 0o600); // it may have been there before, open to all
  } catch (thrown) {
    throw refusal(file, thrown);
  }
}
