import { commonOptions, type Options } from '../command.ts';

export interface HelpParts {
  /** One line each, without `wukong`. */
  usage: string[];
  /** Paragraphs. */
  about?: string;
  options: Options;
  examples?: string[];
  exit?: string;
}

const width = 100;

/** The help text of a command, laid out from its parts. */
export function helpOf({ usage, about, options, examples = [], exit }: HelpParts): string {
  const [first = '', ...more] = usage;
  const head = [`Usage: wukong ${first}`, ...more.map((line) => `       wukong ${line}`)];
  const rows = Object.entries({ ...options, ...commonOptions }).map(([name, option]) => {
    const value = option.type === 'string' ? ` ${option.value ?? option.choices?.join('|') ?? 'TEXT'}` : '';
    return [`${option.short ? `-${option.short}, ` : '    '}--${name}${value}`, option.about ?? ''] as const;
  });
  const left = Math.max(...rows.map(([flag]) => flag.length)) + 2;
  const lines = rows.flatMap(([flag, text]) =>
    wrap(text, width - left - 2).map((line, i) => `  ${(i === 0 ? flag : '').padEnd(left)}${line}`.trimEnd()),
  );
  const parts = [head.join('\n')];
  if (about)
    parts.push(...about.split('\n\n').map((paragraph) => wrap(paragraph.replaceAll('\n', ' '), width).join('\n')));
  parts.push(lines.join('\n'));
  if (examples.length > 0) parts.push(['Examples:', ...examples.map((line) => `  ${line}`)].join('\n'));
  if (exit) parts.push(wrap(`Exit code: ${exit}`, width).join('\n'));
  return `${parts.join('\n\n')}\n`;
}

/** Lines of at most `most` characters, broken at blanks. */
export function wrap(text: string, most: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= most) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
