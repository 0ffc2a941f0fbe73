import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

const files = ['package.json', 'package-lock.json', 'README.md', 'docs/deploy-kubernetes.md', 'infra/chart/Chart.yaml'];
const more = [
  'infra/kubernetes/base/kustomization.yaml',
  'infra/kubernetes/serve/kustomization.yaml',
  'infra/release.mjs',
];
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

/** What holds a version, as it is here, with another changelog. */
const top = mkdtempSync(join(tmpdir(), 'wukong-release-'));
afterAll(() => rmSync(top, { recursive: true }));
for (const file of [...files, ...more]) cpSync(file, join(top, file));
spawnSync('git', ['init', '-q'], { cwd: top });
const readHere = () => [...files, 'CHANGELOG.md'].map((file) => readFileSync(join(top, file), 'utf8'));

function release(changelog: string, ...args: string[]) {
  writeFileSync(join(top, 'CHANGELOG.md'), changelog);
  return spawnSync(process.execPath, ['infra/release.mjs', ...args], { cwd: top, encoding: 'utf8' });
}
const changes = `# Changelog\n\n## Unreleased\n\n- Something.\n\n## ${version} (2026-01-01)\n\n- Before.\n`;
const written = changes.replace('- Something.\n\n', '');

describe('a release', () => {
  it('that is a dry run says what it would write and run, and changes nothing', () => {
    const { status, stdout } = release(changes, '99.1.0', '--dry-run');
    expect(status).toBe(0);
    expect(stdout).toContain(`${version} -> 99.1.0, a dry run`);
    for (const file of [...files, 'CHANGELOG.md']) expect(stdout).toContain(`writes ${file}`);
    for (const step of ['git tag -a v99.1.0', '.ci/image.sh', 'helm push', 'npm publish'])
      expect(stdout).toContain(step);
    expect(readHere().join('')).not.toContain('99.1.0');
  });

  it('is the version that is written everywhere and was never tagged, where nothing else is told of', () => {
    const { status, stdout } = release(written, '--dry-run');
    expect(status).toBe(0);
    expect(stdout).toContain(`written already: ${version}, a dry run`);
    expect(stdout).not.toMatch(/writes|git commit/);
    expect(stdout).toContain(`git tag -a v${version}`);
  });

  it('without a version is the next minor one', () => {
    const [major, minor] = version.split('.');
    expect(release(changes, '--dry-run').stdout).toContain(`${version} -> ${major}.${Number(minor) + 1}.0`);
  });

  it('of nothing is refused', () => {
    const { status, stderr } = release(written, '99.1.0', '--dry-run');
    expect([status, stderr]).toEqual([1, expect.stringContaining('nothing under Unreleased')]);
  });

  it('names the base of its image by its digest', () => {
    const { status, stderr } = release(changes, '99.1.0');
    expect([status, stderr]).toEqual([2, expect.stringContaining('NODE_IMAGE: expected the base of the image')]);
    expect(readHere().join('')).not.toContain('99.1.0');
  });

  it('of what is no version is refused', () => {
    for (const wrong of ['next', '1.2', '1.2.3 4'])
      expect(release(changes, ...wrong.split(' '), '--dry-run')).toMatchObject({
        status: 2,
        stderr: expect.stringContaining('expected a version') as string,
      });
  });

  it('finds one version wherever it stands', () => {
    expect(readFileSync('infra/chart/Chart.yaml', 'utf8')).toContain(`version: ${version}\nappVersion: ${version}\n`);
    for (const overlay of ['base', 'serve'])
      expect(readFileSync(`infra/kubernetes/${overlay}/kustomization.yaml`, 'utf8')).toContain(`newTag: ${version}\n`);
  });
});
