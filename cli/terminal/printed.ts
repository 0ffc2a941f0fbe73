import { readFileSync } from 'node:fs';

import { type Option, type Options, UsageError, type Values } from '../command.ts';
import { columns, dump, text } from './columns.ts';
import { jsonPath, shown } from './jsonPath.ts';
import { template } from './template.ts';

/** The forms of kubectl's -o, beside those that a command has itself. */
export const templateForms = ['jsonpath=', 'jsonpath-file=', 'custom-columns=', 'custom-columns-file='] as const;

export const tableOptions: Options = {
  'no-headers': { type: 'boolean', about: 'leaves the headings out' },
  'sort-by': { type: 'string', value: 'JSONPATH', about: 'in the order of a field of what -o json prints: .name' },
};

/** -o, of a command that prints in these forms. */
export const outputOption = (choices: readonly string[], about: string): Option => ({
  type: 'string',
  short: 'o',
  choices,
  value: 'FORM',
  about,
});

const lineForms = ['json', 'yaml', ...templateForms] as const;

/** Of commands that show people something of their own, and programs an object a line. */
export const lineOptions: Options = {
  json: { type: 'boolean', about: 'the same as -o json' },
  output: outputOption(lineForms, `json: an object a line; or as in wukong state: ${lineForms.slice(1).join(', ')}`),
  ...tableOptions,
};

export interface Printing {
  /** What is asked for with -o; `template` where that names a template. */
  format: string | undefined;
  headers: boolean;
  sorted<T>(items: T[]): T[];
  /** Of what -o json prints, and of its items. */
  template?: (whole: unknown, items: unknown[]) => string;
}

/** -o, --no-headers and --sort-by, before anything is asked of a cluster. @throws UsageError */
export function printingOf(values: Values): Printing {
  const output = values.output as string | undefined;
  const headers = values['no-headers'] !== true;
  const by = values['sort-by'] as string | undefined;
  const sorted = by === undefined ? <T>(items: T[]) => items : inOrderOf(by);
  const [, kind, file, given = ''] = /^(jsonpath|custom-columns)(-file)?=(.*)$/s.exec(output ?? '') ?? [];
  if (kind === undefined) return { format: output, headers, sorted };
  const written = file === undefined ? given : read(given);
  if (kind === 'jsonpath') {
    const fill = template(written);
    return { format: 'template', headers, sorted, template: (whole) => fill(whole) };
  }
  return { format: 'template', headers, sorted, template: customColumns(written, headers) };
}

/** How lineOptions ask for objects; undefined where people are shown something. @throws UsageError */
export function linesOf(values: Values): ((items: object[]) => string) | undefined {
  const { json, html, output } = values;
  const printing = printingOf(values);
  if (html !== undefined && (json === true || output !== undefined))
    throw new UsageError(`expected either --html or ${json === true ? '--json' : '-o'}, not both`);
  if (json === true && output !== undefined && output !== 'json')
    throw new UsageError('expected either --json or -o, not both');
  if (json === true || output !== undefined) return (items) => inLines(printing.sorted(items), printing);
  for (const option of ['sort-by', 'no-headers'])
    if (values[option] !== undefined && values[option] !== false) throw new UsageError(`--${option}: expected with -o`);
  return undefined;
}

/** Objects as -o asks: json is one a line. */
export function inLines(items: object[], { format, template }: Printing): string {
  if (template) return template({ items }, items);
  return format === 'yaml' ? dump(format, { items }) : text(items.map((item) => JSON.stringify(item)));
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8').trimEnd();
  } catch (cause) {
    throw new UsageError(`--output: ${file} cannot be read (${(cause as NodeJS.ErrnoException).code})`, { cause });
  }
}

/** `{.a.b}`, `.a.b` and `a.b` are the same path, as kubectl has it for columns and orders. */
const relaxed = (path: string): string => {
  const bare = /^\{(.*)\}$/s.exec(path.trim())?.[1] ?? path.trim();
  return /^[.[$@]/.test(bare) ? bare : `.${bare}`;
};

function inOrderOf(by: string) {
  const find = jsonPath(relaxed(by));
  return <T>(items: T[]): T[] => {
    const keyed = items.map((item) => ({ item, key: find(item)[0] }));
    return keyed.toSorted((a, b) => order(a.key, b.key)).map(({ item }) => item);
  };
}

/** Numbers as numbers, all else as text; what is not there comes first. */
function order(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  return shown(a).localeCompare(shown(b), 'en', { numeric: true });
}

/** `NAME:.name,STATE:.state`; a file has the headings in one line and the paths in the next. */
function customColumns(written: string, headers: boolean): (whole: unknown, items: unknown[]) => string {
  const [head = '', paths] = written.split('\n').map((line) => line.trim().split(/\s+/));
  const pairs = paths
    ? paths.map((path, i) => [head[i] ?? '', path])
    : written.split(/,(?![^[]*\])/).map((one) => /^([^:]*):(.*)$/s.exec(one)?.slice(1) ?? [one]);
  for (const [name = '', path = ''] of pairs)
    if (name === '' || path === '')
      throw new UsageError(`--output custom-columns: expected HEADING:PATH, such as NAME:.name,STATE:.state`);
  const finds = pairs.map(([, path = '']) => jsonPath(relaxed(path)));
  return (_whole, items) => {
    const rows = items.map((item) => finds.map((find) => find(item).map(shown).join(',') || '<none>'));
    const lines = columns(
      pairs.map(([name = '']) => name),
      rows,
    );
    return text(headers ? lines : lines.slice(1));
  };
}
