import { clockOf, type Plain } from '../zones/oracle.ts';

/** What schedules say, as objects for the cluster, and once more as plain rules for the oracle. */
export interface Calendar {
  name: string;
  zone: string;
  start: Plain;
  stop: Plain;
  /** A ClusterWukongSchedule, which with `over` rules in the place of the namespace's own. */
  cluster?: 'yields' | 'over';
  /** Local dates without starts; with `off` the VMs are off for the whole of them. */
  holidays?: { ics: string[]; isOne: (day: Date) => boolean; off?: boolean };
  exceptions?: (from: number, to: number) => Exception[];
}

/** Instants. */
export interface Exception {
  from: number;
  to: number;
  state: 'Running' | 'Stopped';
}

export const namespace = 'year';
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

const daily = (text: string, hour: number, minute: number, weekdays?: number[]): Plain => ({
  text,
  hours: [hour],
  minutes: [minute],
  ...(weekdays ? { weekdays } : {}),
});
const work = [1, 2, 3, 4, 5];

/** Of office and night; twelve in nine zones: several of their boundaries lie in the very hours that clock changes take or double. */
const clocks: Calendar[] = [
  {
    name: 'berlin',
    zone: 'Europe/Berlin',
    start: daily('0 8 * * 1-5', 8, 0, work),
    stop: daily('0 20 * * 1-5', 20, 0, work),
  },
  { name: 'berlin-night', zone: 'Europe/Berlin', start: daily('30 2 * * *', 2, 30), stop: daily('0 22 * * *', 22, 0) },
  {
    name: 'lord-howe',
    zone: 'Australia/Lord_Howe',
    start: daily('15 2 * * *', 2, 15),
    stop: daily('0 20 * * *', 20, 0),
  },
  { name: 'havana', zone: 'America/Havana', start: daily('0 0 * * *', 0, 0), stop: daily('0 20 * * *', 20, 0) },
  { name: 'cairo', zone: 'Africa/Cairo', start: daily('30 0 * * *', 0, 30), stop: daily('0 20 * * *', 20, 0) },
  { name: 'santiago', zone: 'America/Santiago', start: daily('30 0 * * *', 0, 30), stop: daily('0 20 * * *', 20, 0) },
  { name: 'kathmandu', zone: 'Asia/Kathmandu', start: daily('0 8 * * *', 8, 0), stop: daily('0 20 * * *', 20, 0) },
  { name: 'new-york', zone: 'America/New_York', start: daily('30 1 * * *', 1, 30), stop: daily('0 18 * * *', 18, 0) },
  {
    name: 'new-york-office',
    zone: 'America/New_York',
    start: daily('0 8 * * 1-5', 8, 0, work),
    stop: daily('0 20 * * 1-5', 20, 0, work),
  },
  { name: 'sydney', zone: 'Australia/Sydney', start: daily('30 2 * * *', 2, 30), stop: daily('0 20 * * *', 20, 0) },
  { name: 'utc', zone: 'UTC', start: daily('0 6 * * *', 6, 0), stop: daily('0 18 * * *', 18, 0) },
  { name: 'utc-weekend', zone: 'UTC', start: daily('0 6 * * 6', 6, 0, [6]), stop: daily('0 18 * * 0', 18, 0, [0]) },
];

/** Wednesdays but one, and the Monday after Easter, as an office would have them in its calendar file. */
const midweek = {
  ics: [
    ...['BEGIN:VEVENT', 'UID:w', 'DTSTART;VALUE=DATE:20251231', 'RRULE:FREQ=WEEKLY;BYDAY=WE'],
    ...['EXDATE;VALUE=DATE:20260311', 'END:VEVENT'],
    ...['BEGIN:VEVENT', 'UID:e', 'DTSTART;TZID=Europe/Madrid:20260406T100000', 'DURATION:PT1H', 'END:VEVENT'],
  ],
  isOne: (day: Date) => {
    const date = day.toISOString().slice(0, 10);
    return date === '2026-04-06' || (day.getUTCDay() === 3 && date !== '2026-03-11');
  },
};

/** Every fourth day: on through the night that a stop is in, and off in the middle of the day after. */
const everyFourth = (from: number, to: number): Exception[] => {
  const found: Exception[] = [];
  for (let day = Math.floor(from / dayMs) * dayMs; day <= to; day += 4 * dayMs)
    found.push(
      { from: day + 17 * hourMs + 7 * minuteMs, to: day + 27 * hourMs + 7 * minuteMs, state: 'Running' },
      { from: day + 34 * hourMs, to: day + 35 * hourMs + 30 * minuteMs, state: 'Stopped' },
    );
  return found;
};

const ofMore: Calendar[] = [
  {
    ...{ name: 'platform', zone: 'Europe/Lisbon', cluster: 'yields' },
    ...{ start: daily('20 1 * * *', 1, 20), stop: daily('40 18 * * *', 18, 40) },
  },
  {
    ...{ name: 'platform-over', zone: 'Asia/Jerusalem', cluster: 'over' },
    ...{ start: daily('10 7 * * 0-4', 7, 10, [0, 1, 2, 3, 4]), stop: daily('10 19 * * 0-4', 19, 10, [0, 1, 2, 3, 4]) },
  },
  {
    ...{ name: 'office-ics', zone: 'Europe/Madrid', holidays: midweek },
    ...{ start: daily('5 9 * * *', 9, 5), stop: daily('5 21 * * *', 21, 5) },
  },
  {
    ...{ name: 'owls-ics', zone: 'Europe/Madrid', holidays: { ...midweek, off: true } },
    ...{ start: daily('25 9 * * *', 9, 25), stop: daily('25 2 * * *', 2, 25) },
  },
  {
    ...{ name: 'exceptions', zone: 'Europe/Vienna', exceptions: everyFourth },
    ...{ start: daily('45 7 * * *', 7, 45), stop: daily('45 19 * * *', 19, 45) },
  },
];

export const calendars: Calendar[] = [...clocks, ...ofMore];

export const keyOf = ({ name, cluster }: Calendar): string => (cluster ? name : `${namespace}/${name}`);

/** The objects of the cluster, those of a team that is overruled too; for exceptions of this time. */
export function objectsOf({ from, to }: { from: number; to: number }): object[] {
  const api = { apiVersion: 'vm.novasphere.dev/v1alpha1' };
  const days = {
    ...{ apiVersion: 'v1', kind: 'ConfigMap' },
    metadata: { namespace, name: 'days', labels: { 'lifecycle.novasphere.dev/holidays': 'true' } },
    data: { 'days.ics': ['BEGIN:VCALENDAR', ...midweek.ics, 'END:VCALENDAR'].join('\r\n') },
  };
  const loser = {
    ...{ ...api, kind: 'WukongSchedule', metadata: { namespace, name: 'loser' } },
    spec: { start: '50 3 * * *', stop: '55 3 * * *', selector: { matchLabels: { calendar: 'platform-over' } } },
  };
  const schedules = calendars.map(({ name, zone, start, stop, cluster, holidays, exceptions }) => ({
    ...api,
    kind: cluster ? 'ClusterWukongSchedule' : 'WukongSchedule',
    metadata: cluster ? { name } : { namespace, name },
    spec: {
      ...{ timeZone: zone, start: start.text, stop: stop.text, selector: { matchLabels: { calendar: name } } },
      ...(cluster ? { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } } : {}),
      ...(cluster === 'over' ? { enforceOverNamespaces: true } : {}),
      ...(holidays
        ? {
            holidays: {
              configMapRef: { name: 'days', key: 'days.ics' },
              ...(holidays.off ? { action: 'stopped' } : {}),
            },
          }
        : {}),
      ...(exceptions ? { exceptions: exceptions(from, to).slice(0, 100).map(written) } : {}),
    },
  }));
  return [days, loser, ...schedules];
}

const written = ({ from, to, state }: Exception) => ({
  ...{ from: new Date(from).toISOString(), to: new Date(to).toISOString() },
  state,
});

/** What a calendar says of the date on its wall: whether it is one of its holidays. */
export const holidayOn = ({ holidays }: Calendar, wallMinute: number): boolean =>
  holidays?.isOne(new Date(Math.floor((wallMinute * minuteMs) / dayMs) * dayMs)) === true;

export { clockOf };
