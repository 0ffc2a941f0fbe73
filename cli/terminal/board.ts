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
  if (!io.screen) return { show() {}, done: (_key, line) => io.out(`${line}\n`), close() {} };
  return new Drawn(io, title, total);
}

class Drawn implements Board {
  readonly #io: Io;
  readonly #title: string;
  readonly #total: number;
  readonly #begin = performance.now();
  readonly #waiting = new Map<string, { for: string; since: number }>();
  readonly #timer: NodeJS.Timeout;
  #through = 0;
  #drawn = 0;

  constructor(io: Io, title: string, total: number) {
    this.#io = io;
    this.#title = title;
    this.#total = total;
    this.#timer = setInterval(() => this.#draw(), redrawMs);
  }

  show(key: string, what: string): void {
    this.#waiting.set(key, { for: what, since: this.#waiting.get(key)?.since ?? performance.now() });
  }

  done(key: string, line: string): void {
    this.#waiting.delete(key);
    this.#through++;
    this.#wipe();
    this.#io.out(`${line}\n`);
    this.#draw();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#wipe();
  }

  #lines(): string[] {
    const { columns, rows } = this.#io.screen?.() ?? { columns: 80, rows: 24 };
    const now = performance.now();
    const fits = this.#total <= Math.min(mostLines, rows - 4);
    const width = widest(this.#waiting.keys());
    const count = `${this.#through} of ${this.#total} through, ${this.#waiting.size} under way`;
    const text = fits
      ? [...this.#waiting].map(
          ([key, one]) => `${key.padEnd(width)}   ${spoken(now - one.since).padStart(6)}   waiting for ${one.for}`,
        )
      : [`${this.#title}: ${count}, ${spoken(now - this.#begin)}`];
    return text.map((line) => plain(line).slice(0, columns - 1));
  }

  #wipe(): void {
    if (this.#drawn > 0) this.#write(`\r${`\u001b[1A${clearLine}`.repeat(this.#drawn)}`);
    this.#drawn = 0;
  }

  #draw(): void {
    const now = this.#lines();
    this.#wipe();
    const dim = (line: string) => (this.#io.env?.['NO_COLOR'] ? line : `\u001b[2m${line}\u001b[22m`);
    this.#write(now.map((line) => `${clearLine}${dim(line)}\n`).join(''));
    this.#drawn = now.length;
  }

  #write(text: string): void {
    (this.#io.draw?.err ?? this.#io.err)(text);
  }
}
