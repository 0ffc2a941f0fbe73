import { describe, expect, it } from 'vitest';

import type { Patience } from '../../shared/cluster/patience.ts';
import { holidayTexts } from '../../shared/reconcile/holidayTexts.ts';
import type { CalendarDates, TextRef } from '../../shared/schedule/holiday.ts';
import type { WukongSchedule } from '../../shared/schedule/schedule.ts';
import { parseZone } from '../../shared/time/parseZone.ts';
import type { Limits } from '../../shared/time/wait.ts';
import { answering, type Answers } from './answering.ts';
import { at } from './schedules.ts';

const now = at('2026-11-23T19:00:30Z');
const utc = parseZone('UTC');
const mapOf = (data: Record<string, unknown> = { days: '2026-12-25' }, name = 'days') => ({
  metadata: { name, labels: { 'lifecycle.novasphere.dev/holidays': 'true' } },
  data,
});
const at2 = (namespace: string, name = 'days') => `/api/v1/namespaces/${namespace}/configmaps/${name}`;
const naming = (configMapRef: unknown, namespace?: string): WukongSchedule => ({
  metadata: { name: 'office', ...(namespace === undefined ? {} : { namespace }) },
  spec: { holidays: { configMapRef } },
});
const ref = (more: Partial<TextRef> = {}): TextRef => ({ namespace: 'dev', name: 'days', key: 'days', ...more });

async function found(schedules: WukongSchedule[], answers: Answers, apart = true) {
  const { to, unanswered, ...rest } = answering(now, answers);
  return { find: await holidayTexts(schedules, { ...to, ...(apart ? { unanswered } : {}) }), unanswered, ...rest };
}

describe('the holidays of schedules', () => {
  it('are read once from the ConfigMap beside them, whoever names it', async () => {
    const dev = naming({ name: 'days' }, 'dev');
    const { find, paths, problems } = await found([dev, dev, naming({ name: 'days' }, 'test')], {
      [at2('dev')]: [200, mapOf()],
    });
    expect(paths.sort()).toEqual([at2('dev'), at2('test')]);
    expect([find(ref()), find(ref({ key: 'other' })), find(ref({ namespace: 'test' }))]).toEqual([
      '2026-12-25',
      undefined,
      null,
    ]);
    expect(problems).toEqual([]);
  });

  it('are read where the lifecycle functions are, for schedules of the cluster and those that share them', async () => {
    const own = at2('wukong-lifecycle');
    const { find, paths } = await found([naming({ name: 'days' }), naming({ name: 'days', shared: true }, 'dev')], {
      [own]: [200, mapOf()],
    });
    expect(paths).toEqual([own]);
    expect([find(ref({ namespace: undefined })), find(ref({ shared: true })), find(ref())]).toEqual([
      '2026-12-25',
      '2026-12-25',
      null,
    ]);
    expect((await found([naming({ name: 'days', shared: 'yes' }, 'dev')], {})).paths).toEqual([at2('dev')]);
  });

  it.each([undefined, { name: 7 }, { name: '../secrets' }, {}])('are none where %j is named', async (configMapRef) => {
    const { paths, unanswered } = await found([naming(configMapRef, 'dev')], {});
    expect([paths, unanswered.size]).toEqual([[], 0]);
  });

  it('are none of a schedule without a spec, or that names no holidays', async () => {
    const metadata = { name: 'a', namespace: 'dev' };
    for (const one of [{ metadata }, { metadata, spec: {} }]) expect((await found([one], {})).paths).toEqual([]);
  });

  it('are those of no ConfigMap that says nothing, or is no such object', async () => {
    const { find } = await found([naming({ name: 'days' }, 'dev')], {
      [at2('dev')]: [200, { ...mapOf(), data: undefined }],
    });
    expect(find(ref())).toBeUndefined();
    expect((await found([naming({ name: 'days' }, 'dev')], { [at2('dev')]: [200, {}] })).find(ref())).toBeNull();
    let deep: unknown[] = [];
    for (let i = 0; i < 50_000; i++) deep = [deep];
    const odd = await found([naming({ name: 'days' }, 'dev')], { [at2('dev')]: [200, mapOf({ days: deep, odd: 7 })] });
    expect(odd.find(ref())).toBeUndefined();
  });

  it('that may not be read are a problem, and count as missing', async () => {
    const { find, problems, unanswered } = await found([naming({ name: 'days' }, 'dev')], {
      [at2('dev')]: [403, { message: 'no' }],
    });
    expect([find(ref()), problems, unanswered.size]).toEqual([null, ['ConfigMap dev/days cannot be read: no'], 0]);
  });

  it('that nobody answers are the trouble of each namespace that names them, and of no other', async () => {
    const [a, b] = ['a', 'b'].map((space) => naming({ name: 'days', shared: true }, space)) as [
      WukongSchedule,
      WukongSchedule,
    ];
    const answers: Answers = { [at2('wukong-lifecycle')]: 'down', [at2('c')]: [200, mapOf()] };
    const { unanswered, problems, find } = await found([a, b, naming({ name: 'days' }, 'c')], answers);
    expect([[...unanswered.keys()], problems, find(ref({ namespace: 'c' }))]).toEqual([['a', 'b'], [], '2026-12-25']);
    expect(unanswered.get('a')).toMatchObject({ code: 'Unreachable' });
    const cluster = await found([naming({ name: 'days' })], { [at2('wukong-lifecycle')]: [503, { message: 'busy' }] });
    expect([...cluster.unanswered.keys()]).toEqual(['wukong-lifecycle']);
    await expect(found([a], answers, false)).rejects.toMatchObject({ code: 'Unreachable' });
  });

  it('are waited for no longer than what else is read for the tick, where each namespace is for itself', async () => {
    const { to, unanswered } = answering(now, { [at2('dev')]: [200, mapOf()] });
    const { signal } = new AbortController();
    const within: unknown[] = [];
    const { call } = to.world.transport;
    to.world.transport.call = (one, limits) => (within.push(limits), call(one, limits));
    const patience = {
      read: (reader: (limits: Limits) => Promise<unknown>) => reader({ ...to.limits, signal }),
    } as unknown as Patience;
    const read = (more: object) => holidayTexts([naming({ name: 'days' }, 'dev')], { ...to, patience, ...more });
    expect([(await read({ unanswered }))(ref()), (await read({}))(ref())]).toEqual(['2026-12-25', '2026-12-25']);
    expect(within).toEqual([{ ...to.limits, signal }, to.limits]);
  });

  it('that nobody wants any more are not waited for', async () => {
    const { to, unanswered } = answering(now, { [at2('dev')]: 'down' });
    const wish = new AbortController();
    wish.abort(new Error('closed'));
    Object.assign(to.limits, { signal: wish.signal });
    await expect(holidayTexts([naming({ name: 'days' }, 'dev')], { ...to, unanswered })).rejects.toThrow('closed');
  });

  it('are of at most ten ConfigMaps of a namespace, eight read at once', async () => {
    const schedules = Array.from({ length: 13 }, (_, i) => naming({ name: `days-${i}` }, 'dev'));
    const { paths, problems, most } = await found([...schedules, schedules[12]!, naming({ name: 'days' }, 'test')], {});
    expect([paths.length, most()]).toEqual([11, 9]);
    expect(problems).toEqual([
      'schedules of namespace dev name more than 10 ConfigMaps with holidays: the others count as missing',
    ]);
    expect((await found(schedules.slice(0, 10), {})).problems).toEqual([]);
    const wide = Array.from({ length: 11 }, (_, i) => naming({ name: `days-${i}` }));
    expect((await found(wide, {})).paths).toHaveLength(11);
  });
});

describe('a calendar file', () => {
  const calendar = (day: string, rule = 'FREQ=YEARLY') =>
    `BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:${day}\nRRULE:${rule}\nEND:VEVENT\nEND:VCALENDAR\n`;
  const dates = (known: unknown) => [...(known as CalendarDates)(utc).dates].sort();
  const read = async (text: string, when = now) => {
    const { to } = answering(when, { [at2('dev')]: [200, mapOf({ days: text, odd: 7 })] });
    return (await holidayTexts([naming({ name: 'days' }, 'dev')], to))(ref());
  };

  it('is its dates, some four hundred days back and eight hundred ahead of the day', async () => {
    const days = dates(await read(calendar('20200101', 'FREQ=DAILY')));
    expect([days[0], days.at(-1)]).toEqual(['2025-10-16', '2029-02-03']);
  });

  it('is read once a day, and anew on the next', async () => {
    const text = calendar('20201225');
    const first = await read(text);
    expect(await read(text, now + 4 * 3_600_000)).toBe(first);
    expect(await read(text, now + 5 * 3_600_000)).not.toBe(first);
    for (let i = 0; i < 8; i++) await read(calendar(`2020030${i + 1}`));
    expect(await read(text, now + 5 * 3_600_000)).not.toBe(first);
  });

  it('is kept while seven others are read after it', async () => {
    const text = calendar('20200601');
    const first = await read(text);
    for (let i = 0; i < 7; i++) await read(calendar(`2020040${i + 1}`));
    expect(await read(text)).toBe(first);
    for (let i = 0; i < 8; i++) await read(calendar(`2020050${i + 1}`));
    expect(await read(text)).not.toBe(first);
  });

  it('stands beside lists of dates', async () => {
    const { find } = await found([naming({ name: 'days' }, 'dev')], {
      [at2('dev')]: [200, mapOf({ days: '2026-12-25', file: calendar('20201224') })],
    });
    expect([find(ref()), dates(find(ref({ key: 'file' })))[0]]).toEqual(['2026-12-25', '2025-12-24']);
    const many = Array.from({ length: 9 }, (_, i) => [`c${i}`, calendar(`2020070${i + 1}`)]);
    const all = (
      await found([naming({ name: 'days' }, 'dev')], { [at2('dev')]: [200, mapOf(Object.fromEntries(many) as never)] })
    ).find;
    const first = all(ref({ key: 'c0' }));
    for (const [key] of many) all(ref({ key: key! }));
    expect(all(ref({ key: 'c0' }))).toBe(first);
  });
});
