import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

import { options } from './options.mjs';
import { lean } from './plugin.mjs';

const top = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * A program as the packager makes one for Lambda: minified, and without what the functions never come to, unless it is
 * wanted whole. Returns its file, in a folder that goes with this process.
 * @param what A file of the project, from its top, or code.
 */
export async function bundle(what: { file: string } | { code: string }, { whole = false } = {}): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'wukong-bundle-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const names = { outdir: folder, entryNames: 'bundle', outExtension: { '.js': '.mjs' } };
  const from =
    'file' in what
      ? { entryPoints: [join(top, what.file)] }
      : { stdin: { contents: what.code, resolveDir: top, sourcefile: 'code.ts' } };
  await build({ ...options, ...from, ...names, plugins: whole ? [] : [lean], logLevel: 'error' });
  return join(folder, 'bundle.mjs');
}
