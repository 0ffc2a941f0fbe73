import { plain, printable } from '../../shared/report/plain.ts';
import { wrap } from '../terminal/help.ts';

/** How the demo speaks: for people, drawn or in plain lines, or for programs. */
export interface Voice {
  /** Standard output bears nothing but a line of JSON for each outcome. */
  json: boolean;
  /** Lines may be drawn over. */
  drawn: boolean;
  colour: boolean;
  /** Visible characters in a line; Infinity where it is no terminal. */
  width: () => number;
  /** A line for people; none with `json`. */
  say(text?: string): void;
  /** What people must see with `json` too: on standard error then. A command for them has a line of its own. */
  notice(text: string, command?: string): void;
  line(value: object): void;
  bold(text: string): string;
  paint(text: string, code: number): string;
  /** From now on only notices are given. */
  hush(): void;
}

/** NO_COLOR takes the colours away, and nothing else. */
export function voiceOf(json: boolean, out = process.stdout, env = process.env): Voice {
  const drawn = Boolean(out.isTTY) && !json && env['TERM'] !== 'dumb';
  const colour = drawn && !env['NO_COLOR'];
  const width = () => (out.isTTY ? out.columns || 80 : Infinity);
  let hushed = false;
  const painted = (text: string, on: number, off: number) => (colour ? `\u001b[${on}m${text}\u001b[${off}m` : text);
  return {
    json,
    drawn,
    colour,
    width,
    say: (text = '') => void (json || hushed || out.write(printable(`${text}\n`))),
    notice(text, command) {
      const lines = wrap(plain(text), Math.min(width() - 1, 100));
      if (command !== undefined) lines.push(`  ${plain(command)}`);
      (json ? process.stderr : out).write(lines.map((line) => `${line}\n`).join(''));
    },
    line: (value) => void (hushed || out.write(printable(`${JSON.stringify(value)}\n`))),
    bold: (text) => painted(text, 1, 22),
    paint: (text, code) => painted(text, code, 39),
    hush: () => void (hushed = true),
  };
}
