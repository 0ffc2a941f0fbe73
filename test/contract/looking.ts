import assert from 'node:assert/strict';

import type { Outcome } from '../../shared/domain/outcome.ts';
import { paths } from './client.ts';
import { isUp, type Made, strategyOf, vmiOf, vmOf, wukongOf } from './making.ts';
import type { Stage } from './stage.ts';

const operationKey = 'lifecycle.novasphere.dev/operation';

export function is(outcome: Outcome, name: string, reason?: string): void {
  const found = `${outcome.outcome}${'reason' in outcome ? `/${outcome.reason}` : ''}: ${outcome.message}`;
  assert.equal(outcome.outcome, name, found);
  if (reason !== undefined)
    assert.equal(
      (outcome as { reason?: string; forceReason?: string }).reason ??
        (outcome as { forceReason?: string }).forceReason,
      reason,
      found,
    );
}

/** Off, as the suite's own eyes see it: no guest, nothing that starts one, and it stays so for a moment. */
export async function isOffNow(stage: Stage, made: Made, staysMs = 2_000): Promise<void> {
  for (const pause of [0, staysMs]) {
    await stage.sleep(pause);
    const [vm, vmi] = [await vmOf(stage, made), await vmiOf(stage, made)];
    const phase = vmi?.status?.phase;
    assert.ok(!vmi || phase === 'Succeeded' || phase === 'Failed', `there is a VMI: ${phase}`);
    const queued = (vm.status?.stateChangeRequests ?? []) as { action: string }[];
    assert.ok(!queued.some(({ action }) => action === 'Start'), 'a Start is queued');
    const strategy = strategyOf(vm);
    assert.ok(
      ['Halted', false, 'Manual', 'RerunOnFailure', 'Once'].includes(strategy as string),
      `strategy ${String(strategy)}`,
    );
  }
}

/** The status, the record and the wish say what is so; nobody's other fields were touched. */
export async function isToldTrue(
  stage: Stage,
  made: Made,
  state: 'Running' | 'Stopped',
  outcome?: string,
): Promise<void> {
  const wukong = await wukongOf(stage, made);
  const told = wukong.status?.lifecycleState;
  assert.equal(told?.state, state, `status.lifecycleState.state: ${JSON.stringify(told)}`);
  if (outcome) assert.equal(told.outcome, outcome, JSON.stringify(told));
  assert.equal(wukong.metadata.annotations?.[operationKey], undefined, 'a record is left behind');
  assert.equal(wukong.spec.startStrategy.autoStart, state === 'Running', 'the wish in spec.startStrategy');
  assert.equal(wukong.spec.cpu, 1);
  assert.equal(wukong.spec.memory, '64Mi');
}

export async function eventsOf(
  { send, namespace }: Stage,
  { wukong }: Made,
): Promise<{ reason: string; message: string; type: string }[]> {
  const { body } = await send('GET', paths.core(namespace, 'events'));
  return body.items.filter(
    ({ involvedObject }: { involvedObject: { kind: string; name: string } }) =>
      involvedObject.kind === 'Wukong' && involvedObject.name === wukong,
  );
}

/** Told true, and told once where something was done. */
async function toldAs(
  stage: Stage,
  made: Made,
  state: 'Running' | 'Stopped',
  name: string,
  strategy: string | boolean | undefined,
): Promise<void> {
  await isToldTrue(stage, made, state, name);
  if (strategy !== undefined) assert.equal(strategyOf(await vmOf(stage, made)), strategy, 'the strategy afterwards');
  if (!name.startsWith('Already'))
    assert.equal((await eventsOf(stage, made)).filter(({ reason }) => reason === name).length, 1, `Events ${name}`);
}

/** A stop that came to its end: off, told true, told once. */
export async function stoppedAs(
  stage: Stage,
  made: Made,
  outcome: Outcome,
  name: string,
  strategy?: string | boolean,
): Promise<void> {
  is(outcome, name);
  await isOffNow(stage, made);
  await toldAs(stage, made, 'Stopped', name, strategy);
}

/** A start that came to its end: up, by another VMI than before, told true, told once. */
export async function startedAs(
  stage: Stage,
  made: Made,
  outcome: Outcome,
  name: string,
  strategy?: string | boolean,
): Promise<void> {
  is(outcome, name);
  assert.ok(await isUp(stage, made), 'the guest is not up');
  await toldAs(stage, made, 'Running', name, strategy);
}
