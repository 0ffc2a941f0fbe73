import { readFileSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';

import { checkSchedule } from '../../shared/schedule/schedule.ts';
import { startSim } from '../../sim/sim.ts';
import { type Client, clientOf, story } from '../sim/client.ts';

const path = '/apis/vm.novasphere.dev/v1alpha1/namespaces/default/wukongschedules';
const good = { stop: '0 20 * * 1-5', selector: { matchLabels: { env: 'dev' } } };
const scheduleOf = (spec: object, name = 'office') => ({
  ...{ apiVersion: 'vm.novasphere.dev/v1alpha1', kind: 'WukongSchedule', metadata: { name, namespace: 'default' } },
  spec,
});
const clusterPath = '/apis/vm.novasphere.dev/v1alpha1/clusterwukongschedules';
const clusterScheduleOf = (spec: object, name = 'office') => ({
  ...{ apiVersion: 'vm.novasphere.dev/v1alpha1', kind: 'ClusterWukongSchedule', metadata: { name } },
  spec,
});
/** What `kubectl apply` is refused with, a line for each wrong value; empty where it is taken. */
async function refusal(send: Client['send'], spec: object, cluster = false): Promise<string[]> {
  const name = `s-${Math.random().toString(36).slice(2)}`;
  const [to, given] = cluster ? [clusterPath, clusterScheduleOf(spec, name)] : [path, scheduleOf(spec, name)];
  const { status, body } = await send('POST', to, { body: given });
  if (status === 201) return [];
  const { details } = body as { details?: { causes?: { field: string; message: string }[] } };
  return (details?.causes ?? []).map((one) => `${one.field}: ${one.message}`);
}

describe('kubectl apply of a schedule', () => {
  let sim: Awaited<ReturnType<typeof startSim>>;
  let send: Client['send'];
  beforeAll(async () => {
    sim = await startSim();
    send = clientOf(sim).send;
  });
  afterAll(() => sim.close());

  it('with many wrong values is refused with a sentence for each, all at once', async () => {
    const causes = await refusal(send, {
      timeZone: '+02:00',
      start: '0 25 * * *',
      stop: 'tonight',
      selector: {},
      policy: 'Sometimes',
      startingDeadlineSeconds: 5,
      gracePeriodSeconds: -1,
      jitterSeconds: 9_999,
      waves: { maxInFlight: 0, delaySeconds: 99_999 },
      holidays: { dates: ['2026-02-30', 'tomorrow'], configMapRef: { name: '../x' } },
    });
    const said = causes.map((cause) => cause.replace(/: Invalid value: .*?: /, ' '));
    for (const one of [
      'spec.timeZone expected an IANA time zone',
      'spec.start the hour is wrong: expected 0 to 23',
      'spec.stop expected the five fields of a cron expression',
      'spec.selector is empty, which would mean every Wukong',
      'spec.policy expected Respect or Enforce',
      'spec.startingDeadlineSeconds expected a whole number from 60 to 604800',
      'spec.gracePeriodSeconds expected a whole number from 0 to 86400',
      'spec.jitterSeconds expected a whole number from 0 to 3600',
      'spec.waves.maxInFlight expected a whole number from 1 to 1000',
      'spec.waves.delaySeconds expected a whole number from 0 to 3600',
      'spec.holidays.dates[0] expected a date',
      'spec.holidays.dates[1] expected a date',
      'spec.holidays.configMapRef.name expected the name of a ConfigMap',
    ])
      expect(
        said.filter((line) => line.startsWith(one)),
        one,
      ).toHaveLength(1);
  });

  it('with many wrong values in what is newer is refused with a sentence for each, all at once', async () => {
    const wrong = {
      ...good,
      holidays: { action: 'none', dates: ['02-30-x'] },
      runsHistoryLimit: 0,
      announceBeforeSeconds: 90_000,
      startingDeadlineSeconds: 100,
      skipWhileInUse: { annotation: 'not a key', maxDelaySeconds: 700_000 },
      exceptions: [
        { from: '2026-02-30', to: '2026-03-01T24:00', state: 'Paused' },
        { from: '2026-12-24T18:00', to: '2026-12-24T18:00', state: 'Running' },
        { reason: 'nothing is said' },
      ],
    };
    const expected = [
      'spec.holidays.action expected skipStart or stopped',
      'spec.holidays.dates[0] expected a date',
      'spec.runsHistoryLimit expected a whole number from 1 to 10000',
      'spec.announceBeforeSeconds expected a whole number from 0 to 86400',
      'spec.skipWhileInUse.annotation expected the key of an annotation',
      'spec.skipWhileInUse.maxDelaySeconds expected a whole number from 60 to 604800',
      'spec.skipWhileInUse.maxDelaySeconds expected less than startingDeadlineSeconds',
      'spec.exceptions[0].from expected a day',
      'spec.exceptions[0].to expected a day',
      'spec.exceptions[0].state expected Running or Stopped',
      'spec.exceptions[1].to expected a day or a time that is not before from',
      'spec.exceptions[2].from expected from',
      'spec.exceptions[2].to expected to',
      'spec.exceptions[2].state expected state',
    ];
    for (const cluster of [false, true]) {
      const said = (await refusal(send, wrong, cluster)).map((one) => one.replace(/: Invalid value: .*?: /, ' '));
      for (const one of expected)
        expect(
          said.filter((line) => line.startsWith(one)),
          one,
        ).toHaveLength(1);
      expect(said).toHaveLength(expected.length);
    }
    expect(checkSchedule(scheduleOf(wrong) as never).problems?.length).toBeGreaterThan(4);
  });

  it.each<[string, object, string]>([
    ['for nothing but the clock', { stop: good.stop }, 'without them it means every VM'],
    ['for everybody by empty words', { stop: good.stop, selector: {}, namespaceSelector: {} }, 'every VM'],
    [
      'with labels of namespaces that are none',
      { stop: good.stop, namespaceSelector: { matchLabels: { tier: 'a b' } } },
      'spec.namespaceSelector.matchLabels.tier: Invalid value: "string": expected the value of a label',
    ],
    [
      'with an operator that nobody knows',
      { stop: good.stop, namespaceSelector: { matchExpressions: [{ key: 'a', operator: 'Like', values: ['b'] }] } },
      'expected In, NotIn, Exists or DoesNotExist',
    ],
    ['that enforces perhaps', { ...good, enforceOverNamespaces: 'perhaps' }, 'spec.enforceOverNamespaces'],
    ['that is in use perhaps', { ...good, skipWhileInUse: { loggedIn: 'perhaps' } }, 'spec.skipWhileInUse.loggedIn'],
    ['that waits for nobody', { ...good, skipWhileInUse: {} }, 'expected loggedIn true, annotation, or both'],
    ['with more exceptions than anybody reads', { ...good, exceptions: Array(101).fill({}) }, 'spec.exceptions'],
  ])('of a whole cluster %s is refused', async (_what, spec, why) => {
    expect((await refusal(send, spec, true)).join('\n')).toContain(why);
    expect(checkSchedule(clusterScheduleOf(spec) as never).problems ?? []).not.toEqual([]);
  });

  it.each<[string, object]>([
    ['by the labels of namespaces alone', { stop: good.stop, namespaceSelector: { matchLabels: { tier: 'dev' } } }],
    ['by labels in every namespace', { ...good, namespaceSelector: {} }],
    [
      'by both, over the namespaces',
      { ...good, namespaceSelector: { matchLabels: { tier: 'dev' } }, enforceOverNamespaces: true },
    ],
    [
      'with everything that is newer',
      {
        ...good,
        holidays: { dates: ['12-25', '2026-12-24..2027-01-06', '09-MON#1'], action: 'stopped' },
        skipWhileInUse: { loggedIn: true, annotation: 'example.com/in-use', maxDelaySeconds: 60 },
        exceptions: [
          { from: '2028-02-29', to: '2028-02-29', state: 'Running', reason: 'leap' },
          { from: '2026-12-24T18:00', to: '2026-12-24T18:00:01', state: 'Stopped' },
          { from: '2026-12-24T18:00:00Z', to: '2026-12-24T20:00:00+01:30', state: 'Stopped' },
        ],
        runsHistoryLimit: 10_000,
        announceBeforeSeconds: 86_400,
      },
    ],
  ])('of a whole cluster %s is taken, here and by a tick', async (_what, spec) => {
    expect(await refusal(send, spec, true)).toEqual([]);
    expect(checkSchedule(clusterScheduleOf(spec) as never).problems ?? []).toEqual([]);
  });

  it.each<[string, object, string]>([
    ['that has neither start nor stop', { selector: good.selector }, 'expected start, stop, or both'],
    ['without a selector', { stop: good.stop }, 'expected the labels'],
    ['whose start is its stop', { ...good, start: good.stop }, 'two different minutes'],
    ['whose jitter reaches its deadline', { ...good, startingDeadlineSeconds: 60, jitterSeconds: 60 }, 'less than'],
    ['with an offset for a zone', { ...good, timeZone: 'UTC+2' }, 'IANA time zone'],
    ['with a path for a zone', { ...good, timeZone: '../etc/passwd' }, 'IANA time zone'],
    ['with a wrong minute', { ...good, stop: '60 20 * * *' }, 'the minute is wrong'],
    ['with a step of ninety', { ...good, stop: '*/90 20 * * *' }, 'the minute is wrong'],
    ['with a wrong day', { ...good, stop: '0 20 32 * *' }, 'the day of the month is wrong'],
    ['with a wrong month', { ...good, stop: '0 20 * JANUARY *' }, 'the month is wrong'],
    ['with a wrong weekday', { ...good, stop: '0 20 * * 8' }, 'the day of the week is wrong'],
    ['with a nickname', { ...good, stop: '@daily' }, 'five fields'],
    ['with seconds', { ...good, stop: '0 0 20 * * *' }, 'five fields'],
    ['with an endless cron', { ...good, stop: `${'0,'.repeat(5_000)}0 20 * * *` }, 'may not be'],
    ['with a label that is none', { ...good, selector: { matchLabels: { a: 'b c' } } }, 'value of a label'],
    [
      'with an operator that nobody knows',
      { ...good, selector: { matchExpressions: [{ key: 'a', operator: 'Like', values: ['b'] }] } },
      'expected In, NotIn, Exists or DoesNotExist',
    ],
    [
      'that asks for one of no values',
      { ...good, selector: { matchExpressions: [{ key: 'a', operator: 'In' }] } },
      'expected values for In',
    ],
    ['with a leap day that is none', { ...good, holidays: { dates: ['2026-02-29'] } }, 'expected a date'],
  ])('%s is refused', async (_what, spec, why) => {
    const causes = await refusal(send, spec);
    expect(causes.join('\n')).toContain(why);
    // What is refused there is nothing that a tick would carry out.
    expect(checkSchedule(scheduleOf(spec) as never).problems ?? []).not.toEqual([]);
  });

  it('with a thousand holidays too many is refused', async () => {
    const causes = await refusal(send, { ...good, holidays: { dates: Array(2_000).fill('2026-12-25') } });
    expect(causes.join('\n')).toMatch(/spec.holidays.dates.*1000/);
  });

  it.each<[string, object]>([
    [
      'of every form of cron',
      { ...good, start: '*/15 8-10,12 1,15 jan-mar,JUL *', stop: ' 0  20 * *  MON#1,fri#L,3L ' },
    ],
    ['on the last day', { ...good, stop: '0 20 L * *' }],
    ['on Sunday seven', { ...good, stop: '05 08 01 01 0-7' }],
    ['in any zone', { ...good, timeZone: 'America/Argentina/Buenos_Aires' }],
    ['in Etc/GMT+5', { ...good, timeZone: 'Etc/GMT+5' }],
    [
      'with holidays and words behind them',
      { ...good, holidays: { dates: ['2028-02-29 leap', '2026-12-25, Christmas'] } },
    ],
    [
      'with every selector',
      {
        ...good,
        selector: {
          matchLabels: { 'example.com/a': '', b: 'c_d.e' },
          matchExpressions: [
            { key: 'x', operator: 'NotIn', values: ['a', 'b'] },
            { key: 'example.com/y', operator: 'Exists' },
          ],
        },
      },
    ],
    ['at every limit', { ...good, startingDeadlineSeconds: 604_800, gracePeriodSeconds: 86_400, jitterSeconds: 3_600 }],
  ])('%s is taken, here and by a tick', async (_what, spec) => {
    expect(await refusal(send, spec)).toEqual([]);
    expect(checkSchedule(scheduleOf(spec) as never).problems ?? []).toEqual([]);
  });
});

describe('what a CRD of an older version let in', () => {
  it('still gets its status: only what changes is judged', () =>
    story({}, async ({ sim, patch }) => {
      sim.create(
        scheduleOf({ ...good, stop: 'tonight', policy: 'Sometimes', holidays: { dates: Array(2_000).fill('x') } }),
      );
      const status = { status: { matched: 1 } };
      expect((await patch(`${path}/office/status`, status)).status).toBe(200);
      expect((await patch(`${path}/office`, { spec: { jitterSeconds: -1 } })).status).toBe(422);
    }));
});

describe('the CRDs', () => {
  const schemas = ['wukongschedules', 'wukongs'].map((name) => {
    const crd = parse(readFileSync(`infra/crds/${name}.vm.novasphere.dev.yaml`, 'utf8')) as {
      spec: { versions: { schema: { openAPIV3Schema: Schema } }[] };
    };
    return crd.spec.versions[0]!.schema.openAPIV3Schema;
  });
  interface Schema {
    type?: string;
    format?: string;
    maxLength?: number;
    maxItems?: number;
    maxProperties?: number;
    properties?: Record<string, Schema>;
    additionalProperties?: Schema;
    items?: Schema;
    'x-kubernetes-validations'?: { rule: string; message?: string }[];
  }
  const walk = (schema: Schema, at: string): [string, Schema][] => [
    [at, schema],
    ...Object.entries(schema.properties ?? {}).flatMap(([key, one]) => walk(one, `${at}.${key}`)),
    ...(schema.items ? walk(schema.items, `${at}[]`) : []),
    ...(schema.additionalProperties ? walk(schema.additionalProperties, `${at}{}`) : []),
  ];

  it('limit whatever a rule looks at, as the API server counts what a rule may cost', () => {
    const spec = walk(schemas[0]!.properties!['spec']!, 'spec');
    const unlimited = spec.filter(
      ([, { type, maxLength, maxItems, maxProperties, additionalProperties }]) =>
        (type === 'string' && maxLength === undefined) ||
        (type === 'array' && maxItems === undefined) ||
        (additionalProperties !== undefined && maxProperties === undefined),
    );
    expect(unlimited.map(([at]) => at)).toEqual([]);
  });

  it('have a sentence for every rule', () => {
    for (const [at, schema] of schemas.flatMap((one) => walk(one, '')))
      for (const { message } of schema['x-kubernetes-validations'] ?? []) expect(message, at).toMatch(/^.{10,200}$/);
  });

  it('limit what our fields of a Wukong may hold', () => {
    const { spec, status } = schemas[1]!.properties!;
    for (const [at, { type, format, maxLength }] of [
      ...walk(spec!.properties!['lifecycleAction']!, 'lifecycleAction'),
      ...walk(status!.properties!['lifecycleState']!, 'lifecycleState'),
    ])
      if (type === 'string' && format === undefined) expect(maxLength, at).toBeGreaterThan(0);
  });

  it('are extended in the version that is meant, or not at all', () =>
    story({ crd: 'original' }, async ({ send }) => {
      const crd = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/wukongs.vm.novasphere.dev';
      const type = 'application/json-patch+json';
      for (const file of ['wukongs-extension.json', 'wukongs-columns.json']) {
        const steps = JSON.parse(readFileSync(`infra/crds/${file}`, 'utf8')) as { op: string; value?: unknown }[];
        expect(steps[0]).toEqual({ op: 'test', path: '/spec/versions/0/name', value: 'v1alpha1' });
        const other = [{ ...steps[0], value: 'v1beta1' }, ...steps.slice(1)];
        expect((await send('PATCH', crd, { body: other, type })).status).toBe(422);
        expect((await send('PATCH', crd, { body: steps, type })).status).toBe(200);
      }
    }));

  it('say the same of our fields in the whole CRD and in the patch of an installed one', () => {
    const steps = JSON.parse(readFileSync('infra/crds/wukongs-extension.json', 'utf8')) as { value: unknown }[];
    const { spec, status } = schemas[1]!.properties!;
    expect(steps.slice(1).map(({ value }) => value)).toEqual([
      spec!.properties!['lifecycleAction'],
      status!.properties!['lifecycleState'],
    ]);
  });
});
