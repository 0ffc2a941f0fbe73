// ValidatingAdmissionPolicies and bindings that the API server does not take, and what those say that it took.
import { expect, test } from 'vitest';

import { answered, type Row } from './answered.ts';
import { story } from './client.ts';

const admission = '/apis/admissionregistration.k8s.io/v1';
const policies = `${admission}/validatingadmissionpolicies`;
const bindings = `${admission}/validatingadmissionpolicybindings`;
const maps = '/api/v1/namespaces/default/configmaps';
const everything = { apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'] };
const policy = (spec: object, name = 'p') => ({
  body: { metadata: { name }, spec: { matchConstraints: { resourceRules: [everything] }, ...spec } },
});
const binding = (spec: object, name = 'b') => ({
  body: { metadata: { name }, spec: { policyName: 'p', validationActions: ['Deny'], ...spec } },
});
const always = { validations: [{ expression: 'true' }] };

test('what says nothing, or what is no CEL, is refused with the field', () =>
  story({}, async ({ send }) => {
    const refused = (spec: object, message: RegExp): Row => ['POST', policies, policy(spec), 422, message];
    const unbound = (spec: object, message: RegExp): Row => ['POST', bindings, binding(spec), 422, message];
    await answered(send, [
      refused({}, /spec\.validations: Required value: validations or auditAnnotations must contain/),
      refused({ ...always, matchConstraints: undefined }, /spec\.matchConstraints: Required value/),
      refused({ ...always, matchConstraints: {} }, /spec\.matchConstraints\.resourceRules: Required value/),
      refused({ ...always, failurePolicy: 'Maybe' }, /failurePolicy: Unsupported value: "Maybe"/),
      refused({ validations: [{ expression: 'object.' }] }, /spec\.validations\[0\]\.expression: .*compilation failed/),
      refused({ validations: [{ expression: ' ' }] }, /expression: Required value: expression is not specified/),
      refused({ validations: [{ expression: 'true', reason: 'Why' }] }, /reason: Unsupported value: "Why"/),
      refused({ validations: [{ expression: 'true', messageExpression: '"a' }] }, /messageExpression: Invalid value/),
      refused({ ...always, matchConditions: [{ expression: 'true' }] }, /matchConditions\[0\]\.name: Required/),
      refused({ ...always, variables: [{ name: 'a', expression: '1 +' }] }, /variables\[0\]\.expression: Invalid/),
      unbound({ policyName: '' }, /spec\.policyName: Required value/),
      unbound({ validationActions: [] }, /at least one validation action is required/),
      unbound({ validationActions: undefined }, /at least one validation action is required/),
      unbound({ validationActions: ['Forbid'] }, /validationActions\[0\]: Unsupported value: "Forbid"/),
      unbound({ validationActions: ['Deny', 'Warn'] }, /must not contain both Deny and Warn/),
      unbound({ paramRef: {} }, /one of name or selector must be specified.*parameterNotFoundAction: Required/),
      unbound({ paramRef: { name: 'a', selector: {}, parameterNotFoundAction: 'Deny' } }, /mutually exclusive/),
      unbound({ paramRef: { name: 'a', parameterNotFoundAction: 'Ask' } }, /Unsupported value: "Ask"/),
      ['POST', policies, policy({ auditAnnotations: [{ key: 'a', valueExpression: "'a'" }] }, 'audit'), 201],
      ['POST', bindings, binding({ validationActions: ['Audit', 'Warn'] }), 201],
    ]);
  }));

test('one that denies everything can be taken back, as no policy judges policies', () =>
  story({}, async ({ send }) => {
    await answered(send, [
      ['POST', policies, policy({ validations: [{ expression: 'false', message: 'no' }] }), 201],
      ['POST', bindings, binding({}), 201],
      [
        'POST',
        maps,
        { body: { metadata: { name: 'a' } } },
        422,
        /^configmaps "a" is forbidden: .* denied request: no$/,
      ],
      ['DELETE', `${bindings}/b`, {}, 200],
      ['POST', maps, { body: { metadata: { name: 'a' } } }, 201],
    ]);
  }));

test('Audit lets through in silence; each reason has its status; a condition that fails counts as failurePolicy says', () =>
  story({}, async ({ send }) => {
    const name = (is: string) => `object.metadata.name == '${is}'`;
    const validations = (['Unauthorized', 'Forbidden', 'Invalid', 'RequestEntityTooLarge'] as const).map((reason) => ({
      expression: `!(${name(reason.toLowerCase())})`,
      reason,
    }));
    const broken = {
      matchConditions: [{ name: 'x', expression: 'object.nothing.here' }],
      validations: [{ expression: 'false' }],
    };
    const make = (is: string, status: number, message?: RegExp): Row => [
      ...(['POST', maps, { body: { metadata: { name: is } } }, status] as const),
      ...(message ? ([message] as const) : ([] as const)),
    ];
    await answered(send, [
      ['POST', policies, policy({ validations }), 201],
      ['POST', bindings, binding({}), 201],
      make('unauthorized', 401, /failed expression/),
      make('forbidden', 403),
      make('invalid', 422),
      make('requestentitytoolarge', 413),
      [
        'PATCH',
        `${bindings}/b`,
        { body: { spec: { validationActions: ['Audit'] } }, type: 'application/merge-patch+json' },
        200,
      ],
    ]);
    const audited = await send('POST', maps, { body: { metadata: { name: 'forbidden' } } });
    expect([audited.status, audited.headers['warning']]).toEqual([201, undefined]);
    await answered(send, [
      ['POST', policies, policy({ ...broken, failurePolicy: 'Ignore' }, 'q'), 201],
      ['POST', bindings, binding({ policyName: 'q' }, 'c'), 201],
      make('other', 201),
      [
        'PATCH',
        `${policies}/q`,
        { body: { spec: { failurePolicy: 'Fail' } }, type: 'application/merge-patch+json' },
        200,
      ],
      make('another', 422, /resulted in error: .*nothing/),
    ]);
  }));
