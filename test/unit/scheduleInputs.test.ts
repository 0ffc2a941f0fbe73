import { describe, expect, it } from 'vitest';

import type { KubeObject } from '../../shared/domain/model.ts';
import { clusterSchedulePath, readSurroundings, schedulePath } from '../../shared/reconcile/scheduleInputs.ts';
import type { WukongSchedule } from '../../shared/schedule/schedule.ts';
import { answering, type Answers } from './answering.ts';
import { at } from './schedules.ts';

const now = at('2026-11-23T19:00:30Z');
const api = '/apis/vm.novasphere.dev/v1alpha1';
const all = `${api}/wukongschedules`;
const wide = `${api}/clusterwukongschedules`;
const freeze = '/api/v1/namespaces/wukong-lifecycle/configmaps/wukong-lifecycle';
const spaces = '/api/v1/namespaces';
const list = (...items: object[]) => ({ metadata: { resourceVersion: '9' }, items });
const office = (namespace = 'dev', spec: object = {}): WukongSchedule => ({
  metadata: { namespace, name: 'office' },
  spec,
});
const ofAll = (spec: object = {}): WukongSchedule => ({ metadata: { name: 'nights' }, spec });
const space = (name: string, annotations?: object, labels?: object) =>
  ({ metadata: { name, ...(annotations ? { annotations } : {}), ...(labels ? { labels } : {}) } }) as KubeObject;

async function read(answers: Answers, env: Record<string, string> = {}, known?: object, apart = true) {
  const { to, unanswered, ...rest } = answering(now, answers, env);
  const around = await readSurroundings({ ...to, ...(apart ? { unanswered } : {}) }, known);
  return { ...rest, unanswered, around, names: around.schedules.map(({ metadata }) => metadata.name) };
}

describe('all that schedules depend on', () => {
  it('has its paths', () => {
    expect([schedulePath(), schedulePath('dev', 'office', 'status')]).toEqual([
      all,
      `${api}/namespaces/dev/wukongschedules/office/status`,
    ]);
    expect([clusterSchedulePath(), clusterSchedulePath('nights', 'status')]).toEqual([wide, `${wide}/nights/status`]);
  });

  it('is nothing where there are no schedules, and then nothing else is read', async () => {
    const { around, paths } = await read({ [all]: [200, list()], [wide]: [200, list()] });
    expect([around.schedules, around.findText({} as never), around.namespaces]).toEqual([[], undefined, new Map()]);
    expect(paths.sort()).toEqual([wide, all]);
  });

  it('is nothing in a cluster without the CRDs', async () => {
    const { around, problems } = await read({});
    expect([around.schedules, problems]).toEqual([[], []]);
  });

  it('is the schedules, the annotations of their namespaces, the holidays, and the freeze', async () => {
    const holidays = { configMapRef: { name: 'days' } };
    const { around, paths, problems } = await read(
      {
        [all]: [200, list(office('dev', { holidays }), office('test'))],
        [`${spaces}/dev`]: [200, space('dev', { a: 'b' })],
        [`${spaces}/test`]: [200, space('test')],
        [`${spaces}/dev/configmaps/days`]: [
          200,
          {
            metadata: { name: 'days', labels: { 'lifecycle.novasphere.dev/holidays': 'true' } },
            data: { d: '2026-12-25' },
          },
        ],
        [freeze]: [200, { metadata: { name: 'wukong-lifecycle' }, data: { freezeUntil: '2026-11-24T00:00:00Z' } }],
      },
      { DEFAULT_TIME_ZONE: 'Europe/Berlin' },
    );
    expect(around).toEqual({
      schedules: [office('dev', { holidays }), office('test')],
      findText: expect.any(Function) as () => string,
      namespaces: new Map([
        ['dev', { a: 'b' }],
        ['test', {}],
      ]),
      defaultZone: 'Europe/Berlin',
      freezeUntil: at('2026-11-24T00:00:00Z'),
    });
    expect(around.findText({ namespace: 'dev', name: 'days', key: 'd' })).toBe('2026-12-25');
    expect([paths.filter((path) => path.startsWith(`${spaces}/`)).length, problems]).toEqual([4, []]);
  });

  it('has no freeze where nobody said so, and stands still where nobody understands it', async () => {
    const one: Answers = { [all]: [200, list(office())], [`${spaces}/dev`]: [200, space('dev')] };
    expect((await read(one)).around).not.toHaveProperty('freezeUntil');
    const frozen = await read({
      ...one,
      [freeze]: [200, { ...space('wukong-lifecycle'), data: { freezeUntil: 'soon' } }],
    });
    expect([frozen.around.freezeUntil, frozen.problems]).toEqual([Infinity, [expect.stringContaining('"soon"')]]);
  });

  it('leaves out the schedules of a namespace that does not answer', async () => {
    const { names, unanswered, around } = await read({
      [all]: [200, list(office('dev'), office('test'))],
      [`${spaces}/dev`]: 'down',
      [`${spaces}/test`]: [200, space('test')],
    });
    expect([names, [...unanswered.keys()], around.schedules[0]?.metadata.namespace]).toEqual([
      ['office'],
      ['dev'],
      'test',
    ]);
    await expect(read({ [all]: [200, list(office())], [`${spaces}/dev`]: 'down' }, {}, {}, false)).rejects.toThrow(
      'down',
    );
  });

  it('fails where the schedules, those of the cluster, or the freeze cannot be read', async () => {
    for (const path of [all, wide]) await expect(read({ [path]: 'down' })).rejects.toThrow('down');
    await expect(read({ [all]: [403, { message: 'no' }] })).rejects.toMatchObject({ code: 'Denied' });
    const frozen: Answers = { [all]: [200, list(office())], [`${spaces}/dev`]: [200, space('dev')], [freeze]: 'down' };
    await expect(read(frozen)).rejects.toThrow('down');
  });
});

describe('the schedules of some namespaces', () => {
  const env = { WATCH_NAMESPACES: 'dev,test' };
  const inDev = `${api}/namespaces/dev/wukongschedules`;
  const inTest = `${api}/namespaces/test/wukongschedules`;
  const facts: Answers = { [`${spaces}/dev`]: [200, space('dev')], [`${spaces}/test`]: [200, space('test')] };

  it('are read there, and one that does not answer is its own trouble alone', async () => {
    const both = await read({ ...facts, [inDev]: [200, list(office())], [inTest]: [200, list(office('test'))] }, env);
    expect(both.names).toEqual(['office', 'office']);
    const one = await read({ ...facts, [inDev]: 'down', [inTest]: [200, list(office('test'))] }, env);
    expect([one.names, [...one.unanswered.keys()]]).toEqual([['office'], ['dev']]);
    const alone = await read({ ...facts, [inDev]: 'down', [inTest]: [200, list(office('test'))] }, env, {}, false);
    expect(alone.names).toEqual(['office']);
  });

  it('have none of the cluster beside them, and nobody is told', async () => {
    const denied: Answers = { [inDev]: [200, list()], [inTest]: [200, list()], [wide]: [403, { message: 'no' }] };
    const served: Answers = { ...denied, [api]: [200, { resources: [{ name: 'clusterwukongschedules' }] }] };
    const { problems, paths } = await read(served, env);
    expect([problems, paths.includes(api)]).toEqual([[], false]);
    expect((await read(served, env, { cluster: false })).paths).not.toContain(wide);
  });
});

describe('the schedules of the cluster', () => {
  const only = (more: Answers = {}): Answers => ({
    [all]: [200, list(office())],
    [wide]: [200, list(ofAll())],
    ...more,
  });

  it('are among them, with the labels of all namespaces', async () => {
    const { around, paths } = await read(
      only({ [spaces]: [200, list(space('dev', { a: 'b' }, { env: 'x' }), space('prod'))] }),
    );
    expect(around.schedules).toEqual([office(), { ...ofAll(), kind: 'ClusterWukongSchedule' }]);
    expect(around.namespaces).toEqual(
      new Map([
        ['dev', { a: 'b' }],
        ['prod', {}],
      ]),
    );
    expect(Object.fromEntries(around.labels!)).toEqual({
      dev: { 'kubernetes.io/metadata.name': 'dev', env: 'x' },
      prod: { 'kubernetes.io/metadata.name': 'prod' },
    });
    expect(paths.filter((path) => path.startsWith(spaces) && path !== freeze)).toEqual([spaces]);
  });

  it('rule by the namespaces that are known already', async () => {
    const { around, paths } = await read(only(), {}, { schedules: [office()], namespaces: [space('dev', { a: 'c' })] });
    expect([around.namespaces, around.labels?.size, paths]).toEqual([new Map([['dev', { a: 'c' }]]), 1, [freeze]]);
  });

  it('that may not be read have no say, which is told where they are served', async () => {
    const denied = only({ [wide]: [403, { message: 'no' }], [`${spaces}/dev`]: [200, space('dev')] });
    const served = {
      [api]: [200, { resources: [{ name: 'wukongs' }, { name: 'clusterwukongschedules' }] }],
    } as Answers;
    const told = await read({ ...denied, ...served });
    expect([told.names, told.problems]).toEqual([
      ['office'],
      ['ClusterWukongSchedules have no say: list of /apis/vm.novasphere.dev/v1alpha1/clusterwukongschedules: no'],
    ]);
    for (const other of [
      { [api]: [200, { resources: [{ name: 'wukongs' }] }] },
      { [api]: [200, {}] },
      { [api]: [403, { resources: [{ name: 'clusterwukongschedules' }] }] },
    ] as Answers[])
      expect((await read({ ...denied, ...other })).problems).toEqual([]);
    expect(
      (await read({ ...only({ [wide]: [404] }), ...served, [`${spaces}/dev`]: [200, space('dev')] })).problems,
    ).toEqual([]);
    await expect(read(only({ [wide]: [400, { message: 'bad' }] }))).rejects.toMatchObject({ code: 'Refused' });
  });

  it('rule no namespace by its labels where these may not be listed; those of the schedules are read', async () => {
    const denied = only({ [spaces]: [403, { message: 'no' }], [`${spaces}/dev`]: [200, space('dev', { a: 'b' })] });
    const { around, problems, names } = await read(denied);
    expect([names, around.namespaces]).toEqual([['office', 'nights'], new Map([['dev', { a: 'b' }]])]);
    expect(around).not.toHaveProperty('labels');
    expect(problems).toEqual([
      'ClusterWukongSchedules with a namespaceSelector have no say: list of /api/v1/namespaces: no',
    ]);
    await expect(read(only({ [spaces]: [400, { message: 'bad' }] }))).rejects.toMatchObject({ code: 'Refused' });
    await expect(read(only({ [spaces]: 'down' }))).rejects.toThrow('down');
  });

  it('that may not list namespaces read those of the schedules, and one that does not answer is its own trouble alone', async () => {
    const answers: Answers = {
      ...only({
        [spaces]: [403, { message: 'no' }],
        [`${spaces}/dev`]: [403, { message: 'no' }],
        [`${spaces}/test`]: 'down',
      }),
      [all]: [200, list(office('dev'), office('test'))],
    };
    const { around, unanswered, problems } = await read(answers);
    expect(around.schedules.map(({ metadata }) => metadata.namespace)).toEqual(['dev', undefined]);
    expect([[...unanswered.keys()], problems.length]).toEqual([['test'], 2]);
  });

  it('have a say although a namespace does not answer', async () => {
    const holidays = { configMapRef: { name: 'days' } };
    const { names, unanswered } = await read({
      [all]: [200, list(office('dev', { holidays }))],
      [wide]: [200, list(ofAll())],
      [spaces]: [200, list(space('dev'))],
      [`${spaces}/dev/configmaps/days`]: 'down',
    });
    expect([names, [...unanswered.keys()]]).toEqual([['nights'], ['dev']]);
  });
});
