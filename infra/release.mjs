// Makes a release: one version in every file that bears it, the changelog's page, a commit and a tag; then image, chart
// and npm package. docs/releasing.md.
//   npm run release -- VERSION [--dry-run]    without VERSION: the next minor one
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const top = join(import.meta.dirname, '..');
const args = process.argv.slice(2);
const dry = args.includes('--dry-run');
const [wanted, ...more] = args.filter((arg) => arg !== '--dry-run');
const read = (file) => readFileSync(join(top, file), 'utf8');
const fail = (message, code = 1) => {
  console.error(`release: ${message}`);
  process.exit(code);
};

const git = (...words) => spawnSync('git', words, { cwd: top, encoding: 'utf8' }).stdout.trim();
const present = JSON.parse(read('package.json')).version;
const isTagged = (version) => git('tag', '--list', `v${version}`) !== '';
/** What stands under a heading of the changelog; undefined: there is no such heading. */
const page = (heading) =>
  read('CHANGELOG.md').split(`\n## ${heading}`)[1]?.replace(/^.*\n/, '').split(/^## /m)[0]?.trim();
/** The present version is written everywhere and was never released: there is nothing to write. */
const isWritten = !page('Unreleased') && Boolean(page(`${present} (`)) && !isTagged(present);
const minor = present.replace(/^(\d+)\.(\d+)\..*$/, (_, major, minor) => `${major}.${Number(minor) + 1}.0`);
const next = wanted ?? (isWritten ? present : minor);
if (more.length > 0 || !/^\d+\.\d+\.\d+(-[0-9a-z.]+)?$/.test(next))
  fail(`${args.join(' ')}: expected a version like 1.2.3, and perhaps --dry-run`, 2);

/** Every place of the version, and how it stands there. A place without it is an error: it would stay behind. */
const places = [
  ['package.json', /^( {2}"version": ")[^"]+/m],
  ['package-lock.json', /^( {2}"version": ")[^"]+/m],
  ['package-lock.json', /^( {6}"name": "wukong-lifecycle",\n {6}"version": ")[^"]+/m],
  ['infra/chart/Chart.yaml', /^(version: ).+/m],
  ['infra/chart/Chart.yaml', /^(appVersion: ).+/m],
  ['infra/kubernetes/base/kustomization.yaml', /^( {4}newTag: ).+/m],
  ['infra/kubernetes/serve/kustomization.yaml', /^( {4}newTag: ).+/m],
  ['docs/deploy-kubernetes.md', /(registry\.example\.com\/wukong-lifecycle:)\d+\.\d+\.\d+/g],
  ['README.md', /(--global wukong-lifecycle-)\d+\.\d+\.\d+/g],
];
const unreleased = '## Unreleased\n';

function changed() {
  const files = new Map();
  const of = (file) => files.get(file) ?? read(file);
  for (const [file, pattern] of places) {
    if (of(file).search(pattern) < 0) fail(`${file} has no version where one is expected`);
    files.set(
      file,
      of(file).replace(pattern, (_, before) => before + next),
    );
  }
  if (!page('Unreleased')) fail('CHANGELOG.md has nothing under Unreleased, so there is nothing to release');
  const day = new Date().toISOString().slice(0, 10);
  files.set('CHANGELOG.md', read('CHANGELOG.md').replace(unreleased, `${unreleased}\n## ${next} (${day})\n`));
  return files;
}

const image = `${process.env.IMAGE ?? 'registry.example.com/wukong-lifecycle'}:${next}`;
const charts = process.env.CHARTS ?? 'oci://registry.example.com/charts';
const commands = (files) => [
  ...(files.size > 0
    ? [
        ['git', 'add', ...files.keys()],
        ['git', 'commit', '-m', `Release ${next}`],
      ]
    : []),
  ['git', 'tag', '-a', `v${next}`, '-m', `Release ${next}`],
  ['.ci/image.sh'],
  ['skopeo', 'copy', 'oci-archive:out/image/wukong-lifecycle.tar', `docker://${image}`],
  ['helm', 'package', 'infra/chart', '--destination', 'out'],
  ['helm', 'push', `out/wukong-lifecycle-${next}.tgz`, charts],
  ['npm', 'publish', '--provenance'],
  ['git', 'push', '--follow-tags'],
];

const base = process.env.NODE_IMAGE ?? '';
if (!dry && !/^node:[\w.-]+@sha256:[0-9a-f]{64}$/.test(base))
  fail('NODE_IMAGE: expected the base of the image by its digest, node:TAG@sha256:… (docs/releasing.md)', 2);
const files = isWritten && next === present ? new Map() : changed();
if (!dry && git('status', '--porcelain') !== '') fail('there are changes that are not committed: commit them first');
if (isTagged(next)) fail(`v${next} is there already: name another version`);
console.log(
  `${next === present ? 'written already: ' : `${present} -> `}${next}${dry ? ', a dry run: nothing is written, nothing is published' : ''}`,
);
for (const file of files.keys()) console.log(`  writes ${file}`);
for (const words of commands(files))
  console.log(`  runs   ${words.map((word) => (/\s/.test(word) ? `'${word}'` : word)).join(' ')}`);
if (dry) process.exit(0);

for (const [file, text] of files) writeFileSync(join(top, file), text);
for (const [program, ...rest] of commands(files)) {
  const { status } = spawnSync(program, rest, { cwd: top, stdio: 'inherit' });
  if (status !== 0)
    fail(`${program} ${rest[0] ?? ''} failed; what was done before it stands, and running it by hand goes on`);
}
