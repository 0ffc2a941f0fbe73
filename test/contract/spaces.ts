import { randomBytes } from 'node:crypto';

import { paths, type Reply } from './client.ts';
import type { Ground } from './ground.ts';

const label = 'lifecycle.novasphere.dev/contract';
const deletion = { apiVersion: 'v1', kind: 'DeleteOptions' };
const pathOf = (name: string) => `/api/v1/namespaces/${name}`;

/** The namespaces that one run makes, and takes away at its end; all others are nobody's business here. */
export type Spaces = ReturnType<typeof ownSpaces>;

export function ownSpaces({ send, clock }: Pick<Ground, 'send' | 'clock'>) {
  const run = randomBytes(10).toString('hex');
  const asked = new Map<string, Promise<string | undefined>>();
  const clusterWide: string[] = [];

  async function ask(name: string): Promise<string | undefined> {
    const metadata = { name, labels: { [label]: run } };
    const { status, body } = await send('POST', '/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata,
    });
    if (status === 409) throw new Error(`namespace ${name} exists already, so it is left alone; try again`);
    if (status !== 201)
      throw new Error(`namespace ${name} could not be made (${status}): ${JSON.stringify(body).slice(0, 300)}`);
    return body.metadata.uid;
  }

  /** A real namespace takes a moment until its first objects are taken. */
  async function ready(name: string): Promise<void> {
    for (let tries = 0; tries < 50; tries++) {
      const known = await send('GET', paths.core(name, 'configmaps'));
      if (known.status === 200) return;
      await new Promise<void>((resolve) => clock.after(100, resolve));
    }
  }

  /** By its uid: one that somebody has made anew meanwhile is theirs. Of a making without answer the label tells. */
  async function removeOne(name: string): Promise<void> {
    const uid = await asked.get(name)?.catch(() => undefined);
    const { status, body } = await send('GET', pathOf(name));
    if (status !== 200 || body.metadata.labels?.[label] !== run || body.metadata.uid !== (uid ?? body.metadata.uid))
      return;
    const preconditions = { uid: body.metadata.uid };
    await send('DELETE', pathOf(name), { ...deletion, preconditions });
  }

  async function removeOwn(path: string): Promise<void> {
    const { status, body } = await send('GET', path);
    if (status === 200 && body.metadata.labels?.[label] === run)
      await send('DELETE', path, { ...deletion, preconditions: { uid: body.metadata.uid } });
  }

  return {
    home: `wukong-contract-${run.slice(0, 6)}`,
    /** @throws Error where it is there already, or may not be made. */
    async make(name: string): Promise<string> {
      const making = ask(name);
      asked.set(name, making);
      await making;
      await ready(name);
      return name;
    },
    /** An object of no namespace, at the path of its kind. */
    own(path: string, object: { metadata: { name: string } }): Promise<Reply> {
      clusterWide.push(`${path}/${object.metadata.name}`);
      const metadata = { ...object.metadata, labels: { [label]: run } };
      return send('POST', path, { ...object, metadata });
    },
    /** Those that this run made. @throws Error naming those that could not be taken away. */
    async remove(): Promise<void> {
      const left: string[] = [];
      for (const path of clusterWide) await removeOwn(path).catch(() => left.push(path));
      for (const name of asked.keys()) await removeOne(name).catch(() => left.push(name));
      if (left.length > 0) throw new Error(`could not be taken away: ${left.join(', ')}`);
    },
  };
}

/** What other runs have on the cluster, as a sentence: one that was killed could not take its own away. */
export async function leftOver({ send }: Pick<Ground, 'send'>): Promise<string | undefined> {
  const namesAt = async (path: string, ours: RegExp): Promise<string[]> => {
    const { status, body } = await send('GET', `${path}?labelSelector=${label}`);
    if (status !== 200) return []; // who may make namespaces need not be allowed to list them
    return (body.items as { metadata: { name: string; deletionTimestamp?: string } }[])
      .filter(({ metadata }) => ours.test(metadata.name) && !metadata.deletionTimestamp)
      .map(({ metadata }) => metadata.name);
  };
  const left = {
    namespace: await namesAt('/api/v1/namespaces', /^wukong-contract-[\w-]+$/),
    clusterwukongschedule: await namesAt(paths.clusterSchedule(), /^night-wukong-contract-[\w-]+$/),
  };
  const kinds = Object.entries(left).filter(([, names]) => names.length > 0);
  if (kinds.length === 0) return undefined;
  const commands = kinds.map(([kind, names]) => `kubectl delete ${kind} ${names.join(' ')}`);
  return `Of another run, left alone: ${kinds.flatMap(([, names]) => names).join(', ')}. If it has ended: ${commands.join('; ')}`;
}
