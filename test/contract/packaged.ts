import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { build } from 'esbuild';

import { options } from '../../infra/aws/bundle/options.mjs';
import { lean } from '../../infra/aws/bundle/plugin.mjs';

/** The address of a module with the functions: minified, and without what they never come to. It goes with this process. */
export async function packaged(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'wukong-contract-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const outfile = join(folder, 'functions.mjs');
  const entryPoints = [fileURLToPath(new URL('functions.ts', import.meta.url))];
  await build({ ...options, entryPoints, outfile, plugins: [lean], logLevel: 'error' });
  return pathToFileURL(outfile).href;
}
