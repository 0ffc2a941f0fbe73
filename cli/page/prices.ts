import { type Options, UsageError, type Values } from '../command.ts';
import type { Prices } from './saved.ts';

export const priceOptions: Options = {
  'price-vcpu-hour': { type: 'string', value: 'N', about: 'what a vCPU costs an hour, such as 0.04' },
  'price-gib-hour': { type: 'string', value: 'N', about: 'what a GiB of memory costs an hour, such as 0.005' },
  currency: { type: 'string', value: 'CODE', about: 'of the prices, ISO 4217. Default: EUR' },
};

/** For a help text that is laid out by hand. */
export const priceHelp = `  --price-vcpu-hour N, --price-gib-hour N, --currency CODE
                   what a vCPU and a GiB of memory cost an hour, such as 0.04 and 0.005. Default currency: EUR.
`;

/** Undefined when no price is given. @throws UsageError naming the option and what was expected. */
export function readPrices(values: Values): Prices | undefined {
  const price = (option: string): number | undefined => {
    const text = values[option] as string | undefined;
    if (text === undefined) return undefined;
    if (!/^\d{1,9}(\.\d{1,9})?$/.test(text))
      throw new UsageError(`--${option} ${text}: expected a number such as 0.04`);
    return Number(text);
  };
  const [vcpuHour, gibHour] = [price('price-vcpu-hour'), price('price-gib-hour')];
  const currency = (values.currency as string | undefined) ?? 'EUR';
  if (!Intl.supportedValuesOf('currency').includes(currency))
    throw new UsageError(`--currency ${currency}: expected a code of ISO 4217, such as EUR`);
  if (vcpuHour === undefined && gibHour === undefined) {
    if (values.currency !== undefined) throw new UsageError('--currency: expected a price with it');
    return undefined;
  }
  return { currency, ...(vcpuHour === undefined ? {} : { vcpuHour }), ...(gibHour === undefined ? {} : { gibHour }) };
}
