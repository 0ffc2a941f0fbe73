import assert from 'node:assert/strict';

import { cases } from '../case.ts';
import { isUp, type Made, type Making, vmiOf, wukongOf } from '../making.ts';
import type { Stage } from '../stage.ts';

const size = 30;

async function fleet(stage: Stage, name: string, how: Making, more: Making[] = []): Promise<Made[]> {
  const labels = { contract: name };
  const all = [...Array.from({ length: size - more.length }, () => how), ...more];
  return Promise.all(all.map((one) => stage.make({ ...one, labels })));
}

const of = (stage: Stage, name: string) => ({
  target: { namespaces: [stage.namespace], selector: `contract=${name}` },
});
const on: Making = { by: { runStrategy: 'Always' }, as: 'on' };
const off: Making = { by: { runStrategy: 'Halted' }, as: 'off' };

export const fleetCases = cases('fleets', [
  {
    name: `a stop of ${size} by their label: each verified, each told`,
    limitMs: 300_000,
    async run(stage) {
      const all = await fleet(stage, 'stop', on);
      const { counts } = await stage.invoke('stopVm', of(stage, 'stop'));
      assert.deepEqual(counts, { Stopped: size });
      for (const made of all) {
        assert.equal(await vmiOf(stage, made), undefined);
        assert.equal((await wukongOf(stage, made)).status.lifecycleState.outcome, 'Stopped');
      }
    },
  },
  {
    name: `a start of ${size} by their label, five at a time`,
    limitMs: 300_000,
    async run(stage) {
      const all = await fleet(stage, 'start', off);
      const { counts } = await stage.invoke('startVm', { ...of(stage, 'start'), maxInFlight: 5 });
      assert.deepEqual(counts, { Started: size });
      for (const made of all) assert.ok(await isUp(stage, made), made.wukong);
    },
  },
  {
    name: 'one that cannot start, one that is protected and one without its VM harm none of the others',
    guests: true,
    limitMs: 300_000,
    async run(stage) {
      const protectedOne = {
        ...off,
        annotations: { 'lifecycle.novasphere.dev/keep-stopped-until': '2999-01-01T00:00:00Z' },
      };
      await fleet(stage, 'mixed', off, [{ ...off, guest: { unschedulable: 'true' } }, protectedOne]);
      const { counts } = await stage.invoke('startVm', { ...of(stage, 'mixed'), waitSeconds: 30 });
      assert.deepEqual(counts, { Started: size - 2, Failed: 1, Skipped: 1 });
    },
  },
  {
    name: 'more than maxTargets is refused with the count, and none is touched',
    async run(stage) {
      const labels = { contract: 'many' };
      const made = await Promise.all(Array.from({ length: 4 }, () => stage.make({ ...on, labels })));
      const answer = await stage.invoke('stopVm', { ...of(stage, 'many'), maxTargets: 3 });
      assert.equal(answer.reason, 'InvalidAction');
      assert.match(answer.message, /4/);
      for (const one of made) assert.ok(await isUp(stage, one));
    },
  },
  {
    name: 'a selector that finds nobody does nothing',
    async run(stage) {
      const answer = await stage.invoke('stopVm', of(stage, 'nobody'));
      assert.deepEqual(answer.outcomes, []);
    },
  },
  {
    name: 'a label that is taken away during a stop is not taken for a VM that is gone',
    guests: true,
    async run(stage) {
      const made = await stage.make({ ...on, labels: { contract: 'moved' }, guest: { 'shutdown-seconds': '4' } });
      const stopped = stage.invoke('stopVm', of(stage, 'moved'));
      await stage.until('the shutdown to begin', async () => (await vmiOf(stage, made))?.metadata.deletionTimestamp);
      const path = `/apis/kubevirt.io/v1/namespaces/${stage.namespace}/virtualmachines/${made.vm}`;
      await stage.send('PATCH', path, { metadata: { labels: { contract: null } } });
      assert.equal((await stopped).outcomes[0].outcome, 'Stopped');
      assert.equal(await vmiOf(stage, made), undefined, 'it said Stopped too early');
    },
  },
]);
