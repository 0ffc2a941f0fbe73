import { liveBeside, type Seen, type Sight } from './beside.ts';
import { leave, nextGround } from './ground.ts';
import { type Exploration, search } from './search.ts';
import { type Tenants, tenants } from './tenants.ts';

/** Nobody is later than that because of a neighbour. */
const lateMs = 5_000;

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
export async function interference(
  options: Omit<Exploration, 'lived'> & { onLived?: (histories: number) => void },
): Promise<Interference | undefined> {
  const { onLived, ...rest } = options;
  const one = await search(tenants, differences, { ...rest, ...(onLived ? { lived: onLived } : {}) });
  return one && { seed: one.seed, path: one.path, tenants: one.found, wrong: one.wrong };
}

export const interferenceText = ({ seed, path, tenants: found, wrong }: Interference): string =>
  [
    ...wrong.map((sentence) => `tenant Y notices tenant X: ${sentence}`),
    `the tenants: ${JSON.stringify(found, (_key, value: unknown) => (typeof value === 'string' ? value.slice(0, 300) : value))}`,
    `again: npm run test:property -- --noninterference --seed ${seed} --path ${path}`,
  ].join('\n');
