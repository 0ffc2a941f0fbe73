// Licences of all packages in the lock file, counted; names those that are not on the list of what may be shipped.
//   node infra/licences.mjs
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const top = join(dirname(fileURLToPath(import.meta.url)), '..');
const welcome = new Set([
  'MIT',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'Unlicense',
  'CC0-1.0',
  'Python-2.0',
  'PSF-2.0',
  'MIT-0',
]);
/** By name: shipped as they are published, whose source anybody has from the registry (docs/decisions/0081). */
const accepted = new Map([['ical.js', 'MPL-2.0']]);
const { packages } = JSON.parse(readFileSync(join(top, 'package-lock.json'), 'utf8'));

/** `(MIT OR GPL-2.0)`: one that is welcome is enough; `A AND B`: all must be. */
function isWelcome(licence) {
  const text = licence.replace(/[()]/g, '');
  if (text.includes(' AND ')) return text.split(' AND ').every(isWelcome);
  return text.split(' OR ').some((one) => welcome.has(one.trim()));
}

const counts = new Map();
const odd = [];
for (const [path, { license = 'none named', dev, link }] of Object.entries(packages)) {
  if (path === '' || link) continue;
  const licence = typeof license === 'string' ? license : 'unreadable';
  counts.set(licence, (counts.get(licence) ?? 0) + 1);
  const name = path.replace(/^.*node_modules\//, '');
  if (!isWelcome(licence) && accepted.get(name) !== licence) odd.push({ name, licence, dev: dev === true });
}
console.log(
  [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([licence, n]) => `${n} ${licence}`)
    .join(', '),
);
for (const { name, licence, dev } of odd)
  console.log(`look at: ${name} is ${licence}${dev ? ', for development only' : ''}`);
process.exitCode = odd.some(({ dev }) => !dev) ? 1 : 0;
