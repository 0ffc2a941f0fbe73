import { writeFile } from 'node:fs/promises';

import { UsageError } from '../command.ts';
import type { Manifests } from '../manifest.ts';
import { renderPage } from './document.ts';
import { type Asked, pageModel } from './model.ts';
import { sourcesOf } from './sources.ts';

/** More can be drawn, but nobody could read it. */
export const longestPageMs = 93 * 86_400_000;

/** `wukong plan --html`: the page of a plan, from whatever manifests were read. */
export const planPage = (manifests: Manifests, asked: Asked): string =>
  renderPage(pageModel('plan', sourcesOf(manifests), asked));

/** @throws UsageError when the period is too long, or the file cannot be written. */
export async function writePage(file: string, make: () => string, { from, to }: Asked): Promise<void> {
  if (to - from > longestPageMs) throw new UsageError('--html: expected at most 93 days from --from to --to');
  try {
    await writeFile(file, make());
  } catch (wrong) {
    const code = (wrong as NodeJS.ErrnoException).code;
    if (code === undefined) throw wrong;
    throw new UsageError(`--html ${file}: cannot be written (${code})`, { cause: wrong });
  }
}
