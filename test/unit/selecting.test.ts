import { describe, expect, it } from 'vitest';

import type { Wukong } from '../../shared/domain/model.ts';
import type { WukongSchedule } from '../../shared/schedule/schedule.ts';
import { countOf, select, type Surroundings } from '../../shared/schedule/selecting.ts';
import { at, office } from './schedules.ts';

const now = at('2026-03-31T18:01:00Z');
const made = '2026-01-01T00:00:00Z';
const wukong = (name: string, namespace: string | undefined = 'dev', env = 'dev') =>
  ({ metadata: { ...(namespace ? { namespace } : {}), name, labels: { env } } }) as unknown as Wukong;
const object = (spec: object = {}, name = 'office', metadata: object = {}): WukongSchedule => ({
  metadata: { namespace: 'dev', name, creationTimestamp: made, ...metadata },
  spec: { ...office, ...spec },
});
const ofAll = (spec: object = {}): WukongSchedule => ({
  kind: 'ClusterWukongSchedule',
  metadata: { name: 'nights', creationTimestamp: made },
  spec: { ...office, namespaceSelector: { matchLabels: { tier: 'dev' } }, ...spec },
});
const labels = new Map([
  ['dev', { tier: 'dev' }],
  ['test', { tier: 'dev' }],
  ['prod', { tier: 'prod' }],
]);

function chosen(wukongs: Wukong[], schedules: WukongSchedule[], more: Partial<Surroundings> = {}) {
  return select(wukongs, { schedules, findText: () => undefined, namespaces: new Map(), labels, ...more }, now).map(
    (one) => ({
      ...one,
      rules: one.matched.map(({ metadata }) => metadata.name),
      others: [...(one.overruled ?? [])].map(([{ metadata }, by]) => `${metadata.name} by ${by}`),
      count: countOf(one),
    }),
  );
}

describe('a schedule', () => {
  it('is for the VMs of its namespace that it selects', () => {
    const all = [wukong('db'), wukong('web', 'dev', 'prod'), wukong('mail', 'test')];
    expect(chosen(all, [object()])).toMatchObject([{ rules: ['db'], others: [], count: 1, object: object() }]);
    expect(chosen(all, [object({}, 'office', { namespace: undefined })])).toMatchObject([{ rules: [] }]);
    expect(chosen([wukong('db', '')], [object({}, 'office', { namespace: undefined })])).toMatchObject([
      { rules: ['db'] },
    ]);
  });

  it('of the cluster is for those of the namespaces that it selects, where no team has its own', () => {
    const all = [wukong('db'), wukong('mail', 'test'), wukong('core', 'prod')];
    const [nights, own] = chosen(all, [ofAll(), object()]);
    expect(nights).toMatchObject({ rules: ['mail'], others: ['db by dev/office'], count: 2 });
    expect(own).toMatchObject({ rules: ['db'], count: 1 });
    expect(chosen(all, [ofAll({ enforceOverNamespaces: true }), object()])).toMatchObject([
      { rules: ['db', 'mail'], count: 2 },
      { rules: [], others: ['db by nights'], count: 1 },
    ]);
    expect(chosen(all, [ofAll()], { labels: undefined as never })).toMatchObject([{ rules: [] }]);
  });

  it('that is wrong stands for its team all the same, and one of the cluster for nobody', () => {
    const [nights, own] = chosen([wukong('db')], [ofAll(), object({ stop: 'tonight' })]);
    expect([nights?.rules, nights?.others, own?.rules]).toEqual([[], ['db by dev/office'], ['db']]);
    expect(own?.checked.schedule).toBeUndefined();
    expect(
      chosen([wukong('db')], [ofAll({ stop: 'tonight' }), object({ selector: 7 })]).map(({ rules }) => rules),
    ).toEqual([[], []]);
    expect(chosen([wukong('db', '')], [object({ selector: 7 })])).toMatchObject([{ rules: [] }]);
  });

  it('is counted without those of others, where nobody says which', () =>
    expect(countOf({ object: object(), checked: { problems: [] }, matched: [wukong('db')] })).toBe(1));
});

describe('a schedule as it counts for a tick', () => {
  const checked = (one: WukongSchedule, more: Partial<Surroundings> = {}) => chosen([], [one], more)[0]!.checked;

  it('counts from its last change on', () => {
    expect(checked(object()).schedule?.createdAt).toBe(at(made));
    const changed = object({}, 'office', { generation: 2 });
    expect(checked(changed).schedule).toMatchObject({ createdAt: now, key: 'dev/office' });
  });

  it('counts anew where its zone is another now', () => {
    const { timeZone: _, ...spec } = office;
    const moved = {
      ...object({}, 'office', { generation: 1 }),
      spec,
      status: { timeZone: 'UTC', observedGeneration: 1 },
    };
    expect(checked(moved, { defaultZone: 'Europe/Berlin' }).schedule?.createdAt).toBe(now);
    expect(checked(moved).schedule?.createdAt).toBe(at(made));
  });

  it('has the zone of its namespace, else the common one, where it names none', () => {
    const { timeZone: _, ...spec } = office;
    const one = { ...object(), spec };
    const namespaces = new Map([
      ['dev', { 'lifecycle.novasphere.dev/time-zone': 'Asia/Tokyo' }],
      ['', { 'lifecycle.novasphere.dev/time-zone': 'Asia/Tokyo' }],
    ]);
    expect(checked(one, { namespaces, defaultZone: 'Europe/Berlin' }).schedule?.zone.name).toBe('Asia/Tokyo');
    expect(
      checked(
        { ...one, metadata: { ...one.metadata, namespace: 'test' } },
        { namespaces, defaultZone: 'Europe/Berlin' },
      ).schedule?.zone.name,
    ).toBe('Europe/Berlin');
    const { namespaceSelector, ...wide } = ofAll().spec as Record<string, unknown>;
    expect(
      checked(
        { ...ofAll(), spec: { ...wide, namespaceSelector, timeZone: undefined } },
        { defaultZone: 'Europe/Berlin' },
      ).schedule?.zone.name,
    ).toBe('Europe/Berlin');
  });

  it('goes on where its holidays are wrong, which is said', () => {
    const { schedule, problems } = checked(object({ holidays: { dates: ['2026-02-30'] } }));
    expect([schedule?.key, problems]).toMatchObject(['dev/office', [{ reason: 'InvalidHoliday' }]]);
  });

  it('is no trouble but its own where nobody can read it', () => {
    const hostile = new Proxy({} as Record<string, unknown>, {
      get() {
        throw new Error(`a${'x'.repeat(300)}`);
      },
    });
    const [bad, own] = chosen([wukong('db')], [{ ...object(), spec: hostile }, object()]);
    const message = `cannot be read: a${'x'.repeat(199)}`;
    expect(bad).toMatchObject({
      rules: [],
      checked: { problems: [{ field: 'spec', reason: 'InvalidSpec', message }] },
    });
    expect(own?.rules).toEqual(['db']);
  });
});
