import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the packager puts the template and the bundles. */
const out = '.serverless';

/** Runs the packager as `npm run package` does, without credentials. Before the first test. */
export function setup(): void {
  packageService([]);
}

/** @throws an Error with what it printed, when it refused. */
export function packageService(options: string[]): void {
  const { AWS_PROFILE: _none, AWS_ACCESS_KEY_ID: _no, ...env } = process.env;
  const packager = 'infra/aws/node_modules/osls/bin/serverless.js';
  const done = spawnSync(process.execPath, [packager, 'package', ...options], {
    env,
    encoding: 'utf8',
    timeout: 120_000,
  });
  if (done.status !== 0) throw new Error(`${done.stdout}${done.stderr}${done.error?.message ?? ''}`);
}

export interface Resource {
  Type: string;
  Properties: Record<string, unknown>;
}

export const template = (): { Resources: Record<string, Resource> } =>
  JSON.parse(readFileSync(join(out, 'cloudformation-template-update-stack.json'), 'utf8'));

export const resource = (id: string): Record<string, unknown> => {
  const found = template().Resources[id];
  if (!found) throw new Error(`there is no ${id} in the template`);
  return found.Properties;
};

/** Unpacks a function's bundle into a folder and returns that. */
export function unpack(name: string, into: string): string {
  const folder = join(into, name);
  mkdirSync(folder, { recursive: true });
  execFileSync('python3', ['-m', 'zipfile', '-e', join(out, `${name}.zip`), folder]);
  return folder;
}
