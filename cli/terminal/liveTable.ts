import { plain } from '../../shared/report/plain.ts';
import { widest } from './columns.ts';
/** A table that is drawn over itself in a terminal, and left out elsewhere. */
export interface Row {
  namespace: string;
  name: string;
  strategy: string;
  state: string;
  elapsed: string;
  waiting: string;
}

const headings: Row = {
  namespace: 'NAMESPACE',
  name: 'NAME',
  strategy: 'STRATEGY',
  state: 'STATE',
  elapsed: 'ELAPSED',
  waiting: 'WAITING FOR',
};
const columns = Object.keys(headings) as (keyof Row)[];
const colours: Record<string, number> = {
  Running: 32,
  Stopped: 90,
  Stopping: 33,
  Starting: 36,
  Failed: 31,
  Unknown: 35,
  Paused: 35,
};

export function tableLines(found: Row[], colour: boolean): string[] {
  const rows = found.map((row) => mapRow(row, plain));
  const widths = columns.map((column) => widest([headings, ...rows].map((row) => row[column])));
  const line = (row: Row, paint: (text: string, column: keyof Row) => string) =>
    columns
      .map((column, i) => paint(row[column].padEnd(widths[i] ?? 0), column))
      .join('  ')
      .trimEnd();
  const paintRow = (row: Row) => (text: string, column: keyof Row) =>
    colour && column === 'state' ? `\u001b[${colours[row.state] ?? 39}m${text}\u001b[39m` : text;
  const head = line(headings, (text) => text);
  return [colour ? `\u001b[1m${head}\u001b[22m` : head, ...rows.map((row) => line(row, paintRow(row)))];
}

const mapRow = (row: Row, change: (text: string) => string): Row =>
  Object.fromEntries(columns.map((column) => [column, change(row[column])])) as unknown as Row;

/** Redraws in place until `stop`, which leaves the last picture standing; with or without colour. */
export function liveTable(out: NodeJS.WriteStream, rows: () => Row[], colour: boolean): { stop(): void } {
  let drawn = 0;
  let stopped = false;
  const draw = () => {
    const most = out.columns || 120;
    // What has left the screen at its top cannot be drawn over.
    const lines = tableLines(rows(), colour)
      .slice(0, Math.max(2, (out.rows || 24) - 1))
      .map((line) => clip(line, most));
    const up = drawn > 0 ? `\u001b[${drawn}A` : '';
    out.write(`${up}${lines.map((line) => `\u001b[2K${line}\n`).join('')}`);
    drawn = lines.length;
  };
  draw();
  const timer = setInterval(draw, 120);
  return {
    stop() {
      if (stopped) return;
      stopped = true;
      clearInterval(timer);
      draw();
    },
  };
}

/** At most `most` visible characters: a line that wraps would shift the picture. */
function clip(line: string, most: number): string {
  let seen = 0;
  let at = 0;
  while (at < line.length && seen < most) {
    const code = /^\u001b\[\d+m/.exec(line.slice(at))?.[0];
    at += code ? code.length : 1;
    if (!code) seen++;
  }
  return at < line.length ? `${line.slice(0, at)}${line.includes('\u001b') ? '\u001b[0m' : ''}` : line;
}
