import { execFileSync } from 'node:child_process';
import { mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const commit = '531834d'; // the last of version 0.1.0 as it was first told of
const top = join(import.meta.dirname, '../..');

/** A new folder with the files of version 0.1.0, out of the history of this repository; whoever asks for it takes it away. */
export function outOfHistory(): string {
  const folder = mkdtempSync(join(tmpdir(), 'version-0.1.0-'));
  const parts = ['shared', 'functions', 'infra/crds', 'package.json'];
  const input = execFileSync('git', ['archive', commit, ...parts], { cwd: top, maxBuffer: 2 ** 28 });
  execFileSync('tar', ['-x', '-C', folder], { input });
  symlinkSync(join(top, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}
