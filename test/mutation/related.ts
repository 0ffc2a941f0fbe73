/** The tests of a file of shared/: the quick ones, and the stories for what those did not notice. */
export interface Related {
  quick: string[];
  stories: string[];
}

const unit = (...names: string[]) => names.map((name) => `test/unit/${name}.test.ts`);
const flow = (...names: string[]) => names.map((name) => `test/flow/${name}.test.ts`);

const informer = {
  quick: [...unit('informer', 'silence', 'store', 'watch'), 'test/property/informer.test.ts'],
  stories: [],
};

export const related: Record<string, Related> = {
  'lifecycle/start': { quick: unit('start'), stories: flow('start') },
  'lifecycle/stop': { quick: unit('stop', 'stopping', 'stopped', 'ending'), stories: flow('stop', 'generations') },
  'lifecycle/ending': { quick: unit('howItEnded', 'stopped', 'ending'), stories: flow('endings') },
  'lifecycle/remember': { quick: unit('remember', 'ending'), stories: flow('endings', 'generations') },
  'lifecycle/step': { quick: unit('step', 'ending', 'start'), stories: [] },
  'lifecycle/plan': { quick: unit('admit'), stories: flow('order') },
  'lifecycle/sharpen': { quick: unit('sharpen'), stories: flow('sharpen', 'sharpenOrder') },
  'lifecycle/claim': { quick: unit('claim'), stories: flow('order') },
  'domain/annotation': { quick: unit('operation', 'claim'), stories: flow('order') },
  'domain/operation': { quick: unit('operation', 'earlier', 'claim'), stories: flow('order') },
  'domain/earlier': { quick: unit('earlier', 'operation', 'claim'), stories: flow('order') },
  'domain/claimTimes': { quick: unit('operation', 'claim'), stories: flow('order') },
  'domain/lifecycleState': { quick: unit('lifecycleState'), stories: flow('status') },
  'time/cron': { quick: unit('wallclock'), stories: [] },
  'time/cronField': { quick: unit('wallclock'), stories: [] },
  'time/zone': { quick: unit('zone'), stories: unit('wallclock') },
  'time/wallclock': { quick: unit('calendar', 'schedule', 'wallclock'), stories: [] },
  'time/parseZone': { quick: unit('zone'), stories: [] },
  'time/tzData': { quick: unit('zone'), stories: [] },
  'time/cronForeign': { quick: unit('wallclock'), stories: [] },
  'schedule/schedule': { quick: unit('scheduleFields', 'exceptions', 'schedule'), stories: [] },
  'schedule/scheduleFields': { quick: unit('scheduleFields', 'schedule'), stories: [] },
  'schedule/holiday': { quick: unit('holiday', 'scheduleFields', 'schedule'), stories: [] },
  'schedule/holidayRule': { quick: unit('holiday', 'exceptions', 'schedule'), stories: [] },
  'schedule/recurrence': { quick: unit('recurrence'), stories: unit('calendarFile') },
  'schedule/memory': { quick: unit('memory'), stories: [] },
  'schedule/timetable': { quick: unit('timetable'), stories: flow('schedule') },
  'schedule/ruling': { quick: unit('ruling'), stories: [] },
  'schedule/calendar': { quick: unit('calendar', 'exceptions', 'schedule'), stories: [] },
  'schedule/due': { quick: unit('calendar', 'exceptions', 'schedule'), stories: [] },
  'schedule/wave': { quick: unit('waves', 'override', 'schedule'), stories: [] },
  'schedule/override': { quick: unit('override', 'schedule', 'admit'), stories: [] },
  'schedule/decide': { quick: unit('decide', 'schedule'), stories: [] },
  'schedule/nextAction': { quick: unit('nextAction', 'schedule'), stories: [] },
  'cluster/informer': informer,
  'cluster/watch': informer,
  'cluster/store': informer,
  'cluster/silence': informer,
  // What acts: stories reach it, many of them in one process.
  'cluster/transport': { quick: unit('transport', 'deadlines'), stories: flow('trouble') },
  'lifecycle/finish': { quick: flow('telling', 'toldBefore'), stories: flow('order', 'status') },
  'lifecycle/act': { quick: unit('act'), stories: flow('stop', 'generations') },
  'lifecycle/drive': { quick: unit('drive', 'driveStart'), stories: flow('sharpen', 'generations') },
  'lifecycle/perform': { quick: flow('perform'), stories: flow('order', 'sharpen', 'restart') },
  'execute/rounds': { quick: unit('places'), stories: flow('execute') },
  'execute/places': { quick: unit('places'), stories: flow('execute') },
  'execute/waves': { quick: unit('places'), stories: flow('execute') },
  'execute/rate': { quick: unit('rate', 'pace'), stories: [] },
  'execute/fanOut': { quick: unit('split'), stories: flow('handingOver') },
  'execute/overBus': { quick: unit('elsewhere'), stories: flow('execute') },
  'execute/follow': { quick: unit('elsewhere'), stories: flow('execute') },
  'execute/here': { quick: flow('here', 'executing'), stories: flow('execute') },
  'execute/oneTarget': { quick: unit('oneTarget'), stories: flow('identity') },
  'execute/execute': { quick: flow('executing'), stories: flow('execute') },
  'report/status': { quick: unit('status'), stories: flow('status') },
  'report/runStatus': { quick: unit('runStatus'), stories: [] },
  'report/runLines': { quick: unit('runLines', 'runStatus'), stories: [] },
  'reconcile/runPlans': { quick: unit('planRuns', 'runPlans'), stories: flow('runs') },
  'reconcile/runs': { quick: unit('keepRuns'), stories: flow('runs') },
  'reconcile/runWrites': { quick: unit('keepRuns'), stories: flow('runs') },
  'reconcile/scheduledJobs': { quick: unit('scheduledJobs'), stories: flow('schedule') },
  'reconcile/skips': { quick: unit('skip'), stories: flow('schedule') },
  'reconcile/scheduleStatus': { quick: unit('mark'), stories: flow('schedule') },
};
