import { type Dispatcher, request } from 'undici';

/** How to reach a cluster: nothing of it comes from the library under test. */
export interface Access {
  server: string;
  dispatcher: Dispatcher;
  headers: () => Promise<Record<string, string | string[]>>;
}

export interface Reply {
  status: number;
  /** JSON, or the text where it is none. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers of an API, looked into freely
  body: any;
}

export type Send = (method: string, path: string, body?: unknown, type?: string) => Promise<Reply>;

/** A plain HTTP client: no retries, nothing hidden. */
export function clientOf({ server, dispatcher, headers }: Access): Send {
  return async (
    method,
    path,
    body,
    type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
  ) => {
    const answer = await request(server + path, {
      method: method as 'GET',
      dispatcher,
      headers: {
        ...(await headers()),
        accept: 'application/json, */*',
        ...(body === undefined ? {} : { 'content-type': type }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    try {
      return { status: answer.statusCode, body: JSON.parse(text) };
    } catch {
      return { status: answer.statusCode, body: text };
    }
  };
}

export const paths = {
  wukong: (namespace: string, name = '') =>
    `/apis/vm.novasphere.dev/v1alpha1/namespaces/${namespace}/wukongs${name && `/${name}`}`,
  schedule: (namespace: string, name = '') =>
    `/apis/vm.novasphere.dev/v1alpha1/namespaces/${namespace}/wukongschedules${name && `/${name}`}`,
  clusterSchedule: (name = '') => `/apis/vm.novasphere.dev/v1alpha1/clusterwukongschedules${name && `/${name}`}`,
  run: (namespace: string, name = '') =>
    `/apis/vm.novasphere.dev/v1alpha1/namespaces/${namespace}/wukongruns${name && `/${name}`}`,
  vm: (namespace: string, name = '') =>
    `/apis/kubevirt.io/v1/namespaces/${namespace}/virtualmachines${name && `/${name}`}`,
  vmi: (namespace: string, name = '') =>
    `/apis/kubevirt.io/v1/namespaces/${namespace}/virtualmachineinstances${name && `/${name}`}`,
  sub: (namespace: string, kind: 'virtualmachines' | 'virtualmachineinstances', name: string, verb: string) =>
    `/apis/subresources.kubevirt.io/v1/namespaces/${namespace}/${kind}/${name}/${verb}`,
  core: (namespace: string, kind: string, name = '') => `/api/v1/namespaces/${namespace}/${kind}${name && `/${name}`}`,
  rbac: (namespace: string, kind: string) => `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/${kind}`,
  crd: (name = '') => `/apis/apiextensions.k8s.io/v1/customresourcedefinitions${name && `/${name}`}`,
};
