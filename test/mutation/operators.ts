import { parseAst } from 'vitest/node';

/** One small change to an expression that a test should notice. */
export interface Mutant {
  operator: string;
  line: number;
  /** Where the expression stands in the source, and what is put there instead. */
  start: number;
  end: number;
  text: string;
  /** What is changed to what, on one line. */
  before: string;
  after: string;
  /** Outside every function: evaluated when the file is loaded. */
  atLoad: boolean;
}

export interface Found {
  mutants: Mutant[];
  /** The bodies of the loops. */
  loops: { start: number; end: number }[];
}

interface Node {
  type: string;
  start: number;
  end: number;
  [key: string]: unknown;
}
const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
const node = (of: Node, key: string) => of[key] as Node;
const nodes = (of: Node, key: string) => of[key] as Node[];

const swapped: Record<string, string[]> = {
  '===': ['!=='],
  '!==': ['==='],
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '%': ['*'],
  '&': ['|'],
  '|': ['&'],
  '<<': ['>>'],
  '>>': ['<<'],
};
const logical: Record<string, string> = { '&&': '||', '||': '&&', '??': '&&' };
const methods = new Map(
  Object.entries({
    some: 'every',
    every: 'some',
    find: 'findLast',
    findLast: 'find',
    max: 'min',
    min: 'max',
    floor: 'ceil',
    startsWith: 'endsWith',
  }),
);
const droppable = new Set(['filter', 'sort', 'slice', 'trim', 'toLowerCase', 'toUpperCase']);
const droppableMath = new Set(['trunc', 'abs', 'round']);
const tested = new Set(['IfStatement', 'ConditionalExpression', 'WhileStatement', 'ForStatement']);
const looping = new Set(['ForStatement', 'ForOfStatement', 'WhileStatement']);
/** Types, names and texts for people: nothing there decides. */
const passedBy = new Set([
  'typeAnnotation',
  'typeArguments',
  'typeParameters',
  'returnType',
  'decorators',
  'id',
  'label',
  'source',
]);

/** All mutants of a source, one operator at one place each. */
export function mutantsOf(source: string): Found {
  const found: Found = { mutants: [], loops: [] };
  const textOf = ({ start, end }: { start: number; end: number }) => source.slice(start, end);
  const short = (text: string) => text.replace(/\s+/g, ' ').trim();
  let depth = 0;

  function add(operator: string, at: Node, text: string, before = textOf(at), after = text) {
    const line = source.slice(0, at.start).split('\n').length;
    const place = { line, start: at.start, end: at.end, atLoad: depth === 0 };
    found.mutants.push({ operator, ...place, text, before: short(before), after: short(after) });
  }

  /** `spine`: inside an optional chain, where a pair of brackets would end what `?.` leaves out. */
  function visit(at: Node, spine = false): void {
    if (at.type.startsWith('TS') && !isNode(at['expression'])) return;
    if (at.type === 'ImportDeclaration') return;
    if (looping.has(at.type)) found.loops.push(node(at, 'body'));
    if (!spine) mutate(at);
    const isFunction = at.type.includes('Function');
    if (isFunction) depth++;
    for (const [key, child] of Object.entries(at)) {
      if (passedBy.has(key) || (key === 'left' && at.type.startsWith('Assignment'))) continue;
      if ((key === 'property' || key === 'key') && !at['computed']) continue;
      const onSpine = at.type === 'ChainExpression' || (spine && /^(object|callee|expression)$/.test(key));
      for (const each of [child].flat()) if (isNode(each)) visit(each, onSpine);
    }
    if (isFunction) depth--;
  }

  function mutate(at: Node) {
    const test = at['test'];
    if (tested.has(at.type) && isNode(test)) {
      if (at.type !== 'WhileStatement' && at.type !== 'ForStatement') add('condition', test, 'true');
      add('condition', test, 'false');
    }
    switch (at.type) {
      case 'BinaryExpression': {
        const { first, operator, second } = halves(at);
        if (operator === '+' && /^['`]/.test(first)) return;
        for (const other of swapped[operator] ?? []) add('operator', at, `${first}${other}${second}`);
        return;
      }
      case 'LogicalExpression': {
        const { first, operator, second } = halves(at);
        const other = logical[operator]!;
        add('operator', at, `(${first}) ${other} (${second})`, textOf(at), `${first.trim()} ${other} …`);
        add('operand', at, first);
        add('operand', at, second);
        return;
      }
      case 'UnaryExpression':
        if (at['operator'] === '!' || at['operator'] === '-') add('sign', at, textOf(node(at, 'argument')));
        return;
      case 'AssignmentExpression':
        if (at['operator'] === '+=') add('operator', at, textOf(at).replace('+=', '-='));
        return;
      case 'Literal':
        return literal(at);
      case 'ObjectExpression':
        for (const one of nodes(at, 'properties')) {
          if (node(one, 'value')?.type === 'Literal') continue;
          const rest = nodes(at, 'properties').filter((each) => each !== one);
          add('property', at, `{ ${rest.map(textOf).join(', ')} }`, textOf(one), '(left out)');
        }
        return;
      case 'ArrayExpression':
        if (nodes(at, 'elements').length > 0) add('list', at, '[]');
        return;
      case 'CallExpression':
        return call(at);
      case 'ChainExpression':
        return chain(at);
      case 'ExpressionStatement':
        return add('statement', node(at, 'expression'), 'undefined');
      case 'SwitchCase':
        if (isNode(test) && test.type === 'Literal') add('case', test, "''");
    }
  }

  /** What stands on both sides of an operator, with their brackets. */
  function halves(at: Node) {
    const operator = at['operator'] as string;
    const from = source.indexOf(operator, node(at, 'left').end);
    return { first: source.slice(at.start, from), operator, second: source.slice(from + operator.length, at.end) };
  }

  function literal(at: Node) {
    const value = at['value'];
    const around = source.slice(Math.max(0, at.start - 5), at.start);
    if (typeof value === 'number') {
      // A number alone says nothing: it is shown in its line.
      const from = source.lastIndexOf('\n', at.start) + 1;
      const to = source.indexOf('\n', at.end);
      const line = (text: string) => source.slice(from, at.start) + text + source.slice(at.end, to);
      add('number', at, String(value + 1), line(textOf(at)), line(String(value + 1)));
    }
    if (typeof value === 'boolean') add('boolean', at, String(!value));
    // Compared ones are covered by the comparison; texts with spaces are for people.
    const isWord = typeof value === 'string' && /^\S+$/.test(value);
    if (isWord && !/[!=]== $|case $/.test(around)) add('word', at, "''");
  }

  function call(at: Node) {
    const callee = node(at, 'callee');
    if (callee.type !== 'MemberExpression' || callee['computed']) return;
    const [object, property] = [node(callee, 'object'), node(callee, 'property')];
    const name = property['name'] as string;
    const args = nodes(at, 'arguments');
    const other = methods.get(name);
    if (other) add('method', at, source.slice(at.start, property.start) + other + source.slice(property.end, at.end));
    if (droppable.has(name)) add('method', at, textOf(object), textOf(at), `without ${name}`);
    if (textOf(object) === 'Math' && droppableMath.has(name)) add('method', at, textOf(args[0]!));
  }

  function chain(at: Node) {
    for (const link of textOf(at).matchAll(/\?\.(?=([[(])?)/g)) {
      const from = at.start + link.index;
      add('?.', at, source.slice(at.start, from) + (link[1] ? '' : '.') + source.slice(from + 2, at.end));
    }
  }

  visit(parseAst(source, { lang: 'ts' }) as unknown as Node);
  return found;
}

/** The source with one mutant. */
export const applied = (source: string, { start, end, text }: Mutant): string =>
  `${source.slice(0, start)}(${text})${source.slice(end)}`;

interface Place {
  start: number;
  end: number;
  write: (inner: string) => string;
}

/** What a file has learnt and keeps for later: with a mutant it would be learnt wrong, and without one known already. */
const memory = /^(const \w+ = |\s*const \w+ = (?=new Weak))new (?:Weak)?Map(?:<.*>)?\(\);$/gm;

/**
 * The source with all its mutants at once, each asleep until `__mutant(index)` says that it is its turn; with a call in
 * each loop, so that one that has become endless is noticed; and with its memory in `__kept`, which forgets.
 */
export function together(source: string, { mutants, loops }: Found): string {
  const places = new Map<string, Place & { choices: string }>();
  mutants.forEach(({ start, end, text, atLoad }, index) => {
    if (atLoad) return;
    const key = `${start}-${end}`;
    const choices = `${places.get(key)?.choices ?? ''}__mutant(${index}) ? (${text}) : `;
    places.set(key, { start, end, choices, write: (inner) => `(${choices}(${inner}))` });
  });
  const turns = loops.map(({ start, end }): Place => {
    return { start, end, write: (inner) => `{ __turn(); ${inner} }` };
  });
  // Outer before inner; of one range the loop's body is the outer one.
  const all = [...turns, ...places.values()].sort((a, b) => a.start - b.start || b.end - a.end);
  function render(from: number, to: number, first: number): string {
    let [written, at] = ['', from];
    for (let i = first; i < all.length; i++) {
      const { start, end, write } = all[i]!;
      if (start >= to) break;
      if (start < at || end > to) continue;
      written += source.slice(at, start) + write(render(start, end, i + 1));
      at = end;
    }
    return written + source.slice(at, to);
  }
  return render(0, source.length, 0).replace(memory, '$1__kept();');
}
