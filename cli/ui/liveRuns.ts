import { instantText } from '../../shared/domain/instant.ts';
import { placeOf } from '../../shared/domain/model.ts';
import { instantIn } from '../../shared/domain/read.ts';
import type { RunPhase, WukongRun } from '../../shared/domain/run.ts';
import { runCounts } from '../../shared/report/runLines.ts';
import type { Glyph } from '../page/glyphs.ts';
import type { Line } from '../page/told.ts';
import { count } from '../page/words.ts';
import { liveTime } from './liveRows.ts';

/** What the page knows of runs; `problem` where they cannot be read. */
export interface RunsSeen {
  runs: WukongRun[];
  problem?: string;
}

const dayMs = 86_400_000;
/** Without a run within a day, the last ones there were. */
const few = 10;

const glyphOf: Partial<Record<RunPhase, Glyph>> = {
  Running: 'clock',
  Incomplete: 'failed',
  Missed: 'missed',
  Skipped: 'skip',
};
const order: RunPhase[] = ['Incomplete', 'Missed', 'Running'];
const rank = ({ status }: WukongRun): number => {
  const found = order.indexOf(status?.phase ?? 'Running');
  return found < 0 ? order.length : found;
};
const dueAt = ({ spec }: WukongRun): number => instantIn(spec.dueAt) ?? 0;

/** The runs of a day: what went wrong first, then what is under way, then the newest. */
export function lastRuns(runs: WukongRun[], now: number): WukongRun[] {
  const newest = [...runs].sort((a, b) => dueAt(b) - dueAt(a));
  const within = newest.filter((one) => dueAt(one) > now - dayMs);
  return (within.length > 0 ? within : newest.slice(0, few)).sort((a, b) => rank(a) - rank(b) || dueAt(b) - dueAt(a));
}

/** A run as a line: `Incomplete: 38 of 40 done, 1 forced, 2 failed`, and which failed why. */
export function runLine(run: WukongRun): Line {
  const { namespace } = placeOf(run);
  const { spec, status } = run;
  const { targets, done, already, forced, failed, inProgress, failures, ...rest } = runCounts.parse(status ?? {});
  const phase = status?.phase;
  const glyph = phase && glyphOf[phase];
  const skipped = Object.values(rest.skipped).reduce((sum, each) => sum + each, 0);
  const parts = [
    `${done + already + forced} of ${count(targets, 'VM')} ${spec.action === 'stop' ? 'off' : 'on'}`,
    ...(forced > 0 ? [`${forced} forced`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(skipped > 0 ? [`${skipped} left alone or too late`] : []),
    ...(inProgress > 0 ? [`${inProgress} under way`] : []),
    ...(rest.latestSeconds !== undefined && rest.latestSeconds > 60 ? [`late by ${rest.latestSeconds} s`] : []),
  ];
  return {
    datetime: instantText(dueAt(run)),
    time: liveTime(dueAt(run)),
    what: spec.action,
    planned: spec.schedule !== undefined,
    who: spec.schedule === undefined ? `a fleet in ${namespace}` : `${namespace}/${spec.schedule}`,
    glyph,
    text: `${phase ?? 'Unknown'}: ${parts.join(', ')}`,
    message: failures.map(({ name, reason, message }) => `${name}: ${reason}, ${message}`).join('; '),
  };
}
