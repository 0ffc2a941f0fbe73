import { globSync, readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

const files = globSync('{cli,shared,functions,sim,infra,bench,test}/**/*.{ts,mjs,js}').filter(
  (file) => !file.includes('node_modules') && !file.endsWith('paths.test.ts'),
);
/** What is written in `text` that breaks where the folder's name has a space, an umlaut or a percent sign. */
const mistakesIn = (text: string): string[] => [
  // The pathname of a file URL is encoded: `My%20Projects`.
  ...(/import\.meta\.(url|resolve)|pathToFileURL/.test(text) ? (text.match(/\bpathname\b/g) ?? []) : []),
  // A URL put together from a path is not encoded.
  ...(text.match(/['"`]file:\/\/(\/?\$\{|['"`] *\+)/g) ?? []),
  // import() takes a URL: a path with a percent sign in it is another one. A name of a module stays what it is.
  ...(text.match(/\bimport\((?!['"]|.*pathToFileURL\(|module\))[^)]*\)/g) ?? []),
];

describe('a folder with a space, an umlaut or a percent sign in its name', () => {
  it('is no trouble to any file of the project', () => {
    expect(files.length).toBeGreaterThan(300);
    expect(files.flatMap((file) => mistakesIn(readFileSync(file, 'utf8')).map((one) => `${file}: ${one}`))).toEqual([]);
  });

  it.each([
    "const root = new URL('../../', import.meta.url).pathname;",
    'const { pathname } = new URL(import.meta.url);',
    "const there = new URL(import.meta.resolve('x'));\nread(there.pathname);",
    'await import(`file://${file}`);',
    "spawn(node, ['--import', 'file://' + file]);",
    'await import(join(folder, "x.ts"));',
  ])('would be to %j', (line) => expect(mistakesIn(line)).not.toEqual([]));

  it.each([
    "readFileSync(new URL('../package.json', import.meta.url));",
    'const file = fileURLToPath(import.meta.url);',
    'await import(pathToFileURL(file).href);',
    'const { pathname } = new URL(request.url, origin);',
  ])('is none to %j', (line) => expect(mistakesIn(line)).toEqual([]));
});
