import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

interface Bom {
  metadata: { component: { name: string } };
  components: { 'bom-ref': string; name: string; version: string }[];
  dependencies: { ref: string; dependsOn: string[] }[];
}

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  packages: Record<string, { version: string; dev?: boolean }>;
};
/** Packages that are not for development only; one may be there twice. */
const shipped = new Set(
  Object.entries(lock.packages)
    .filter(([path, { dev }]) => path !== '' && !dev)
    .map(([path, { version }]) => `${path.replace(/^.*node_modules\//, '')}@${version}`),
);

describe('the bill of materials', () => {
  it('has each package that is shipped, once, and no other', { timeout: 60_000 }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'wukong sbom ü-'));
    const file = join(folder, 'sbom.json');
    const { status, stderr } = spawnSync(process.execPath, ['infra/sbom.mjs', file], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    const bom = JSON.parse(readFileSync(file, 'utf8')) as Bom;
    rmSync(folder, { recursive: true });
    expect(bom.metadata.component.name).toBe('wukong-lifecycle');
    expect(bom.components.map(({ name, version }) => `${name}@${version}`).toSorted()).toEqual([...shipped].toSorted());
    // These four are named in devDependencies, or belong to such a one, and come with a dependency all the same.
    for (const name of ['@smithy/types', '@types/node', 'tslib', 'undici-types'])
      expect(bom.components.map((one) => one.name)).toContain(name);
    const named = bom.dependencies.flatMap(({ ref, dependsOn }) => [ref, ...dependsOn]);
    expect(named.filter((ref) => !/^wukong-lifecycle@/.test(ref) && !shipped.has(ref))).toEqual([]);
  });
});
