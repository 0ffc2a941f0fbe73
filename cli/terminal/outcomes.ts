import type { Command } from '../../shared/domain/command.ts';
import { failures } from '../../shared/domain/errors.ts';
import { keyOf } from '../../shared/domain/model.ts';
import { isUnobserved, type Outcome, reasonOf } from '../../shared/domain/outcome.ts';
import { reportOf } from '../../shared/report/fleetOutcome.ts';
import { plain } from '../../shared/report/plain.ts';
import { detailOf } from '../../shared/report/report.ts';
import { rfc3339 } from '../../shared/time/clock.ts';
import { exitCodes } from '../command.ts';
import { colourOfWord, paint } from './columns.ts';

const wordOf = (outcome: Outcome): string => {
  const why = outcome.outcome === 'ForcedOff' ? outcome.forceReason : reasonOf(outcome);
  const words = [...(why === undefined ? [] : [why]), ...(isUnobserved(outcome) ? ['not seen'] : [])];
  return words.length === 0 ? outcome.outcome : `${outcome.outcome} (${words.join(', ')})`;
};

/** One outcome for people; `wide` adds the request. */
export function outcomeLine(outcome: Outcome, width: number, colour: boolean, wide = false): string {
  const { namespace, name, startedAt, finishedAt, message, requestId } = outcome;
  const word = wordOf(outcome).padEnd(32);
  const took = `${((finishedAt - startedAt) / 1000).toFixed(1)} s`.padStart(7);
  const shown = colour ? paint(word, colourOfWord(outcome.outcome)) : word;
  const next = outcome.outcome === 'Failed' ? ` ${failures[outcome.reason].next}` : '';
  return `${keyOf({ namespace, name }).padEnd(width)}   ${shown} ${took}   ${wide ? `${plain(requestId)}   ` : ''}${plain(message)}${next}`;
}

/** How many came to what; nothing for one VM that is through. `again`: whether the same command waits for the end. */
export function summaryOf(outcomes: Outcome[], wanted: number, again = true): string {
  const lines: string[] = [];
  const counts = new Map<string, number>();
  for (const outcome of outcomes) counts.set(wordOf(outcome), (counts.get(wordOf(outcome)) ?? 0) + 1);
  const untouched = wanted - outcomes.length;
  if (wanted > 1)
    lines.push(
      `${wanted} VMs: ${[...counts].map(([word, count]) => `${count} ${word}`).join(', ') || 'none was touched'}`,
    );
  if (untouched > 0) lines.push(`${untouched} not begun.`);
  if (counts.has('InProgress'))
    lines.push(
      'What is in progress goes on by reconcileState (where it does not run: wukong reconcile).',
      `${again ? 'To wait for the end: the same command again. ' : ''}To look: wukong state --watch`,
    );
  return lines.map((line) => `${line}\n`).join('');
}

/** DryRun is what was wished; a Duplicate is somebody else's work under way. */
export function exitCodeOf(outcomes: Outcome[], wanted: number): number {
  const any = (test: (outcome: Outcome) => boolean) => outcomes.some(test);
  if (any(({ outcome }) => outcome === 'Failed')) return exitCodes.failed;
  if (any((one) => one.outcome === 'InProgress' || (one.outcome === 'Skipped' && one.reason === 'Duplicate')))
    return exitCodes.inProgress;
  if (outcomes.length < wanted) return exitCodes.interrupted;
  if (any((one) => one.outcome === 'Superseded' || (one.outcome === 'Skipped' && one.reason !== 'DryRun')))
    return exitCodes.left;
  return exitCodes.done;
}

/** One line of a log: the detail of the outcome event. */
export const jsonLine = (outcome: Outcome): string => `${JSON.stringify(detailOf(outcome))}\n`;

/** As the functions answer, with times that people can read. */
export function toJson(command: Command, outcomes: Outcome[]) {
  const report = reportOf(command, outcomes);
  const times = ({ startedAt, finishedAt, dueAt: _due, quiet: _quiet, ...outcome }: Outcome) => ({
    ...outcome,
    startedAt: rfc3339(startedAt),
    finishedAt: rfc3339(finishedAt),
  });
  return { ...report, outcomes: outcomes.map(times) };
}
