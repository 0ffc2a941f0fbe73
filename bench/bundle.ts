import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build, type Plugin } from 'esbuild';

// The plugin is plain JavaScript, as the packager loads it.
const { lean } = (await import(new URL('../infra/aws/bundle/plugin.mjs', import.meta.url).href)) as { lean: Plugin };

const folder = mkdtempSync(join(tmpdir(), 'wukong-bench-'));

export interface Bundled {
  file: string;
  kilobytes: number;
}

/** One file as the packager makes it for Lambda: minified, without what the functions never come to. */
export async function bundle(entry: string | { contents: string; name: string }, slim = true): Promise<Bundled> {
  const name = typeof entry === 'string' ? basename(entry, '.ts') : entry.name;
  const file = join(folder, `${name}.mjs`);
  const top = fileURLToPath(new URL('..', import.meta.url));
  const made = await build({
    ...(typeof entry === 'string'
      ? { entryPoints: [join(top, entry)] }
      : { stdin: { contents: entry.contents, resolveDir: top, loader: 'ts' as const } }),
    outfile: file,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    plugins: slim ? [lean] : [],
    banner: {
      js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
    },
    metafile: true,
    logLevel: 'error',
  });
  const bytes = Object.values(made.metafile.outputs)[0]?.bytes ?? 0;
  return { file, kilobytes: bytes / 1024 };
}
