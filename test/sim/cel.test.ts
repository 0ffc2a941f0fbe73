import { expect, test } from 'vitest';

import { type Client, story } from './client.ts';
import { crd, crds, make, toys } from './toys.ts';

const admission = '/apis/admissionregistration.k8s.io/v1';

test.each<[string, object, object, string]>([
  ['has(self.start) || has(self.stop)', { start: '0 8 * * *' }, { size: 1 }, 'failed rule'],
  ['!has(self.size) || self.size > 2', { size: 3 }, { size: 2 }, 'failed rule'],
  ['!has(self.share) || self.share < 0.5', { share: 0.25 }, { share: 1 }, 'failed rule'],
  ["self.start.split(' ').size() == 5", { start: '0 8 * * *' }, { start: '0 8' }, 'failed rule'],
  ["self.start.matches('^[0-9 *]+$')", { start: '0 8 * * *' }, { start: 'x' }, 'failed rule'],
  ["self.start.find('[0-9]+') == '0'", { start: '0 8' }, { start: '1' }, 'failed rule'],
  [
    "self.until > timestamp('2026-01-01T00:00:00Z')",
    { until: '2026-06-01T00:00:00Z' },
    { until: '2025-01-01T00:00:00Z' },
    'failed rule',
  ],
  ["self.start != ''", { start: 'a' }, { size: 1 }, "no such key: start evaluating rule: self.start != ''"],
])('a rule of a CRD is held: %s', (rule, right, wrong, message) =>
  story({}, async ({ send }) => {
    expect((await send('POST', crds, { body: crd([{ rule }]) })).status).toBe(201);
    expect((await make(send, right)).status).toBe(201);
    const { status, body } = await make(send, wrong, 'other');
    expect([status, body.reason]).toEqual([422, 'Invalid']);
    expect(body.message).toContain(`spec: Invalid value: "object": ${message}`);
  }),
);

test('a rule says its own message, at its own field', () =>
  story({}, async ({ send }) => {
    const rules = [
      { rule: 'self.size > 2', message: 'too small', fieldPath: '.size' },
      { rule: "self.start == 'a'", messageExpression: "'start is ' + self.start" },
    ];
    await send('POST', crds, { body: crd(rules) });
    const { body } = await make(send, { size: 1, start: 'b' });
    expect(body.details.causes.map(({ field }: { field: string }) => field)).toEqual(['spec.size', 'spec']);
    expect(body.message).toMatch(/too small.*start is b/);
  }));

test('oldSelf is what stood there before; what does not change is not judged again', () =>
  story({}, async ({ send, patch }) => {
    const immutable = {
      type: 'string',
      'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'immutable' }],
    };
    await send('POST', crds, { body: crd([], { zone: immutable }) });
    expect((await make(send, { zone: 'a' })).status).toBe(201);
    expect((await patch(`${toys}/ball`, { spec: { size: 1 } })).status).toBe(200);
    expect((await patch(`${toys}/ball`, { spec: { zone: 'b' } })).body.message).toContain('immutable');
    const stricter = crd([{ rule: 'self.size > 5' }], { zone: immutable });
    await patch(`${crds}/toys.example.com`, { spec: stricter.spec });
    expect((await patch(`${toys}/ball`, { metadata: { labels: { a: 'b' } } })).status).toBe(200);
    expect((await patch(`${toys}/ball`, { spec: { size: 2 } })).status).toBe(422);
  }));

test('a rule that does not compile, or that is not understood here, is refused with the CRD', () =>
  story({}, async ({ send }) => {
    for (const rule of ['self.size >', 'nosuch(self.size)', "quantity(self.start).isGreaterThan(quantity('1Gi'))"]) {
      const { status, body } = await send('POST', crds, { body: crd([{ rule }]) });
      expect(status, rule).toBe(422);
      expect(body.message).toMatch(/x-kubernetes-validations\[0\]\.rule: Invalid value: .*compilation failed/s);
    }
  }));

const policy = (spec: object) => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingAdmissionPolicy',
  metadata: { name: 'only-power' },
  spec: {
    matchConstraints: {
      resourceRules: [
        { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE', 'DELETE'], resources: ['configmaps'] },
      ],
    },
    ...spec,
  },
});
const binding = (spec: object = {}) => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  metadata: { name: 'everywhere' },
  spec: { policyName: 'only-power', validationActions: ['Deny'], ...spec },
});
async function bound(send: Client['send'], spec: object, to: object = {}) {
  expect((await send('POST', `${admission}/validatingadmissionpolicies`, { body: policy(spec) })).status).toBe(201);
  const path = `${admission}/validatingadmissionpolicybindings`;
  expect((await send('POST', path, { body: binding(to) })).status).toBe(201);
}
const maps = '/api/v1/namespaces/default/configmaps';
const map = (name: string, data: object = {}) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });

test('a ValidatingAdmissionPolicy keeps an account to what it may change', () =>
  story({}, async ({ sim, send, patch }) => {
    await send('POST', maps, { body: map('a', { power: 'on', other: 'x' }) });
    sim.addToken('robot', 'robot', [{ apiGroups: [''], resources: ['configmaps'], verbs: ['*'] }]);
    await bound(send, {
      matchConditions: [{ name: 'robot', expression: "request.userInfo.username == 'robot'" }],
      variables: [{ name: 'same', expression: 'object.data.other == oldObject.data.other' }],
      validations: [
        { expression: "request.operation != 'UPDATE' || variables.same", message: 'only power', reason: 'Forbidden' },
        { expression: "request.operation != 'DELETE'", messageExpression: "'keep ' + request.name" },
      ],
    });
    const asRobot = (body: object) =>
      send('PATCH', `${maps}/a`, { token: 'robot', body, type: 'application/merge-patch+json' });
    expect((await asRobot({ data: { power: 'off' } })).status).toBe(200);
    const refused = await asRobot({ data: { other: 'y' } });
    expect(refused.status).toBe(403);
    expect(refused.body.message).toBe(
      `configmaps "a" is forbidden: ValidatingAdmissionPolicy 'only-power' with binding 'everywhere' denied request: only power`,
    );
    const kept = await send('DELETE', `${maps}/a`, { token: 'robot' });
    expect([kept.status, kept.body.message]).toEqual([422, expect.stringMatching(/keep a$/)]);
    expect((await patch(`${maps}/a`, { data: { other: 'z' } })).status).toBe(200); // somebody else
  }));

test('its binding may only warn, hold in some namespaces, or hand it parameters', () =>
  story({}, async ({ send }) => {
    await bound(
      send,
      {
        paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
        validations: [{ expression: 'object.metadata.name != params.data.forbidden' }],
      },
      {
        validationActions: ['Warn'],
        paramRef: { name: 'rules', namespace: 'kube-system', parameterNotFoundAction: 'Allow' },
        matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'default' } } },
      },
    );
    await send('POST', '/api/v1/namespaces/kube-system/configmaps', { body: map('rules', { forbidden: 'bad' }) });
    const here = await send('POST', maps, { body: map('bad') });
    expect([here.status, String(here.headers['warning'])]).toEqual([201, expect.stringContaining("'only-power'")]);
    const there = await send('POST', '/api/v1/namespaces/kube-system/configmaps', { body: map('bad') });
    expect([there.status, there.headers['warning']]).toEqual([201, undefined]);
  }));

test('an expression that cannot be evaluated denies, and says so; with failurePolicy Ignore it does not', () =>
  story({}, async ({ send, patch }) => {
    await bound(send, {
      validations: [{ expression: "authorizer.group('').resource('pods').check('get').allowed()" }],
    });
    const refused = await send('POST', maps, { body: map('a') });
    expect([refused.status, refused.body.message]).toEqual([422, expect.stringMatching(/resulted in error/)]);
    await patch(`${admission}/validatingadmissionpolicies/only-power`, { spec: { failurePolicy: 'Ignore' } });
    expect((await send('POST', maps, { body: map('a') })).status).toBe(201);
  }));
