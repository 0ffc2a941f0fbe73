// npm test [-- PATH…]          everything, on the embedded cluster
// npm test -- --cluster […]    the contract tests on the cluster of KUBECONFIG; further words are those of test:cluster
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

const words = process.argv.slice(2);
const odd = /[#?%]/.exec(process.cwd())?.[0];
if (words.includes('--cluster')) {
  // In this very process: a signal must reach the one that has namespaces to take away.
  process.argv.splice(2, Infinity, ...words.filter((word) => word !== '--cluster'));
  await import('./contract/main.ts');
} else if (odd) {
  process.stderr.write(`npm test: the test runner cannot work in a folder with ${odd} in its path. Move the folder.\n`);
  process.exit(2);
} else {
  const args = ['node_modules/vitest/vitest.mjs', 'run', ...words];
  // Some hundred processes read the same modules: what Node has made of them is kept beside them.
  const env = { NODE_COMPILE_CACHE: resolve('node_modules/.cache/compiled'), ...process.env };
  process.exit(spawnSync(process.execPath, args, { stdio: 'inherit', env }).status ?? 1);
}
