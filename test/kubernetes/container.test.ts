import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type Sim, startSim } from '../../sim/sim.ts';

const lines = readFileSync('infra/container/Dockerfile', 'utf8')
  .split('\n')
  .map((line) => line.trim());
const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
const entry = JSON.parse(
  last.find((line) => line.startsWith('ENTRYPOINT'))?.slice('ENTRYPOINT'.length) ?? '[]',
) as string[];
const copies = last.filter((line) => /^COPY (?!--from)/.test(line)).map((line) => line.split(/\s+/).slice(1));

/** A folder as the image's last stage would have it: the files it copies, and the packages that are not for development. */
function assemble(): string {
  const app = mkdtempSync(join(tmpdir(), 'wukong-image-'));
  for (const [from = '', to = ''] of copies)
    cpSync(from, join(app, to.endsWith('/') ? join(to, from) : to), { recursive: true });
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, { dev?: boolean; devOptional?: boolean }>;
  };
  for (const [path, { dev, devOptional }] of Object.entries(lock.packages)) {
    if (!/^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) || dev || devOptional || !existsSync(path)) continue;
    mkdirSync(join(app, dirname(path)), { recursive: true });
    symlinkSync(join(process.cwd(), path), join(app, path), 'dir');
  }
  return app;
}

describe('the image', () => {
  let app: string;
  let sim: Sim;
  beforeAll(async () => {
    app = assemble();
    sim = await startSim();
    writeFileSync(join(app, 'kubeconfig'), sim.kubeconfig());
  });
  afterAll(async () => {
    rmSync(app, { recursive: true, force: true });
    await sim.close();
  });
  const start = async (...args: string[]) => {
    const program = join(app, relative('/app', entry[1] ?? ''));
    const env = { PATH: '', KUBECONFIG: join(app, 'kubeconfig'), NODE_ENV: 'production' };
    return promisify(execFile)(process.execPath, [program, ...args], { cwd: app, env });
  };

  it('copies only what is there, and what .dockerignore lets in', () => {
    const let_in = readFileSync('.dockerignore', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'));
    for (const [from = ''] of copies) {
      expect(existsSync(from), from).toBe(true);
      expect(
        let_in.some((line) => `${from}/`.startsWith(`${line.slice(1)}/`)),
        from,
      ).toBe(true);
    }
  });

  it('runs as nobody, on exact versions, with the Node that the project uses', () => {
    expect(last).toContain('USER 65532:65532');
    const node = (JSON.parse(readFileSync('package.json', 'utf8')) as { devDependencies: { node: string } })
      .devDependencies.node;
    expect(lines.find((line) => line.startsWith('FROM node:'))).toContain(`node:${node}-`);
    expect(last[0]).toContain(`nodejs${node.split('.')[0]}`);
  });

  it('starts with its entry point and says what it can do', async () => {
    expect((await start('--help')).stdout).toContain('Usage: wukong');
  });

  it('makes a tick on a cluster, with packages for production alone', async () => {
    sim.createWukong({ namespace: 'team-a', name: 'web', runStrategy: 'Halted' });
    await start('reconcile', '--once');
    expect(sim.get('wukongs', 'team-a', 'web')).toMatchObject({
      status: { lifecycleState: { state: expect.any(String) } },
    });
  });
});
