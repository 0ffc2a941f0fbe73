// Stands for the parts of client-node that a function never comes to. Whoever comes to one all the same is told so.
const absent = (what) =>
  class {
    constructor() {
      throw new Error(`${what} is not in this bundle (infra/aws/bundle says what is)`);
    }
  };

/** A way to log in that needs the command line of another cloud: said when a kubeconfig asks for it. */
const login = (name) =>
  class {
    isAuthProvider(user) {
      return user?.authProvider?.name === name;
    }
    applyAuthentication() {
      return Promise.reject(new Error(`the auth provider "${name}" is not in this bundle; use a token or exec`));
    }
  };

export const AzureAuth = login('azure');
export const GoogleCloudPlatformAuth = login('gcp');
export const SocksProxyAgent = absent('a SOCKS proxy');
export const SocksClient = { createConnection: () => new SocksProxyAgent() };
/** cron-parser begins with the present instant, which we ask it nothing about. */
export const DateTime = { local: () => ({ isValid: true, zoneName: 'UTC' }) };
/** client-node makes one beside the connections that we use; it is never asked for anything. */
export const HttpProxyAgent = class {};
export const HttpsProxyAgent = class {};
export const ServerConfiguration = absent('the generated API');
export const createConfiguration = () => new ServerConfiguration();
export const IsomorphicFetchHttpLibrary = ServerConfiguration;
export const PromiseMiddlewareWrapper = ServerConfiguration;
export const setHeaderMiddleware = createConfiguration;
