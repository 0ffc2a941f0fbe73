import type { World } from '../../shared/cluster/world.ts';

interface Found {
  metadata: { namespace?: string; name: string };
}

/** What a function may see and change of a cluster that others use as well: its own namespaces, and objects of no namespace. */
export interface Fence {
  namespaces: Set<string>;
  clusterWide: Set<string>;
}

/**
 * A world in which a function that looks at the whole cluster finds nothing of others: lists and watches of all
 * namespaces are thinned out, and what would be written outside is refused.
 */
export function fenced(world: World, { namespaces, clusterWide }: Fence): World {
  const { transport } = world;
  const isOurs = ({ metadata: { namespace, name } }: Found) =>
    namespace === undefined ? namespaces.has(name) || clusterWide.has(name) : namespaces.has(namespace);
  const mayWrite = (path: string) => {
    const { pathname } = new URL(path, 'https://server');
    const [, namespace] = /\/namespaces\/([^/]+)/.exec(pathname) ?? [];
    return namespace === undefined ? clusterWide.has(pathname.split('/')[5] ?? '') : namespaces.has(namespace);
  };
  return {
    ...world,
    transport: {
      async call<T>(...[call, limits]: Parameters<typeof transport.call>) {
        if (call.method !== 'GET' && !mayWrite(call.path)) throw new Error(`outside of the fence: ${call.path}`);
        const answer = await transport.call<T>(call, limits);
        const { items } = (answer.body ?? {}) as { items?: Found[] };
        return items ? { ...answer, body: { ...answer.body, items: items.filter(isOurs) } } : answer;
      },
      async stream(...given) {
        const { status, lines } = await transport.stream(...given);
        return { status, lines: status === 200 ? thinned(lines, isOurs) : lines };
      },
    },
  };
}

async function* thinned(lines: AsyncIterable<string>, isOurs: (object: Found) => boolean): AsyncGenerator<string> {
  for await (const line of lines) {
    const { type, object } = JSON.parse(line) as { type: string; object: Found };
    if (type === 'BOOKMARK' || type === 'ERROR' || isOurs(object)) yield line;
  }
}
