import { type Case, NotApplicable } from './case.ts';
import { paths } from './client.ts';
import type { Ground } from './ground.ts';
import type { Template } from './making.ts';
import { stageOn } from './stage.ts';

export interface Result {
  area: string;
  name: string;
  seconds: number;
  result: 'passed' | 'failed' | 'not applicable';
  /** Why, where it did not pass. */
  message?: string;
}

export interface Running {
  template: Template;
  /** How many cases at once. */
  atOnce: number;
  tell?: (result: Result) => void;
}

const usualLimitMs = 180_000;

/** Runs cases in namespaces of their own making, which go at the end; what needs everything to itself comes last. */
export async function runCases(
  all: Case[],
  ground: Ground,
  { template, atOnce, tell = () => {} }: Running,
): Promise<Result[]> {
  const home = `wukong-contract-${Math.floor(Math.random() * 36 ** 6).toString(36)}`;
  const spaces: string[] = [];
  const space = async (name: string) => {
    spaces.push(name);
    await makeNamespace(ground, name);
    return name;
  };
  await space(home);
  const results: Result[] = [];
  const one = async (each: Case, index: number) => {
    const lacking = lacks(each, ground);
    const { area, name } = each;
    const begun = ground.clock.now();
    const taken = () => (ground.clock.now() - begun) / 1000;
    let result: Result;
    try {
      if (lacking) throw new NotApplicable(lacking);
      const namespace = each.alone ? await space(`${home}-${index}`) : home;
      await inTime(ground, each.limitMs ?? usualLimitMs, each.run(stageOn(ground, namespace, template)));
      result = { area, name, seconds: taken(), result: 'passed' };
    } catch (thrown) {
      const message = (thrown as Error).message;
      result = {
        area,
        name,
        seconds: taken(),
        result: thrown instanceof NotApplicable ? 'not applicable' : 'failed',
        message,
      };
    }
    results.push(result);
    tell(result);
  };
  try {
    const queue = all.entries().filter(([, each]) => !each.crds);
    const worker = async () => {
      for (const [index, each] of queue) await one(each, index);
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    for (const [index, each] of all.entries()) if (each.crds) await one(each, index);
  } finally {
    for (const name of spaces) await ground.send('DELETE', `/api/v1/namespaces/${name}`, {});
  }
  const order = new Map(all.map(({ name }, index) => [name, index]));
  return results.sort((a, b) => (order.get(a.name) ?? 0) - (order.get(b.name) ?? 0));
}

function lacks({ guests, crds, process: own }: Case, ground: Ground): string | undefined {
  if (guests && !ground.obedient) return 'needs guests that do as annotations say';
  if (crds && !ground.mayChangeCrds) return 'needs --install-crds, as it changes CRDs and puts them back';
  if (own && !ground.processes) return 'needs a process of its own, which virtual time does not know';
  return undefined;
}

async function makeNamespace({ send, clock }: Ground, name: string): Promise<void> {
  const { status, body } = await send('POST', '/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name },
  });
  if (status !== 201)
    throw new Error(`namespace ${name} could not be made (${status}): ${JSON.stringify(body).slice(0, 300)}`);
  // A real namespace takes a moment until its first objects are taken.
  for (let tries = 0; tries < 50; tries++) {
    const known = await send('GET', paths.core(name, 'configmaps'));
    if (known.status === 200) return;
    await new Promise<void>((resolve) => clock.after(100, resolve));
  }
}

function inTime(ground: Ground, limitMs: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = ground.clock.after(limitMs, () => reject(new Error(`no end within ${limitMs / 1000} s`)));
    work.then(resolve, reject).finally(cancel);
  });
}
