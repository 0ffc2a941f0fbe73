import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { homeConfig } from '../../cli/cluster.ts';
import { type Sim, startSim } from '../../sim/sim.ts';
import { assemble, copies, defaultArguments, dockerfile, entryPoint, lastStage, start } from './image.ts';

// Several processes are started here, one after the other.
vi.setConfig({ testTimeout: 60_000 });

let app: string;
let outside: string;
let sim: Sim;
beforeAll(async () => {
  app = assemble();
  outside = `${app}-outside`;
  mkdirSync(join(outside, 'tmp'), { recursive: true });
  sim = await startSim();
  writeFileSync(join(outside, 'kubeconfig'), sim.kubeconfig());
});
afterAll(async () => {
  rmSync(app, { recursive: true, force: true });
  rmSync(outside, { recursive: true, force: true });
  await sim.close();
});

const begin = (...args: string[]) =>
  start(app, args, { KUBECONFIG: join(outside, 'kubeconfig'), TMPDIR: join(outside, 'tmp') });

/** Every file below, with when it was changed; packages are links to our own. */
const files = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => !path.startsWith('node_modules'))
    .map((path) => `${path} ${lstatSync(join(folder, path)).mtimeMs}`);

describe('the image', () => {
  it('copies only what is there, and what .dockerignore lets in', () => {
    const allowed = readFileSync('.dockerignore', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => `${line.slice(1)}/`);
    const sources = dockerfile
      .filter((line) => /^COPY (?!--from)/.test(line))
      .flatMap((line) => line.split(/\s+/).slice(1, -1));
    expect(sources.length).toBeGreaterThan(copies.length);
    for (const source of sources) {
      expect(existsSync(source), source).toBe(true);
      expect(
        allowed.some((one) => `${source}/`.startsWith(one)),
        source,
      ).toBe(true);
    }
  });

  it('is built in two stages from the exact Node that the project is tested with', () => {
    const own = JSON.parse(readFileSync('package.json', 'utf8')) as { optionalDependencies: { node: string } };
    const bases = dockerfile.filter((line) => line.startsWith('FROM ')).map((line) => line.split(/\s+/)[1]);
    // An argument, so that whoever builds can name it by its digest.
    expect(bases).toEqual(['${NODE_IMAGE}', '${NODE_IMAGE}']);
    expect(dockerfile).toContain(`ARG NODE_IMAGE=node:${own.optionalDependencies.node}-bookworm-slim`);
  });

  it('is not root by itself; the pods insist on that, and ask for no uid, which OpenShift gives', () => {
    expect(lastStage).toContain('USER 1000:1000');
    for (const file of ['base/pod.yaml', 'serve/deployment.yaml']) {
      // OpenShift's restricted-v2 refuses a fixed uid: it gives each namespace a range of its own.
      const pod = readFileSync(`infra/kubernetes/${file}`, 'utf8');
      expect(pod).toContain('runAsNonRoot: true');
      expect(pod).not.toMatch(/runAsUser|runAsGroup|fsGroup/);
    }
  });

  it('starts a file that it has, with its Node', () => {
    expect(entryPoint).toHaveLength(2);
    expect(entryPoint[0]).toBe('/usr/local/bin/node');
    expect(existsSync(join(app, (entryPoint[1] ?? '').replace('/app/', '')))).toBe(true);
  });

  it('says what it can do when it is started with nothing', async () => {
    const ended = await begin(...defaultArguments);
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining('Usage: wukong') });
  });

  it('makes a tick, and writes nothing into its own files', async () => {
    sim.createWukong({ namespace: 'team-a', name: 'web', runStrategy: 'Halted' });
    const before = files(app);
    expect(await begin('reconcile', '--once')).toMatchObject({ code: 0 });
    expect(sim.get('wukongs', 'team-a', 'web')).toMatchObject({
      status: { lifecycleState: { state: expect.any(String) } },
    });
    expect(files(app)).toEqual(before);
    expect(files(join(outside, 'tmp'))).toEqual([]);
  });

  it('works for a user of any number, without a home', async () => {
    sim.createWukong({ namespace: 'team-a', name: 'homeless', runStrategy: 'Halted' });
    expect(await begin('state', '-n', 'team-a')).toMatchObject({ code: 0 });
    const none = await start(app, ['state'], { KUBECONFIG: '', HOME: join(outside, 'nothing-here') });
    expect(none.stderr).toContain('kubeconfig');
    // What Node says where the number is in no list of users.
    const unknown = () => {
      throw new Error('A system error occurred: uv_os_homedir returned ENOENT');
    };
    expect(homeConfig({}, unknown)).toBeUndefined();
    expect(homeConfig({ HOME: '/' }, unknown)).toBe('/.kube/config');
  });

  it('does not fail for what was left alone on purpose, but for what failed', async () => {
    const annotations = { 'lifecycle.novasphere.dev/protected': 'true' };
    sim.createWukong({ namespace: 'team-a', name: 'db', runStrategy: 'Always', annotations });
    const left = await begin('stop', 'db', '-n', 'team-a');
    expect(left.stdout).toContain('Protected');
    expect(left.code).toBe(0);
    expect((await begin('stop', 'nobody', '-n', 'team-a')).code).toBe(1);
    expect((await begin('stop', 'db', '--nonsense')).code).toBe(2);
  });
});
