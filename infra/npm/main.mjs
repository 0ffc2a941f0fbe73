// Makes dist/, the program of the npm package: Node strips no types below node_modules. The files keep their places, so
// that each finds what it reads beside itself. `npm pack` runs this first.
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const top = join(here, '..', '..');
const dist = join(top, 'dist');
/** What the program reads while it runs. */
const assets = ['infra/crds', 'infra/rbac', 'cli/page', 'cli/ui', 'test/data/wukong-crd-original.yaml'];

/** Standard output belongs to npm, which names the package there. */
function run(args) {
  const { status } = spawnSync(process.execPath, args, { cwd: top, stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}

run([join(top, 'infra', 'setup.mjs')]);
rmSync(dist, { recursive: true, force: true });
run([join(top, 'node_modules', 'typescript', 'bin', 'tsc'), '--project', here]);
const isShipped = (from) => !from.endsWith('.ts');
for (const asset of assets) cpSync(join(top, asset), join(dist, asset), { recursive: true, filter: isShipped });
const { name, version, type } = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8'));
writeFileSync(join(dist, 'package.json'), `${JSON.stringify({ name, version, type }, null, 2)}\n`);
