import { createRequire } from 'node:module';

import type * as Yaml from 'yaml';

import { plain } from '../../shared/report/plain.ts';

const codes = { red: 31, green: 32, yellow: 33, cyan: 36, grey: 90, magenta: 35 } as const;
export type Colour = keyof typeof codes;

export const paint = (text: string, colour: Colour | undefined): string =>
  colour ? `\u001b[${codes[colour]}m${text}\u001b[39m` : text;
export const bold = (text: string, on: boolean): string => (on ? `\u001b[1m${text}\u001b[22m` : text);

/** kubectl's way of laying out: upper case headings, three spaces, nothing behind the last column. */
export function columns(
  headings: string[],
  found: string[][],
  colourOf?: (cell: string, heading: string) => Colour | undefined,
  widths?: number[],
): string[] {
  const rows = found.map((row) => row.map((cell) => plain(cell)));
  const wide = widths ?? widthsOf(headings, rows);
  const line = (cells: string[], show: (padded: string, cell: string, i: number) => string) =>
    cells
      .map((cell, i) => show(i === cells.length - 1 ? cell : cell.padEnd(wide[i] ?? 0), cell, i))
      .join('   ')
      .trimEnd();
  const painted = (padded: string, cell: string, i: number) => paint(padded, colourOf?.(cell, headings[i] ?? ''));
  const head = headings.length > 0 && headings[0] !== '' ? [line(headings, (padded) => padded)] : [];
  return [...head, ...rows.map((row) => line(row, painted))];
}

export const widthsOf = (headings: string[], rows: string[][]): number[] =>
  headings.map((heading, i) => widest([heading], widest(rows.map((row) => row[i] ?? ''))));

/** The length of the longest, `least` at the least. Of any number of texts: the arguments of one call are limited. */
export function widest(texts: Iterable<string>, least = 0): number {
  let most = least;
  for (const one of texts) most = Math.max(most, one.length);
  return most;
}

export const text = (lines: string[]): string => lines.map((line) => `${line}\n`).join('');

/** One object, as JSON or YAML. What writes YAML is loaded for it alone: it is an eighth of all that a command loads. */
export function dump(format: string, value: unknown): string {
  if (format !== 'yaml') return `${JSON.stringify(value, undefined, 2)}\n`;
  const { stringify } = createRequire(import.meta.url)('yaml') as typeof Yaml;
  return stringify(JSON.parse(JSON.stringify(value)), { compat: 'yaml-1.1' });
}

/** How an outcome or a state is coloured, wherever it is shown. */
export function colourOfWord(word: string): Colour | undefined {
  if (/^(Failed|Denied|FAIL)/.test(word)) return 'red';
  if (/^(ForcedOff|Stopping|InProgress|Superseded|WARN)/.test(word)) return 'yellow';
  if (/^(Started|Stopped|AlreadyO|Running|OK)/.test(word)) return word === 'Stopped' ? undefined : 'green';
  if (/^(Starting)/.test(word)) return 'cyan';
  if (/^(Skipped)/.test(word)) return 'grey';
  return /^(Unknown|Paused)/.test(word) ? 'magenta' : undefined;
}
