// Installs what a fresh clone lacks, so that each npm script works alone. Runs on any Node from 20 on, without packages.
//   node infra/setup.mjs [FOLDER]   FOLDER: a package beside the main one that is wanted too (infra/lint)
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const top = join(dirname(fileURLToPath(import.meta.url)), '..');

const packagesOf = (lock) => (existsSync(lock) ? (JSON.parse(readFileSync(lock, 'utf8')).packages ?? {}) : {});

/**
 * Whether the node_modules of `folder` holds what its lock file asks for, whoever installed it: npm keeps a list of what
 * it has put there. A package for another platform may be missing.
 */
function isInstalled(folder) {
  const installed = packagesOf(join(folder, 'node_modules', '.package-lock.json'));
  return Object.entries(packagesOf(join(folder, 'package-lock.json'))).every(
    ([path, { version, integrity, optional }]) => {
      if (path === '') return true;
      const found = installed[path];
      return found ? found.version === version && found.integrity === integrity : optional === true;
    },
  );
}

/** The program runs on Node 24. The package `node` brings it where the machine's own is older. */
function hasNode() {
  const file = join(top, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  return Number.parseInt(process.versions.node, 10) >= 24 || existsSync(file);
}

/** Runs `npm ci` in `folder` unless all of it is there. */
function install(folder) {
  if (isInstalled(folder) && (folder !== top || hasNode())) return;
  process.stderr.write(`Installing packages${folder === top ? '' : ` in ${folder.slice(top.length + 1)}`} (once) …\n`);
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { NODE_ENV: _production, ...env } = process.env; // NODE_ENV=production would leave the tools out
  const whole = ['--include=dev', '--include=optional', '--ignore-scripts=false'];
  const done = spawnSync(npm, ['ci', ...whole, '--loglevel=error'], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    shell: process.platform === 'win32',
  });
  // npm's words go to standard error: standard output belongs to the script that comes next.
  const words = `${done.stdout ?? ''}${done.stderr ?? ''}`;
  if (done.status !== 0) process.stderr.write(`${whatToDo(done.error, words)}\n`);
  process.stderr.write(words);
  if (done.status !== 0) process.exit(done.status || 1);
  if (folder !== top || hasNode()) return;
  process.stderr.write(
    `The npm package "node", which brings Node 24, could not be installed, and this is Node ${process.versions.node}. Install Node 24 or newer and try again.\n`,
  );
  process.exit(1);
}

/** One sentence before npm's own words, which fill a screen. */
function whatToDo(error, words) {
  if (error?.code === 'ENOENT') return 'npm is not there: install Node 20 or newer with npm, then run this again.';
  if (/ENOTFOUND|EAI_AGAIN|ECONN|ENETUNREACH|EHOSTUNREACH|TIMEDOUT|TIMEOUT|FETCH_ERROR|CERT/.test(words))
    return 'The packages could not be fetched: connect to a network that reaches the npm registry (or set its proxy or registry in npm), then run this again. npm says:';
  return 'The packages could not be installed: mend what npm names below, then run this again. npm says:';
}

install(top);
for (const folder of process.argv.slice(2)) install(join(top, folder));
