import type { Wukong } from '../../shared/domain/model.ts';
import { claimantsOf, ruling, whyRules } from '../../shared/schedule/ruling.ts';
import type { Schedule } from '../../shared/schedule/schedule.ts';
import type { Sources } from './sources.ts';

/** The schedules that rule each Wukong; where others would, a note says which do, and why. */
export function rulersIn(sources: Sources, schedules: Schedule[]): (wukong: Wukong) => Schedule[] {
  const byKey = new Map(schedules.map((schedule) => [schedule.key, schedule]));
  const claimants = claimantsOf(sources.schedules, schedules);
  const near = Map.groupBy(claimants, ({ cluster, namespace }) => (cluster ? 'the cluster' : (namespace ?? '')));
  return (wukong) => {
    const { namespace = '' } = wukong.metadata;
    const mine = [...(near.get(namespace) ?? []), ...(near.get('the cluster') ?? [])];
    const found = ruling(wukong, mine, sources.labels.get(namespace));
    const why = whyRules(found);
    const rules = found.rules.map(({ key }) => key);
    if (why) sources.notes.push(`In namespace ${namespace}, ${rules.join(', ')} rules: ${why}.`);
    return rules.flatMap((key) => byKey.get(key) ?? []);
  };
}
