import type { Cell } from './cell.ts';
import type { Story } from './stories.ts';

/** What is not as it must be, in words; nothing when all is well. */
export function faultsOf(story: Story, cell: Cell, plain: Cell): string[] {
  const { expected } = story;
  const wrong: string[] = [];
  const must = (holds: boolean, words: string) => void (holds || wrong.push(words));
  must(cell.state === expected.state, `state ${cell.state}, not ${expected.state}`);
  must(
    expected.outcomes.includes(cell.outcome ?? ''),
    `status says ${cell.outcome}, not ${expected.outcomes.join(' or ')}`,
  );
  must(cell.strategy === expected.strategy, `strategy ${String(cell.strategy)}, not ${String(expected.strategy)}`);
  must(!cell.record, 'a record was left behind');
  must(!cell.declared, 'the declared action is still there');
  const [event, ...more] = cell.events;
  must(more.length === 0 && expected.outcomes.includes(event ?? ''), `Events: ${cell.events.join(', ') || 'none'}`);
  must(cell.told === plain.told, `${cell.told} outcomes on the bus, not ${plain.told}`);
  must(cell.guests === plain.guests, `${cell.guests} guests, not ${plain.guests}`);
  must(cell.forcedEarlyMs === 0, `forced ${cell.forcedEarlyMs} ms before the grace was over`);
  wrong.push(...cell.others);
  return wrong;
}
