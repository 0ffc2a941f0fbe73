import { plain } from '../../shared/report/plain.ts';
import type { Io } from '../command.ts';
import { widest } from './columns.ts';
import { spoken } from './duration.ts';

/** What is shown on standard error while VMs are worked on: a line each, or a counter when they are too many. */
export interface Board {
  /** This VM is being worked on, and waits for that. */
  show(key: string, waitingFor: string): void;
  /** This VM is through; `line` goes to standard output. */
  done(key: string, line: string): void;
  close(): void;
}

const mostLines = 12;
const redrawMs = 120;
const clearLine = '\u001b[2K';

/** Outside a terminal only the lines of what is through are written. */
export function openBoard(io: Io, title: string, total: number): Board {
  const { screen, env } = io;
  if (!screen) return { show() {}, done: (_key, line) => io.out(`${line}\n`), close() {} };
  const begin = performance.now();
  const waiting = new Map<string, { for: string; since: number }>();
  let through = 0;
  let drawn = 0;
  const draws = io.draw?.err ?? io.err;

  function lines(): string[] {
    const { columns, rows } = screen?.() ?? { columns: 80, rows: 24 };
    const now = performance.now();
    const fits = total <= Math.min(mostLines, rows - 4);
    const width = widest(waiting.keys());
    const text = fits
      ? [...waiting].map(
          ([key, one]) => `${key.padEnd(width)}   ${spoken(now - one.since).padStart(6)}   waiting for ${one.for}`,
        )
      : [`${title}: ${through} of ${total} through, ${waiting.size} under way, ${spoken(now - begin)}`];
    return text.map((line) => plain(line).slice(0, columns - 1));
  }
  function wipe() {
    if (drawn > 0) draws(`\r${`\u001b[1A${clearLine}`.repeat(drawn)}`);
    drawn = 0;
  }
  function draw() {
    const now = lines();
    wipe();
    const dim = (line: string) => (env?.['NO_COLOR'] ? line : `\u001b[2m${line}\u001b[22m`);
    draws(now.map((line) => `${clearLine}${dim(line)}\n`).join(''));
    drawn = now.length;
  }
  const timer = setInterval(draw, redrawMs);
  return {
    show(key, what) {
      waiting.set(key, { for: what, since: waiting.get(key)?.since ?? performance.now() });
    },
    done(key, line) {
      waiting.delete(key);
      through++;
      wipe();
      io.out(`${line}\n`);
      draw();
    },
    close() {
      clearInterval(timer);
      wipe();
    },
  };
}
