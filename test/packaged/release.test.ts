import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

const release = (...args: string[]) =>
  spawnSync(process.execPath, ['infra/release.mjs', ...args], { encoding: 'utf8' });

describe('a release', () => {
  it('that is a dry run says what it would write and run, and changes nothing', () => {
    const before = ['package.json', 'CHANGELOG.md', 'infra/chart/Chart.yaml'].map((file) => readFileSync(file, 'utf8'));
    const { status, stdout } = release('99.1.0', '--dry-run');
    expect(status).toBe(0);
    expect(stdout).toMatch(/-> 99\.1\.0, a dry run/);
    for (const file of ['package-lock.json', 'infra/chart/Chart.yaml', 'CHANGELOG.md'])
      expect(stdout).toContain(`writes ${file}`);
    for (const step of ['git tag -a v99.1.0', '.ci/image.sh', 'helm push', 'npm publish'])
      expect(stdout).toContain(step);
    const after = ['package.json', 'CHANGELOG.md', 'infra/chart/Chart.yaml'].map((file) => readFileSync(file, 'utf8'));
    expect(after).toEqual(before);
  });

  it('of what is no version is refused', () => {
    for (const wrong of ['next', '1.2', '1.2.3 4'])
      expect(release(...wrong.split(' '), '--dry-run')).toMatchObject({
        status: 2,
        stderr: expect.stringContaining('expected a version') as string,
      });
  });

  it('finds one version wherever it stands', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(readFileSync('infra/chart/Chart.yaml', 'utf8')).toContain(`version: ${version}\nappVersion: ${version}\n`);
    for (const overlay of ['base', 'serve'])
      expect(readFileSync(`infra/kubernetes/${overlay}/kustomization.yaml`, 'utf8')).toContain(`newTag: ${version}\n`);
  });
});
