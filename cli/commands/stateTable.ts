import type { WukongState } from '../../shared/entry/state.ts';
import { readInstant } from '../../shared/schedule/override.ts';
import { rfc3339 } from '../../shared/time/clock.ts';
import { colourOfWord, columns } from '../terminal/columns.ts';
import { ago } from '../terminal/duration.ts';

export interface Look {
  all: boolean;
  wide: boolean;
  colour: boolean;
  now: number;
}

export const headingsOf = ({ all, wide }: Look): string[] => [
  ...(all ? ['NAMESPACE'] : []),
  ...['NAME', 'STATE', 'LAST', 'OUTCOME', 'AGO', 'NEXT', 'AT'],
  ...(wide ? ['VM', 'STRATEGY', 'LABEL', 'NODE', 'UNDER WAY', 'HELD', 'MESSAGE'] : []),
];

export function cellsOf(one: WukongState, { all, wide, now }: Look): string[] {
  const { last, operation: op, vm } = one;
  const ended = last?.finishedAt ?? last?.lastActionTime;
  const outcome = last?.outcome && (last.reason ? `${last.outcome} (${last.reason})` : last.outcome);
  const cells = [
    ...(all ? [one.namespace] : []),
    one.name,
    one.state,
    op?.action ?? last?.lastAction,
    op ? 'InProgress' : outcome,
    ended && !op ? ago(now - Date.parse(ended)) : op && ago(now - Date.parse(op.startedAt)),
    one.nextAction,
    one.nextActionTime,
    ...(wide
      ? [
          vm.name,
          vm.strategy,
          vm.label,
          one.node,
          op && `${op.action} since ${op.startedAt}`,
          heldBy(one),
          last?.message,
        ]
      : []),
  ];
  return cells.map((cell) => cell || '-');
}

/** `keep-running-until 2026-03-29T01:00:00Z, protected`: what is written on the Wukong itself. */
const heldBy = ({ overrides = {} }: WukongState): string =>
  Object.entries(overrides)
    .filter(([, value]) => value !== 'false')
    .map(([key, value]) => (value === 'true' ? key : `${key} ${inUtc(value)}`))
    .join(', ');

/** As the other times of the table; what is no time is shown as it is. */
function inUtc(value: string): string {
  const instant = readInstant(value);
  return instant === undefined ? value : rfc3339(instant);
}

export const tableOf = (states: WukongState[], look: Look): string[] =>
  columns(
    headingsOf(look),
    states.map((one) => cellsOf(one, look)),
    look.colour
      ? (cell, heading) => (heading === 'STATE' || heading === 'OUTCOME' ? colourOfWord(cell) : undefined)
      : undefined,
  );
