import { isFields } from './object.ts';

export type Expression = (variables: Record<string, unknown>) => unknown;
export interface Cel {
  /**
   * With `optionalOldSelf`, oldSelf is an optional value. @throws Error for what this evaluator does not understand.
   */
  compile(expression: string, optionalOldSelf?: boolean): Expression;
  /** Why it is no expression at all; undefined for one that is, understood here or not. */
  syntaxFault(expression: string): string | undefined;
  /** An optional value; undefined: none. */
  optional(value: unknown): unknown;
}

let evaluator: Promise<Cel | undefined> | undefined;

/**
 * The evaluator of CEL, a package that only a checkout has; undefined where it is not installed. The functions that
 * Kubernetes adds are here as far as schemas use them; quantities, URLs, addresses and the authorizer are not. All
 * clusters of a process share it, and what it has compiled.
 */
export const loadCel = (): Promise<Cel | undefined> => (evaluator ??= makeCel());

async function makeCel(): Promise<Cel | undefined> {
  try {
    const { Environment, Optional } = await import('@marcbachmann/cel-js');
    const make = () => {
      const environment = new Environment({
        unlistedVariablesAreDyn: true,
        enableOptionalTypes: true,
        homogeneousAggregateLiterals: false,
      });
      for (const [signature, run] of kubernetesFunctions) environment.registerFunction(signature, run);
      return { environment, compiled: new Map<string, Expression>() };
    };
    const [usual, optional] = [make(), make()];
    optional.environment.registerVariable('oldSelf', 'optional');
    return {
      compile(expression, optionalOldSelf = false) {
        const { environment, compiled } = optionalOldSelf ? optional : usual;
        const known = compiled.get(expression);
        if (known) return known;
        const checked = environment.check(expression);
        if (!checked.valid) throw checked.error ?? new Error(`not understood: ${expression}`);
        const parsed = environment.parse(expression) as Expression;
        compiled.set(expression, parsed);
        return parsed;
      },
      syntaxFault(expression) {
        try {
          usual.environment.parse(expression);
          return undefined;
        } catch (wrong) {
          return firstLine(wrong);
        }
      },
      optional: (value) => (value === undefined ? Optional.none() : Optional.of(value)),
    };
  } catch {
    return undefined;
  }
}

/** What went wrong, without the picture of where. */
export const firstLine = (wrong: unknown): string => (wrong as Error).message.split('\n')[0] ?? '';

type Ordered = bigint | number | string;
const least = (list: Ordered[]) => list.reduce((a, b) => (b < a ? b : a));
const most = (list: Ordered[]) => list.reduce((a, b) => (b > a ? b : a));

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- values of a dynamic language
const kubernetesFunctions: [string, (...given: any[]) => unknown][] = [
  ['string.find(string): string', (text: string, pattern: string) => new RegExp(pattern, 'u').exec(text)?.[0] ?? ''],
  ['string.findAll(string): list', (text: string, pattern: string) => text.match(new RegExp(pattern, 'gu')) ?? []],
  ['string.replace(string, string): string', (text: string, old: string, next: string) => text.replaceAll(old, next)],
  ['list.isSorted(): bool', (list: Ordered[]) => list.every((one, i) => i === 0 || (list[i - 1] as Ordered) <= one)],
  ['list.sum(): dyn', (list: bigint[]) => list.reduce((a, b) => a + b, 0n)],
  ['list.min(): dyn', least],
  ['list.max(): dyn', most],
];

/** A value without a schema, as CEL sees it: whole numbers are ints. */
export function celValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(celValue);
  if (isFields(value)) return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, celValue(one)]));
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : (value ?? null);
}
