import { describe, expect, it } from 'vitest';

import { type Command, parseCommand, type Target } from '../../shared/domain/command.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import { operationKey, write } from '../../shared/domain/operation.ts';
import { holdToOneTarget, refusedFor } from '../../shared/execute/oneTarget.ts';
import { worldOf } from './asked.ts';
import { operation, t0 } from './machines.ts';

const limits = { deadline: t0 + 60_000 };
const place = { namespace: 'dev', name: 'db' };
const names = (...all: string[]) => ({ names: all.map((name) => ({ namespace: 'dev', name })) });
const command = (target: object, more: Partial<Command> = {}): Command => ({
  ...parseCommand(
    { target: { namespace: 'dev', name: 'db' } },
    { action: 'stop', trigger: 'http', requestId: 'id', requestedAt: t0 },
  ),
  given: true,
  target: target as Target,
  ...more,
});
const knowing = (name: string, requestId = 'id'): Wukong => ({
  metadata: { namespace: 'dev', name, uid: name, annotations: { [operationKey]: write(operation({ requestId })) } },
});
const listed = (...items: Wukong[]) => ({ metadata: {}, items }) as never;

/** What one process says of commands, one after the other; undefined: it goes on. */
async function said(
  commands: Command[],
  ...answers: Parameters<typeof worldOf> extends [number, ...infer A] ? A : never
) {
  const { world, asked } = worldOf(t0, ...answers);
  const told: (string | undefined)[] = [];
  for (const one of commands)
    told.push(
      await holdToOneTarget(one, world, limits).then(
        () => undefined,
        (thrown: Error) => thrown.message,
      ),
    );
  return { told, asked };
}
const refused = (before: string) =>
  `Request id was for ${before} before, so nothing is done. Give each request an id of its own.`;

describe('an id that a caller gave', () => {
  it.each<[string, object, object, string]>([
    ['these VMs', names('b', 'a'), names('a', 'c'), 'stop of dev/a dev/b'],
    ['VMs with labels', { selector: [] }, names('a'), 'stop of  in all namespaces'],
    ['VMs of namespaces', { selector: [], namespaces: ['y', 'x'] }, { selector: [] }, 'stop of  in x y'],
  ])('is for %s, and for nothing else', async (_, first, second, before) => {
    const { told, asked } = await said([command(first), command(first), command(second)]);
    expect([told, asked]).toEqual([[undefined, undefined, refused(before)], []]);
  });

  it('is for the same VMs in whatever order', async () => {
    const same = [command(names('a', 'b')), command(names('b', 'a'))];
    expect((await said(same)).told).toEqual([undefined, undefined]);
    const spaces = ['x', 'y'];
    const more = [spaces, spaces.toReversed()].map((namespaces) => command({ selector: [], namespaces }));
    expect((await said(more)).told).toEqual([undefined, undefined]);
  });

  it('is for one action; a restart is none of the others', async () => {
    const all = [command(names('a'), { restart: true }), command(names('a')), command(names('a'), { action: 'start' })];
    const before = refused('restart of dev/a');
    expect((await said(all)).told).toEqual([undefined, before, before]);
  });

  it('is not held by a dry run, by a part of a fleet, or where it was made here', async () => {
    const other = command(names('b'));
    for (const more of [{ dryRun: true }, { part: '1' }, { given: false }] as Partial<Command>[])
      expect((await said([command(names('a'), more), other, command(names('a'), more)])).told).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
  });

  it('is told with what it was for, up to 512 characters', async () => {
    const before = async (length: number) =>
      (await said([command(names('x'.repeat(length - 'stop of dev/'.length))), command(names('a'))])).told[1];
    const text = (length: number) => `stop of dev/${'x'.repeat(length - 12)}`;
    expect(await before(512)).toBe(refused(text(512)));
    const hashed = /^Request id was for (.*)… \([0-9a-f]{64}\) before, so/.exec((await before(513)) ?? '');
    expect(hashed?.[1]).toBe(text(513).slice(0, 100));
  });

  it('is forgotten after ten thousand others', async () => {
    const ids = Array.from({ length: 10_001 }, (_, i) => command(names('a'), { requestId: `r-${i}` }));
    const again = ['r-0', 'r-1', 'r-2'].map((requestId) => command(names('b'), { requestId }));
    // Another is learnt with r-0, and so r-1 is forgotten too.
    expect(
      (await said([...ids, ...again.slice(0, 2), command(names('b'), { requestId: 'r-10000' })])).told.slice(-3),
    ).toEqual([undefined, undefined, expect.stringContaining('was for stop of dev/a')]);
    const held = await said([...ids.slice(0, 10_000), again[0]!]);
    expect(held.told.at(-1)).toContain('was for stop of dev/a');
  });
});

describe('an id for one VM', () => {
  it('is asked for at the others of its namespace, which know their requests', async () => {
    const { told, asked } = await said(
      [command(place), command(place)],
      [200, listed(knowing('db'), knowing('other', 'x'), knowing('web'), knowing('zoo'))],
      [200, listed(knowing('db'))],
    );
    expect([told, asked.length]).toEqual([[refused('dev/web'), undefined], 2]);
    expect(asked[0]).toMatchObject({
      method: 'GET',
      path: expect.stringContaining('/namespaces/dev/wukongs?'),
    });
  });

  it('goes on where these may not be read, which is in the log, and fails where nobody answers', async () => {
    const { world } = worldOf(t0, [403], [500]);
    const lines: unknown[] = [];
    world.log = { ...world.log, debug: (message, fields) => void lines.push([message, fields]) };
    await holdToOneTarget(command(place), world, limits);
    expect(lines).toEqual([
      ['the other Wukongs cannot be asked for the id of a request', { ...place, requestId: 'id' }],
    ]);
    await expect(holdToOneTarget(command(place, { requestId: 'new' }), world, limits)).rejects.toThrow('500');
  });

  it('is asked for once more where nobody answered the first time', async () => {
    const { told, asked } = await said([command(place), command(place)], [500], [200, listed(knowing('web'))]);
    expect([told, asked.length]).toEqual([[expect.stringContaining('500'), refused('dev/web')], 2]);
  });

  it('that was for another is a Failed outcome, told once', async () => {
    const { world, told } = worldOf(t0, [200, listed()]);
    expect(await refusedFor(command(place), place, world, limits)).toBeUndefined();
    const other = { ...place, name: 'web' };
    expect(await refusedFor(command(other), other, world, limits)).toMatchObject({
      ...other,
      ...{ action: 'stop', requestId: 'id', trigger: 'http', outcome: 'Failed', reason: 'Refused', forced: false },
      ...{ startedAt: t0, finishedAt: t0, message: refused('dev/db').replace('dev/db', 'stop of dev/db') },
    });
    expect(told).toHaveLength(1);
    const signal = AbortSignal.abort(new Error('given up'));
    await expect(refusedFor(command(other), other, world, { ...limits, signal })).rejects.toThrow('given up');
  });
});
