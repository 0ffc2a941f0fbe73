import { badRequest } from './refusal.ts';

/** Whether an option of a query is on. As the API server reads it, all but `false` and `0` is: Python says `True`. */
export function isOn(query: URLSearchParams, option: string): boolean {
  const value = query.get(option);
  return value !== null && value !== '0' && value.toLowerCase() !== 'false';
}

/** A number of a query; undefined where it is not given. @throws Refusal 400 for what is no whole number */
export function wholeNumber(query: URLSearchParams, option: string): number | undefined {
  const value = query.get(option);
  if (value === null) return undefined;
  if (!/^[+-]?\d+$/.test(value)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  return Number(value);
}
