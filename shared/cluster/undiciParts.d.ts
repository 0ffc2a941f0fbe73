/** undici has types for its index alone. */
declare module 'undici/lib/api/*' {
  const send: unknown;
  export default send;
}
declare module 'undici/lib/core/util.js' {
  const util: { parseURL(url: string): URL };
  export default util;
}
declare module 'undici/lib/dispatcher/dispatcher.js' {
  const dispatcher: { prototype: object };
  export default dispatcher;
}
declare module 'undici/lib/dispatcher/agent.js' {
  const agent: unknown;
  export default agent;
}
declare module 'undici/lib/dispatcher/proxy-agent.js' {
  const proxyAgent: unknown;
  export default proxyAgent;
}
