// What a CustomResourceDefinition may not say in its x-kubernetes-validations (apiextensions' validation.go).
import { type Cel, firstLine } from './cel.ts';
import { isTransition } from './celrules.ts';
import { missing, unsupported, wrong } from './fielderror.ts';
import { isFields } from './object.ts';
import type { FieldError } from './refusal.ts';
import type { Rule, Schema } from './schema.ts';

const reasons = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];

/** Rules that are wrong in themselves, or that do not compile. `list`: the list above, if its items are not told apart. */
export function ruleFaults(cel: Cel, schema: Schema, path: string, list?: string): FieldError[] {
  const own = (schema['x-kubernetes-validations'] ?? []).flatMap((rule, i) =>
    faultsOf(cel, rule, schema, `${path}.x-kubernetes-validations[${i}]`, list),
  );
  const children = Object.entries(schema.properties ?? {}).flatMap(([name, one]) =>
    ruleFaults(cel, one, `${path}.properties[${name}]`, list),
  );
  const isMap = schema['x-kubernetes-list-type'] === 'map';
  const items = schema.items ? ruleFaults(cel, schema.items, `${path}.items`, isMap ? list : (list ?? path)) : [];
  const extra = schema.additionalProperties;
  const additional = isFields(extra) ? ruleFaults(cel, extra as Schema, `${path}.additionalProperties`, list) : [];
  return [...own, ...children, ...items, ...additional];
}

function faultsOf(cel: Cel, rule: Rule, schema: Schema, path: string, list: string | undefined): FieldError[] {
  const { message, messageExpression, reason, fieldPath, optionalOldSelf } = rule;
  if (!rule.rule?.trim()) return [missing(`${path}.rule`, 'rule is not specified')];
  const errors: FieldError[] = [];
  if (message !== undefined && !message.trim())
    errors.push(wrong(`${path}.message`, message, 'message must be non-empty if specified'));
  else if (message && /\n/.test(message))
    errors.push(wrong(`${path}.message`, message, 'message must not contain line breaks'));
  if (reason !== undefined && !reasons.includes(reason)) errors.push(unsupported(`${path}.reason`, reason, reasons));
  const astray = fieldPath === undefined ? undefined : pathFault(fieldPath, schema);
  if (astray) errors.push(wrong(`${path}.fieldPath`, fieldPath, `fieldPath must be a valid path: ${astray}`));
  const compiled = compileFault(cel, rule.rule, optionalOldSelf);
  if (compiled) errors.push(wrong(`${path}.rule`, rule.rule, compiled));
  const said = messageExpression === undefined ? undefined : compileFault(cel, messageExpression);
  if (said) errors.push(wrong(`${path}.messageExpression`, messageExpression, said));
  if (!isTransition(rule) && optionalOldSelf !== undefined)
    errors.push(wrong(`${path}.optionalOldSelf`, optionalOldSelf, 'may not be set if oldSelf is not used in rule'));
  if (isTransition(rule) && list)
    errors.push(
      wrong(
        `${path}.rule`,
        rule.rule,
        `oldSelf cannot be used on the uncorrelatable portion of the schema within ${list}`,
      ),
    );
  return errors;
}

function compileFault(cel: Cel, expression: string, optionalOldSelf?: boolean): string | undefined {
  try {
    cel.compile(expression, optionalOldSelf);
    return undefined;
  } catch (wrong) {
    return `compilation failed: ${firstLine(wrong)}`;
  }
}

/** Why a path like `.a.b['c']` leads nowhere in a schema. */
function pathFault(path: string, schema: Schema): string | undefined {
  let at: Schema | undefined = schema;
  for (let rest = path; rest !== '';) {
    const [whole, name, quoted] = /^(?:\.([^.[\]]+)|\['([^']*)'\])/.exec(rest) ?? [];
    if (whole === undefined) return `expected [ or . but got: ${rest}`;
    const extra: unknown = at.additionalProperties;
    at = at.properties?.[name ?? quoted ?? ''] ?? (!at.properties && isFields(extra) ? (extra as Schema) : undefined);
    if (!at) return 'does not refer to a valid field';
    rest = rest.slice(whole.length);
  }
  return undefined;
}
