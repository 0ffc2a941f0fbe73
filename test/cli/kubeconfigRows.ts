/** A kubeconfig as an object; what a row changes of the one that works. */
export interface Config {
  clusters: { name: string; cluster: Record<string, unknown> }[];
  users: { name: string; user: Record<string, unknown> }[];
  contexts: { name: string; context: Record<string, unknown> }[];
  'current-context'?: string;
  [key: string]: unknown;
}

export interface Around {
  token: string;
  folder: string;
  /** The CA as PEM. */
  ca: string;
}

export interface Row {
  title: string;
  change: (config: Config, around: Around) => void;
  /** It works, or what our message says: cause, file and field. */
  ends: 'works' | RegExp;
  /** Where kubectl does otherwise, and why ours does not follow it. */
  kubectl?: { works: boolean; because: string };
  env?: Record<string, string>;
  options?: string[];
}

const user = (config: Config) => config.users[0]!.user;
const cluster = (config: Config) => config.clusters[0]!.cluster;
const context = (config: Config) => config.contexts[0]!.context;

/** The token by another way than as it stands there. */
const instead = (config: Config, fields: Record<string, unknown>) => {
  delete user(config)['token'];
  Object.assign(user(config), fields);
};

const v1 = 'client.authentication.k8s.io/v1';
const answering = (status: object, apiVersion = v1) =>
  `printf '%s' '${JSON.stringify({ apiVersion, kind: 'ExecCredential', status })}'`;
const plugin = (config: Config, script: string, more: Record<string, unknown> = {}) =>
  instead(config, {
    exec: { apiVersion: v1, command: 'sh', args: ['-c', script], interactiveMode: 'IfAvailable', ...more },
  });

/** Every file that a row may name is made by the test: token, token-with-newline, empty, ca.crt, plugin.sh (prints a credential). */
export const rows: Row[] = [
  { title: 'as the cluster wrote it', change: () => undefined, ends: 'works' },
  {
    title: 'a slash behind the server',
    change: (c) => (cluster(c)['server'] = `${String(cluster(c)['server'])}/`),
    ends: 'works',
  },
  {
    title: 'without kind and apiVersion',
    change: (c) => {
      delete c['kind'];
      delete c['apiVersion'];
    },
    ends: 'works',
  },
  {
    title: 'with keys that nobody knows',
    change: (c) => {
      cluster(c)['foo'] = 1;
      c['bar'] = [2];
    },
    ends: 'works',
  },
  // the CA
  {
    title: 'CA in a file beside it',
    change: (c) => {
      delete cluster(c)['certificate-authority-data'];
      cluster(c)['certificate-authority'] = 'ca.crt';
    },
    ends: 'works',
  },
  {
    title: 'CA as data and as a file: the data counts',
    change: (c) => (cluster(c)['certificate-authority'] = 'ca.crt'),
    ends: 'works',
    kubectl: { works: false, because: 'it says that the data will override, and stops' },
  },
  {
    title: 'CA file that is not there',
    change: (c) => {
      delete cluster(c)['certificate-authority-data'];
      cluster(c)['certificate-authority'] = 'gone.crt';
    },
    ends: /clusters\[0\]\.cluster\.certificate-authority: .*gone\.crt: there is no such file/,
  },
  {
    title: 'CA data that is no PEM',
    change: (c) => (cluster(c)['certificate-authority-data'] = 'aGFsbG8='),
    ends: /certificate-authority-data: expected a PEM block in base64/,
  },
  {
    title: 'insecure-skip-tls-verify',
    change: (c) => (cluster(c)['insecure-skip-tls-verify'] = true),
    ends: /insecure-skip-tls-verify is refused/,
  },
  // the server
  {
    title: 'no server',
    change: (c) => {
      delete cluster(c)['server'];
    },
    ends: /clusters\[0\]\.cluster\.server: is missing/,
  },
  {
    title: 'a server that is a number',
    change: (c) => (cluster(c)['server'] = 5),
    ends: /cluster\.server: expected text, found a number/,
  },
  {
    title: 'tls-server-name that the certificate does not have',
    change: (c) => (cluster(c)['tls-server-name'] = 'example.org'),
    ends: /TLS is not trusted/,
  },
  { title: 'tls-server-name that it has', change: (c) => (cluster(c)['tls-server-name'] = 'localhost'), ends: 'works' },
  {
    title: 'tls-server-name that is an address',
    change: (c) => (cluster(c)['tls-server-name'] = '127.0.0.1'),
    ends: 'works',
  },
  // contexts
  {
    title: 'a context that is not there',
    change: (c) => (c['current-context'] = 'gone'),
    ends: /current-context: there is no context "gone"; there are: sim/,
  },
  {
    title: 'no current-context',
    change: (c) => {
      delete c['current-context'];
    },
    ends: /there is no current-context/,
  },
  {
    title: 'a context without user',
    change: (c) => {
      delete context(c)['user'];
    },
    ends: /does not let anonymous|\(40[13]\)|cannot list|Unauthorized|anonymous/,
  },
  {
    title: 'a user that is not there',
    change: (c) => (context(c)['user'] = 'gone'),
    ends: /contexts\[0\]\.context\.user: there is no user "gone"/,
  },
  {
    title: 'a cluster that is not there',
    change: (c) => (context(c)['cluster'] = 'gone'),
    ends: /contexts\[0\]\.context\.cluster: there is no cluster "gone"/,
  },
  {
    title: 'a context without cluster',
    change: (c) => {
      delete context(c)['cluster'];
    },
    ends: /contexts\[0\]\.context\.cluster: is missing/,
  },
  {
    title: 'unused entries that lack everything',
    change: (c) => {
      c.users.push({ name: 'x' } as never);
      c.clusters.push({ name: 'z', cluster: {} });
      c.contexts.push({ name: 'v' } as never, { name: 'w', context: { user: 'x' } });
    },
    ends: 'works',
  },
  {
    title: 'two users of one name',
    change: (c) => c.users.push(c.users[0]!),
    ends: /users\[1\]: the name "sim" stands there twice/,
  },
  // tokens
  {
    title: 'a token with a newline behind it',
    change: (c, { token }) => (user(c)['token'] = `${token}\n`),
    ends: 'works',
    kubectl: { works: false, because: 'it sends the newline; nobody means it' },
  },
  {
    title: 'a token with a space within',
    change: (c) => (user(c)['token'] = 'a b'),
    ends: /users\[0\]\.user\.token: has a space/,
  },
  { title: 'tokenFile beside it', change: (c) => instead(c, { tokenFile: 'token' }), ends: 'works' },
  {
    title: 'tokenFile by its whole path',
    change: (c, { folder }) => instead(c, { tokenFile: `${folder}/token` }),
    ends: 'works',
  },
  {
    title: 'tokenFile with a newline at its end',
    change: (c) => instead(c, { tokenFile: 'token-with-newline' }),
    ends: 'works',
  },
  {
    title: 'tokenFile and a wrong token: the file counts',
    change: (c) => Object.assign(user(c), { token: 'wrong', tokenFile: 'token' }),
    ends: 'works',
  },
  {
    title: 'tokenFile that is not there',
    change: (c) => instead(c, { tokenFile: 'gone' }),
    ends: /users\[0\]\.user\.tokenFile: .*gone: there is no such file/,
  },
  {
    title: 'tokenFile that is empty',
    change: (c) => instead(c, { tokenFile: 'empty' }),
    ends: /tokenFile: .*empty: is empty/,
  },
  {
    title: 'token and password',
    change: (c) => Object.assign(user(c), { username: 'a', password: 'b' }),
    ends: /users\[0\]\.user: token and username are both given/,
  },
  // certificates
  {
    title: 'a certificate without key',
    change: (c) => instead(c, { 'client-certificate': 'ca.crt' }),
    ends: /users\[0\]\.user: client-certificate and client-key belong together/,
  },
  {
    title: 'certificate files that are not there',
    change: (c) => instead(c, { 'client-certificate': 'x.crt', 'client-key': 'x.key' }),
    ends: /client-certificate: .*x\.crt: there is no such file.*client-key: .*x\.key/,
  },
  // impersonation
  {
    title: 'as',
    change: (c) => (user(c)['as'] = 'somebody'),
    ends: /somebody/,
    kubectl: { works: false, because: 'both act as somebody without rights' },
  },
  { title: 'as-groups without as', change: (c) => (user(c)['as-groups'] = ['g']), ends: /impersonated without a user/ },
  // proxies
  {
    title: 'proxy-url without scheme',
    change: (c) => (cluster(c)['proxy-url'] = 'localhost:3128'),
    ends: /cluster\.proxy-url: expected http:\/\/, https:\/\/ or socks5:\/\//,
  },
  {
    title: 'proxy-url of another scheme',
    change: (c) => (cluster(c)['proxy-url'] = 'ftp://127.0.0.1:1'),
    ends: /cluster\.proxy-url: expected http/,
  },
  {
    title: 'a proxy that is dead',
    change: (c) => (cluster(c)['proxy-url'] = 'http://127.0.0.1:9'),
    ends: /proxy http:\/\/127\.0\.0\.1:9: nothing listens there/,
  },
  {
    title: 'a SOCKS proxy that is dead',
    change: (c) => (cluster(c)['proxy-url'] = 'socks5://127.0.0.1:9'),
    ends: /proxy socks5:\/\/127\.0\.0\.1:9: nothing listens there/,
  },
  {
    title: 'HTTPS_PROXY passes this machine by',
    change: () => undefined,
    env: { HTTPS_PROXY: 'http://127.0.0.1:9' },
    ends: 'works',
  },
  // exec
  { title: 'exec', change: (c, { token }) => plugin(c, answering({ token })), ends: 'works' },
  {
    title: 'exec in v1beta1',
    change: (c, { token }) =>
      plugin(c, answering({ token }, 'client.authentication.k8s.io/v1beta1'), {
        apiVersion: 'client.authentication.k8s.io/v1beta1',
        interactiveMode: undefined,
      }),
    ends: 'works',
  },
  {
    title: 'exec with variables',
    change: (c, { token }) =>
      plugin(c, `[ "$FOO" = bar ] && ${answering({ token })}`, { env: [{ name: 'FOO', value: 'bar' }] }),
    ends: 'works',
  },
  {
    title: 'exec reads an end of input',
    change: (c, { token }) => plugin(c, `cat > /dev/null; ${answering({ token })}`),
    ends: 'works',
  },
  {
    title: 'exec beside the kubeconfig',
    change: (c) => instead(c, { exec: { apiVersion: v1, command: './plugin.sh', interactiveMode: 'Never' } }),
    ends: 'works',
  },
  {
    title: 'exec is told of the cluster',
    change: (c, { token }) => {
      const told = ['"interactive":false', '"certificate-authority-data":"LS0t', '"server":"https://'];
      const all = told.map((one) => `printf '%s' "$KUBERNETES_EXEC_INFO" | grep -q '${one}'`).join(' && ');
      plugin(c, `${all} && ${answering({ token })}`, { provideClusterInfo: true });
    },
    ends: 'works',
  },
  {
    title: 'exec and a token: the token counts',
    change: (c, { token }) => {
      plugin(c, 'exit 1');
      user(c)['token'] = token;
    },
    ends: 'works',
  },
  {
    title: 'exec without command',
    change: (c) => plugin(c, '', { command: '' }),
    ends: /users\[0\]\.user\.exec\.command: is missing/,
  },
  {
    title: 'exec without apiVersion',
    change: (c) => plugin(c, '', { apiVersion: '' }),
    ends: /user\.exec\.apiVersion: expected client\.authentication/,
  },
  {
    title: 'exec without interactiveMode',
    change: (c, { token }) => plugin(c, answering({ token }), { interactiveMode: undefined }),
    ends: 'works',
    kubectl: { works: false, because: 'it must be written in v1; IfAvailable is what v1beta1 takes' },
  },
  {
    title: 'exec with a wrong interactiveMode',
    change: (c) => plugin(c, '', { interactiveMode: 'Sometimes' }),
    ends: /user\.exec\.interactiveMode: expected Never/,
  },
  {
    title: 'exec that needs a terminal',
    change: (c, { token }) => plugin(c, answering({ token }), { interactiveMode: 'Always' }),
    ends: /needs a terminal/,
  },
  {
    title: 'exec that is not installed',
    change: (c) => plugin(c, '', { command: 'no-such-plugin', installHint: 'brew install it' }),
    ends: /user\.exec\.command: no-such-plugin is not installed[\s\S]*brew install it/,
  },
  { title: 'exec that fails', change: (c) => plugin(c, 'echo oops >&2; exit 3'), ends: /sh failed with exit code 3/ },
  {
    title: 'exec that prints nonsense',
    change: (c) => plugin(c, 'echo oops'),
    ends: /printed something that is no ExecCredential/,
  },
  {
    title: 'exec without status',
    change: (c) => plugin(c, `printf '%s' '{"apiVersion":"${v1}","kind":"ExecCredential"}'`),
    ends: /answered without a status/,
  },
  {
    title: 'exec with an empty status',
    change: (c) => plugin(c, answering({})),
    ends: /neither a token nor a certificate/,
  },
  {
    title: 'exec with a certificate alone',
    change: (c) => plugin(c, answering({ clientCertificateData: 'x' })),
    ends: /only one of certificate and key/,
  },
  {
    title: 'exec that answers another version',
    change: (c, { token }) => plugin(c, answering({ token }, 'client.authentication.k8s.io/v1beta1')),
    ends: /answered in another apiVersion/,
  },
  {
    title: 'a provider that is gone',
    change: (c) => instead(c, { 'auth-provider': { name: 'gcp' } }),
    ends: /auth-provider: "gcp" is no longer supported/,
  },
];
