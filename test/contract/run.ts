import { type Case, NotApplicable } from './case.ts';
import type { Ground } from './ground.ts';
import type { Template } from './making.ts';
import { ownSpaces } from './spaces.ts';
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
  /** Ends the run: no case begins any more, those under way are given up, but for one that has to put CRDs back. */
  signal?: AbortSignal;
}

const usualLimitMs = 180_000;

/** Runs cases in namespaces of their own making, which go at the end; what needs everything to itself comes last. */
export async function runCases(
  all: Case[],
  ground: Ground,
  { template, atOnce, tell = () => {}, signal = new AbortController().signal }: Running,
): Promise<Result[]> {
  const spaces = ownSpaces(ground);
  const { home } = spaces;
  const results: Result[] = [];
  const one = async (each: Case, index: number) => {
    const lacking = lacks(each, ground);
    const { area, name } = each;
    const begun = ground.clock.now();
    const taken = () => (ground.clock.now() - begun) / 1000;
    let result: Result;
    try {
      if (lacking) throw new NotApplicable(lacking);
      const namespace = each.alone ? await spaces.make(`${home}-${index}`) : home;
      const work = each.run(stageOn(ground, namespace, template, spaces));
      await inTime(ground, each.limitMs ?? usualLimitMs, work, each.crds ? undefined : signal);
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
    await spaces.make(home);
    const queue = all.entries().filter(([, each]) => !each.crds);
    const worker = async () => {
      for (const [index, each] of queue) if (!signal.aborted) await one(each, index);
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    for (const [index, each] of all.entries()) if (each.crds && !signal.aborted) await one(each, index);
  } finally {
    await spaces.remove();
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

function inTime(ground: Ground, limitMs: number, work: Promise<void>, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = ground.clock.after(limitMs, () => reject(new Error(`no end within ${limitMs / 1000} s`)));
    const abort = () => reject(new Error('interrupted'));
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => {
      cancel();
      signal?.removeEventListener('abort', abort);
    });
  });
}
