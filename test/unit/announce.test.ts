import { describe, expect, it } from 'vitest';

import type { Wukong } from '../../shared/domain/model.ts';
import { announce, type Near, nearStops } from '../../shared/reconcile/announce.ts';
import type { WukongSchedule } from '../../shared/schedule/schedule.ts';
import type { Selecting } from '../../shared/schedule/selecting.ts';
import { timetable } from '../../shared/schedule/timetable.ts';
import { worldOf } from './asked.ts';
import { machineOf } from './machines.ts';
import { at, office, prefix } from './schedules.ts';

// The stop of a Tuesday, at 18:00 UTC; 20:00 in Berlin.
const stopAt = at('2026-03-31T18:00:00Z');
const s = 1_000;
const made = '2026-01-01T00:00:00Z';
const on = machineOf({ adoptedBy: 'db' });
const off = machineOf({ strategy: 'Halted', adoptedBy: 'db' }, null);
const wukong = (name: string, annotations: object = {}, namespace = 'dev') =>
  ({
    metadata: { namespace, name, uid: name, creationTimestamp: made, labels: { env: 'dev' }, annotations },
  }) as unknown as Wukong;
const object = (spec: object = {}, status?: WukongSchedule['status'], name = 'office'): WukongSchedule => ({
  metadata: { namespace: 'dev', name, creationTimestamp: made },
  spec: { ...office, announceBeforeSeconds: 900, ...spec },
  ...(status ? { status } : {}),
});
const quarter = stopAt - 900 * s;

interface Given {
  schedules?: WukongSchedule[];
  wukongs?: Wukong[];
  now?: number;
  isOn?: (name: string) => boolean;
}
function near({ schedules = [object()], wukongs = [wukong('db')], now = quarter, isOn = () => true }: Given) {
  const machine = ({ metadata }: Wukong) => (isOn(metadata.name) ? on : off);
  const table = timetable(wukongs, machine, { schedules, findText: () => '', namespaces: new Map() }, now);
  return nearStops(table, machine);
}
const named = (given: Given) =>
  [...near(given)].map(([{ object }, { wukongs }]) => [
    object.metadata.name,
    ...wukongs.map((one) => one.metadata.name),
  ]);

describe('a stop that is near', () => {
  it('is the next one of its schedule, with its time there', () => {
    const [one] = near({}).values();
    expect(one?.announcement).toEqual({
      id: 'schedule:dev/office@2026-03-31T18:00:00Z',
      at: stopAt,
      schedule: 'dev/office',
      local: '2026-03-31 20:00 Europe/Berlin',
    });
    expect(named({})).toEqual([['office', 'db']]);
  });

  it('is near from as long before as its schedule says, and not after it was announced', () => {
    const second = object({ announceBeforeSeconds: 1 });
    expect(named({ schedules: [second], now: stopAt - 1_000 })).toHaveLength(1);
    expect([named({ now: quarter - 1 }), named({ now: stopAt - 1 })]).toEqual([[], [['office', 'db']]]);
    const told = (lastAnnounced: string) => named({ schedules: [object({}, { lastAnnounced })] });
    expect([told('2026-03-31T18:00:00Z'), told('2026-03-30T18:00:00Z')]).toEqual([[], [['office', 'db']]]);
  });

  it.each<[string, object]>([
    ['announces nothing', { announceBeforeSeconds: 0 }],
    ['is suspended', { suspend: true }],
    ['cannot be read', { stop: 'tonight' }],
    ['has no stop', { stop: undefined }],
  ])('is none of a schedule that %s', (_, spec) => expect(named({ schedules: [object(spec)] })).toEqual([]));

  it('meets those that are on, and that will not be kept on', () => {
    const kept = wukong('kept', { [`${prefix}keep-running-until`]: '2026-04-01T00:00:00Z' });
    const wukongs = [wukong('db'), wukong('idle'), kept];
    expect(named({ wukongs, isOn: (name) => name !== 'idle' })).toEqual([['office', 'db']]);
  });

  it('is announced by the schedule whose stop it will be, where a VM has two', () => {
    const later = object({ stop: '5 20 * * *' }, undefined, 'later');
    expect(named({ schedules: [object(), later], now: quarter + 300 * s })).toEqual([['office', 'db'], ['later']]);
  });

  it('is none that a start comes before', () => {
    const first = object({ start: '50 19 * * *' }, undefined, 'first');
    expect(named({ schedules: [first] })).toEqual([['first']]);
    expect([...near({ schedules: [first] }).values()].map(({ announcement }) => announcement.at)).toEqual([stopAt]);
  });
});

describe('announcing', () => {
  const selecting = (namespace = 'dev') =>
    ({ object: { metadata: { namespace, name: 'office' } }, checked: { problems: [] }, matched: [] }) as Selecting;
  const nearOf = (...wukongs: Wukong[]): Near => ({
    announcement: { id: 'stop', at: stopAt, schedule: 'dev/office', local: 'soon' },
    wukongs,
  });
  const limits = { deadline: quarter + 10 * s };

  it('puts an Event on each VM, and then the stop counts as announced', async () => {
    const { world, asked, within } = worldOf(quarter, [201], [201]);
    const one = selecting();
    const done = await announce(world, new Map([[one, nearOf(wukong('db'), wukong('web', {}, 'test'))]]), limits);
    expect(done).toEqual({ stops: new Map([[one, stopAt]]), problems: [] });
    expect(asked.map(({ path }) => path)).toEqual(['/api/v1/namespaces/dev/events', '/api/v1/namespaces/test/events']);
    expect(within).toEqual([limits, limits]);
    const [first, second] = asked.map(({ body }) => (body as { reportingInstance: string }).reportingInstance);
    expect([first, second]).toEqual([expect.stringMatching(/./), first]);
  });

  it('that fails for one VM is a minor problem of that one, and is tried again by the next tick', async () => {
    const { world, asked } = worldOf(quarter, [500, { message: 'down' } as never], [201]);
    const { stops, problems } = await announce(
      world,
      new Map([[selecting(), nearOf(wukong('db'), wukong('web'))]]),
      limits,
    );
    expect([stops, asked.length]).toEqual([new Map(), 2]);
    expect(problems).toMatchObject([{ reason: 'Unreachable', minor: true, object: { metadata: { name: 'db' } } }]);
  });

  it('begins nothing when its time is over, and is left to the next tick; a stop that meets nobody is announced', async () => {
    const { world, asked } = worldOf(quarter);
    const [late, empty] = [selecting(), selecting('test')];
    const all = new Map([
      [late, nearOf(wukong('db'))],
      [empty, nearOf()],
    ]);
    expect(await announce(world, all, { deadline: quarter })).toEqual({
      stops: new Map([[empty, stopAt]]),
      problems: [],
    });
    expect(asked).toEqual([]);
  });

  it('tells each VM once, though another process tells it at the same time', async () => {
    const { world, asked, told } = worldOf(quarter, [409], [200, { reportingInstance: 'another' } as never], [201]);
    await announce(
      world,
      new Map([
        [selecting(), nearOf(wukong('db'))],
        [selecting('test'), nearOf(wukong('web'))],
      ]),
      limits,
    );
    expect(told.map(({ detail }) => (detail as { name: string }).name)).toEqual(['web']);
    expect(asked.filter(({ method }) => method === 'POST')).toHaveLength(2);
  });

  it('asks for twenty VMs of a namespace at once, and for one schedule of it after the other', async () => {
    const { world } = worldOf(quarter);
    let [open, most] = [0, 0];
    world.transport.call = async () => {
      most = Math.max(most, ++open);
      await new Promise((next) => setImmediate(next));
      open--;
      return { status: 201, body: undefined as never, warnings: [] };
    };
    const many = Array.from({ length: 45 }, (_, i) => wukong(`vm-${i}`));
    await announce(
      world,
      new Map([
        [selecting(), nearOf(...many)],
        [selecting(), nearOf(...many)],
      ]),
      limits,
    );
    expect(most).toBe(20);
  });
});
