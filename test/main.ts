// npm test [-- PATH…]          everything, on the embedded cluster
// npm test -- --cluster […]    the contract tests on the cluster of KUBECONFIG; further words are those of test:cluster
import { spawnSync } from 'node:child_process';

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
  process.exit(spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1);
}
