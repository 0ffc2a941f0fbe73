import type { World } from '../../shared/cluster/world.ts';
import type { KubeObject } from '../../shared/domain/model.ts';
import type { VirtualClock } from '../../sim/clock.ts';
import type { Sim } from '../../sim/sim.ts';
import { namespace } from './stories.ts';

/** One call that changed something, as the process sent it. */
export interface Write {
  /** Since the story began. */
  afterMs: number;
  method: string;
  path: string;
  body?: unknown;
  contentType?: string;
}

/** All that a version changed in a story, and before it. */
export interface Told {
  before: Write[];
  writes: Write[];
}

/** The uids and names that are others each time a story is lived: `{vmi:2}` is the second VMI that came up. */
export function namesOn(sim: Sim) {
  const known = new Map<string, string>();
  function know(kind: string, id: string | undefined) {
    const count = [...known.values()].filter((name) => name.startsWith(`{${kind}:`)).length;
    if (id && !known.has(id)) known.set(id, `{${kind}:${count + 1}}`);
  }
  function look() {
    know('vm', sim.get<KubeObject>('virtualmachines', namespace, 'web-vm')?.metadata.uid);
    know('vmi', sim.get<KubeObject>('virtualmachineinstances', namespace, 'web-vm')?.metadata.uid);
    for (const { metadata } of sim.list<KubeObject>('pods', namespace)) know('pod', metadata.name);
  }
  return {
    named(text: string): string {
      look();
      return [...known].reduce((all, [uid, name]) => all.replaceAll(uid, name), text);
    },
    real(text: string): string {
      look();
      return [...known].reduce((all, [uid, name]) => all.replaceAll(name, uid), text);
    },
  };
}
export type Names = ReturnType<typeof namesOn>;

/** A world that tells each change that went through; `mostWrites`: after so many its process is dead. */
export function recorded(world: World, names: Names, tell: (write: Write) => void, mostWrites = Infinity) {
  const begun = world.clock.now();
  let writes = 0;
  let die = () => {};
  const death = new Promise<void>((resolve) => (die = resolve));
  const forever = () => new Promise<never>(() => {});
  const { transport } = world;
  if (mostWrites === 0) die();
  const mortal: World = {
    ...world,
    transport: {
      async call<T>(...[call, limits]: Parameters<typeof transport.call>) {
        if (writes >= mostWrites) return forever();
        names.named('');
        const answer = await transport.call<T>(call, limits);
        const { method, path, body, contentType } = call;
        if (method === 'GET' || answer.status >= 300) return answer;
        let text = JSON.stringify({ path, ...(body === undefined ? {} : { body }) });
        text = names
          .named(text)
          .replace(/"resourceVersion":"\d+",?/g, '')
          .replace(/,}/g, '}');
        const afterMs = world.clock.now() - begun;
        tell({ afterMs, method, ...(JSON.parse(text) as { path: string }), ...(contentType ? { contentType } : {}) });
        if (++writes < mostWrites) return answer;
        die();
        return forever();
      },
      stream: (...given) => (writes >= mostWrites ? forever() : transport.stream(...given)),
    },
  };
  return { world: mortal, death };
}

/** Does the same to another cluster, at the same times. */
export async function replay(writes: Write[], names: Names, clock: VirtualClock, world: World): Promise<void> {
  const begun = clock.now();
  for (const { afterMs, method, path, body, contentType } of writes) {
    await new Promise<void>((resolve) => clock.after(Math.max(0, begun + afterMs - clock.now()), resolve));
    const sent = JSON.parse(names.real(JSON.stringify({ path, ...(body === undefined ? {} : { body }) }))) as {
      path: string;
      body?: unknown;
    };
    const call = { method: method as 'PUT', ...sent, safe: false, ...(contentType ? { contentType } : {}) };
    const { status } = await world.transport.call(call, { deadline: clock.now() + 10_000 });
    if (status >= 300 && status !== 409) throw new Error(`${status} for ${method} ${path}`);
  }
}
