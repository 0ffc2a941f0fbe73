import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { cases } from '../case.ts';
import { paths } from '../client.ts';
import { type Crd, putCrd, withoutExtension } from '../crds.ts';
import { is, isOffNow, isToldTrue } from '../looking.ts';
import type { Stage } from '../stage.ts';

const name = 'wukongs.vm.novasphere.dev';
const extension = new URL('../../../infra/crds/wukongs-extension.json', import.meta.url);

/** With the CRD as an operator ships it that does not know us; put back whatever happens. */
async function unextended(stage: Stage, work: (extend: () => Promise<void>) => Promise<void>): Promise<void> {
  const before: Crd = (await stage.send('GET', paths.crd(name))).body;
  try {
    await putCrd(stage.send, withoutExtension(before));
    await stage.sleep(3_000); // the API server takes a changed schema up after a moment
    await work(async () => {
      const steps: unknown = JSON.parse(readFileSync(extension, 'utf8'));
      const { status, body } = await stage.send('PATCH', paths.crd(name), steps, 'application/json-patch+json');
      assert.equal(status, 200, JSON.stringify(body).slice(0, 300));
      await stage.sleep(3_000);
    });
  } finally {
    const { status: _status, ...plain } = before;
    await putCrd(stage.send, plain);
    await stage.sleep(3_000);
  }
}

export const crdCases = cases('a CRD that was not extended', [
  {
    name: 'the VM is off, and the outcome says which command extends the CRD; extended by it, a tick tells the truth',
    crds: true,
    alone: true,
    run: (stage) =>
      unextended(stage, async (extend) => {
        const made = await stage.make({ by: { runStrategy: 'Always' }, as: 'on' });
        const outcome = await stage.stop(made);
        is(outcome, 'Failed', 'CrdNotExtended');
        assert.match(outcome.message, /kubectl patch crd wukongs.vm.novasphere.dev/);
        await isOffNow(stage, made);
        await extend();
        await stage.tick();
        await isToldTrue(stage, made, 'Stopped');
      }),
  },
  {
    name: 'a declared action is pruned by the API server: nothing happens, nothing breaks',
    crds: true,
    alone: true,
    run: (stage) =>
      unextended(stage, async () => {
        const made = await stage.make({ by: { runStrategy: 'Always' }, as: 'on' });
        await stage.send('PATCH', paths.wukong(stage.namespace, made.wukong), {
          spec: { lifecycleAction: { action: 'stop' } },
        });
        const { outcomes } = await stage.tick();
        assert.deepEqual(outcomes, []);
      }),
  },
]);
