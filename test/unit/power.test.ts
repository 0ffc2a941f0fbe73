import { describe, expect, it } from 'vitest';

import type { Call } from '../../shared/cluster/transport.ts';
import { LifecycleError } from '../../shared/domain/errors.ts';
import type { KubeObject } from '../../shared/domain/model.ts';
import { askStart, askStop, clearQueue, deleteLauncher, type Said, setStrategy } from '../../shared/lifecycle/power.ts';
import { worldOf } from './asked.ts';
import { t0, vmiOf, vmOf } from './machines.ts';

const says = (message: string) => ({ message }) as unknown as KubeObject;
type Answers = [status: number, body?: KubeObject][];

/** What a call came to, and what the API server was asked for it. */
async function asking(work: (world: ReturnType<typeof worldOf>['world']) => Promise<Said>, ...answers: Answers) {
  const { world, asked } = worldOf(t0, ...answers);
  const { call } = world.transport;
  const calls: Call[] = [];
  world.transport.call = (one, limits) => (calls.push(one), call(one, limits));
  const said = await work(world);
  return { said, calls, asked };
}
const stop = (answer: [number, KubeObject]) => asking((world) => askStop(world, vmOf(), {}, {}), answer);

describe('what KubeVirt answers to a stop of a VM', () => {
  const none = 'virtualmachines.kubevirt.io "web-vm" not found';
  it.each<[number, string, Said]>([
    [202, '', { kind: 'accepted' }],
    [299, '', { kind: 'accepted' }],
    [300, 'elsewhere', { kind: 'invalid', message: 'elsewhere (300)' }],
    [400, 'bad', { kind: 'invalid', message: 'bad (400)' }],
    [404, none, { kind: 'refused', message: `${none} (404)` }],
    [404, 'page not found', { kind: 'absent' }],
    [405, 'no', { kind: 'invalid', message: 'no (405)' }],
    [409, 'not running', { kind: 'refused', message: 'not running (409)' }],
    [410, 'gone', { kind: 'invalid', message: 'gone (410)' }],
    [422, 'not so', { kind: 'refused', message: 'not so (422)' }],
    [423, 'locked', { kind: 'invalid', message: 'locked (423)' }],
    [428, 'if', { kind: 'invalid', message: 'if (428)' }],
    [429, 'slowly', { kind: 'refused', message: 'slowly (429)' }],
    [430, 'what', { kind: 'invalid', message: 'what (430)' }],
    [499, 'closed', { kind: 'invalid', message: 'closed (499)' }],
    [500, 'broken', { kind: 'refused', message: 'broken (500)' }],
    [503, 'busy', { kind: 'refused', message: 'busy (503)' }],
  ])('%i %s', async (status, message, expected) => {
    const { said, calls } = await stop([status, says(message)]);
    expect(said).toEqual(expected);
    expect(calls.map(({ safe }) => safe)).toEqual([false]);
  });

  it.each([401, 403])('%i: it is denied', async (status) => {
    await expect(stop([status, says('no')])).rejects.toMatchObject({ code: 'Denied' });
  });

  it('nothing: nobody knows; and what is no silence of the API server is thrown on', async () => {
    const silent = (error: Error) =>
      asking((world) => {
        world.transport.call = () => Promise.reject(error);
        return askStop(world, vmOf(), {}, {});
      });
    expect((await silent(new LifecycleError('Unreachable', 'silent'))).said).toEqual({
      kind: 'lost',
      message: 'silent',
    });
    await expect(silent(new LifecycleError('Refused', 'no'))).rejects.toThrow('no');
    await expect(silent(new Error('closed'))).rejects.toThrow('closed');
    await expect(silent(Object.assign(new Error('of a library'), { code: 'Unreachable' }))).rejects.toThrow('library');
  });
});

describe('a VM', () => {
  it.each([-1, NaN])('is not stopped with a grace period of %d, which KubeVirt would take for none', (graceSeconds) => {
    expect(() => askStop(worldOf(t0).world, vmOf(), { graceSeconds }, {})).toThrow(RangeError);
  });

  it.each([
    [undefined, {}],
    [0, { gracePeriod: 0 }],
  ])('is stopped with the grace period %s, or as a dry run', async (graceSeconds, body) => {
    for (const dryRun of [undefined, true]) {
      const { calls } = await asking(
        (world) => askStop(world, vmOf(), { graceSeconds, ...(dryRun ? { dryRun } : {}) }, {}),
        [202],
      );
      expect(calls[0]?.body).toEqual({ ...body, ...(dryRun ? { dryRun: ['All'] } : {}) });
    }
  });

  it('is started, or as a dry run', async () => {
    const start = async (dryRun: boolean) =>
      (await asking((world) => askStart(world, vmOf(), { dryRun }, {}), [202])).asked[0]?.body;
    expect([await start(false), await start(true)]).toEqual([{}, { dryRun: ['All'] }]);
  });

  it.each([
    ['Always', 'Halted', true, false],
    ['Halted', 'Always', false, true],
  ])('that says running, not a strategy, is switched by that: %s to %s', async (strategy, to, old, value) => {
    const vm = vmOf({ field: 'running', strategy });
    const { asked } = await asking((world) => setStrategy(world, vm, to, {}), [200]);
    const path = '/spec/running';
    expect(asked[0]?.body).toEqual([
      { op: 'test', path, value: old },
      { op: 'replace', path, value },
    ]);
  });

  it('that may not be written: the error names what of it', async () => {
    const denied = (write: typeof clearQueue) => asking((world) => write(world, vmOf(), {}), [403, says('no')]);
    await expect(denied(clearQueue)).rejects.toThrow('patch VM team-a/web-vm/status: no');
    await expect(denied((world, vm, limits) => setStrategy(world, vm, 'Halted', limits))).rejects.toThrow(
      'patch VM team-a/web-vm: no',
    );
  });
});

describe('the launcher of a guest', () => {
  const pods = { items: [{ metadata: { name: 'one' } }, { metadata: { name: 'two' } }] } as unknown as KubeObject;
  const remove = (...answers: Answers) => asking((world) => deleteLauncher(world, vmiOf(), {}), ...answers);

  it.each<[string, Answers, Said, number]>([
    ['is deleted with each of its pods', [[200, pods], [200], [202]], { kind: 'accepted' }, 3],
    ['may be gone already', [[200, pods], [404], [404]], { kind: 'accepted' }, 3],
    ['may have no pods', [[200, {} as KubeObject]], { kind: 'accepted' }, 1],
    [
      'cannot be deleted',
      [
        [200, pods],
        [409, says('no')],
      ],
      { kind: 'refused', message: 'no (409)' },
      2,
    ],
    [
      'is elsewhere',
      [
        [200, pods],
        [300, says('no')],
      ],
      { kind: 'invalid', message: 'no (300)' },
      2,
    ],
    ['cannot be looked up', [[503, says('busy')]], { kind: 'refused', message: 'busy (503)' }, 1],
  ])('%s', async (_what, answers, expected, calls) => {
    const done = await remove(...answers);
    expect([done.said, done.calls.length]).toEqual([expected, calls]);
    expect(
      done.calls.every(({ safe }) => safe),
      'what is lost may be asked again',
    ).toBe(true);
  });

  it('that may not be deleted, or not be looked up: the error says which', async () => {
    await expect(remove([200, pods], [403, says('no')])).rejects.toThrow('delete pod one: no');
    await expect(remove([403, says('no')])).rejects.toThrow('list launcher pods of team-a/web-vm: no');
  });
});
