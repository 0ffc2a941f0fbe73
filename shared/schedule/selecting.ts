import type { Annotations, Wukong } from '../domain/model.ts';
import { defaultZoneIn } from './defaultZone.ts';
import type { FindText } from './holiday.ts';
import { countsFrom } from './observed.ts';
import { type Claimant, claimantOf, type Labels, ruling } from './ruling.ts';
import { type Checked, checkSchedule, type WukongSchedule } from './schedule.ts';

/** What a tick knows beside the Wukongs. */
export interface Surroundings {
  schedules: WukongSchedule[];
  findText: FindText;
  namespaces: Map<string, Annotations>;
  /** DEFAULT_TIME_ZONE. */
  defaultZone?: string | undefined;
  /** Of all namespaces, where there are ClusterWukongSchedules. */
  labels?: Map<string, Labels>;
  freezeUntil?: number;
}

/** A WukongSchedule of one tick: the object, what came of checking it, and the Wukongs it selects. */
export interface Selecting {
  object: WukongSchedule;
  checked: Checked;
  /** Those that it rules. */
  matched: Wukong[];
  /** Those that it selects too, and another schedule rules, whose key that is. */
  overruled?: Map<Wukong, string>;
}

/** How many a schedule selects, whether it rules them or not. */
export const countOf = ({ matched, overruled }: Selecting): number => matched.length + (overruled?.size ?? 0);

/** Each schedule with those that it rules, and those that it would if another did not. */
export function select(
  wukongs: Wukong[],
  around: Pick<Surroundings, 'schedules' | 'findText' | 'labels' | 'namespaces' | 'defaultZone'>,
  now: number,
): Selecting[] {
  const all = around.schedules.map((object) => ({
    object,
    checked: checkedAt(object, around, now),
    matched: [] as Wukong[],
    overruled: new Map<Wukong, string>(),
  }));
  const claims = all.flatMap((one) => {
    const claimant: Claimant | undefined = one.checked.schedule ?? claimantOf(one.object);
    return claimant ? [{ ...claimant, one }] : [];
  });
  const near = Map.groupBy(claims, ({ cluster, namespace }) => (cluster ? undefined : (namespace ?? '')));
  for (const [namespace, here] of Map.groupBy(wukongs, ({ metadata }) => metadata.namespace ?? '')) {
    const mayRule = [...(near.get(namespace) ?? []), ...(near.get(undefined) ?? [])];
    for (const wukong of here) {
      const found = ruling(wukong, mayRule, around.labels?.get(namespace));
      for (const { one } of found.rules) one.matched.push(wukong);
      for (const { one } of found.overruled) one.overruled.set(wukong, found.rules[0]!.key);
    }
  }
  return all;
}

/** As it counts for a tick: from its last change on. Whatever is wrong with one schedule is that one's alone. */
function checkedAt(
  object: WukongSchedule,
  { findText, namespaces, defaultZone }: Pick<Surroundings, 'findText' | 'namespaces' | 'defaultZone'>,
  now: number,
): Checked {
  try {
    const zone = defaultZoneIn(namespaces.get(object.metadata.namespace ?? ''), defaultZone);
    const checked = checkSchedule(object, findText, zone);
    if (!checked.schedule) return checked;
    return {
      ...checked,
      schedule: { ...checked.schedule, createdAt: countsFrom(object, now, checked.schedule.zone.name) },
    };
  } catch (thrown) {
    const message = `cannot be read: ${(thrown as Error).message.slice(0, 200)}`;
    return { problems: [{ field: 'spec', reason: 'InvalidSpec', message }] };
  }
}
