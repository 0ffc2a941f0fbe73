import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

import { bodyOf } from '../../shared/cluster/failure.ts';
import { namespacePath } from '../../shared/cluster/namespaces.ts';
import type { World } from '../../shared/cluster/world.ts';
import { LifecycleError } from '../../shared/domain/errors.ts';
import type { KubeObject } from '../../shared/domain/model.ts';
import { sleep } from '../../shared/time/wait.ts';
import { makeNamespace } from './stage.ts';
import type { Namespaces } from './wukongs.ts';

/** On each namespace that a demo makes: which run it belongs to, and which process that is. */
export const runLabel = 'lifecycle.novasphere.dev/demo';
export const processAnnotation = 'lifecycle.novasphere.dev/demo-process';

const goneWithinMs = 60_000;
const lookEveryMs = 250;

/** One run of the demo: what it is called on the cluster, which nobody can know before. */
export interface Run {
  label: string;
  names: Namespaces;
}

export function newRun(): Run {
  const label = randomBytes(10).toString('hex');
  const name = (which: string) => `wukong-demo-${label.slice(0, 6)}-${which}`;
  return { label, names: [name('a'), name('b')] };
}

export interface OwnNamespaces {
  /** @throws LifecycleError Refused where one of the names is taken, Denied where namespaces may not be made. */
  make(): Promise<void>;
  /**
   * Takes away those that this run made, and waits up to a minute until they are gone; `told` hears that it waits.
   * Answers the names of those that are still there. A namespace that is not ours by label and uid is left alone.
   */
  remove(told: () => void): Promise<string[]>;
}

/** The two namespaces of this run. Nothing is asked of the cluster before `make`. */
export function ownNamespaces(world: World, run: Run): OwnNamespaces {
  const uids = new Map<string, string | undefined>();
  const asked: Promise<unknown>[] = [];
  let removing = false;

  async function makeOne(name: string): Promise<void> {
    const annotations = { [processAnnotation]: `${hostname()} ${process.pid}` };
    const call = makeNamespace({ name, labels: { [runLabel]: run.label }, annotations });
    uids.set(name, undefined);
    const answer = await world.transport.call<KubeObject>({ ...call, safe: false });
    if (answer.status === 409)
      throw new LifecycleError('Refused', `namespace ${name} exists already, so it is left alone; try again`);
    uids.set(name, bodyOf(answer, `namespace ${name}`).metadata.uid);
  }

  /** Ours, and still there: of one whose making was not answered the label tells, as nobody else knows the run. */
  async function ours(name: string): Promise<string | undefined> {
    const answer = await world.transport.call<KubeObject>({ method: 'GET', path: namespacePath(name), safe: true });
    if (answer.status === 404) return undefined;
    const { uid, labels } = bodyOf(answer, `namespace ${name}`).metadata;
    return labels?.[runLabel] === run.label && uid === (uids.get(name) ?? uid) ? uid : undefined;
  }

  async function removeOne(name: string): Promise<boolean> {
    const uid = await ours(name);
    if (uid === undefined) return false;
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid } };
    const answer = await world.transport.call({ method: 'DELETE', path: namespacePath(name), body, safe: true });
    // 409: it is going already, or it is another one by now.
    if (answer.status !== 404 && answer.status !== 409) bodyOf(answer, `namespace ${name}`);
    return true;
  }

  return {
    async make() {
      for (const name of run.names) {
        if (removing) return;
        const making = makeOne(name);
        asked.push(making);
        await making;
      }
    },
    async remove(told) {
      removing = true;
      await Promise.allSettled(asked);
      const removed = await Promise.all([...uids.keys()].map(async (name) => ((await removeOne(name)) ? name : '')));
      let left = removed.filter((name) => name !== '');
      if (left.length > 0) told();
      for (const end = world.clock.now() + goneWithinMs; left.length > 0 && world.clock.now() < end;) {
        await sleep(world.clock, lookEveryMs);
        const there = await Promise.all(left.map(async (name) => ((await ours(name)) === undefined ? '' : name)));
        left = there.filter((name) => name !== '');
      }
      return left;
    },
  };
}
