/** One small change to a source line that a test should notice. */
export interface Mutant {
  line: number;
  operator: string;
  before: string;
  after: string;
}

const swaps: [operator: string, pattern: RegExp, by: (found: RegExpExecArray) => string][] = [
  ['===', / === /g, () => ' !== '],
  ['!==', / !== /g, () => ' === '],
  ['<', / < /g, () => ' <= '],
  ['<=', / <= /g, () => ' < '],
  ['>', / > /g, () => ' >= '],
  ['>=', / >= /g, () => ' > '],
  ['&&', / && /g, () => ' || '],
  ['||', / \|\| /g, () => ' && '],
  ['??', / \?\? /g, () => ' && '],
  ['+', /(?<=[\w)]) \+ (?=[\w(])/g, () => ' - '],
  ['-', /(?<=[\w)]) - (?=[\w(])/g, () => ' + '],
  ['*', / \* (?=[\w(])/g, () => ' / '],
  ['true', /\btrue\b/g, () => 'false'],
  ['false', /\bfalse\b/g, () => 'true'],
  ['not', /(?<=[\s(])!(?=[\w(])/g, () => ''],
  ['some', /\.some\(/g, () => '.every('],
  ['every', /\.every\(/g, () => '.some('],
  ['max', /Math\.max/g, () => 'Math.min'],
  ['min', /Math\.min/g, () => 'Math.max'],
  ['number', /(?<![\w.'])\d[\d_]*(?![\w.'])/g, ([digits]) => `${Number(digits.replaceAll('_', '')) + 1}`],
  ['if', /(?<=^\s*(?:else )?if \().*(?=\) (?:return|continue|break|\{|throw))/g, () => 'false'],
  ['ternary', /(?<=[=>(] )[^=>?:]+(?= \? )/g, () => 'true'],
];

/** Text that no test can notice: imports, types, comments, messages for people. */
const isProse = (line: string): boolean =>
  /^\s*(\/\/|\/\*|\*|import |export (type|interface) |type |interface |\| )/.test(line) ||
  /^\s*[\w?]+\??: [\w<>'|[\]. ]+;/.test(line);

/** Where a line is inside quotes or a comment. */
function quoted(line: string): (at: number) => boolean {
  const spans: [number, number][] = [];
  for (const { index, 0: text } of line.matchAll(/'[^']*'|`[^`]*`|\/\/.*$/g)) spans.push([index, index + text.length]);
  return (at) => spans.some(([from, to]) => at >= from && at < to);
}

/** All mutants of a source, one operator at one place each. */
export function mutantsOf(source: string): Mutant[] {
  const found: Mutant[] = [];
  source.split('\n').forEach((text, index) => {
    if (isProse(text)) return;
    const inQuotes = quoted(text);
    for (const [operator, pattern, by] of swaps)
      for (const match of text.matchAll(pattern) as Iterable<RegExpExecArray>) {
        if (inQuotes(match.index)) continue;
        const after = text.slice(0, match.index) + by(match) + text.slice(match.index + match[0].length);
        if (after !== text) found.push({ line: index + 1, operator, before: text, after });
      }
  });
  return found;
}

export const applied = (source: string, { line, after }: Mutant): string =>
  source
    .split('\n')
    .map((text, index) => (index === line - 1 ? after : text))
    .join('\n');
