import { readFileSync } from 'node:fs';

import { describe, expect, it, vi } from 'vitest';

import { type Block, blocksOf, commandLanguages, isCommands, pages, shownLines } from './blocks.ts';
import { type Exception, exceptions } from './exceptions.ts';
import { all, walk, type Walked } from './walk.ts';

vi.setConfig({ testTimeout: all ? 240_000 : 60_000 });

const blocks = pages.flatMap(blocksOf);
const isExcepted = (block: Block) => exceptions.some((exception) => meets(exception, block));
const meets = ({ page, first }: Exception, block: Block) =>
  isCommands(block) && block.page === page && block.lines[0]!.startsWith(first);

/** A page, from one scene to the next. */
const walks = pages.flatMap((page) => {
  const parts: Block[][] = [[]];
  for (const block of blocksOf(page)) {
    if (isExcepted(block)) continue;
    if (block.scene !== undefined) parts.push([]);
    parts.at(-1)!.push(block);
  }
  return parts
    .filter((part) => part.some(isCommands))
    .map((part) => ({ page, line: part.find(isCommands)!.line, part }));
});

/** Figures, and what the page leaves out, are another time's. */
const worded = (line: string) => line.replace(/\d+/g, '0').replace(/ +/g, ' ').trimEnd();

function saidBeside(block: Block, walked: Walked[]): void {
  const said = walked.filter((one) => one.block === block).map(({ out, err }) => out + err);
  for (const line of shownLines(block)) expect(worded(said.join(''))).toContain(worded(line));
}

describe('a command block of README and docs', () => {
  it.each(walks)('of $page from line $line on does what it says', async ({ part }) => {
    const { done, walked } = await walk(part);
    expect(done.code, `${JSON.stringify(walked.at(-1)?.words)}\n${done.err}\n${done.out}`).toBe(0);
    for (const block of part) if (block.language === 'console') saidBeside(block, walked);
  });

  it('is told from other text by the language of its fence', () => {
    expect(blocks.filter(({ language }) => language === '').map(({ page, line }) => `${page}:${line}`)).toEqual([]);
    const others = blocks.filter((block) => !isCommands(block) && block.page !== 'docs/cli.md');
    const commands = /^(\$ |npx |npm |wukong |kubectl |helm |aws |docker )/;
    expect(others.filter(({ lines }) => lines.some((line) => commands.test(line)))).toEqual([]);
    for (const page of pages)
      expect([page, readFileSync(page, 'utf8').match(/^\n {4,}\$? ?(npx|npm|wukong|kubectl|helm)\b.*/gm)]).toEqual([
        page,
        null,
      ]);
    expect(commandLanguages).toEqual(['sh', 'console']);
  });

  it.each(exceptions)('is not run: $page, $first ($reason)', (exception) => {
    expect(blocks.filter((block) => meets(exception, block))).toHaveLength(1);
  });
});
