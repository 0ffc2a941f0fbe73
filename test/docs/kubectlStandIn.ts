import { readFileSync } from 'node:fs';

import { parseAllDocuments } from 'yaml';

import { connect } from '../../shared/entry/connect.ts';
import { silentLog } from '../../shared/report/log.ts';
import { silentMetrics } from '../../shared/report/metrics.ts';

interface Thing {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
}

/**
 * What the commands after it need of kubectl where there is none: `create namespace` and `apply -f`. Everything else it
 * says yes to; .ci/docs.sh runs the pages with kubectl itself.
 */
export async function kubectlStandIn(words: string[], input: string, kubeconfig: string): Promise<void> {
  const [verb, what, name = ''] = words;
  const files = words
    .flatMap((word, at) => (word === '-f' ? [words[at + 1]!] : []))
    .filter((one) => !/^https?:/.test(one));
  const texts = files.map((file) => (file === '-' ? input : readFileSync(file, 'utf8')));
  const things = texts.flatMap((text) => parseAllDocuments(text).map((one) => one.toJS() as Thing));
  if (verb === 'create' && what === 'namespace')
    things.push({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  if (things.length === 0) return;
  const { transport } = await connect({ env: { KUBECONFIG: kubeconfig }, log: silentLog, metrics: silentMetrics });
  for (const thing of things) {
    const { apiVersion, kind, metadata } = thing;
    const home = metadata.namespace ? `/namespaces/${metadata.namespace}` : '';
    const path = `/${apiVersion.includes('/') ? 'apis' : 'api'}/${apiVersion}${home}/${kind.toLowerCase()}s`;
    const { status, body } = await transport.call({ method: 'POST', path, body: thing, safe: false });
    if (status !== 201 && status !== 409) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`);
  }
}
