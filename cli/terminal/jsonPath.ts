import { UsageError } from '../command.ts';

/** One step of a path: from values to those that it finds in them. */
type Step = (values: unknown[]) => unknown[];

/**
 * What a path of kubectl's JSONPath finds: `.a.b`, `..a`, `['a.b']`, `.a\.b`, `[0]`, `[-1]`, `[1:3]`, `[*]`, `[0,2]`,
 * `[?(@.a=="b")]`. What is not there is nothing found.
 * @throws UsageError saying where it cannot be read.
 */
export function jsonPath(text: string): (value: unknown) => unknown[] {
  const steps: Step[] = [];
  const shown = `JSONPath ${text.slice(0, 80)}`;
  let rest = text.trim().replace(/^[$@]/, '');
  while (rest !== '') {
    const [step, length] = stepOf(rest, shown);
    steps.push(step);
    rest = rest.slice(length);
  }
  return (value) => steps.reduce<unknown[]>((values, step) => step(values), [value]);
}

const nameForm = /^(\.\.|\.)?((?:\\.|[^\s.[\]{}()'"\\?@$=<>!,])+|\*)/;

function stepOf(rest: string, shown: string): [Step, number] {
  if (rest.startsWith('[')) {
    const end = endOfBrackets(rest);
    if (end === undefined) throw new UsageError(`${shown}: the [ is not closed`);
    return [inBrackets(rest.slice(1, end), shown), end + 1];
  }
  if (rest === '.') return [(values) => values, 1];
  const [whole, dots, name = ''] = nameForm.exec(rest) ?? [];
  if (whole === undefined) throw new UsageError(`${shown}: cannot be read at ${rest.slice(0, 20)}`);
  const from: Step = dots === '..' ? (values) => values.flatMap(everything) : (values) => values;
  const field = name.replace(/\\(.)/g, '$1');
  const find: Step = name === '*' ? (values) => values.flatMap(children) : (values) => values.flatMap(inside(field));
  return [(values) => find(from(values)), whole.length];
}

/** Past quotes and inner brackets. */
function endOfBrackets(text: string): number | undefined {
  let depth = 0;
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const letter = text[at]!;
    if (quote !== '') quote = letter === quote ? '' : quote;
    else if (letter === '"' || letter === "'") quote = letter;
    else if (letter === '[') depth++;
    else if (letter === ']' && --depth === 0) return at;
  }
  return undefined;
}

function inBrackets(inner: string, shown: string): Step {
  const filter = /^\?\s*\((.*)\)$/s.exec(inner.trim())?.[1];
  if (filter !== undefined) {
    const test = testOf(filter, shown);
    return (values) => values.flatMap(children).filter(test);
  }
  const parts = inner.match(/'[^']*'|"[^"]*"|[^,]+/g) ?? [];
  const finds = parts.map((part) => subscript(part.trim(), shown));
  if (finds.length === 0) throw new UsageError(`${shown}: expected an index, a name or * in [${inner}]`);
  return (values) => values.flatMap((value) => finds.flatMap((find) => find(value)));
}

function subscript(part: string, shown: string): (value: unknown) => unknown[] {
  if (part === '*') return children;
  const name = /^(?:'([^']*)'|"([^"]*)")$/.exec(part);
  if (name) return inside(name[1] ?? name[2] ?? '');
  const [, from, to, step] = /^(-?\d+)?(?::(-?\d+)?(?::(\d+))?)?$/.exec(part) ?? [];
  if (part.includes(':'))
    return (value) => {
      const each = Number(step ?? 1);
      if (!Array.isArray(value) || each === 0) return [];
      const slice = value.slice(from === undefined ? 0 : Number(from), to === undefined ? undefined : Number(to));
      return slice.filter((_value, i) => i % each === 0) as unknown[];
    };
  if (from === undefined) throw new UsageError(`${shown}: expected an index, a name in quotes or *, found [${part}]`);
  return (value) => (Array.isArray(value) ? (value as unknown[]).slice(Number(from)).slice(0, 1) : []);
}

const compared: Record<string, (a: unknown, b: unknown) => boolean> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => (a as number) < (b as number),
  '>': (a, b) => (a as number) > (b as number),
  '<=': (a, b) => (a as number) <= (b as number),
  '>=': (a, b) => (a as number) >= (b as number),
};

/** `@.a=="b"`, or `@.a`: whether there is one. */
function testOf(filter: string, shown: string): (value: unknown) => boolean {
  const [, left = '', how, right = ''] = /^(.*?)\s*(?:(==|!=|<=|>=|<|>)\s*(.*))?$/s.exec(filter.trim()) ?? [];
  const find = jsonPath(left);
  if (how === undefined) return (value) => find(value).length > 0;
  const literal = /^(?:'([^']*)'|"([^"]*)"|(-?\d+(?:\.\d+)?|true|false))$/.exec(right.trim());
  if (!literal) throw new UsageError(`${shown}: expected text in quotes, a number, true or false after ${how}`);
  const other: unknown = literal[3] === undefined ? (literal[1] ?? literal[2]) : JSON.parse(literal[3]);
  return (value) => find(value).some((one) => compared[how]!(one, other));
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const children = (value: unknown): unknown[] => (isObject(value) ? Object.values(value) : []);
const everything = (value: unknown): unknown[] => [value, ...children(value).flatMap(everything)];

const inside =
  (name: string) =>
  (value: unknown): unknown[] =>
    isObject(value) && Object.hasOwn(value, name) && value[name] !== undefined ? [value[name]] : [];

/** As kubectl prints a value: text as it is, all else as JSON. */
export const shown = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
