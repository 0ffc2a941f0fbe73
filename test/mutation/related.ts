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
  step: { quick: unit('start', 'stopped'), stories: [] },
  plan: { quick: unit('admit'), stories: flow('order') },
  claim: { quick: unit('claim'), stories: flow('order', 'stop') },
  operation: { quick: unit('claim', 'admit', 'start', 'stop', 'stopped'), stories: flow('order') },
  cron: { quick: unit('wallclock', 'schedule'), stories: [] },
  zone: { quick: unit('wallclock', 'schedule'), stories: [] },
  wallclock: { quick: unit('wallclock', 'schedule'), stories: [] },
  schedule: { quick: unit('schedule'), stories: [] },
  holiday: { quick: unit('schedule'), stories: [] },
  calendar: { quick: unit('schedule'), stories: [] },
  wave: { quick: unit('schedule'), stories: [] },
  override: { quick: unit('schedule', 'admit'), stories: [] },
  decide: { quick: unit('schedule'), stories: [] },
  nextAction: { quick: unit('schedule'), stories: [] },
  skip: { quick: [], stories: flow('schedule') },
  mark: { quick: [], stories: flow('schedule') },
  scheduled: { quick: [], stories: flow('schedule') },
};
