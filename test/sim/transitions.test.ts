// Rules of a CRD that look at what was there before, and what they say: apiextensions' rules for CEL.
import { expect, test } from 'vitest';

import { answered } from './answered.ts';
import { story } from './client.ts';
import { crd, crds, make, toy, toys } from './toys.ts';

const merge = 'application/merge-patch+json';

test('a rule that compares is asked at each update, the unchanged value too; never when there was none', () =>
  story({}, async ({ send }) => {
    const counter = {
      type: 'integer',
      'x-kubernetes-validations': [{ rule: 'self > oldSelf', message: 'must grow' }],
    };
    await send('POST', crds, { body: crd([], { counter }) });
    const patched = (spec: object) => ({ body: { spec }, type: merge });
    expect((await make(send, { counter: 1 })).status).toBe(201);
    await answered(send, [
      ['PATCH', `${toys}/ball`, patched({ counter: 2 }), 200],
      ['PATCH', `${toys}/ball`, patched({ size: 1 }), 422, /spec\.counter: Invalid value: "integer": must grow$/],
      ['PATCH', `${toys}/ball`, patched({ counter: null, size: 1 }), 200],
      ['PATCH', `${toys}/ball`, patched({ counter: 1 }), 200],
    ]);
  }));

test('with optionalOldSelf it is asked at the creation too, of an optional value', () =>
  story({}, async ({ send }) => {
    const optional = (rule: string) => ({
      type: 'integer',
      'x-kubernetes-validations': [{ rule, message: 'not so', optionalOldSelf: true }],
    });
    const small = optional('oldSelf.hasValue() || self < 10');
    const near = optional('!oldSelf.hasValue() || self - oldSelf.value() < 5');
    const never = optional('self >= oldSelf.orValue(0)');
    await send('POST', crds, { body: crd([], { small, near, never }) });
    const patched = (spec: object) => ({ body: { spec }, type: merge });
    expect((await make(send, { small: 20 }, 'large')).body.message).toMatch(
      /spec\.small: Invalid value: "integer": not so/,
    );
    expect((await make(send, { never: -1 }, 'less')).status).toBe(422);
    expect((await make(send, { small: 5, near: 1, never: 3 })).status).toBe(201);
    await answered(send, [
      ['PATCH', `${toys}/ball`, patched({ small: 20, near: 3 }), 200],
      ['PATCH', `${toys}/ball`, patched({ near: 9 }), 422, /spec\.near/],
      ['PATCH', `${toys}/ball`, patched({ never: 2 }), 422, /spec\.never/],
    ]);
  }));

test('its reason and its fieldPath say how and where it is told', () =>
  story({}, async ({ send }) => {
    const because = (reason: string, size: number, fieldPath?: string) => ({
      rule: `self.size != ${size}`,
      message: ' said ',
      reason,
      ...(fieldPath ? { fieldPath } : {}),
    });
    const rules = [
      because('FieldValueForbidden', 1, '.size'),
      because('FieldValueRequired', 2, ".map['a']"),
      because('FieldValueDuplicate', 3),
      because('FieldValueInvalid', 4, '.start'),
      { rule: 'self.size != 5', messageExpression: "'it is ' + string(self.size)" },
      { rule: 'self.size != 6', message: 'fixed', messageExpression: "string(self.nothing) + 'x'" },
      { rule: 'self.size != 7', messageExpression: "' '" },
    ];
    const map = { type: 'object', additionalProperties: { type: 'string' } };
    expect((await send('POST', crds, { body: crd(rules, { map }) })).status).toBe(201);
    for (const [size, message, reason] of [
      [1, 'spec.size: Forbidden: said', 'FieldValueForbidden'],
      [2, 'spec.map.a: Required value: said', 'FieldValueRequired'],
      [3, 'spec: Duplicate value: "object"', 'FieldValueDuplicate'],
      [4, 'spec.start: Invalid value: "object": said', 'FieldValueInvalid'],
      [5, 'spec: Invalid value: "object": it is 5', 'FieldValueInvalid'],
      [6, 'spec: Invalid value: "object": fixed', 'FieldValueInvalid'],
      [7, 'spec: Invalid value: "object": failed rule: self.size != 7', 'FieldValueInvalid'],
    ] as const) {
      const { status, body } = await make(send, { size }, `toy-${size}`);
      expect([status, body.message, body.details.causes[0].reason]).toEqual([
        422,
        `Toy.example.com "toy-${size}" is invalid: ${message}`,
        reason,
      ]);
    }
  }));

test.each<[string, object, RegExp]>([
  ['no rule', { rule: ' ' }, /\.rule: Required value/],
  ['an empty message', { rule: 'true', message: ' ' }, /\.message: .*must be non-empty/],
  ['a message in two lines', { rule: 'true', message: 'a\nb' }, /must not contain line breaks/],
  ['an unknown reason', { rule: 'true', reason: 'Forbidden' }, /\.reason: Unsupported value: "Forbidden"/],
  ['a fieldPath to nowhere', { rule: 'true', fieldPath: '.nothing' }, /does not refer to a valid field/],
  [
    'a fieldPath that is none',
    { rule: 'true', fieldPath: 'size' },
    /fieldPath must be a valid path: expected \[ or \./,
  ],
  [
    'a messageExpression that does not compile',
    { rule: 'true', messageExpression: 'self.' },
    /\.messageExpression: .*compilation failed/,
  ],
  [
    'optionalOldSelf without oldSelf',
    { rule: 'true', optionalOldSelf: true },
    /may not be set if oldSelf is not used in rule/,
  ],
])('a CRD is refused for a rule with %s', (_, rule, message) =>
  story({}, async ({ send }) => {
    await answered(send, [['POST', crds, { body: crd([rule]) }, 422, message]]);
  }),
);

test('items of a list are compared only where it is a map', () =>
  story({}, async ({ send }) => {
    const items = {
      type: 'object',
      required: ['name'],
      properties: { name: { type: 'string' }, size: { type: 'integer' } },
      'x-kubernetes-validations': [{ rule: 'self.size >= oldSelf.size', message: 'never smaller' }],
    };
    const list = { type: 'array', items };
    const map = { ...list, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] };
    const within = /oldSelf cannot be used on the uncorrelatable portion of the schema within .*properties\[parts\]$/;
    await answered(send, [
      ['POST', crds, { body: crd([], { parts: list }) }, 422, within],
      ['POST', crds, { body: crd([], { parts: map }) }, 201],
      ['POST', toys, { body: toy({ parts: [{ name: 'a', size: 2 }] }) }, 201],
      ['PATCH', `${toys}/ball`, { body: { spec: { parts: [{ name: 'b', size: 1 }] } }, type: merge }, 200],
      [
        'PATCH',
        `${toys}/ball`,
        { body: { spec: { parts: [{ name: 'b', size: 0 }] } }, type: merge },
        422,
        /spec\.parts\[0\]: Invalid value: "object": never smaller/,
      ],
    ]);
  }));
