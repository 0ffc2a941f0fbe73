import { problemsText, type ScheduleReason } from './problem.ts';
import { type Checked } from './schedule.ts';

/** What the condition Ready of a schedule says; False for all reasons but Scheduled. */
export interface Readiness {
  reason: ScheduleReason;
  message: string;
}

const longest = 4_000;

/** Whether a schedule does all that it says, for so many Wukongs that it selects. */
export function readinessOf(checked: Checked, matched: number, overruled?: ReadonlyMap<unknown, string>): Readiness {
  const { schedule, problems = [] } = checked;
  if (!schedule || problems.length > 0) {
    const goesOn = schedule ? '; stops go on, and so do starts on all days but the holidays that could be read' : '';
    const text = problemsText(problems).slice(0, longest - goesOn.length);
    return { reason: problems[0]?.reason ?? 'InvalidSpec', message: text + goesOn };
  }
  if (matched === 0)
    return {
      reason: 'NothingMatched',
      message: schedule.cluster
        ? 'spec.selector, spec.namespaceSelector: no Wukong is selected by them'
        : 'spec.selector: no Wukong in this namespace has these labels',
    };
  const selected = schedule.suspended ? 'suspended' : `${matched} Wukongs are selected`;
  const zone = schedule.zoneFrom ? `; in ${schedule.zone.name}, by ${schedule.zoneFrom}` : '';
  return { reason: 'Scheduled', message: selected + others(overruled) + zone };
}

/** How many of them others rule in its place, and which. */
function others(overruled: ReadonlyMap<unknown, string> | undefined): string {
  if (!overruled?.size) return '';
  const by = [...new Set(overruled.values())].sort();
  const more = by.length > 5 ? ` and ${by.length - 5} more` : '';
  return `; ${overruled.size} of them are ruled by ${by.slice(0, 5).join(', ')}${more} in its place`;
}

/** What is wrong with a schedule; undefined where nothing is. */
export function troubleOf(checked: Checked, matched: number): Readiness | undefined {
  const readiness = readinessOf(checked, matched);
  return readiness.reason === 'Scheduled' ? undefined : readiness;
}
