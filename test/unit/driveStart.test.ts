import { describe, expect, it } from 'vitest';

import type { Wukong } from '../../shared/domain/model.ts';
import { s } from './machines.ts';
import { stage } from './stage.ts';

const running = { strategy: 'Always' };
const halted = { strategy: 'Halted' };

describe('a start', () => {
  const start = { action: 'start', vmiUid: undefined, waitSeconds: 30 } as const;
  const conditions = (type: string, status: string, message?: string): Wukong['status'] => ({
    conditions: [{ type, status, ...(message ? { message } : {}) }] as never,
  });

  it('is told a moment after the guest is up, and not of one that dies in it', async () => {
    const { at, show, begins, asked } = stage(start);
    show(halted, null);
    at(1 * s, () => show(running, { uid: 'two', ready: 'False' }));
    at(2 * s, () => show(running, { uid: 'two' }));
    at(2_020, () => show(running, { uid: 'two', phase: 'Failed' }));
    at(3 * s, () => show(running, { uid: 'three' }));
    expect(await begins()).toMatchObject({ result: { outcome: 'Started' }, op: { died: 1 }, tookMs: 13 * s });
    expect(asked).toEqual(['0.0 PUT start {}']);
    const lasting = stage(start);
    lasting.show(halted, null);
    lasting.at(2 * s, () => lasting.show(running, { uid: 'two' }));
    expect(await lasting.begins()).toMatchObject({ result: { outcome: 'Started' }, tookMs: 2_100 });
  });

  it('leaves to the next process how many guests have died, never fewer than are known', async () => {
    const { at, show, begins } = stage({ ...start, died: 3 });
    show(running, { uid: 'two', ready: 'False' });
    at(1 * s, () => show(running, { uid: 'two', phase: 'Failed' }));
    at(2 * s, () => show(running, { uid: 'three', ready: 'False' }));
    expect((await begins(3 * s)).op.died).toBe(3);
    const more = stage({ ...start, died: 1 });
    more.show(running, { uid: 'two', ready: 'False' });
    for (const [i, uid] of ['two', 'three', 'four'].entries())
      more.at((i + 1) * s, () => more.show(running, { uid, phase: 'Failed' }));
    expect((await more.begins(5 * s)).op.died).toBe(3);
  });

  it.each([
    ['NetworkNotReady', 'NetworksConfigured', 'no such bridge'],
    ['StorageNotReady', 'VolumesBound', 'no such class'],
    ['NetworkNotReady', 'NetworksConfigured', ''],
    ['StorageNotReady', 'VolumesBound', ''],
  ])('that is not up in its time says what the operator says: %s', async (reason, type, message) => {
    const { show, begins } = stage(start, conditions(type, 'False', message));
    show({ ...running, printableStatus: 'Starting' }, { phase: 'Scheduling', ready: 'False' });
    expect(await begins()).toMatchObject({ result: { outcome: 'Failed', reason, message }, tookMs: 30 * s });
  });

  it.each(['NetworksConfigured', 'VolumesBound'])('says nothing of %s where that is well', async (type) => {
    const { show, begins } = stage(start, conditions(type, 'True', 'fine'));
    show({ ...running, printableStatus: 'Starting' }, { phase: 'Scheduling', ready: 'False' });
    expect(await begins()).toMatchObject({ result: { outcome: 'Failed', reason: 'TimedOut' } });
  });

  it('waits for the guest agent where that is required', async () => {
    const { at, show, begins, world, waits } = stage(start);
    world.config = { ...world.config, requireAgent: true };
    show(running, {});
    at(5 * s, () => show(running, { agentConnected: true }));
    expect(await begins()).toMatchObject({ result: { outcome: 'Started' }, tookMs: 5_000 });
    expect(waits).toEqual(['the guest agent']);
    const late = stage(start);
    late.world.config = { ...world.config };
    late.show(running, { ready: 'False' });
    late.at(29_950, () => late.show(running, {}));
    expect(await late.begins()).toMatchObject({ result: { outcome: 'Failed' }, tookMs: 30 * s });
  });
});
