// Installs what a fresh clone lacks, so that each npm script works alone. Runs on any Node from 20 on, without packages.
//   node infra/setup.mjs [FOLDER]   FOLDER: a package beside the main one that is wanted too (infra/lint)
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const top = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Runs `npm ci` in `folder` unless its node_modules was made from the very lock file that is there now. */
function install(folder) {
  const lock = readFileSync(join(folder, 'package-lock.json'), 'utf8');
  const mark = join(folder, 'node_modules', '.installed-from');
  if (existsSync(mark) && readFileSync(mark, 'utf8') === lock) return;
  process.stderr.write(`Installing packages${folder === top ? '' : ` in ${folder.slice(top.length + 1)}`} (once) …\n`);
  // npm's words go to standard error: standard output belongs to the script that comes next.
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { NODE_ENV: _production, ...env } = process.env; // NODE_ENV=production would leave the tools out
  const done = spawnSync(npm, ['ci', '--include=dev', '--loglevel=error'], {
    cwd: folder,
    env,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (done.status !== 0) process.exit(done.status ?? 1);
  writeFileSync(mark, lock);
}

install(top);
for (const folder of process.argv.slice(2)) install(join(top, folder));
