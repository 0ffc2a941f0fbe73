// The functions' bundles hold what the functions use, and not the whole of two large libraries. Of client-node: kubeconfig,
// tokens, certificates, exec and OIDC; not the generated API, websockets, and the logins of other clouds. Of undici: pools
// and `request`; not fetch, caches, mocks and websockets. Of cron-parser: the reading of fields; not luxon, by which it steps.
// What is left out is in absent.mjs. Modules of Node are required when they are used: an import of node:http alone brings
// up Node's own copy of undici, as it reads all that the module exports.
import { builtinModules, createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
/** What the sources themselves use of it; client-node needs no more. */
const undici = join(here, '..', '..', '..', 'shared', 'cluster', 'undici.ts');
const clientNode = dirname(require.resolve('@kubernetes/client-node'));
const cronParser = dirname(require.resolve('cron-parser'));

const absent =
  /^(\.\/(azure_auth|gcp_auth|middleware)\.js|\.\/gen\/index\.js|\.\/isomorphic-fetch\.js|socks|socks-proxy-agent|hpagent)$/;

const builtin = new RegExp(`^(node:)?(${builtinModules.join('|')})$`);

export const lean = {
  name: 'lean',
  setup(build) {
    // undici's own switch for bundles: without its second, experimental HTTP parser, an eighth of the whole.
    build.initialOptions.define = { ...build.initialOptions.define, esbuildDetection: 'true' };
    build.onResolve({ filter: builtin }, ({ path, kind }) =>
      kind === 'import-statement' ? { path, namespace: 'builtin' } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)})`,
    }));
    build.onResolve({ filter: /^js-yaml$/ }, ({ kind }) =>
      kind === 'import-statement' ? { path: join(here, 'yaml.cjs') } : undefined,
    );
    const own = (path) => path.startsWith(here + sep);
    build.onResolve({ filter: /^(@kubernetes\/client-node|undici)$/ }, ({ path }) => ({
      path: path === 'undici' ? undici : join(here, 'clientNode.mjs'),
    }));
    build.onResolve({ filter: /^@kubernetes\/client-node\// }, ({ path, importer }) =>
      own(importer) ? { path: join(clientNode, path.slice('@kubernetes/client-node/dist/'.length)) } : undefined,
    );
    build.onResolve({ filter: /^luxon$/ }, ({ importer }) =>
      importer.startsWith(cronParser) ? { path: join(here, 'absent.mjs') } : undefined,
    );
    build.onResolve({ filter: absent }, ({ importer }) =>
      importer.startsWith(clientNode) ? { path: join(here, 'absent.mjs') } : undefined,
    );
  },
};

/** serverless-esbuild reads the list of plugins from here. */
export default [lean];
