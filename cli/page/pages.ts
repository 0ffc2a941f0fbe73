import { readFile, stat, writeFile } from 'node:fs/promises';

import { dayMs } from '../../shared/time/zone.ts';
import { exitCodes, type Io, UsageError } from '../command.ts';
import type { Manifests } from '../commands/manifest.ts';
import { renderPage } from './document.ts';
import { type Asked, type PageModel, pageModel } from './model.ts';
import { generator } from './shell.ts';
import { sourcesOf } from './sources.ts';
import { count } from './words.ts';

/** More could be drawn, but nobody could read it. */
const mostDays = 93;

/** The page of a plan, from whatever manifests were read. */
export const planPage = (manifests: Manifests, asked: Asked): string =>
  renderPage(pageModel('plan', sourcesOf(manifests), asked));

/** `wukong plan --markup`. Answers the exit code. @throws UsageError as writePage. */
export const writePlanPage = (file: string, manifests: Manifests, asked: Asked, io: Io): Promise<number> =>
  writePage(file, () => pageModel('plan', sourcesOf(manifests), asked), asked, io);

/**
 * Writes a page, `-` to standard output, and says on standard error what is in it and what could not be read. Answers
 * the exit code. @throws UsageError when the period is too long, or the file cannot be written.
 */
export async function writePage(file: string, make: () => PageModel, { from, to }: Asked, io: Io): Promise<number> {
  if (to - from > mostDays * dayMs)
    throw new UsageError(`--html: expected at most ${mostDays} days from --from to --to`);
  if (!(await mayBeWritten(file)))
    throw new UsageError(`--html ${file}: is there already and is no page of wukong; remove it, or name another file`);
  const model = make();
  const text = renderPage(model);
  try {
    if (file === '-') io.out(text);
    else await writeFile(file, text);
  } catch (wrong) {
    const code = (wrong as NodeJS.ErrnoException).code;
    if (code === undefined) throw wrong;
    throw new UsageError(`--html ${file}: cannot be written (${code})`, { cause: wrong });
  }
  tellProblems(model, io);
  const rows = model.groups.reduce((n, group) => n + group.rows.length, 0);
  const what = model.saved.machines > 0 ? count(rows, 'VM') : count(rows, 'schedule');
  if (file !== '-') io.err(`${file}: ${what}, ${Math.round(text.length / 1024)} KB\n`);
  return model.problems.length > 0 ? exitCodes.failed : exitCodes.done;
}

/** A page of ours is written anew, an empty file or a pipe too; what somebody else has there is left alone. */
async function mayBeWritten(file: string): Promise<boolean> {
  const there = file === '-' ? undefined : await stat(file).catch(() => undefined);
  if (!there?.isFile() || there.size === 0) return true;
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.startsWith('<!doctype html>') && text.includes(`<meta name="generator" content="${generator}" />`);
}

export function tellProblems({ problems, notes }: Pick<PageModel, 'problems' | 'notes'>, io: Io): void {
  for (const text of notes) io.err(`note: ${text}\n`);
  for (const text of problems) io.err(`error: ${text}\n`);
}
