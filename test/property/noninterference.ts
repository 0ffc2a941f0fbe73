import fc from 'fast-check';

import { liveBeside, type Seen, type Sight } from './beside.ts';
import { leave, nextGround } from './ground.ts';
import { type Tenants, tenants } from './tenants.ts';

/** Nobody is later than that because of a neighbour. */
const lateMs = 5_000;
const shrinkMs = 90_000;

export interface Interference {
  seed: number;
  path: string;
  tenants: Tenants;
  wrong: string[];
}

/** In what tenant Y's life beside X differs from its life alone. */
export async function differences(one: Tenants): Promise<string[]> {
  const alone = await lived(one, false);
  const beside = await lived(one, true);
  return (['requests', 'outcomes', 'events', 'statuses'] as const).flatMap((kind) =>
    compare(kind, alone[kind], beside[kind]),
  );
}

/** On a cluster of its own afterwards, if something went wrong that is not Y's. */
const lived = async (one: Tenants, withX: boolean): Promise<Seen> =>
  liveBeside(await nextGround(), one, withX).catch(async (thrown: unknown) => {
    await leave();
    throw thrown;
  });

/** Each sight of the one life has its like in the other, at the same time but for five seconds. */
function compare(kind: keyof Seen, alone: Sight[], beside: Sight[]): string[] {
  const [before, after] = [alone, beside].map((some) => Map.groupBy(some, ({ what }) => what));
  return [...new Set([...before!.keys(), ...after!.keys()])].flatMap((what) => {
    const [one, two] = [before, after].map((of) => (of!.get(what) ?? []).map(({ at }) => at).sort((a, b) => a - b));
    if (one!.length !== two!.length) return [`${kind}: ${what}: ${one!.length} alone, ${two!.length} beside`];
    const apart = Math.max(0, ...one!.map((at, i) => Math.abs(at - two![i]!)));
    return apart > lateMs ? [`${kind}: ${what}: ${apart} ms apart`] : [];
  });
}

/** Lives through random tenants until Y notices X, and makes that one small. */
export async function interference(options: {
  runs: number;
  seed: number;
  path?: string | undefined;
  onLived?: (histories: number) => void;
}): Promise<Interference | undefined> {
  const { runs, seed, path, onLived } = options;
  let failedAt: number | undefined;
  let count = 0;
  const property = fc.asyncProperty(tenants, async (one) => {
    if (failedAt !== undefined && Date.now() > failedAt + shrinkMs) return;
    const wrong = await differences(one);
    onLived?.(++count);
    if (wrong.length === 0) return;
    failedAt ??= Date.now();
    throw new Error(wrong.join('\n'));
  });
  try {
    const done = await fc.check(property, { numRuns: runs, seed, ...(path === undefined ? {} : { path }) });
    if (!done.failed) return undefined;
    const [found] = done.counterexample as [Tenants];
    const { message } = done.errorInstance as Error;
    return { seed, path: done.counterexamplePath ?? '', tenants: found, wrong: message.split('\n') };
  } finally {
    await leave();
  }
}

export const interferenceText = ({ seed, path, tenants: found, wrong }: Interference): string =>
  [
    ...wrong.map((sentence) => `tenant Y notices tenant X: ${sentence}`),
    `the tenants: ${JSON.stringify(found, (_key, value: unknown) => (typeof value === 'string' ? value.slice(0, 300) : value))}`,
    `again: npm run test:property -- --noninterference --seed ${seed} --path ${path}`,
  ].join('\n');
