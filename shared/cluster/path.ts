import { LifecycleError } from '../domain/errors.ts';

/** Where something is in the API. What is absent is left out; what is empty is refused, as it would mean more than it says. */
export interface At {
  /** `v1`, or a group with its version: `kubevirt.io/v1`. */
  api: string;
  /** The plural: `virtualmachines`. */
  kind?: string;
  namespace?: string | undefined;
  name?: string | undefined;
  subresource?: string | undefined;
  query?: Record<string, string>;
}

/**
 * The one place that makes a path of the API. Each part of it stays one part: what could leave its place is refused, as
 * Kubernetes itself does for names (apimachinery, pkg/api/validation/path), and the rest is encoded. A slash is refused
 * even though it could be encoded: the API server decodes a path before it takes it apart.
 * @throws LifecycleError InvalidAction for a part that is empty, `.` or `..`, or has a slash or a percent sign.
 */
export function apiPath({ api, kind, namespace, name, subresource, query }: At): string {
  const parts = [
    ...(api.includes('/') ? ['apis', ...api.split('/')] : ['api', api]),
    ...(namespace === undefined ? [] : ['namespaces', namespace]),
    ...[kind, name, subresource].filter((part) => part !== undefined),
  ];
  const asked = query && new URLSearchParams(query).toString();
  return `/${parts.map(segment).join('/')}${asked ? `?${asked}` : ''}`;
}

function segment(part: unknown): string {
  if (typeof part === 'string' && part.length <= longest && !/^\.{0,2}$|[/%]/.test(part) && part.isWellFormed())
    return encodeURIComponent(part);
  const shown = JSON.stringify(typeof part === 'string' ? part.slice(0, 80) : typeof part);
  throw new LifecycleError(
    'InvalidAction',
    `${shown} cannot be the name of an object: nothing was asked of the cluster`,
  );
}

/** No name of the API is longer than 253 characters. */
const longest = 253;

/** The namespace of a path, also of the namespace itself; empty where it is of none. */
export const namespaceIn = (path: string): string => /^[^?]*\/namespaces\/([^/?]+)/.exec(path)?.[1] ?? '';
