/** The tests of a file of shared/: the quick ones, and the stories for what those did not notice. */
export interface Related {
  quick: string[];
  stories: string[];
}

const unit = (...names: string[]) => names.map((name) => `test/unit/${name}.test.ts`);
const flow = (...names: string[]) => names.map((name) => `test/flow/${name}.test.ts`);

export const related: Record<string, Related> = {
  start: { quick: unit('start'), stories: flow('start') },
  stop: { quick: unit('stop', 'stopping', 'stopped'), stories: flow('stop') },
  step: { quick: unit('step'), stories: [] },
  plan: { quick: unit('admit'), stories: flow('order') },
  claim: { quick: unit('claim'), stories: flow('order') },
  operation: { quick: unit('operation', 'claim'), stories: flow('order') },
  cron: { quick: unit('wallclock'), stories: [] },
  zone: { quick: unit('zone'), stories: unit('wallclock') },
  wallclock: { quick: unit('calendar', 'schedule', 'wallclock'), stories: [] },
  schedule: { quick: unit('scheduleFields', 'schedule'), stories: [] },
  holiday: { quick: unit('override', 'schedule', 'scheduleFields'), stories: [] },
  calendar: { quick: unit('calendar', 'schedule'), stories: [] },
  wave: { quick: unit('override', 'schedule'), stories: [] },
  override: { quick: unit('override', 'schedule', 'admit'), stories: [] },
  decide: { quick: unit('decide', 'schedule'), stories: [] },
  nextAction: { quick: unit('nextAction', 'schedule'), stories: [] },
  skip: { quick: unit('skip'), stories: flow('schedule') },
  mark: { quick: unit('mark'), stories: flow('schedule') },
};
