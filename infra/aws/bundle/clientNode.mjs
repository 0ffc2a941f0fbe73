// What the functions use of @kubernetes/client-node: to read kubeconfigs, and to prove who we are.
export { KubeConfig } from '@kubernetes/client-node/dist/config.js';
export { HttpMethod, RequestContext } from '@kubernetes/client-node/dist/gen/http/http.js';
