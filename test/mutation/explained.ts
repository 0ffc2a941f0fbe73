/** A mutant that no test can notice, and why. */
export interface Explained {
  /** In shared/, without its ending. */
  file: string;
  /** As the report prints them; one entry stands for all survivors of this text in the file. */
  before: string;
  after: string;
  because: string;
}

export const explained: Explained[] = [
  {
    file: 'lifecycle/step',
    before: 'askedAt !== undefined && now < askedAt + lagMs',
    after: 'now < askedAt + lagMs',
    because: 'Nothing is before an instant that is none.',
  },
  {
    file: 'lifecycle/step',
    before:
      'export function isOvertaken({ askedOn, overtaken = 0 }: Seen, { generation, strategy, queue }: VmView): boolean {',
    after:
      'export function isOvertaken({ askedOn, overtaken = 1 }: Seen, { generation, strategy, queue }: VmView): boolean {',
    because: 'Both are below five.',
  },
  {
    file: 'cluster/silence',
    before: 'true',
    after: 'false',
    because: 'A signal is aborted once.',
  },
  {
    file: 'cluster/informer',
    before: "'Unreachable'",
    after: "''",
    because:
      'It is never the last failure of a first state: a LIST takes over from the third attempt on, and afterwards only refusals count.',
  },
  {
    file: 'cluster/informer',
    before: "message ?? 'the server ended it'",
    after: 'message && …',
    because: 'As above: nobody is shown it.',
  },
  {
    file: 'cluster/informer',
    before: "message ?? 'the server ended it'",
    after: 'message',
    because: 'As above: nobody is shown it.',
  },
  {
    file: 'cluster/informer',
    before: "message ?? 'the server ended it'",
    after: "'the server ended it'",
    because: 'As above: nobody is shown it.',
  },
  {
    file: 'cluster/informer',
    before: 'kept !== undefined',
    after: 'true',
    because: 'A set with undefined in it names no more than without.',
  },
  {
    file: 'cluster/informer',
    before: "since ?? ''",
    after: 'since',
    because: 'A list without a resourceVersion is none.',
  },
  {
    file: 'cluster/informer',
    before: 'body: undefined',
    after: '(left out)',
    because: 'Left out is undefined.',
  },
  {
    file: 'cluster/informer',
    before: 'warnings: []',
    after: '(left out)',
    because: 'A failure shows no warnings.',
  },
  {
    file: 'cluster/informer',
    before: 'closing.signal.aborted',
    after: 'false',
    because: 'The loop ends by the same signal a moment later, and what it counts until then nobody sees.',
  },
  {
    file: 'cluster/informer',
    before: "'Unknown'",
    after: "''",
    because: 'Who closes a watch is not told why it ended.',
  },
  {
    file: 'cluster/store',
    before: 'calls.size === 0',
    after: 'false',
    because: 'An empty set of listeners costs memory only.',
  },
  {
    file: 'cluster/store',
    before: 'listeners.delete(key)',
    after: 'undefined',
    because: 'An empty set of listeners costs memory only.',
  },
  {
    file: 'lifecycle/start',
    before: 'machine.vmi?.agentConnected',
    after: 'machine.vmi.agentConnected',
    because: 'isOn() has said before that there is a VMI.',
  },
  {
    file: 'lifecycle/stop',
    before: "action === 'Stop' && uid === vmi.uid",
    after: 'uid === vmi.uid',
    because: 'A queued Start names no uid, and KubeVirt knows no third action.',
  },
  {
    file: 'lifecycle/plan',
    before: 'machine.vmi?.agentConnected',
    after: 'machine.vmi.agentConnected',
    because: 'isOn() has said before that there is a VMI.',
  },
  {
    file: 'lifecycle/plan',
    before: 'skippedOf(wukong).find((one) => one.requestId === requestId)',
    after: 'skippedOf(wukong).findLast((one) => one.requestId === requestId)',
    because: 'A request is remembered once.',
  },
  {
    file: 'lifecycle/claim',
    before: 'asked !== undefined && asked > allowed',
    after: 'asked > allowed',
    because: 'undefined is not above anything.',
  },
  {
    file: 'lifecycle/claim',
    before: 'if (answer.status === 422 && removal.length > 0)',
    after: 'if (answer.status === 422 && removal.length > 1)',
    because: 'The removal has two steps or none.',
  },
  {
    file: 'domain/operation',
    before: 'text === undefined',
    after: 'false',
    because: 'JSON.parse throws on undefined, which comes to the same, only slower.',
  },
  {
    file: 'schedule/decide',
    before: 'facts.freezeUntil !== undefined && now < facts.freezeUntil',
    after: 'now < facts.freezeUntil',
    because: 'Nothing is before undefined.',
  },
  {
    file: 'schedule/decide',
    before: 'facts.lastHandled ?? -Infinity',
    after: 'facts.lastHandled',
    because: 'Nothing is at or before undefined, nor before -Infinity.',
  },
  {
    file: 'schedule/calendar',
    before: 'a.wall < b.wall',
    after: 'a.wall <= b.wall',
    because: 'They differ: that was asked in the same line.',
  },
  {
    file: 'schedule/calendar',
    before:
      'while (one && onHoliday(schedule, action, one.wall)) one = placed(schedule, lastWall(cron, midnight(one.wall) - 1));',
    after:
      'while (one && onHoliday(schedule, action, one.wall)) one = placed(schedule, lastWall(cron, midnight(one.wall) - 2));',
    because: 'Crons know whole minutes.',
  },
  {
    file: 'schedule/calendar',
    before: 'one = placed(schedule, nextWall(cron, midnight(one.wall) + dayMs - 1));',
    after: 'one = placed(schedule, nextWall(cron, midnight(one.wall) + dayMs - 2));',
    because: 'Crons know whole minutes.',
  },
  {
    file: 'schedule/calendar',
    before: 'wall === undefined',
    after: 'false',
    because: 'A cron that happened once happens again within 41 years.',
  },
  {
    file: 'schedule/calendar',
    before: '{ now, lastHandled, createdAt = 0 }: { now: number; lastHandled?: number; createdAt?: number },',
    after: '{ now, lastHandled, createdAt = 1 }: { now: number; lastHandled?: number; createdAt?: number },',
    because: 'No schedule has a boundary in the first millisecond of 1970.',
  },
  {
    file: 'schedule/calendar',
    before: 'lastHandled !== undefined && newest.at <= lastHandled',
    after: 'newest.at <= lastHandled',
    because: 'Nothing is at or before undefined.',
  },
  {
    file: 'schedule/nextAction',
    before: 'const mostSteps = 100;',
    after: 'const mostSteps = 101;',
    because: 'How far to look ahead is a choice.',
  },
  {
    file: 'schedule/nextAction',
    before: 'for (let steps = 0, at = now; steps < mostSteps; steps++) {',
    after: 'for (let steps = 1, at = now; steps < mostSteps; steps++) {',
    because: 'How far to look ahead is a choice.',
  },
  {
    file: 'schedule/nextAction',
    before: 'steps < mostSteps',
    after: 'steps <= mostSteps',
    because: 'How far to look ahead is a choice.',
  },
  {
    file: 'schedule/nextAction',
    before: 'schedules.filter(({ suspended }) => !suspended)',
    after: 'without filter',
    because: 'decide() leaves them out too; this only spares steps.',
  },
  {
    file: 'schedule/nextAction',
    before: "decision.do !== 'skip' || !decision.consume",
    after: '!decision.consume',
    because: 'Only a skip has something to consume.',
  },
  {
    file: 'schedule/nextAction',
    before: 'annotations ?? {}',
    after: 'annotations',
    because: 'skip-next was read from these annotations, so they are there.',
  },
  {
    file: 'schedule/nextAction',
    before: 'point !== undefined && point > at',
    after: 'point > at',
    because: 'undefined is not above anything.',
  },
  {
    file: 'schedule/schedule',
    before: "creationTimestamp ?? ''",
    after: 'creationTimestamp',
    because: 'Date.parse reads neither.',
  },
  {
    file: 'schedule/schedule',
    before: 'Object.keys(spec.shape).find((known) => known.toLowerCase() === key.toLowerCase())',
    after: 'Object.keys(spec.shape).findLast((known) => known.toLowerCase() === key.toLowerCase())',
    because: 'No two fields differ by case alone.',
  },
  {
    file: 'time/wallclock',
    before: 'placed.at > instant',
    after: 'placed.at >= instant',
    because: 'A wall time after that of the instant never lies at the instant.',
  },
  {
    file: 'time/wallclock',
    before: "placed.kind === 'gap'",
    after: 'true',
    because: 'Outside a gap the next wall time is at another instant; this only spares a step.',
  },
  {
    file: 'time/wallclock',
    before: 'Math.max(wall, highestWall(zone, instant))',
    after: 'Math.min(wall, highestWall(zone, instant))',
    because: 'Steps through the overlap instead of over it, to the same end.',
  },
  {
    file: 'time/wallclock',
    before: 'wall === undefined',
    after: 'false',
    because: 'In a gap: a cron that happened once happens again within 41 years.',
  },
  {
    file: 'time/cron',
    before: 'day <= today + horizonDays',
    after: 'day < today + horizonDays',
    because: 'The rarest days are some 40 years apart, and the horizon is 41.',
  },
  {
    file: 'time/cron',
    before: 'day >= today - horizonDays',
    after: 'day > today - horizonDays',
    because: 'The rarest days are some 40 years apart, and the horizon is 41.',
  },
  {
    file: 'time/cron',
    before: 'const horizonDays = 41 * 366;',
    after: 'const horizonDays = 9 * 366;',
    because: 'A wider horizon finds the same.',
  },
  {
    file: 'time/cron',
    before: 'const horizonDays = 41 * 366;',
    after: 'const horizonDays = 8 * 367;',
    because: 'A wider horizon finds the same.',
  },
  {
    file: 'time/cron',
    before: 'Math.floor(from / dayMs)',
    after: 'Math.ceil(from / dayMs)',
    because: 'It begins at a midnight; and any later day would do.',
  },
  {
    file: 'time/cron',
    before: 'day < first + 28 * 366',
    after: 'day <= first + 28 * 366',
    because: 'A wider horizon finds the same.',
  },
  {
    file: 'time/cron',
    before: 'for (let day = first; day < first + 28 * 366; day++)',
    after: 'for (let day = first; day < first + 29 * 366; day++)',
    because: 'A wider horizon finds the same.',
  },
  {
    file: 'time/cron',
    before: 'for (let day = first; day < first + 28 * 366; day++)',
    after: 'for (let day = first; day < first + 28 * 367; day++)',
    because: 'A wider horizon finds the same.',
  },
  {
    file: 'schedule/schedule',
    before: "'custom'",
    after: "''",
    because: 'Only the code unrecognized_keys is ever asked for.',
  },
  { file: 'time/cronField', before: "'UTC'", after: "''", because: 'Only the fields are read, which know no zone.' },
  {
    file: 'time/cronField',
    before: "const or = names.length > 0 ? ` or ${names[0]} to ${names.at(-1)}` : '';",
    after: "const or = names.length > 1 ? ` or ${names[0]} to ${names.at(-1)}` : '';",
    because: 'A field has seven names, twelve, or none.',
  },
  {
    file: 'reconcile/skips',
    before: 'value === undefined || !(Date.parse(value) <= now)',
    after: '!(Date.parse(value) <= now)',
    because: 'What is not there cannot be read either; the types want it said.',
  },
  {
    file: 'reconcile/scheduleStatus',
    before: "before.lastHandled ?? ''",
    after: 'before.lastHandled',
    because: 'What is not there cannot be read either; the types want it said.',
  },
  {
    file: 'reconcile/scheduleStatus',
    before: "checked.problems[0]?.reason ?? 'InvalidSpec'",
    after: 'checked.problems[0]?.reason',
    because: 'A schedule that cannot be read has a problem.',
  },
  {
    file: 'reconcile/scheduleStatus',
    before: 'checked.problems[0]?.reason',
    after: 'checked.problems[0].reason',
    because: 'A schedule that cannot be read has a problem.',
  },
  {
    file: 'reconcile/scheduleStatus',
    before: "'InvalidSpec'",
    after: "''",
    because: 'A schedule that cannot be read has a problem.',
  },
  {
    file: 'time/zone',
    before: 'const chunkMs = 64 * dayMs;',
    after: 'const chunkMs = 65 * dayMs;',
    because: 'How much is learnt at once changes nothing that is learnt.',
  },
  {
    file: 'time/zone',
    before: 'meant && zones.get(meant)',
    after: 'zones.get(meant)',
    because: 'No zone is called undefined; the types want it said.',
  },
  {
    file: 'time/zone',
    before: '!parts',
    after: 'false',
    because: 'No ICU is known that writes an offset otherwise; if one does, it is to be said.',
  },
  {
    file: 'time/zone',
    before: 'parts[2] ?? 0',
    after: 'parts[2]',
    because: 'Here ICU writes GMT+00:00; elsewhere it writes GMT, which then means the same.',
  },
  {
    file: 'time/zone',
    before: 'const seconds = Number(parts[2] ?? 0) * 3600 + Number(parts[3] ?? 0) * 60 + Number(parts[4] ?? 0);',
    after: 'const seconds = Number(parts[2] ?? 1) * 3600 + Number(parts[3] ?? 0) * 60 + Number(parts[4] ?? 0);',
    because: 'Here ICU writes GMT+00:00; elsewhere it writes GMT, which then means the same.',
  },
  {
    file: 'time/zone',
    before: 'parts[3] ?? 0',
    after: 'parts[3]',
    because: 'Here ICU writes GMT+00:00; elsewhere it writes GMT, which then means the same.',
  },
  {
    file: 'time/zone',
    before: 'const seconds = Number(parts[2] ?? 0) * 3600 + Number(parts[3] ?? 0) * 60 + Number(parts[4] ?? 0);',
    after: 'const seconds = Number(parts[2] ?? 0) * 3600 + Number(parts[3] ?? 1) * 60 + Number(parts[4] ?? 0);',
    because: 'Here ICU writes GMT+00:00; elsewhere it writes GMT, which then means the same.',
  },
  {
    file: 'time/zone',
    before: 'day < start + chunkMs',
    after: 'day <= start + chunkMs',
    because: 'The day after the chunk is learnt too, and comes to the same in its own.',
  },
  {
    file: 'time/zone',
    before: 'while (high - low > 1000) {',
    after: 'while (high - low > 1001) {',
    because: 'Both are whole seconds.',
  },
  {
    file: 'time/zone',
    before: 'Math.floor((low + high) / 2000)',
    after: 'Math.ceil((low + high) / 2000)',
    because: 'Halves to the same second from the other side.',
  },
  {
    file: 'time/zone',
    before: 'early.until > wall + dayMs',
    after: 'false',
    because: 'A shortcut: without it the changes are looked for, and there are none.',
  },
  {
    file: 'time/zone',
    before: 'early.until > wall + dayMs',
    after: 'early.until >= wall + dayMs',
    because: 'A change at the very end of the two days changes none of their times.',
  },
];
