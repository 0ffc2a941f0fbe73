#!/usr/bin/env node
// The `wukong` command, from a clone and as an installed package. Runs on any Node from 20 on. Where that is the Node
// which the program needs, the program runs in this very process, so that signals and exit codes are its own; else this
// file starts itself again with the Node of the npm package `node`.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import module, { createRequire } from 'node:module';
import { constants, homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { launchedBy, launcher } from './endWithParent.mjs';

const itself = fileURLToPath(import.meta.url);
const top = join(dirname(itself), '..');
const sources = join(top, 'cli', 'main.ts');
const isClone = existsSync(sources);
const needed = 24;
// By this name kubectl asks a plugin what may be typed next.
if (/^kubectl_complete-wukong(\.\w+)?$/.test(basename(process.argv[1] ?? ''))) process.argv.splice(2, 0, '__complete');

function installOnce() {
  if (!isClone || existsSync(join(top, 'node_modules', '.package-lock.json'))) return;
  const setup = spawnSync(process.execPath, [join(top, 'infra', 'setup.mjs')], { stdio: 'inherit' });
  if (setup.status !== 0) process.exit(setup.status ?? 1);
}

/** The program of the package `node`; undefined where it was left out, or its install script was. */
function packagedNode() {
  try {
    const folder = dirname(createRequire(itself).resolve('node/package.json'));
    const file = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    return existsSync(file) ? file : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Keeps what Node makes of the sources, which halves the start. In the user's own cache: nobody else writes there.
 * Node writes it when a process ends: a first command that waits for VMs does so meanwhile, and ends at once.
 */
function keepCompiled() {
  const caches = process.env.XDG_CACHE_HOME || (process.env.HOME && join(homedir(), '.cache'));
  if (!caches) return;
  module.enableCompileCache?.(join(caches, 'wukong-lifecycle'));
  setTimeout(() => module.flushCompileCache?.(), 2_000).unref();
}

async function runHere() {
  keepCompiled();
  const { runProcess } = await import(pathToFileURL(isClone ? sources : join(top, 'dist', 'cli', 'main.js')).href);
  await runProcess();
}

function runWith(node) {
  const env = { ...process.env, [launchedBy]: String(process.pid) };
  const child = spawn(node, [itself, ...process.argv.slice(2)], { stdio: 'inherit', env });
  // Not SIGHUP: to listen for it would undo `nohup`, and the child sees when this process has gone.
  const signals = ['SIGINT', 'SIGTERM'];
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`wukong: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    for (const each of signals) process.removeAllListeners(each);
    process.kill(process.pid, signal);
    // A signal that has no effect here leaves the code that a shell would give.
    setTimeout(() => process.exit(128 + (constants.signals[signal] ?? 0)), 1000);
  });
}

installOnce();
if (Number.parseInt(process.versions.node, 10) >= needed) await runHere();
else {
  const node = launcher === undefined ? packagedNode() : undefined;
  if (node) runWith(node);
  else {
    process.stderr.write(
      `wukong: needs Node ${needed} or newer, and this is ${process.versions.node}. Install Node ${needed}, or install wukong with its optional package "node" and that package's install script.\n`,
    );
    process.exitCode = 1;
  }
}
