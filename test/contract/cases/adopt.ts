import assert from 'node:assert/strict';

import type { Cluster } from '../../../shared/cluster/world.ts';
import type { RawVm } from '../../../shared/domain/vmSize.ts';
import { adopt, release } from '../../../shared/lifecycle/adopt.ts';
import { cases } from '../case.ts';
import { paths } from '../client.ts';
import { is, isOffNow } from '../looking.ts';
import { isUp, type Made, plainTemplate, strategyOf, type Switch, vmOf, wukongOf } from '../making.ts';
import type { Stage } from '../stage.ts';

/** Who adopts is a person, with the rights of this suite. */
const person = ({ send, ground }: Stage): Cluster => ({
  clock: ground.clock,
  random: Math.random,
  transport: {
    call: async ({ method, path, body, contentType }) => {
      const answer = await send(method, path, body, contentType);
      return { ...answer, warnings: [] };
    },
    stream: () => Promise.reject(new Error('nothing is watched')),
  },
});

/** A VM that no Wukong has made, with a name of its own. */
async function plainVm(stage: Stage, vm: string, by: Switch): Promise<Made> {
  const { status, body } = await stage.send('POST', paths.vm(stage.namespace), {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachine',
    metadata: { name: vm, labels: { env: 'dev' } },
    spec: { ...by, template: plainTemplate },
  });
  assert.equal(status, 201, JSON.stringify(body).slice(0, 300));
  return { wukong: vm.replace(/-vm$/, ''), vm, uid: undefined };
}

async function adopted(stage: Stage, made: Made): Promise<void> {
  const vm = (await vmOf(stage, made)) as RawVm;
  const { plan } = await adopt(person(stage), vm, { wukongs: [] });
  assert.deepEqual({ do: plan.do, name: (plan as { name: string }).name }, { do: 'adopt', name: made.wukong });
}

export const adoptCases = cases('adopted', [
  ...([{ runStrategy: 'Always' }, { runStrategy: 'RerunOnFailure' }, { running: true }] as const).map((by) => ({
    name: `${JSON.stringify(by)}: stopped, started with its own strategy, and given back as it is`,
    guests: true,
    async run(stage: Stage) {
      const made = await plainVm(stage, `plain-${JSON.stringify(by).replace(/\W+/g, '-').toLowerCase()}x`, by);
      await stage.until('the guest to be up', () => isUp(stage, made));
      await adopted(stage, made);
      assert.equal((await wukongOf(stage, made)).metadata.labels.env, 'dev');
      is(await stage.stop(made), 'Stopped');
      await isOffNow(stage, made);
      is(await stage.start(made), 'Started');
      assert.equal(strategyOf(await vmOf(stage, made)), Object.values(by)[0]);
      assert.equal((await wukongOf(stage, made)).spec.startStrategy, undefined, 'an intent nobody reads');
      await release(person(stage), await wukongOf(stage, made));
      assert.equal(await wukongOf(stage, made), undefined);
      assert.ok(await isUp(stage, made));
    },
  })),
]);
