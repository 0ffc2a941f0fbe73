import { type Company, liveBeside, type Lived, type Seen, type Sight } from './beside.ts';
import { leave, nextGround } from './ground.ts';
import { type Exploration, search } from './search.ts';
import { type Tenants, tenants } from './tenants.ts';

/** Nobody is later than that because of a neighbour. */
const lateMs = 5_000;
/** Of so many histories one may be a tie; with more of them the property would be too soft to say anything. */
const oneTieIn = 50;
/** In few histories chance alone may make so many. */
const fewTies = 2;

export interface Interference {
  seed: number;
  path: string;
  tenants: Tenants;
  wrong: string[];
}

export interface Searched {
  found: Interference | undefined;
  /** How many were lived through, and how many of them were ties. */
  histories: number;
  ties: number;
}

export interface Comparison {
  /** In what tenant Y's life beside X differs from its life alone. */
  wrong: string[];
  /** Whether it is like its life alone with ticks as late as X made them, and only so. */
  tie: boolean;
}

/**
 * Y may be late by `lateMs` because of X. Where that decides whether this tick or the next one, or a tick or a person, is
 * first, Y's life takes another course: one that it takes alone, too, if its ticks are late by as much. That is a tie,
 * and it is lived through: no other course is let pass.
 */
export async function compareLives(one: Tenants, harm?: Company['harm']): Promise<Comparison> {
  const alone = await lived(one, { withX: false });
  const beside = await lived(one, { withX: true, ...(harm ? { harm } : {}) });
  const wrong = differences(alone.seen, beside.seen);
  if (wrong.length === 0) return { wrong, tie: false };
  const late = beside.lookedMs.map((ms, tick) => ms - (alone.lookedMs[tick] ?? 0));
  if (late.some((ms) => ms > lateMs)) return { wrong, tie: false };
  const asLate = await lived(one, { withX: false, lookedMs: beside.lookedMs });
  const tie = differences(asLate.seen, beside.seen).length === 0;
  return { wrong: tie ? [] : wrong, tie };
}

const differences = (alone: Seen, beside: Seen): string[] =>
  (['requests', 'outcomes', 'events', 'statuses'] as const).flatMap((kind) => compare(kind, alone[kind], beside[kind]));

/** On a cluster of its own afterwards, if something went wrong that is not Y's. */
const lived = async (one: Tenants, company: Company): Promise<Lived> =>
  liveBeside(await nextGround(), one, company).catch(async (thrown: unknown) => {
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
): Promise<Searched> {
  const { onLived, ...rest } = options;
  let [histories, ties] = [0, 0];
  const wrongWith = async (one: Tenants) => {
    const { wrong, tie } = await compareLives(one);
    histories++;
    if (tie) ties++;
    return wrong;
  };
  const one = await search(tenants, wrongWith, { ...rest, ...(onLived ? { lived: onLived } : {}) });
  const found = one && { seed: one.seed, path: one.path, tenants: one.found, wrong: one.wrong };
  return { found, histories, ties };
}

const isSoft = ({ histories, ties }: Searched): boolean => ties > Math.max(fewTies, histories / oneTieIn);

export const tiesText = ({ histories, ties }: Searched): string =>
  `${ties} of ${histories} histories were compared with a life alone whose ticks are as late`;

/** What is not as it must be; undefined where no tenant noticed its neighbour, and few lives were ties. */
export function interferenceText(searched: Searched): string | undefined {
  const { found } = searched;
  if (!found) return isSoft(searched) ? `${tiesText(searched)}: too many to say anything` : undefined;
  const short = (_key: string, value: unknown) => (typeof value === 'string' ? value.slice(0, 300) : value);
  return [
    ...found.wrong.map((sentence) => `tenant Y notices tenant X: ${sentence}`),
    `the tenants: ${JSON.stringify(found.tenants, short)}`,
    `again: npm run test:property -- --noninterference --seed ${found.seed} --path ${found.path}`,
  ].join('\n');
}
