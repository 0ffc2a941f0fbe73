// The bill of materials of what is shipped, as CycloneDX JSON, from package-lock.json alone.
//   node infra/sbom.mjs [FILE]   default: out/sbom.json
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const top = join(dirname(fileURLToPath(import.meta.url)), '..');
const file = process.argv[2] ?? join(top, 'out', 'sbom.json');
const args = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only', '--omit', 'dev'];
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
bom.metadata.component.name = name; // npm takes the folder's
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `${JSON.stringify(bom, null, 2)}\n`);
console.log(`${name} ${version}: ${bom.components.length} packages in ${file}`);
