import assert from 'node:assert/strict';

import { cases, NotApplicable } from '../case.ts';
import { paths } from '../client.ts';
import { is } from '../looking.ts';

/** Whether this cluster holds a quota at all: an embedded one may only store it. */
async function isHeld(stage: Parameters<ReturnType<typeof cases>[number]['run']>[0]): Promise<boolean> {
  const container = {
    name: 'c',
    image: 'none',
    resources: { requests: { memory: '1Mi', cpu: '1m' }, limits: { memory: '1Mi', cpu: '1m' } },
  };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'probe' }, spec: { containers: [container] } };
  const { status } = await stage.send('POST', `${paths.core(stage.namespace, 'pods')}?dryRun=All`, pod);
  return status === 403;
}

export const quotaCases = cases('start that fails', [
  {
    name: 'a quota that has no room for the pod: Refused, naming the quota',
    alone: true,
    async run(stage) {
      const quota = {
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { name: 'contract-none' },
        spec: { hard: { pods: '0' } },
      };
      assert.equal((await stage.send('POST', paths.core(stage.namespace, 'resourcequotas'), quota)).status, 201);
      await stage.sleep(2_000);
      if (!(await isHeld(stage))) throw new NotApplicable('quotas are not held here');
      const made = await stage.make({ by: { runStrategy: 'Halted' }, as: 'off' });
      const outcome = await stage.start(made, { waitSeconds: 10 });
      is(outcome, 'Failed', 'Refused');
      assert.match(outcome.message, /contract-none|exceeded quota/);
    },
  },
]);
