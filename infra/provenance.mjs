// Out of what a file was made, as an in-toto statement with a SLSA provenance (v1), on standard output.
//   node infra/provenance.mjs FILE [DIGEST-OF-BASE]
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const top = join(import.meta.dirname, '..');
const [, , file, base] = process.argv;
if (!file) {
  console.error('Usage: node infra/provenance.mjs FILE [DIGEST-OF-BASE]');
  process.exit(2);
}
const sha256 = (path) => createHash('sha256').update(readFileSync(path)).digest('hex');
const git = (...args) => execFileSync('git', args, { cwd: top, encoding: 'utf8' }).trim();
const inputs = ['package-lock.json', 'infra/container/Dockerfile'];
const { version } = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8'));
const statement = {
  _type: 'https://in-toto.io/Statement/v1',
  subject: [{ name: basename(file), digest: { sha256: sha256(file) } }],
  predicateType: 'https://slsa.dev/provenance/v1',
  predicate: {
    buildDefinition: {
      buildType: 'https://novasphere.dev/wukong-lifecycle/build/v1',
      externalParameters: { version, changed: git('status', '--porcelain') !== '' },
      resolvedDependencies: [
        { name: 'source', digest: { gitCommit: git('rev-parse', 'HEAD') } },
        ...inputs.map((name) => ({ name, digest: { sha256: sha256(join(top, name)) } })),
        ...(base ? [{ name: 'base', digest: { sha256: base.replace(/^sha256:/, '') } }] : []),
      ],
    },
    runDetails: { builder: { id: 'https://novasphere.dev/wukong-lifecycle/ci' } },
  },
};
console.log(JSON.stringify(statement, null, 2));
