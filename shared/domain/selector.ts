/** Kubernetes label selectors: all forms of `kubectl -l`, and the object form of matchLabels and matchExpressions. */
export type Requirement =
  { key: string; operator: 'In' | 'NotIn'; values: string[] } | { key: string; operator: 'Exists' | 'DoesNotExist' };
export type Selector = Requirement[];

const name = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const prefix = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

function checkKey(key: string): string {
  const [first = '', second, ...more] = key.split('/');
  const fine =
    more.length === 0 &&
    (second === undefined ? name.test(first) : prefix.test(first) && first.length <= 253 && name.test(second));
  if (!fine)
    throw new Error(
      `"${key.slice(0, 80)}" is no label key: expected [prefix/]name, the name at most 63 of A-Z a-z 0-9 - _ .`,
    );
  return key;
}

function checkValue(value: string): string {
  if (value !== '' && !name.test(value))
    throw new Error(`"${value.slice(0, 80)}" is no label value: expected at most 63 of A-Z a-z 0-9 - _ .`);
  return value;
}

/** `env=dev,tier!=db,x in (a,b),y notin (c),z,!w`. @throws Error saying what was found and expected; also when empty. */
export function parseSelector(text: string): Selector {
  const parts = splitTop(text);
  if (parts.length === 0) throw new Error('expected a label selector; an empty one would mean every Wukong');
  return parts.map(parsePart);
}

/** At the commas that stand in no parentheses. */
function splitTop(text: string): string[] {
  if (text.length > 4096) throw new Error('expected a selector of at most 4096 characters');
  if (text.trim() === '') return [];
  const parts: string[] = [''];
  let depth = 0;
  for (const char of text) {
    if (char === '(') depth++;
    if (char === ')') depth--;
    if (depth < 0 || depth > 1) throw new Error('expected matching parentheses');
    if (char === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += char;
  }
  if (depth !== 0) throw new Error('expected matching parentheses');
  return parts.map((part) => part.trim());
}

function parsePart(part: string): Requirement {
  if (part === '') throw new Error('expected a requirement between the commas');
  const set = /^(\S+)\s+(in|notin)\s*\((.*)\)$/s.exec(part);
  if (set) {
    const values = (set[3] ?? '').split(',').map((value) => checkValue(value.trim()));
    return { key: checkKey(set[1] ?? ''), operator: set[2] === 'in' ? 'In' : 'NotIn', values };
  }
  const equal = /^([^=!]+?)\s*(==|!=|=)\s*(.*)$/s.exec(part);
  if (equal) {
    const operator = equal[2] === '!=' ? 'NotIn' : 'In';
    return { key: checkKey(equal[1] ?? ''), operator, values: [checkValue(equal[3] ?? '')] };
  }
  if (part.startsWith('!')) return { key: checkKey(part.slice(1).trim()), operator: 'DoesNotExist' };
  return { key: checkKey(part), operator: 'Exists' };
}

/** As the CRD has it. */
const mostOf = 64;
const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist'];

/**
 * The object form, `{matchLabels, matchExpressions}`, as a Kubernetes LabelSelector has it.
 * @throws Error saying what was found and expected; also when it is empty.
 */
export function readLabelSelector(value: unknown, { mayBeEmpty = false } = {}): Selector {
  const record = (each: unknown): each is Record<string, unknown> =>
    typeof each === 'object' && each !== null && !Array.isArray(each);
  if (!record(value)) throw new Error('expected {matchLabels} or {matchExpressions}');
  const { matchLabels = {}, matchExpressions = [] } = value;
  const stray = Object.keys(value).find((key) => key !== 'matchLabels' && key !== 'matchExpressions');
  if (stray !== undefined)
    throw new Error(`"${stray.slice(0, 80)}" is unknown: expected matchLabels and matchExpressions`);
  if (!record(matchLabels)) throw new Error('matchLabels: expected labels with their values');
  if (!Array.isArray(matchExpressions)) throw new Error('matchExpressions: expected a list');
  const labels = Object.entries(matchLabels);
  if (labels.length > mostOf) throw new Error(`matchLabels: expected at most ${mostOf}`);
  if (matchExpressions.length > mostOf) throw new Error(`matchExpressions: expected at most ${mostOf}`);
  const equal = labels.map(([key, label]): Requirement => {
    if (typeof label !== 'string')
      throw new Error(`matchLabels.${key}: expected a string, found ${JSON.stringify(label)}`);
    return { key: checkKey(key), operator: 'In', values: [checkValue(label)] };
  });
  const expressions = matchExpressions.map((one: unknown, i): Requirement => {
    const where = `matchExpressions[${i}]`;
    if (!record(one) || typeof one.key !== 'string') throw new Error(`${where}: expected {key, operator, values}`);
    const { key, operator, values = [] } = one;
    if (!operators.includes(String(operator))) throw new Error(`${where}.operator: expected ${operators.join(', ')}`);
    if (!Array.isArray(values) || values.length > mostOf || !values.every((each) => typeof each === 'string'))
      throw new Error(`${where}.values: expected a list of at most ${mostOf} strings`);
    if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0) throw new Error(`${where}.values: expected none for ${operator}`);
      return { key: checkKey(key), operator };
    }
    if (values.length === 0) throw new Error(`${where}.values: expected at least one for ${String(operator)}`);
    return { key: checkKey(key), operator: operator as 'In' | 'NotIn', values: values.map(checkValue) };
  });
  const all = [...equal, ...expressions];
  if (all.length === 0 && !mayBeEmpty)
    throw new Error('is empty, which would mean every Wukong: expected at least one label');
  return all;
}

/** The string form, as the API server takes it. */
export const format = (selector: Selector): string =>
  selector
    .map((one) => {
      if (!('values' in one)) return one.operator === 'Exists' ? one.key : `!${one.key}`;
      const [only] = one.values;
      if (one.values.length === 1) return `${one.key}${one.operator === 'In' ? '=' : '!='}${only}`;
      return `${one.key} ${one.operator === 'In' ? 'in' : 'notin'} (${one.values.join(',')})`;
    })
    .join(',');

/** As the API server decides: NotIn holds too where the label is missing. */
export const matches = (selector: Selector, labels: Record<string, string> = {}): boolean =>
  selector.every((one) => {
    const value = Object.hasOwn(labels, one.key) ? labels[one.key] : undefined;
    switch (one.operator) {
      case 'In':
        return value !== undefined && one.values.includes(value);
      case 'NotIn':
        return value === undefined || !one.values.includes(value);
      case 'Exists':
        return value !== undefined;
      case 'DoesNotExist':
        return value === undefined;
      default:
        return one satisfies never;
    }
  });
