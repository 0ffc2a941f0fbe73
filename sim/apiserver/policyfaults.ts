// What a ValidatingAdmissionPolicy and its binding may not say (Kubernetes' admissionregistration/validation.go).
import type { Cel } from './cel.ts';
import { forbidden, missing, unsupported, wrong } from './fielderror.ts';
import { at, type Fields, isFields, type Thing } from './object.ts';
import type { FieldError } from './refusal.ts';

const list = (value: unknown, ...path: string[]): Fields[] => {
  const found = at(value, ...path);
  return Array.isArray(found) ? found.filter(isFields) : [];
};
const oneOf = (field: string, value: unknown, values: string[]): FieldError[] =>
  value === undefined || values.includes(value as string) ? [] : [unsupported(field, value, values)];

/** Expressions that this evaluator does not know are let in, and fail when they are asked; what is no CEL is not. */
export function policyFaults({ spec }: Thing, cel: Cel | undefined): FieldError[] {
  const expression = (field: string, value: unknown): FieldError[] => {
    const text = typeof value === 'string' ? value.trim() : '';
    if (text === '') return [missing(field, 'expression is not specified')];
    const fault = cel?.syntaxFault(text);
    return fault ? [wrong(field, text, `compilation failed: ${fault}`)] : [];
  };
  const named = (key: string): FieldError[] =>
    list(spec, key).flatMap((one, i) => [
      ...(one['name'] ? [] : [missing(`spec.${key}[${i}].name`)]),
      ...expression(`spec.${key}[${i}].expression`, one['expression']),
    ]);
  const validations = list(spec, 'validations');
  const audited = list(spec, 'auditAnnotations');
  const nothing = 'validations or auditAnnotations must contain at least one item';
  return [
    ...oneOf('spec.failurePolicy', at(spec, 'failurePolicy'), ['Fail', 'Ignore']),
    ...(list(spec, 'matchConstraints', 'resourceRules').length > 0
      ? []
      : [missing(`spec.matchConstraints${at(spec, 'matchConstraints') ? '.resourceRules' : ''}`)]),
    ...named('matchConditions'),
    ...named('variables'),
    ...(validations.length + audited.length > 0
      ? []
      : [missing('spec.validations', nothing), missing('spec.auditAnnotations', nothing)]),
    ...validations.flatMap((one, i) => [
      ...expression(`spec.validations[${i}].expression`, one['expression']),
      ...(one['messageExpression'] === undefined
        ? []
        : expression(`spec.validations[${i}].messageExpression`, one['messageExpression'])),
      ...oneOf(`spec.validations[${i}].reason`, one['reason'], reasons),
    ]),
    ...audited.flatMap((one, i) => expression(`spec.auditAnnotations[${i}].valueExpression`, one['valueExpression'])),
  ];
}

const reasons = ['Forbidden', 'Invalid', 'RequestEntityTooLarge', 'Unauthorized'];

export function bindingFaults({ spec }: Thing): FieldError[] {
  const actions = (at(spec, 'validationActions') ?? []) as string[];
  const field = 'spec.validationActions';
  const reference = at(spec, 'paramRef');
  return [
    ...(at(spec, 'policyName') ? [] : [missing('spec.policyName')]),
    ...actions.flatMap((action, i) => oneOf(`${field}[${i}]`, action, ['Audit', 'Deny', 'Warn'])),
    ...(actions.includes('Deny') && actions.includes('Warn') ? [wrong(field, actions, both)] : []),
    ...(actions.length > 0 ? [] : [missing(field, 'at least one validation action is required')]),
    ...(isFields(reference) ? referenceFaults(reference) : []),
  ];
}

const both =
  'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)';

function referenceFaults({ name, selector, parameterNotFoundAction: action }: Fields): FieldError[] {
  const field = 'spec.paramRef';
  const exclusive = 'name and selector are mutually exclusive';
  return [
    ...(name && selector !== undefined
      ? [forbidden(`${field}.name`, exclusive), forbidden(`${field}.selector`, exclusive)]
      : []),
    ...(name || selector !== undefined ? [] : [missing(field, 'one of name or selector must be specified')]),
    ...(action === undefined
      ? [missing(`${field}.parameterNotFoundAction`)]
      : oneOf(`${field}.parameterNotFoundAction`, action, ['Deny', 'Allow'])),
  ];
}
