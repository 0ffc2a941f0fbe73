import fc from 'fast-check';

/** Keys that a careless merge, lookup or log takes for something else. */
export const hostileKeys = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'length',
  'then',
  'toJSON',
  '',
  ' ',
  '\u0000',
  '😀',
  'a'.repeat(300),
];

const long = [
  'a'.repeat(64),
  'a'.repeat(5_000),
  `${'-'.repeat(4_000)}!`,
  `${'a,'.repeat(3_000)}`,
  `${'('.repeat(2_000)}${')'.repeat(2_000)}`,
  `${' '.repeat(20_000)}x`,
  `${'a.'.repeat(1_500)}/${'b'.repeat(64)}`,
  `${'1,'.repeat(2_000)}1 * * * *`,
];
const oversize = 'x'.repeat(300_000);

const words = [
  'stop',
  'start',
  'true',
  'null',
  '../../secrets/x',
  'team-a/../kube-system',
  'web?fieldSelector=x',
  'web%2f..%2f..',
  '-rf',
  'Team_A',
  '\ud800',
  'ünïcödé',
  '\u202egnp.exe',
  'web\nERROR forged=true',
  '\u001b[2Jgone',
  '${jndi:ldap://x}',
  '$(reboot)',
  "'; drop table vms; --",
  '<script>alert(1)</script>',
  'env=dev',
  'env in (dev,test),!x',
  'env in (((',
  '=,=,=',
  'a=b,,c',
  'x notin ()',
  '0 20 * * 1-5',
  '*/0 * * * *',
  '99 99 99 99 99',
  '@reboot',
  '0 0 31 2 *',
  '* * * * * *',
  'Europe/Berlin',
  'Mars/Olympus',
  '../../etc/passwd',
  '2026-02-30T00:00:00Z',
  '2026-11-23T20:00:00Z',
  '+275760-09-13T00:00:00.001Z',
  '-271821-04-19T23:59:59.999Z',
  '0000-00-00T00:00:00Z',
  '9999-12-31T23:59:59+99:99',
];

const numbers = [
  0,
  -0,
  -1,
  1,
  0.5,
  59,
  86_400,
  86_401,
  2 ** 31,
  2 ** 53,
  2 ** 53 + 2,
  -(2 ** 63),
  1e21,
  1e300,
  -1e300,
  5e-324,
  NaN,
  Infinity,
  -Infinity,
];

export const text = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...words) },
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 2, arbitrary: fc.constantFrom(...long) },
);
export const number = fc.oneof(fc.constantFrom(...numbers), fc.double(), fc.integer());
export const key = fc.oneof(fc.constantFrom(...hostileKeys), fc.string({ maxLength: 12 }));

const scalar = fc.oneof(
  { weight: 5, arbitrary: text },
  { weight: 3, arbitrary: number },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(null, true, false, undefined) },
);

/** Own properties, as JSON.parse makes them: `__proto__` is a key like any other. */
export function own(entries: [string, unknown][]): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (const [name, value] of entries)
    Object.defineProperty(made, name, { value, enumerable: true, configurable: true, writable: true });
  return made;
}

const tree = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'hostile' },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map(own),
  ),
})).value;

/** `{a: {a: …}}` or `[[[…]]]`, deeper than anybody recurses. */
function nested(depth: number, inArrays: boolean): unknown {
  let value: unknown = 'deep';
  for (let level = 0; level < depth; level++) value = inArrays ? [value] : { target: value };
  return value;
}

/** Anything that an event or an object may hold where something else was expected. */
export const hostile: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 60, arbitrary: scalar },
  { weight: 30, arbitrary: tree },
  {
    weight: 4,
    arbitrary: fc.tuple(fc.constantFrom(50, 500, 20_000), fc.boolean()).map(([n, flat]) => nested(n, flat)),
  },
  { weight: 1, arbitrary: fc.constant(oversize) },
  { weight: 1, arbitrary: fc.constant(Array.from({ length: 5_000 }, (_, i) => i)) },
);

/** One change at a place of a JSON value: `path` chooses among the keys on each level. */
export interface Mutation {
  path: number[];
  how: 'replace' | 'remove' | 'rename' | 'add' | 'wrap';
  key: string;
  value: unknown;
}

export const mutation: fc.Arbitrary<Mutation> = fc.record({
  path: fc.array(fc.nat(20), { minLength: 1, maxLength: 5 }),
  how: fc.constantFrom('replace', 'replace', 'remove', 'rename', 'add', 'wrap'),
  key,
  value: hostile,
});

/** The value with one thing in it changed; what is not changed is shared. */
export function mutate(value: unknown, { path, ...change }: Mutation): unknown {
  if (typeof value !== 'object' || value === null) return change.value;
  const entries = Object.entries(value);
  const [at = 0, ...deeper] = path;
  const index = entries.length === 0 ? 0 : at % entries.length;
  const [name, inner] = entries[index] ?? [change.key, undefined];
  const goDeeper = deeper.length > 0 && typeof inner === 'object' && inner !== null;
  if (goDeeper) entries[index] = [name, mutate(inner, { path: deeper, ...change })];
  else if (change.how === 'replace') entries[index] = [name, change.value];
  else if (change.how === 'remove') entries.splice(index, 1);
  else if (change.how === 'rename') entries[index] = [change.key, inner];
  else if (change.how === 'add') entries.push([change.key, change.value]);
  else entries[index] = [name, { [name]: inner }];
  return Array.isArray(value) ? entries.map(([, one]) => one) : own(entries);
}
