import { LifecycleError } from '../../shared/domain/errors.ts';
import { outside, type Surface } from './surfaces.ts';

const million = 1_000_000;
const filled = (part: string): string => part.repeat(Math.ceil(million / part.length)).slice(0, million);

/** A megabyte of each kind that a careless expression, loop or copy takes long for. */
export const megabytes: Record<string, unknown> = {
  ...Object.fromEntries(
    [
      'a',
      ' ',
      '-',
      'a.',
      'eyJ-',
      'bearer ',
      '://',
      '\u001b[',
      '\u009d',
      '\n',
      '0,',
      '2026-12-25\n',
      '{"a":',
      '[',
      '"\\',
      'a=b,',
      '(',
    ].map((part) => [`text of ${JSON.stringify(part)}`, filled(part)]),
  ),
  'a list of texts': Array<string>(250_000).fill('x'),
  'a list of objects': Array<object>(100_000).fill({ type: 'x' }),
  'a map': Object.fromEntries(Array.from({ length: 60_000 }, (_, i) => [`key-${i}`, 'value'])),
};

export interface Large {
  name: string;
  inputs: number;
  /** Milliseconds of this thread, so that what else the machine does counts for nothing; and with what. */
  slowest: number;
  with: string;
}

/** The value with each of its fields in turn replaced by `by`. */
function* replacedEverywhere(value: unknown, by: unknown, at = ''): Generator<[string, unknown]> {
  yield [at || 'all of it', by];
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value))
    for (const [where, changed] of replacedEverywhere(inner, by, `${at}.${key}`)) {
      const copy: unknown = Array.isArray(value) ? [...(value as unknown[])] : { ...value };
      (copy as Record<string, unknown>)[key] = changed;
      yield [where, copy];
    }
}

/** Feeds a megabyte at every field of what is right. @throws what the surface throws, but for refusals. */
export async function feedLarge({ name, feed }: Surface, right: unknown): Promise<Large> {
  const result: Large = { name, inputs: 0, slowest: 0, with: '' };
  for (const [kind, by] of Object.entries(megabytes))
    for (const [where, input] of replacedEverywhere(right, by)) {
      const once = async () => {
        const begun = process.threadCpuUsage();
        try {
          await feed(input, outside());
        } catch (thrown) {
          if (!(thrown instanceof LifecycleError)) throw new Error(`${name}: ${kind} at ${where}`, { cause: thrown });
        }
        const { user, system } = process.threadCpuUsage(begun);
        return (user + system) / 1000;
      };
      let took = await once();
      // A compiler that was busy with something else is not the input's fault.
      for (let again = 0; again < 2 && took > 50; again++) took = Math.min(took, await once());
      result.inputs++;
      if (took > result.slowest) Object.assign(result, { slowest: took, with: `${kind} at ${where}` });
    }
  return result;
}
