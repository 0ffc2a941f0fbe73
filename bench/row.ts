export interface Row {
  name: string;
  vms?: number;
  value: number;
  unit: string;
  rival?: string;
  rivalValue?: number;
  /** Ours through the rival's: below 1 is better, for times and costs. */
  ratio?: number;
}

const round = (value: number, digits: number) => Math.round(value * 10 ** digits) / 10 ** digits;

/** Three digits behind the point below ten, one above: more is noise. */
const sensible = (value: number): number => round(value, value < 10 ? 2 : 1);

export function row(name: string, value: number, unit: string, more: Partial<Row> = {}): Row {
  const { rivalValue } = more;
  return {
    name,
    ...more,
    value: sensible(value),
    unit,
    ...(rivalValue === undefined ? {} : { rivalValue: sensible(rivalValue), ratio: round(value / rivalValue, 3) }),
  };
}

const columns = ['name', 'vms', 'value', 'unit', 'rival', 'rivalValue', 'ratio'] as const;
const isNumber = (column: (typeof columns)[number]) => ['vms', 'value', 'rivalValue', 'ratio'].includes(column);

export function table(rows: Row[]): string {
  const cells = rows.map((one) => columns.map((column) => String(one[column] ?? '')));
  const widths = columns.map((column, i) => Math.max(column.length, ...cells.map((line) => line[i]?.length ?? 0)));
  const line = (parts: readonly string[]) =>
    parts
      .map((part, i) => (isNumber(columns[i]!) ? part.padStart(widths[i] ?? 0) : part.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return [line(columns), ...cells.map(line)].join('\n');
}

/** The same for docs/bench.md. */
export function markdown(rows: Row[]): string {
  const line = (one: Row) => `| ${columns.map((column) => String(one[column] ?? '')).join(' | ')} |`;
  const rule = columns.map((column) => (isNumber(column) ? '---:' : '---'));
  return [`| ${columns.join(' | ')} |`, `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n');
}
