import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the package is installed, globally. */
    prefix: string;
    /** The search path of somebody who has not been in this project. */
    path: string;
    /** A Node on that path that is older than what the program needs, if there is one. */
    oldNode: string | undefined;
  }
}

const major = (node: string): number =>
  Number(execFileSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }).split('.')[0]);

/** Packs this project and installs the package as people do, into a folder with a space in its name. */
export function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'wukong package ü-'));
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((one) => !one.includes('node_modules'));
  const path = folders.join(delimiter);
  const npm = (...args: string[]) =>
    execFileSync('npm', [...args, '--loglevel=error'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const packed = npm('pack', '--pack-destination', folder).trim().split('\n').at(-1) ?? '';
  const prefix = join(folder, 'pre fix');
  npm('install', '--global', '--prefix', prefix, join(folder, packed));
  const nodes = folders.map((one) => join(one, 'node')).filter((one) => existsSync(one));
  project.provide('prefix', prefix);
  project.provide('path', path);
  project.provide(
    'oldNode',
    nodes.slice(0, 1).find((node) => major(node) < 24),
  );
  return () => rmSync(folder, { recursive: true });
}
