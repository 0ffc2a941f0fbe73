import { parse } from 'yaml';

import type { Call } from '../apiserver/call.ts';
import { type Fields, isFields } from '../apiserver/object.ts';
import { badRequest, internalError } from '../apiserver/refusal.ts';

/** virt-api produces nothing, and so nothing that is JSON: only a wildcard is acceptable. */
export const acceptsAnything = (accept: string | undefined): boolean => accept === undefined || /\*\/\*/.test(accept);

/** @throws Refusal 500 for a dry run of an unknown kind, which the API server does not take from virt-api. */
export function isDryRun(body: Fields): boolean {
  const asked = body['dryRun'];
  if (!Array.isArray(asked) || asked.length === 0) return false;
  if (asked.some((one) => one !== 'All'))
    throw internalError(
      `PatchOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ${JSON.stringify(asked)}: supported values: "All"`,
    );
  return true;
}

/** StartOptions or StopOptions; fields that they do not know are ignored. @throws Refusal 400 */
export function optionsOf(call: Call): Fields {
  let body: unknown;
  try {
    body = parse(call.body.toString('utf8'), { logLevel: 'error', uniqueKeys: false }); // JSON or YAML, whatever it says it is
  } catch (error) {
    throw badRequest(`Can not unmarshal Request body to struct, error: ${(error as Error).message}`);
  }
  const wrong = (what: string) =>
    badRequest(`Can not unmarshal Request body to struct, error: json: cannot unmarshal ${what}`);
  if (body === undefined || body === null) return {};
  if (!isFields(body)) throw wrong(`${typeof body} into Go value`);
  const { gracePeriod, gracePeriodSeconds, paused, dryRun } = body;
  if (gracePeriod != null && !Number.isInteger(gracePeriod))
    throw wrong(`${typeof gracePeriod} into Go struct field StopOptions.gracePeriod of type int64`);
  if (gracePeriodSeconds != null && !Number.isInteger(gracePeriodSeconds))
    throw wrong(`${typeof gracePeriodSeconds} into Go struct field RestartOptions.gracePeriodSeconds of type int64`);
  if (paused != null && typeof paused !== 'boolean')
    throw wrong(`${typeof paused} into Go struct field StartOptions.paused of type bool`);
  if (dryRun != null && !Array.isArray(dryRun))
    throw wrong(`${typeof dryRun} into Go struct field StopOptions.dryRun of type []string`);
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
}
