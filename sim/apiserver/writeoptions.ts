import type { Call, Target } from './call.ts';
import type { WriteOptions } from './cluster.ts';
import { strictFaults } from './decoding.ts';
import { forbidden, missing, unsupported, wrong } from './fielderror.ts';
import { badRequest, type FieldError, invalid, type Refusal } from './refusal.ts';
import type { Resource } from './resources.ts';

/** The kinds of PATCH, by the type of its body. */
export const patchTypes = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

type Verb = 'CreateOptions' | 'UpdateOptions' | 'PatchOptions';

/** @throws Refusal 422 for options of a write that nobody knows (apimachinery's ValidateCreateOptions and its like). */
export function checkOptions({ query }: Call, kind: Verb, type?: string): void {
  const errors: FieldError[] = [];
  const manager = query.get('fieldManager') ?? '';
  if (kind === 'PatchOptions' && type !== patchTypes.apply && query.has('force'))
    errors.push(forbidden('force', 'may not be specified for non-apply patch'));
  if (type === patchTypes.apply && manager === '') errors.push(missing('fieldManager', 'is required for apply patch'));
  if (Buffer.byteLength(manager) > 128)
    errors.push({ field: 'fieldManager', message: 'Too long: may not be more than 128 bytes' });
  const dryRun = query.getAll('dryRun');
  if (dryRun.some((value) => value !== 'All')) errors.push(unsupported('dryRun', dryRun, ['All']));
  const validation = query.get('fieldValidation') ?? '';
  const validations = ['', 'Ignore', 'Strict', 'Warn'];
  if (!validations.includes(validation)) errors.push(unsupported('fieldValidation', validation, validations));
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', plural: kind.toLowerCase(), kind }, '', errors);
}

/** What the body says twice is refused when strict, and else only told. */
export function optionsOf(call: Call, target: Target, warnings: string[], strict: Strict): WriteOptions {
  const isStrict = call.query.get('fieldValidation') === 'Strict';
  const faults = strictFaults(call);
  if (isStrict && faults.length > 0) throw strict(faults);
  warnings.push(...faults);
  return {
    subresource: target.subresource,
    alias: target.resource.alias?.group === target.group,
    dryRun: call.query.has('dryRun'),
    user: call.user,
    ...(isStrict ? { strict: (unknown) => strict(unknown.map((field) => `unknown field "${field}"`)) } : {}),
    warn: call.query.get('fieldValidation') === 'Ignore' ? () => undefined : (text) => warnings.push(text),
  };
}

/** What a strict reading found, as it is refused. */
export type Strict = (faults: string[]) => Refusal;

export const strictBody =
  ({ kind, version }: Resource): Strict =>
  (faults) =>
    badRequest(
      `${kind} in version "${version}" cannot be handled as a ${kind}: strict decoding error: ${faults.join(', ')}`,
    );

export const strictPatch =
  (body: unknown): Strict =>
  (faults) =>
    invalid({ group: '', plural: '', kind: '' }, '', [
      wrong('patch', JSON.stringify(body), `strict decoding error: ${faults.join(', ')}`),
    ]);

export const strictApply: Strict = (faults) => badRequest(`error strict decoding YAML: ${faults.join(', ')}`);
