import type { Zone } from '../../shared/time/zone.ts';
import type { Mark, Switch } from './course.ts';
import type { Happening } from './happening.ts';
import type { Judged, Verdict } from './verdict.ts';
import { dateText, durationText, shortTime } from './words.ts';

/** Why a switch is not the plain one, for people. Empty for a plain one. */
export function whyText({ marks, boundary, until, same, action, happens }: Switch, zone: Zone): string {
  const till =
    until === undefined ? '' : until === Infinity ? ', until it is mended' : ` until ${shortTime(zone, until)}`;
  const wall = boundary.wall.slice(11);
  const words: Record<Mark, string> = {
    holiday: `${dateText(boundary.wall.slice(0, 10))} is a holiday: no start`,
    held: action === 'stop' ? `kept running${till}` : `kept stopped${till}`,
    protected: 'protected: not stopped',
    'skip-next': 'skipped once, by skip-next',
    frozen: `schedules are frozen${till}`,
    stale: 'too late by then: missed',
    gap: `${wall} does not exist on that day, as the clock goes forward: at the first instant after`,
    overlap: `${wall} comes twice on that day, as the clock goes back: the first time`,
    resumed: 'the override ends, and the schedule rules again',
    thawed: 'the freeze ends, and what is still due is done',
    enforced: 'by the policy Enforce',
  };
  const told = marks.map((mark) => words[mark]);
  if (happens && same) told.push(action === 'stop' ? 'off already' : 'on already');
  return told.join('; ');
}

export const verdictWords: Record<Verdict, string> = {
  onTime: 'on time',
  late: 'late',
  forced: 'forced off',
  unseen: 'end not seen',
  failed: 'failed',
  missed: 'missed',
  skipped: 'skipped',
  unrecorded: 'no record',
  pending: 'due now',
};

const forceWords = new Map([
  ['Requested', 'the command said so'],
  ['GracePeriodExceeded', 'its grace period was over'],
  ['GuestIgnoredShutdown', 'the guest ignored the shutdown'],
  ['RefusedGracefully', 'asking gracefully failed'],
  ['PodDeleted', 'its pod was deleted'],
]);

/** `late by 12 min`, `failed: Unschedulable`. */
export function verdictText({
  verdict,
  happening,
  lateMs = 0,
}: Pick<Judged, 'verdict' | 'happening' | 'lateMs'>): string {
  const reason = happening?.reason;
  if (verdict === 'late') return `late by ${durationText(lateMs)}`;
  if (verdict === 'forced') return `forced off${reason ? `: ${forceWords.get(reason) ?? reason}` : ''}`;
  if (verdict === 'failed' || verdict === 'skipped') return `${verdictWords[verdict]}${reason ? `: ${reason}` : ''}`;
  return verdictWords[verdict];
}

/** One letter each, for the rows: what the script reads out. */
export const verdictLetter: Record<Verdict, string> = {
  onTime: 'o',
  late: 'l',
  forced: 'f',
  unseen: 'e',
  failed: 'x',
  missed: 'm',
  skipped: 's',
  unrecorded: 'u',
  pending: 'p',
};

/** What was done without a plan: `stop (direct): Stopped`. */
export const extraText = ({ action, trigger, outcome, reason }: Happening): string =>
  `${action}${trigger ? ` (${trigger})` : ''}: ${outcome}${reason ? ` (${reason})` : ''}`;
