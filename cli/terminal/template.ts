import { UsageError } from '../command.ts';
import { jsonPath, shown } from './jsonPath.ts';

type Fill = (value: unknown) => string;

/**
 * kubectl's JSONPath template: text with `{.paths}`, `{"\n"}` and `{range .items[*]}…{end}` in it. A path without braces is
 * taken as one with them.
 * @throws UsageError saying what cannot be read.
 */
export function template(written: string): Fill {
  const whole = /^[.$@]\S*$/.test(written) ? `{${written}}` : written;
  const pieces = whole.split(/(\{(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^{}"'])*\})/);
  const read = { pieces, at: 0 };
  const fill = until(read, false);
  return fill;
}

function until(read: { pieces: string[]; at: number }, inRange: boolean): Fill {
  const fills: Fill[] = [];
  while (read.at < read.pieces.length) {
    const piece = read.pieces[read.at++]!;
    const inner = /^\{(.*)\}$/s.exec(piece)?.[1]?.trim();
    if (inner === undefined) fills.push(plainText(piece));
    else if (inner === 'end' && inRange) return all(fills);
    else if (inner === 'end') throw new UsageError('--output jsonpath: {end} without {range}');
    else if (/^range\s/.test(inner)) {
      const find = jsonPath(inner.slice('range'.length));
      const each = until(read, true);
      fills.push((value) => find(value).map(each).join(''));
    } else fills.push(expression(inner));
  }
  if (inRange) throw new UsageError('--output jsonpath: {range} without {end}');
  return all(fills);
}

const all =
  (fills: Fill[]): Fill =>
  (value) =>
    fills.map((fill) => fill(value)).join('');

function plainText(piece: string): Fill {
  if (/[{}]/.test(piece)) throw new UsageError(`--output jsonpath: a { is not closed in ${piece.slice(0, 40)}`);
  return () => piece;
}

/** A text in quotes, or a path. */
function expression(inner: string): Fill {
  const quoted = /^(["'])(.*)\1$/s.exec(inner)?.[2];
  if (quoted !== undefined) {
    const plain = unescaped(quoted);
    return () => plain;
  }
  const find = jsonPath(inner);
  return (value) => find(value).map(shown).join(' ');
}

const escapes: Record<string, string> = { n: '\n', t: '\t', r: '\r' };
const unescaped = (text: string): string =>
  text.replace(/\\(.)/gs, (_all, letter: string) => escapes[letter] ?? letter);
