import type { Call } from '../apiserver/call.ts';
import { decoded } from '../apiserver/decoding.ts';
import { type Fields, isFields } from '../apiserver/object.ts';
import { badRequest } from '../apiserver/refusal.ts';

/** virt-api produces nothing, and so nothing that is JSON: only a wildcard is acceptable. */
export const acceptsAnything = (accept: string | undefined): boolean => accept === undefined || /\*\/\*/.test(accept);

export const isDryRun = (body: Fields): boolean => Array.isArray(body['dryRun']) && body['dryRun'].includes('All');

/** StartOptions or StopOptions; fields that they do not know are ignored. @throws Refusal 400 */
export function optionsOf(call: Call): Fields {
  let body: unknown;
  try {
    body = decoded(call);
  } catch (error) {
    throw badRequest(`Can not unmarshal Request body to struct, error: ${(error as Error).message}`);
  }
  const wrong = (what: string) =>
    badRequest(`Can not unmarshal Request body to struct, error: json: cannot unmarshal ${what}`);
  if (body === undefined || body === null) return {};
  if (!isFields(body)) throw wrong(`${typeof body} into Go value`);
  const { gracePeriod, paused, dryRun } = body;
  if (gracePeriod != null && !Number.isInteger(gracePeriod))
    throw wrong(`${typeof gracePeriod} into Go struct field StopOptions.gracePeriod of type int64`);
  if (paused != null && typeof paused !== 'boolean')
    throw wrong(`${typeof paused} into Go struct field StartOptions.paused of type bool`);
  if (dryRun != null && !Array.isArray(dryRun))
    throw wrong(`${typeof dryRun} into Go struct field StopOptions.dryRun of type []string`);
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
}
