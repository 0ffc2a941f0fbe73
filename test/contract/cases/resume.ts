import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { cases } from '../case.ts';
import { paths } from '../client.ts';
import { eventsOf, isOffNow, isToldTrue } from '../looking.ts';
import { isUp, type Made, vmiOf, wukongOf } from '../making.ts';
import type { FunctionName, Stage } from '../stage.ts';

const program = fileURLToPath(new URL('../process.ts', import.meta.url));

/** A function in a process of its own, which is killed as soon as `until` holds. */
async function killed(
  stage: Stage,
  name: FunctionName,
  event: object,
  what: string,
  until: () => Promise<unknown>,
): Promise<void> {
  const { kubeconfig: KUBECONFIG, functions = '' } = stage.ground.processes ?? {};
  const env = {
    ...process.env,
    KUBECONFIG,
    WATCH_NAMESPACES: stage.namespace,
    LIFECYCLE_NAMESPACE: stage.namespace,
  };
  const child = spawn(process.execPath, [program, functions, name, JSON.stringify(event)], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const over = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  try {
    await stage.until(what, until, 30_000);
  } finally {
    child.kill('SIGKILL');
    await over;
  }
}

const claimed = (stage: Stage, made: Made) => async () =>
  (await wukongOf(stage, made)).metadata.annotations?.['lifecycle.novasphere.dev/operation'];
const going = (stage: Stage, made: Made) => async () => (await vmiOf(stage, made))?.metadata.deletionTimestamp;

/** Ticks, as a schedule of every minute would make them, until nothing is under way. */
async function ticks(stage: Stage, made: Made): Promise<void> {
  await stage.until('an end', async () => {
    await stage.tick();
    return !(await claimed(stage, made)());
  });
  await stage.tick();
}

const target = (stage: Stage, made: Made) => ({ target: { namespace: stage.namespace, name: made.wukong } });
const slow = { by: { runStrategy: 'Always' }, as: 'on', guest: { 'shutdown-seconds': '5' } } as const;

export const resumeCases = cases('a killed process', [
  {
    name: 'in a stop, after its claim: ticks come to the same end, told once',
    process: true,
    alone: true,
    guests: true,
    async run(stage) {
      const made = await stage.make(slow);
      await killed(stage, 'stopVm', target(stage, made), 'the claim', claimed(stage, made));
      await ticks(stage, made);
      await isOffNow(stage, made);
      await isToldTrue(stage, made, 'Stopped', 'Stopped');
      assert.equal((await eventsOf(stage, made)).filter(({ reason }) => reason === 'Stopped').length, 1);
    },
  },
  {
    name: 'in a stop, while the guest shuts down: the guest is not forced, ticks tell the end',
    process: true,
    alone: true,
    guests: true,
    async run(stage) {
      const made = await stage.make(slow);
      await killed(stage, 'stopVm', target(stage, made), 'the shutdown', going(stage, made));
      await ticks(stage, made);
      await isOffNow(stage, made);
      await isToldTrue(stage, made, 'Stopped', 'Stopped');
    },
  },
  {
    name: 'in a stop of a guest that ignores ACPI: KubeVirt ends it although nobody waits',
    process: true,
    alone: true,
    guests: true,
    async run(stage) {
      const made = await stage.make({ ...slow, guest: { 'ignore-acpi': 'true' } });
      await killed(
        stage,
        'stopVm',
        { ...target(stage, made), gracePeriodSeconds: 3 },
        'the shutdown',
        going(stage, made),
      );
      await ticks(stage, made);
      await isOffNow(stage, made);
      await isToldTrue(stage, made, 'Stopped');
    },
  },
  {
    name: 'in a start: ticks come to the same end',
    process: true,
    alone: true,
    guests: true,
    async run(stage) {
      const made = await stage.make({ by: { runStrategy: 'Halted' }, as: 'off', guest: { 'boot-seconds': '4' } });
      await killed(stage, 'startVm', target(stage, made), 'the claim', claimed(stage, made));
      await ticks(stage, made);
      await stage.until('the guest to be up', () => isUp(stage, made));
      await ticks(stage, made);
      await isToldTrue(stage, made, 'Running');
    },
  },
  {
    name: 'a tick that carries out a declared stop: the next one goes on, and removes the action',
    process: true,
    alone: true,
    guests: true,
    async run(stage) {
      const made = await stage.make(slow);
      await stage.send('PATCH', paths.wukong(stage.namespace, made.wukong), {
        spec: { lifecycleAction: { action: 'stop' } },
      });
      await killed(stage, 'reconcileState', {}, 'the shutdown', going(stage, made));
      await ticks(stage, made);
      await isOffNow(stage, made);
      await isToldTrue(stage, made, 'Stopped', 'Stopped');
      assert.equal((await wukongOf(stage, made)).spec.lifecycleAction, undefined);
    },
  },
]);
