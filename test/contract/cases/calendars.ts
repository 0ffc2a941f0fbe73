import assert from 'node:assert/strict';

import { cases } from '../case.ts';
import { paths } from '../client.ts';
import { is, isOffNow } from '../looking.ts';
import { isUp } from '../making.ts';
import type { Stage } from '../stage.ts';
import {
  annotateSpace,
  boundary,
  cronAt,
  dayOf,
  laterOn,
  localAt,
  minute,
  off,
  on,
  prefix,
  schedule,
  scheduleNow,
  scheduleObject,
  soon,
  until,
} from '../timing.ts';

const day = 24 * 60 * minute;
const farAway = { start: '0 0 1 1 *' };

export const exceptionCases = cases('exceptions', [
  {
    name: 'Stopped: the VM is off from its beginning, although no cron says so',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      const from = laterOn(stage);
      const exceptions = [{ from: localAt(from), to: localAt(from + day), state: 'Stopped', reason: 'the move' }];
      await schedule(stage, { ...farAway, exceptions });
      await stage.tick();
      assert.equal(Date.parse((await scheduleNow(stage)).status.nextStop), from);
      await until(stage, from + 1_000);
      is((await stage.tick()).outcomes[0]!, 'Stopped');
      await isOffNow(stage, made);
    },
  },
  {
    name: 'Running: a stop that falls into it does not happen',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      const now = stage.ground.clock.now();
      const exceptions = [{ from: localAt(now - day), to: localAt(now + day), state: 'Running' }];
      await boundary(stage, 'stop', { exceptions });
      assert.deepEqual((await stage.tick()).outcomes, []);
      assert.ok(await isUp(stage, made));
    },
  },
  {
    name: 'at its end what the crons want by then is put back',
    alone: true,
    limitMs: 300_000,
    async run(stage) {
      const made = await stage.make(on);
      const from = laterOn(stage);
      const exceptions = [{ from: localAt(from), to: localAt(from + minute), state: 'Stopped' }];
      await schedule(stage, { start: cronAt(from - 60 * minute), stop: cronAt(from - 120 * minute), exceptions });
      await stage.tick();
      await until(stage, from + 1_000);
      await stage.tick();
      await isOffNow(stage, made);
      await until(stage, from + minute + 1_000);
      is((await stage.tick()).outcomes[0]!, 'Started');
      assert.ok(await isUp(stage, made));
    },
  },
  {
    name: 'written after its beginning it switches nothing by itself',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      const now = stage.ground.clock.now();
      const exceptions = [{ from: localAt(now - 60 * minute), to: localAt(now + day), state: 'Stopped' }];
      await schedule(stage, { ...farAway, exceptions });
      await stage.tick();
      await stage.tick();
      assert.ok(await isUp(stage, made));
    },
  },
  {
    name: 'that end before they begin, or want what nobody knows, are refused by the API server',
    alone: true,
    async run(stage) {
      for (const wrong of [
        { from: '2026-12-26', to: '2026-12-24', state: 'Stopped' },
        { from: '2026-12-24', to: '2026-12-26', state: 'Asleep' },
        { from: '24.12.2026', to: '2026-12-26', state: 'Stopped' },
      ]) {
        const object = scheduleObject({ stop: '0 20 * * *', exceptions: [wrong] }, 'wrong');
        const { status } = await stage.send('POST', paths.schedule(stage.namespace), object);
        assert.equal(status, 422, JSON.stringify(wrong));
      }
    },
  },
]);

const holidayLabel = { [`${prefix}holidays`]: 'true' };
async function calendar({ send, namespace }: Stage, key: string, text: string, labels: object = holidayLabel) {
  const metadata = { name: 'public', labels };
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { [key]: text } };
  assert.equal((await send('POST', paths.core(namespace, 'configmaps'), map)).status, 201);
}
const from = (key: string, more: object = {}) => ({ holidays: { configMapRef: { name: 'public', key, ...more } } });
const ics = (...lines: string[]) =>
  ['BEGIN:VCALENDAR', 'BEGIN:VEVENT', ...lines, 'END:VEVENT', 'END:VCALENDAR'].join('\r\n');
const compact = (instant: number) => dayOf(instant).replaceAll('-', '');

/** A start that falls due today; back when two ticks have seen it. */
async function startDue(stage: Stage, spec: (now: number) => object): Promise<boolean> {
  const made = await stage.make(off);
  await boundary(stage, 'start', spec(soon(stage)));
  await stage.tick();
  await stage.tick();
  return isUp(stage, made);
}
const noStart = (name: string, spec: (now: number) => object, prepare?: (stage: Stage) => Promise<void>) => ({
  name,
  alone: true,
  async run(stage: Stage) {
    await prepare?.(stage);
    assert.equal(await startDue(stage, spec), false, 'it was started on a holiday');
  },
});
const today = ({ ground }: Stage) => ground.clock.now() + minute;

export const holidayCases = cases('holidays', [
  noStart('today, in the schedule: no start', (now) => ({ holidays: { dates: [dayOf(now)] } })),
  noStart('every year on this day: no start', (now) => ({ holidays: { dates: [dayOf(now).slice(5)] } })),
  noStart(
    'a list in a ConfigMap, with a name behind the date: no start',
    () => from('holidays'),
    (stage) => calendar(stage, 'holidays', `${dayOf(today(stage))} Day of the Test\n`),
  ),
  noStart(
    'a calendar file with a whole day: no start',
    () => from('de.ics'),
    (stage) => calendar(stage, 'de.ics', ics(`DTSTART;VALUE=DATE:${compact(today(stage))}`)),
  ),
  noStart(
    'a calendar file with an event of every week, begun months ago: no start',
    () => from('de.ics'),
    (stage) =>
      calendar(stage, 'de.ics', ics(`DTSTART;VALUE=DATE:${compact(today(stage) - 20 * 7 * day)}`, 'RRULE:FREQ=WEEKLY')),
  ),
  {
    name: 'a calendar file whose event was cancelled: the start happens',
    alone: true,
    async run(stage) {
      await calendar(stage, 'de.ics', ics(`DTSTART;VALUE=DATE:${compact(today(stage))}`, 'STATUS:CANCELLED'));
      assert.equal(await startDue(stage, () => from('de.ics')), true);
    },
  },
  {
    name: 'a stop happens on a holiday too',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      await boundary(stage, 'stop', { holidays: { dates: [dayOf(soon(stage))] } });
      is((await stage.tick()).outcomes[0]!, 'Stopped');
      await isOffNow(stage, made);
    },
  },
  {
    name: 'a ConfigMap that is not there: the schedule says so, its stops go on',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      await boundary(stage, 'stop', from('holidays'));
      is((await stage.tick()).outcomes[0]!, 'Stopped');
      await isOffNow(stage, made);
      assert.equal((await scheduleNow(stage)).status.conditions[0].reason, 'ConfigMapMissing');
    },
  },
  {
    name: 'a ConfigMap without the label is not read, as it may be for something else',
    alone: true,
    async run(stage) {
      await calendar(stage, 'holidays', dayOf(today(stage)), {});
      await schedule(stage, { ...farAway, ...from('holidays') });
      await stage.make(off);
      await stage.tick();
      const { status, message } = (await scheduleNow(stage)).status.conditions[0];
      assert.equal(status, 'False');
      assert.match(message, /label/);
    },
  },
  {
    name: 'a bad line is told by its number, and nothing of it is quoted',
    alone: true,
    async run(stage) {
      await calendar(stage, 'holidays', `${dayOf(today(stage))}\ntopsecret\n`);
      assert.equal(await startDue(stage, () => from('holidays')), false, 'what could be read does not count');
      const { message } = (await scheduleNow(stage)).status.conditions[0];
      assert.match(message, /line 2/);
      assert.doesNotMatch(message, /topsecret/);
    },
  },
  {
    name: 'shared: the ConfigMap of the namespace of the functions counts for all',
    alone: true,
    async run(stage) {
      const home = await stage.another();
      await calendar(home, 'holidays', dayOf(today(stage)));
      const made = await stage.make(off);
      await boundary(stage, 'start', from('holidays', { shared: true }));
      await stage.tick({ env: { LIFECYCLE_NAMESPACE: home.namespace } });
      await stage.tick({ env: { LIFECYCLE_NAMESPACE: home.namespace } });
      assert.equal(await isUp(stage, made), false);
    },
  },
  {
    name: 'of another namespace is not read',
    alone: true,
    async run(stage) {
      const other = await stage.another();
      await calendar(other, 'holidays', dayOf(today(stage)));
      await schedule(stage, { ...farAway, ...from('holidays') });
      await stage.make(off);
      await stage.tick();
      assert.equal((await scheduleNow(stage)).status.conditions[0].reason, 'ConfigMapMissing');
    },
  },
]);

const kolkata = { name: 'Asia/Kolkata', aheadMs: 330 * minute };
/** A schedule without a zone, whose stop is due now in Kolkata, and hours later in UTC. */
async function dueInKolkata(stage: Stage, spec: object = {}): Promise<number> {
  const at = laterOn(stage);
  await schedule(stage, { stop: cronAt(at, kolkata.aheadMs), timeZone: undefined, ...spec });
  return at;
}

export const zoneCases = cases('the zone of a schedule that names none', [
  {
    name: 'is that of its namespace, and the status says so',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      await annotateSpace(stage, `${prefix}time-zone`, kolkata.name);
      const at = await dueInKolkata(stage);
      await stage.tick();
      assert.equal((await scheduleNow(stage)).status.timeZone, kolkata.name);
      await until(stage, at + 1_000);
      is((await stage.tick()).outcomes[0]!, 'Stopped');
      await isOffNow(stage, made);
    },
  },
  {
    name: 'is DEFAULT_TIME_ZONE where the namespace says nothing',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      const at = await dueInKolkata(stage);
      const env = { DEFAULT_TIME_ZONE: kolkata.name };
      await stage.tick({ env });
      await until(stage, at + 1_000);
      is((await stage.tick({ env })).outcomes[0]!, 'Stopped');
      await isOffNow(stage, made);
    },
  },
  {
    name: 'is UTC where nobody says anything: the stop is hours away',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      const at = await dueInKolkata(stage);
      await until(stage, at + 1_000);
      assert.deepEqual((await stage.tick()).outcomes, []);
      assert.equal(Date.parse((await scheduleNow(stage)).status.nextStop), at + kolkata.aheadMs);
      assert.ok(await isUp(stage, made));
    },
  },
  {
    name: 'a zone that the schedule names comes before that of its namespace',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      await annotateSpace(stage, `${prefix}time-zone`, 'America/New_York');
      const at = await dueInKolkata(stage, { timeZone: kolkata.name });
      await until(stage, at + 1_000);
      is((await stage.tick()).outcomes[0]!, 'Stopped');
      await isOffNow(stage, made);
    },
  },
  {
    name: 'a namespace that names no zone that is: nothing is done, and the schedule says whose word it is',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      await annotateSpace(stage, `${prefix}time-zone`, 'Middle-earth');
      const at = await dueInKolkata(stage);
      await until(stage, at + 1_000);
      await stage.tick();
      assert.ok(await isUp(stage, made));
      const { reason, message } = (await scheduleNow(stage)).status.conditions[0];
      assert.equal(reason, 'InvalidTimeZone');
      assert.match(message, /annotation/);
    },
  },
]);
