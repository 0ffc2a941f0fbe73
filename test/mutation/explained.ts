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
    file: 'start',
    before: 'machine.vmi?.agentConnected',
    after: 'machine.vmi.agentConnected',
    because: 'isOn() has said before that there is a VMI.',
  },
  {
    file: 'start',
    before: 'seen.askedAt ?? 0',
    after: 'seen.askedAt',
    because: 'Nothing is smaller than NaN: an instant that is not there is past either way.',
  },
  {
    file: 'start',
    before: 'if (now < (seen.askedAt ?? 0) + lagMs)',
    after: 'if (now < (seen.askedAt ?? 1) + lagMs)',
    because: '1970, or a millisecond later: both are past.',
  },
  {
    file: 'stop',
    before: 'seen.askedAt ?? 0',
    after: 'seen.askedAt',
    because: 'askedFor and askedAt are set together.',
  },
  {
    file: 'stop',
    before: 'seen.askedFor === uid && now < (seen.askedAt ?? 0) + lagMs;',
    after: 'seen.askedFor === uid && now < (seen.askedAt ?? 1) + lagMs;',
    because: 'askedFor and askedAt are set together.',
  },
  {
    file: 'stop',
    before: 'const took = seconds(Math.max(0, (seen.ended?.at ?? op.stepAt) - op.startedAt));',
    after: 'const took = seconds(Math.max(1, (seen.ended?.at ?? op.stepAt) - op.startedAt));',
    because: 'A millisecond is told as 0.0 s.',
  },
  {
    file: 'stop',
    before: '(seen.ended?.at ?? 0) >= vmi.deletingSince + vmi.graceSeconds * 1000;',
    after: '(seen.ended?.at ?? 1) >= vmi.deletingSince + vmi.graceSeconds * 1000;',
    because: '1970, or a millisecond later: both are before any deletion.',
  },
  {
    file: 'stop',
    before: "action === 'Stop' && uid === vmi.uid",
    after: 'uid === vmi.uid',
    because: 'A queued Start names no uid, and KubeVirt knows no third action.',
  },
  {
    file: 'stop',
    before: "vmi.phase === 'Failed' && vmi.deletingSince !== undefined",
    after: "vmi.phase === 'Failed'",
    because: 'Nothing is at or above NaN: without a deletion no period ran out.',
  },
  {
    file: 'stop',
    before: 'seen.ended?.at ?? 0',
    after: 'seen.ended?.at',
    because: 'NaN is not at or above anything, nor is 1970.',
  },
  {
    file: 'plan',
    before: 'machine.vmi?.agentConnected',
    after: 'machine.vmi.agentConnected',
    because: 'isOn() has said before that there is a VMI.',
  },
  {
    file: 'plan',
    before: 'skippedOf(wukong).find((one) => one.requestId === requestId)',
    after: 'skippedOf(wukong).findLast((one) => one.requestId === requestId)',
    because: 'A request is remembered once.',
  },
  {
    file: 'claim',
    before: 'asked !== undefined && asked > allowed',
    after: 'asked > allowed',
    because: 'undefined is not above anything.',
  },
  {
    file: 'claim',
    before: 'if (answer.status === 422 && removal.length > 0)',
    after: 'if (answer.status === 422 && removal.length > 1)',
    because: 'The removal has two steps or none.',
  },
  {
    file: 'operation',
    before: 'text === undefined',
    after: 'false',
    because: 'JSON.parse throws on undefined, which comes to the same, only slower.',
  },
  {
    file: 'decide',
    before: 'facts.freezeUntil !== undefined && now < facts.freezeUntil',
    after: 'now < facts.freezeUntil',
    because: 'Nothing is before undefined.',
  },
  {
    file: 'decide',
    before: 'facts.lastHandled ?? -Infinity',
    after: 'facts.lastHandled',
    because: 'Nothing is at or before undefined, nor before -Infinity.',
  },
  {
    file: 'calendar',
    before: 'a.wall < b.wall',
    after: 'a.wall <= b.wall',
    because: 'They differ: that was asked in the same line.',
  },
  {
    file: 'calendar',
    before:
      'while (one && onHoliday(schedule, action, one.wall)) one = placed(schedule, lastWall(cron, midnight(one.wall) - 1));',
    after:
      'while (one && onHoliday(schedule, action, one.wall)) one = placed(schedule, lastWall(cron, midnight(one.wall) - 2));',
    because: 'Crons know whole minutes.',
  },
  {
    file: 'calendar',
    before: 'one = placed(schedule, nextWall(cron, midnight(one.wall) + dayMs - 1));',
    after: 'one = placed(schedule, nextWall(cron, midnight(one.wall) + dayMs - 2));',
    because: 'Crons know whole minutes.',
  },
  {
    file: 'calendar',
    before: 'wall === undefined',
    after: 'false',
    because: 'A cron that happened once happens again within eight years.',
  },
  {
    file: 'calendar',
    before: '{ now, lastHandled, createdAt = 0 }: { now: number; lastHandled?: number; createdAt?: number },',
    after: '{ now, lastHandled, createdAt = 1 }: { now: number; lastHandled?: number; createdAt?: number },',
    because: 'No schedule has a boundary in the first millisecond of 1970.',
  },
  {
    file: 'calendar',
    before: 'lastHandled !== undefined && newest.at <= lastHandled',
    after: 'newest.at <= lastHandled',
    because: 'Nothing is at or before undefined.',
  },
  {
    file: 'nextAction',
    before: 'const mostSteps = 100;',
    after: 'const mostSteps = 101;',
    because: 'How far to look ahead is a choice.',
  },
  {
    file: 'nextAction',
    before: 'for (let steps = 0, at = now; steps < mostSteps; steps++) {',
    after: 'for (let steps = 1, at = now; steps < mostSteps; steps++) {',
    because: 'How far to look ahead is a choice.',
  },
  {
    file: 'nextAction',
    before: 'steps < mostSteps',
    after: 'steps <= mostSteps',
    because: 'How far to look ahead is a choice.',
  },
  {
    file: 'nextAction',
    before: 'schedules.filter(({ suspended }) => !suspended)',
    after: 'without filter',
    because: 'decide() leaves them out too; this only spares steps.',
  },
  {
    file: 'nextAction',
    before: "decision.do !== 'skip' || !decision.consume",
    after: '!decision.consume',
    because: 'Only a skip has something to consume.',
  },
  {
    file: 'nextAction',
    before: 'annotations ?? {}',
    after: 'annotations',
    because: 'skip-next was read from these annotations, so they are there.',
  },
  {
    file: 'nextAction',
    before: 'point !== undefined && point > at',
    after: 'point > at',
    because: 'undefined is not above anything.',
  },
  {
    file: 'schedule',
    before: "creationTimestamp ?? ''",
    after: 'creationTimestamp',
    because: 'Date.parse reads neither.',
  },
  {
    file: 'schedule',
    before: 'Object.keys(spec.shape).find((known) => known.toLowerCase() === key.toLowerCase())',
    after: 'Object.keys(spec.shape).findLast((known) => known.toLowerCase() === key.toLowerCase())',
    because: 'No two fields differ by case alone.',
  },
  {
    file: 'wallclock',
    before: 'placed.at > instant',
    after: 'placed.at >= instant',
    because: 'A wall time after that of the instant never lies at the instant.',
  },
  {
    file: 'wallclock',
    before: "placed.kind === 'gap'",
    after: 'true',
    because: 'Outside a gap the next wall time is at another instant; this only spares a step.',
  },
  {
    file: 'wallclock',
    before: 'Math.max(wall, highestWall(zone, instant))',
    after: 'Math.min(wall, highestWall(zone, instant))',
    because: 'Steps through the overlap instead of over it, to the same end.',
  },
  {
    file: 'wallclock',
    before: 'wall === undefined',
    after: 'false',
    because: 'In a gap: a cron that happened once happens again within eight years.',
  },
  {
    file: 'cron',
    before: "why.includes('duplicate')",
    after: 'true',
    because: 'Whatever else cron-parser refuses was refused before.',
  },
  {
    file: 'cron',
    before: "'duplicate'",
    after: "''",
    because: 'Whatever else cron-parser refuses was refused before.',
  },
  {
    file: 'cron',
    before: 'weekdays: bits(read.dayOfWeek.values.map((day) => Number(day) % 7)),',
    after: 'weekdays: bits(read.dayOfWeek.values.map((day) => Number(day) % 8)),',
    because: 'cron-parser counts a Sunday as 0 already.',
  },
  {
    file: 'cron',
    before: 'day <= today + horizonDays',
    after: 'day < today + horizonDays',
    because: 'Leap days are at most 2921 days apart, and the horizon is 2928.',
  },
  {
    file: 'cron',
    before: 'day >= today - horizonDays',
    after: 'day > today - horizonDays',
    because: 'Leap days are at most 2921 days apart, and the horizon is 2928.',
  },
  {
    file: 'cron',
    before: 'const horizonDays = 8 * 366;',
    after: 'const horizonDays = 9 * 366;',
    because: 'A wider horizon finds the same.',
  },
  {
    file: 'cron',
    before: 'const horizonDays = 8 * 366;',
    after: 'const horizonDays = 8 * 367;',
    because: 'A wider horizon finds the same.',
  },
  {
    file: 'cron',
    before: 'Math.floor(from / dayMs)',
    after: 'Math.ceil(from / dayMs)',
    because: 'It begins at a midnight; and any later day would do.',
  },
  {
    file: 'cron',
    before: 'day < first + 28 * 366',
    after: 'day <= first + 28 * 366',
    because: 'A wider horizon finds the same.',
  },
  {
    file: 'cron',
    before: 'for (let day = first; day < first + 28 * 366; day++)',
    after: 'for (let day = first; day < first + 29 * 366; day++)',
    because: 'A wider horizon finds the same.',
  },
  {
    file: 'cron',
    before: 'for (let day = first; day < first + 28 * 366; day++)',
    after: 'for (let day = first; day < first + 28 * 367; day++)',
    because: 'A wider horizon finds the same.',
  },
  { file: 'schedule', before: "'custom'", after: "''", because: 'Only the code unrecognized_keys is ever asked for.' },
  { file: 'cron', before: "'UTC'", after: "''", because: 'Only the fields are read, which know no zone.' },
  {
    file: 'cron',
    before: "const known = `${low} to ${high}${names.length > 0 ? ` or ${names[0]} to ${names.at(-1)}` : ''}`;",
    after: "const known = `${low} to ${high}${names.length > 1 ? ` or ${names[0]} to ${names.at(-1)}` : ''}`;",
    because: 'A field has seven names, twelve, or none.',
  },
  {
    file: 'skip',
    before: 'value === undefined || !(Date.parse(value) <= now)',
    after: '!(Date.parse(value) <= now)',
    because: 'What is not there cannot be read either; the types want it said.',
  },
  {
    file: 'mark',
    before: "before.lastHandled ?? ''",
    after: 'before.lastHandled',
    because: 'What is not there cannot be read either; the types want it said.',
  },
  {
    file: 'mark',
    before: "checked.problems[0]?.reason ?? 'InvalidSpec'",
    after: 'checked.problems[0]?.reason',
    because: 'A schedule that cannot be read has a problem.',
  },
  {
    file: 'mark',
    before: 'checked.problems[0]?.reason',
    after: 'checked.problems[0].reason',
    because: 'A schedule that cannot be read has a problem.',
  },
  { file: 'mark', before: "'InvalidSpec'", after: "''", because: 'A schedule that cannot be read has a problem.' },
];
