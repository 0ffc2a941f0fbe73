import { readdirSync, readFileSync } from 'node:fs';

/** A fenced block of a page, and what the hidden comments above it say to the test. */
export interface Block {
  page: string;
  /** Of its fence, from 1. */
  line: number;
  language: string;
  lines: string[];
  /** `<!-- scene: … -->`: from here on another cluster, with this in it. */
  scene?: string;
  /** `<!-- file: … -->`: the block is that file for the commands after it. */
  file?: string;
}

/** Languages of commands: `console` has `$` before each, and below it what it prints. */
export const commandLanguages = ['sh', 'console'];

/** README and docs/: what is said to the people who install and use this. */
export const pages = [
  'README.md',
  ...readdirSync('docs')
    .filter(isPage)
    .map((name) => `docs/${name}`),
];
function isPage(name: string): boolean {
  return name.endsWith('.md');
}

export const isCommands = ({ language }: Block): boolean => commandLanguages.includes(language);

export function blocksOf(page: string): Block[] {
  const found: Block[] = [];
  let said: Pick<Block, 'scene' | 'file'> = {};
  let open: { block: Block; indent: string } | undefined;
  for (const [at, line] of readFileSync(page, 'utf8').split('\n').entries()) {
    const fence = /^( *)```(.*)$/.exec(line);
    const comment = /^ *<!-- (scene|file): (.*) -->$/.exec(line);
    if (open && fence) open = void found.push(open.block);
    else if (open) open.block.lines.push(line.startsWith(open.indent) ? line.slice(open.indent.length) : line);
    else if (comment) said = { ...said, [comment[1]!]: comment[2] };
    else if (fence) {
      open = { block: { page, line: at + 1, language: fence[2]!, lines: [], ...said }, indent: fence[1]! };
      said = {};
    }
  }
  return found;
}

/** Lines of a block that are typed: a comment is none, and what a command prints is none. */
export const typedLines = ({ language, lines }: Block): string[] =>
  language === 'console' ? lines.filter((line) => line.startsWith('$ ')).map((line) => line.slice(2)) : lines;

export const shownLines = ({ lines }: Block): string[] => lines.filter((line) => !line.startsWith('$ '));
