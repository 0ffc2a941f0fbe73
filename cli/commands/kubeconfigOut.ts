import { UsageError } from '../command.ts';

/** Loaded when it is asked for: the image has no embedded cluster in it. */
const kubeconfigFile = () => import('../../sim/kubeconfigFile.ts');

/** Says before a cluster is started whether its kubeconfig may be written there. @throws UsageError */
export async function checkKubeconfigOut(file: string): Promise<void> {
  const problem = (await kubeconfigFile()).checkKubeconfigFile(file);
  if (problem !== undefined) throw new UsageError(problem);
}

/** Writes a kubeconfig that its owner alone may read, as a token is in it. @throws UsageError */
export async function writeKubeconfig(file: string, text: string): Promise<void> {
  try {
    (await kubeconfigFile()).writeKubeconfig(file, text);
  } catch (thrown) {
    throw new UsageError((thrown as Error).message, { cause: thrown });
  }
}
