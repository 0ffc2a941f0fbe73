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

/** The two namespaces of this run. Nothing is asked of the cluster before `make`. */
export class OwnNamespaces {
  readonly #world: World;
  readonly #run: Run;
  readonly #uids = new Map<string, string | undefined>();
  readonly #asked: Promise<unknown>[] = [];
  #isRemoving = false;

  constructor(world: World, run: Run) {
    this.#world = world;
    this.#run = run;
  }

  /** @throws LifecycleError Refused where one of the names is taken, Denied where namespaces may not be made. */
  async make(): Promise<void> {
    for (const name of this.#run.names) {
      if (this.#isRemoving) return;
      const making = this.#makeOne(name);
      this.#asked.push(making);
      await making;
    }
  }

  /**
   * Takes away those that this run made, and waits up to a minute until they are gone; `told` hears that it waits.
   * Answers the names of those that are still there. A namespace that is not ours by label and uid is left alone.
   */
  async remove(told: () => void): Promise<string[]> {
    const { clock } = this.#world;
    this.#isRemoving = true;
    await Promise.allSettled(this.#asked);
    let left = await those([...this.#uids.keys()], (name) => this.#removeOne(name));
    if (left.length > 0) told();
    for (const end = clock.now() + goneWithinMs; left.length > 0 && clock.now() < end;) {
      await sleep(clock, lookEveryMs);
      left = await those(left, async (name) => (await this.#ours(name)) !== undefined);
    }
    return left;
  }

  async #makeOne(name: string): Promise<void> {
    const annotations = { [processAnnotation]: `${hostname()} ${process.pid}` };
    const call = makeNamespace({ name, labels: { [runLabel]: this.#run.label }, annotations });
    this.#uids.set(name, undefined);
    const answer = await this.#world.transport.call<KubeObject>({ ...call, safe: false });
    if (answer.status === 409)
      throw new LifecycleError('Refused', `namespace ${name} exists already, so it is left alone; try again`);
    this.#uids.set(name, bodyOf(answer, `namespace ${name}`).metadata.uid);
  }

  /** Ours, and still there: of one whose making was not answered the label tells, as nobody else knows the run. */
  async #ours(name: string): Promise<string | undefined> {
    const call = { method: 'GET', path: namespacePath(name), safe: true } as const;
    const answer = await this.#world.transport.call<KubeObject>(call);
    if (answer.status === 404) return undefined;
    const { uid, labels } = bodyOf(answer, `namespace ${name}`).metadata;
    return labels?.[runLabel] === this.#run.label && uid === (this.#uids.get(name) ?? uid) ? uid : undefined;
  }

  async #removeOne(name: string): Promise<boolean> {
    const uid = await this.#ours(name);
    if (uid === undefined) return false;
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid } };
    const call = { method: 'DELETE', path: namespacePath(name), body, safe: true } as const;
    const answer = await this.#world.transport.call(call);
    // 409: it is going already, or it is another one by now.
    if (answer.status !== 404 && answer.status !== 409) bodyOf(answer, `namespace ${name}`);
    return true;
  }
}

/** The names of which it is true, asked of all at once. */
async function those(names: string[], isSo: (name: string) => Promise<boolean>): Promise<string[]> {
  const answers = await Promise.all(names.map(isSo));
  return names.filter((_name, i) => answers[i]);
}
