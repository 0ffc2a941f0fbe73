import { globSync, readFileSync } from 'node:fs';

import { describe, expect, it, vi } from 'vitest';

import { escape } from '../../cli/page/markup.ts';
import { columns } from '../../cli/terminal/columns.ts';
import { tableLines } from '../../cli/terminal/liveTable.ts';
import { parseCommand } from '../../shared/domain/command.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { eventOf } from '../../shared/report/events.ts';
import { jsonLog } from '../../shared/report/log.ts';
import { plain, plainFields, printable, redact } from '../../shared/report/plain.ts';
import { detailOf } from '../../shared/report/report.ts';
import { stateAfter } from '../../shared/report/status.ts';
import { growth, onePass } from '../growth.ts';

const forged =
  'no quota\nStopped  1s  wukong-lifecycle  all is well\u2028{"outcome":"Stopped"}\u202e\u0085 Bearer abc.def';
const outcome: Outcome = {
  outcome: 'Failed',
  reason: 'Refused',
  message: forged,
  namespace: 'team-a',
  name: 'web',
  action: 'stop',
  forced: false,
  requestId: 'event-1\nrequest-2',
  trigger: 'event',
  startedAt: 0,
  finishedAt: 0,
};

describe('text from outside cannot be taken for another line', () => {
  it.each([
    ['in an Event', eventOf(outcome).message],
    ['in the status', stateAfter(outcome, 'Running').message],
    ['in the outcome event', detailOf(outcome).message],
    ['wherever else', plain(forged)],
  ])('%s', (_where, text) => {
    expect(text).not.toMatch(/[\p{Cc}\u2028\u2029\p{Bidi_Control}]/u);
    expect(text).not.toContain('abc.def');
    expect(text).toContain('no quota Stopped');
  });

  it('in a log line, which is one line of JSON', () => {
    const written: string[] = [];
    const spies = [process.stdout, process.stderr].map((stream) =>
      vi.spyOn(stream, 'write').mockImplementation((chunk) => written.push(String(chunk)) > 0),
    );
    jsonLog({ logLevel: 'INFO' }, 'test').error(forged, { says: forged, requestId: 'event-1\n{"level":"INFO"}' });
    for (const spy of spies) spy.mockRestore();
    const lines = written.join('').trimEnd().split('\n');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'ERROR' });
    expect(lines[0]).not.toContain('abc.def');
  });
});

/** One of each kind that a terminal obeys, or that is not seen. */
const hostile: Record<string, string> = {
  'a line break': 'a\nb',
  'clearing the screen': 'a\u001b[2J\u001b[Hb',
  'clearing it with one byte (C1)': 'a\u009b2Jb',
  'a title': 'a\u001b]0;all is well\u0007b',
  'a title in C1': 'a\u009d0;all is well\u009cb',
  'a device string': 'a\u001bP1$r0m\u001b\\b',
  'a reset': 'a\u001bcb',
  'an escape at the end': 'ab\u001b',
  'a sequence in a sequence': 'a\u001b\u001b[m[2Jb',
  'a bell and a backspace': 'a\u0007\u0008b',
  'bidi marks': 'a\u202eb\u2066\u200f',
  'line separators': 'a\u2028\u2029b',
  'zero-width characters': 'a\u200b\u200d\ufeff\u2060b',
  'invisible tags': 'a\u{e0041}\u{e007f}b',
  'half a character': 'a\ud800b',
  'a next line (C1)': 'a\u0085b',
};
const unsafe = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}]/u;

describe.each(Object.entries(hostile))('text with %s', (_what, text) => {
  const bad: Outcome = { ...outcome, message: text, requestId: text, trigger: text };

  it('is shown without it, wherever it is', () => {
    const { message, requestId, trigger, id } = detailOf(bad);
    const { message: said, requestId: asked, trigger: by } = stateAfter(bad, 'Running');
    const row = { namespace: text, name: text, strategy: text, state: text, elapsed: text, waiting: text };
    const shown = [plain(text), message, requestId, trigger, id, said, asked, by, eventOf(bad).message];
    for (const one of [
      ...shown,
      ...columns(['A'], [[text]]),
      ...tableLines([row], false),
      escape(text).replaceAll('\n', ''),
    ])
      expect(String(one).replaceAll('\uFFFD', '')).not.toMatch(unsafe);
    expect(plain(text).replaceAll(/\s/g, '')).toMatch(/^a\S*b?$/);
  });

  it('does nothing in a terminal, and stays what it was in JSON', () => {
    const printed = printable(`${JSON.stringify({ text })}\n`);
    expect(printed.slice(0, -1)).not.toMatch(unsafe);
    expect(JSON.parse(printed)).toEqual({ text });
    expect(printable(text).replaceAll('\n', '')).not.toMatch(unsafe);
  });

  it('is refused in a command', () => {
    const origin = { action: 'stop', requestId: 'r', requestedAt: 0, trigger: 'event' } as const;
    for (const field of ['requestId', 'reason', 'requestedBy', 'trigger'])
      expect(() => parseCommand({ target: { namespace: 'a', name: 'b' }, [field]: text }, origin)).toThrow(
        new RegExp(`${field}: expected no control`),
      );
  });
});

it('colours stay; what moves the cursor does not', () => {
  expect(printable('\u001b[31mred\u001b[39m\n')).toBe('\u001b[31mred\u001b[39m\n');
  expect(printable('\u001b[2K\u001b[1A\u001b[8mhidden')).not.toContain('\u001b');
});

describe('secrets', () => {
  it.each([
    ['a bearer token', 'authorization: Bearer abc.def-ghi', 'abc'],
    ['a JSON web token', 'the token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln is old', 'sdWIi'],
    ['one behind other words', 'cookie=a.b-eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln', 'zdWIi'],
    ['a token of EKS', 'k8s-aws-v1.aHR0cHM6Ly9zdHM', 'aHR0'],
    ['a signature', 'GET /?X-Amz-Signature=0123abcd&x=y', '0123abcd'],
    ['a password in a URL', 'https://admin:hunter2@cluster.example:6443 does not answer', 'hunter2'],
  ])('%s is not told', (_what, text, secret) => {
    expect(plain(text)).not.toContain(secret);
    expect(plain(text)).toContain('[secret]');
    expect(JSON.stringify(plainFields({ deep: [{ er: { says: text } }], error: new Error(text) }))).not.toContain(
      secret,
    );
  });

  it('are not told in a field that is named like one, however deep', () => {
    expect(plainFields({ a: { headers: { Authorization: 'Basic eDp5' } }, kubeconfig: 'x' })).toEqual({
      a: { headers: { Authorization: '[secret]' } },
      kubeconfig: '[secret]',
    });
  });

  it.each([
    'eyJ-',
    'eyJaaaaaaaa',
    'a.eyJ',
    'bearer ',
    'a://',
    '\u009d',
    '\u001b]',
    '\u001b[',
    'k8s-aws-v1.',
    '-a.',
    'X-Amz-Signature=',
  ])('are looked for in one pass, whatever stands there: %j again and again', (word) => {
    const cost = growth((scale) => {
      const text = word.repeat(Math.ceil((scale * 50_000) / word.length));
      redact(text);
      plain(text, 1_000_000);
      printable(text);
    });
    expect(cost).toBeLessThan(onePass);
  });
});

it('bounds what is said: texts, lists and depth', () => {
  expect(plain('x'.repeat(1_000_000)).length).toBe(4_096);
  expect(plain('😀'.repeat(10), 6)).toBe('😀😀…');
  const deep = plainFields({
    list: Array(10_000).fill('x'),
    text: 'x'.repeat(1e6),
    a: { a: { a: { a: { a: { a: { a: 1 } } } } } },
  });
  expect(JSON.stringify(deep).length).toBeLessThan(10_000);
});

describe('nothing else touches what is shown', () => {
  const files = globSync('{shared,cli,functions}/**/*.ts').map((file) => ({ file, text: readFileSync(file, 'utf8') }));
  const among = (pattern: RegExp) => files.filter(({ text }) => pattern.test(text)).map(({ file }) => file);

  it('one place knows the characters, one the secrets', () => {
    expect(among(/Bidi_Control|u202e|Default_Ignorable/).sort()).toEqual(['shared/domain/oneLine.ts']);
    expect(among(/bearer\\s/)).toEqual(['shared/report/plain.ts']);
  });

  it('a terminal is written to by what escapes for it, or draws on it', () => {
    const allowed = /^cli\/(terminal\/(process|liveTable|progressBar)|demo\/(voice|main|onCluster))\.ts$/;
    const writers = among(/\b(stdout|stderr|out)\.write\(|\bconsole\.|writeSync\(/);
    expect(writers.filter((file) => !allowed.test(file))).toEqual([]);
    for (const { file, text } of files.filter(({ file }) => /demo\/(voice|main|onCluster)/.test(file)))
      for (const [call] of text.matchAll(/\.write\((?!printable|lines)[^)]*/g)) expect([file, call]).toEqual([]);
  });

  it('a log line is written by report/log.ts alone', () => {
    expect(among(/powertools\/logger/)).toEqual(['shared/report/log.ts']);
  });
});

describe('a secret in a text', () => {
  const jwt = 'eyJabcdefgh';
  it.each([
    ['Bearer abc.def-x', 'Bearer [secret]'],
    ['X-Amz-Signature=ab&X-Amz-Credential=a%2Fb', 'X-Amz-Signature=[secret]&X-Amz-Credential=[secret]'],
    ['x k8s-aws-v1.aHR0 y', 'x [secret] y'],
    ['at https://kim:pass@host/x', 'at https://[secret]@host/x'],
    [`${jwt}.x`, '[secret]'],
    [`${jwt}.x.y, and`, '[secret], and'],
    [`a.b.pre${jwt}.x.y`, 'a.b.pre[secret]'],
    [`a ${jwt}. b`, `a ${jwt}. b`],
    [`a.${jwt}`, `a.${jwt}`],
    [jwt, jwt],
    [`${jwt.slice(0, -1)}.x`, `${jwt.slice(0, -1)}.x`],
    [`eyJab.${jwt}.x`, 'eyJab.[secret]'],
    ['db.prod.example.com', 'db.prod.example.com'],
    ['abcdefghijklmnop.qrstuvwxyz', 'abcdefghijklmnop.qrstuvwxyz'],
  ])('%j is shown as %j', (text, shown) => expect(plain(text)).toBe(shown));

  it('is none of what is no text, which is written as JSON', () =>
    expect([{ a: 'b\n' }, 7, undefined].map((one) => plain(one as never))).toEqual(['{"a":"b\\n"}', '7', '']));
});

describe('the fields of a log line', () => {
  it('are as they are, each text on its line, and what is named like a secret is left out', () => {
    const call = () => {};
    const given = {
      a: 'x\ny',
      b: 7,
      c: null,
      d: undefined,
      e: [1, 'z\n'],
      token: 't',
      tokens: 7,
      Password: { a: 'b' },
      call,
    };
    const shown = { ...given, a: 'x y', e: [1, 'z '], token: '[secret]' };
    expect(plainFields(given)).toEqual(shown);
    expect(plainFields({ 'k\ney': 'v' })).toEqual({ 'k ey': 'v' });
    expect(plainFields(new Date(0))).toBe('1970-01-01T00:00:00.000Z');
  });

  it('say what was thrown, and why', () => {
    const cause = new TypeError('why');
    const thrown = new Error('a\nb', { cause });
    const said = plainFields({ thrown }) as { thrown: { stack: string; cause: object } };
    expect(said.thrown).toMatchObject({ name: 'Error', message: 'a b', cause: { name: 'TypeError', message: 'why' } });
    expect(said.thrown.stack).toContain('plain.test.ts');
    expect(plainFields(cause)).not.toHaveProperty('cause');
  });

  it('are a hundred, six deep, with names of 256 and texts of 8,192 characters', () => {
    const many = Array.from({ length: 150 }, (_, i) => i);
    expect([(plainFields(many) as number[]).at(0), (plainFields(many) as number[]).length]).toEqual([0, 100]);
    expect(Object.keys(plainFields(Object.fromEntries(many.map((i) => [`k${i}`, i]))) as object)).toHaveLength(100);
    expect([
      (plainFields('x'.repeat(9_000)) as string).length,
      Object.keys(plainFields({ ['k'.repeat(300)]: 1 }) as object)[0]?.length,
    ]).toEqual([8_192, 256]);
    const deep = (levels: number, of: (inner: unknown) => unknown): unknown =>
      levels === 0 ? 'end' : of(deep(levels - 1, of));
    for (const of of [(inner: unknown) => ({ inner }), (inner: unknown) => [inner]])
      expect([plainFields(deep(6, of)), plainFields(deep(7, of))]).toEqual([deep(6, of), of(of(of(of(of(of('…'))))))]);
    const causes = (levels: number): Error => new Error(`${levels}`, levels === 0 ? {} : { cause: causes(levels - 1) });
    const said = JSON.stringify(plainFields(causes(9)));
    expect([...said.matchAll(/"message":"(\d)"/g)].map(([, nth]) => nth)).toEqual(['9', '8', '7']);
    expect(said).toMatch(/"cause":"…"\}+$/);
  });
});
