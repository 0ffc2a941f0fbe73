import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';

import { UsageError } from '../command.ts';

export interface ManifestText {
  from: string;
  text: string;
}

const extensions = ['.json', '.yaml', '.yml'];

/**
 * What a file holds, or as kubectl reads it each manifest of a directory; `-` is standard input.
 * @throws UsageError where there is nothing that can be read.
 */
export async function manifestTexts(file: string, option: string): Promise<ManifestText[]> {
  if (/^https?:\/\//.test(file))
    throw new UsageError(`--${option} ${file}: is an address, and files are read here; pipe it in, with --${option} -`);
  try {
    if (file === '-') return [{ from: file, text: await readAll(process.stdin) }];
    const files = (await stat(file)).isDirectory() ? await manifestsOf(file, option) : [file];
    return await Promise.all(files.map(async (from) => ({ from, text: await readFile(from, 'utf8') })));
  } catch (wrong) {
    if (wrong instanceof UsageError) throw wrong;
    throw new UsageError(
      `--${option} ${file}: cannot be read (${(wrong as NodeJS.ErrnoException).code ?? 'unknown'})`,
      { cause: wrong },
    );
  }
}

async function manifestsOf(folder: string, option: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const manifests = entries.filter((entry) => !entry.isDirectory() && extensions.includes(extname(entry.name)));
  if (manifests.length === 0)
    throw new UsageError(`--${option} ${folder}: expected files that end in ${extensions.join(', ')}, found none`);
  return manifests.map(({ name }) => join(folder, name)).toSorted();
}

/** The documents that hold anything; the loader takes neither an empty one nor several of which one is empty. */
export function documents(text: string): { body: string; line: number }[] {
  let line = 1;
  const found: { body: string; line: number }[] = [];
  for (const body of text.replace(/^\uFEFF/, '').split(/^---(?=\s|$)/m)) {
    if (body.split('\n').some((each) => !/^\s*(#.*|\.\.\.\s*)?$/.test(each))) found.push({ body, line });
    line += body.split('\n').length - 1;
  }
  return found;
}
