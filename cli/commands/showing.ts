import type { Command } from '../../shared/domain/command.ts';
import { keyOf, type Wukong } from '../../shared/domain/model.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import type { Io } from '../command.ts';
import { openBoard } from '../terminal/board.ts';
import { dump, text, widest } from '../terminal/columns.ts';
import { jsonLine, outcomeLine, summaryOf, toJson } from '../terminal/outcomes.ts';
import type { Printing } from '../terminal/printed.ts';

/** Shows VMs being worked on, each as it ends, and in the end all of them in the form that was asked for. */
export function showing(
  title: 'start' | 'stop' | 'restart',
  wukongs: Wukong[],
  { format, template }: Printing,
  io: Io,
) {
  const width = widest(wukongs.map(({ metadata }) => keyOf(metadata)));
  const lines = format === undefined || format === 'wide';
  const board = openBoard(lines ? io : { ...io, out() {} }, title, wukongs.length);
  return {
    waiting: (key: string, what: string) => board.show(key, what),
    ended(outcome: Outcome) {
      board.done(keyOf(outcome), outcomeLine(outcome, width, io.colour, format === 'wide'));
      if (format === 'jsonl') io.out(jsonLine(outcome));
    },
    all(command: Command, outcomes: Outcome[]) {
      board.close();
      const whole = toJson(command, outcomes);
      if (template) io.out(template(whole, whole.outcomes));
      if (format === 'json' || format === 'yaml') io.out(dump(format, whole));
      if (format === 'name') io.out(text(outcomes.map(({ name }) => `wukong.vm.novasphere.dev/${name}`)));
      io.err(summaryOf(outcomes, wukongs.length, title !== 'restart'));
    },
    close: () => board.close(),
  };
}
