import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

import { options } from '../infra/aws/bundle/options.mjs';
import { lean } from '../infra/aws/bundle/plugin.mjs';

const folder = mkdtempSync(join(tmpdir(), 'wukong-bench-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

/** A program as the packager makes one for Lambda: minified, without what the functions never come to. */
export async function bundle(entry: string): Promise<string> {
  const outfile = join(folder, `${basename(entry, '.ts')}.mjs`);
  const entryPoints = [fileURLToPath(new URL(`../${entry}`, import.meta.url))];
  await build({ ...options, entryPoints, outfile, plugins: [lean], logLevel: 'error' });
  return outfile;
}
