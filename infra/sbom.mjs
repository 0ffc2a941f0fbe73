// The bill of materials of what is shipped, as CycloneDX JSON, from package-lock.json alone.
//   node infra/sbom.mjs [FILE]   default: out/sbom.json
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const top = join(dirname(fileURLToPath(import.meta.url)), '..');
const file = process.argv[2] ?? join(top, 'out', 'sbom.json');
// All packages: with `--omit dev` npm leaves out what is named in devDependencies although it is shipped too, as the
// dependency of one that is. The lock file knows which are for development only.
const args = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'];
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
const done = spawnSync(npm, args, {
  cwd: top,
  encoding: 'utf8',
  maxBuffer: 64 * 2 ** 20,
  shell: process.platform === 'win32',
});
if (done.status !== 0) {
  process.stderr.write(done.stderr || 'npm sbom failed\n');
  process.exit(1);
}
const bom = JSON.parse(done.stdout);
const { name, version } = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8'));
const { packages } = JSON.parse(readFileSync(join(top, 'package-lock.json'), 'utf8'));
const shipped = new Set(
  Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && dev !== true)
    .map(([path, { name = path.replace(/^.*node_modules\//, ''), version }]) => `${name}@${version}`),
);
const { component } = bom.metadata;
bom.components = bom.components.filter((one) => shipped.has(one['bom-ref']));
bom.dependencies = bom.dependencies
  .filter(({ ref }) => ref === component['bom-ref'] || shipped.has(ref))
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((one) => shipped.has(one)) }));
component.name = name; // npm takes the folder's
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `${JSON.stringify(bom, null, 2)}\n`);
console.log(`${name} ${version}: ${bom.components.length} packages in ${file}`);
