import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { main } from '../../cli/main.ts';
import { tzVersion } from '../../shared/time/tzData.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plan-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs `wukong` as it was typed, on a file with this text. */
async function wukong(args: string, yaml = '', colour = false) {
  const file = join(folder, 'schedules.yaml');
  await writeFile(file, yaml);
  let [out, err] = ['', ''];
  const io = {
    out: (text: string) => (out += text),
    err: (text: string) => (err += text),
    now: Date.parse('2026-03-27T12:00:00Z'),
    colour,
  };
  const code = await main(args.replace('FILE', file).split(' '), io);
  return { code, out, err: err.replaceAll(file, 'FILE') };
}
const lines = (out: string) =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, string>);
const brief = (out: string) => lines(out).map(({ at, action, note }) => `${at} ${action}${note ? `: ${note}` : ''}`);

const head = 'apiVersion: vm.novasphere.dev/v1alpha1\nkind: ';
const office = `${head}WukongSchedule
metadata: {name: office, namespace: dev}
spec:
  timeZone: Europe/Berlin
  start: "30 2 * * *"
  stop: "0 20 * * *"
  selector: {matchLabels: {env: dev}}
`;

describe('wukong plan', () => {
  test('shows a week from now, one JSON object a line with exactly these keys', async () => {
    const { code, out, err } = await wukong('plan --schedule FILE --json', office);
    expect([code, err]).toEqual([0, '']);
    expect(lines(out)).toHaveLength(14);
    expect(out.split('\n')[0]).toBe(
      '{"at":"2026-03-27T19:00:00Z","local":"2026-03-27T20:00:00+01:00","zone":"Europe/Berlin","schedule":"dev/office","action":"stop"}',
    );
    expect(lines(out)[3]).toEqual({
      at: '2026-03-29T01:00:00Z',
      local: '2026-03-29T03:00:00+02:00',
      zone: 'Europe/Berlin',
      schedule: 'dev/office',
      action: 'start',
      note: 'gap: 02:30 does not exist, happens at 03:00',
    });
  });

  test('takes dates in --zone, and shows its local times', async () => {
    const { out } = await wukong(
      'plan --schedule FILE --from 2026-03-28 --to 2026-03-29 --zone Asia/Kathmandu --json',
      office,
    );
    expect(lines(out).map(({ local, zone }) => `${local} ${zone}`)).toEqual([
      '2026-03-28T00:45:00+05:45 Asia/Kathmandu',
      '2026-03-28T07:15:00+05:45 Asia/Kathmandu',
    ]);
  });

  test('includes --from and not --to', async () => {
    const { out } = await wukong(
      'plan --schedule FILE --from 2026-03-27T19:00:00Z --to 2026-03-28T19:00:00Z --json',
      office,
    );
    expect(brief(out)).toEqual(['2026-03-27T19:00:00Z stop', '2026-03-28T01:30:00Z start']);
  });

  test('shows what a holiday skips, from a ConfigMap in the same file too', async () => {
    const days =
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: days, namespace: dev, labels: {lifecycle.novasphere.dev/holidays: "true"}}\ndata: {holidays: "2026-03-29 # a Sunday"}\n';
    const withHolidays = `${office}  holidays: {dates: [2026-03-28], configMapRef: {name: days}}\n`;
    const { code, out, err } = await wukong(
      'plan --schedule FILE --to 2026-03-30 --json',
      `---\n${withHolidays}---\n# none\n---\n${days}---\n`,
    );
    expect([code, err]).toEqual([0, '']);
    expect(brief(out)).toEqual([
      '2026-03-27T19:00:00Z stop',
      '2026-03-28T01:30:00Z skip: holiday 2026-03-28: start skipped',
      '2026-03-28T19:00:00Z stop',
      '2026-03-29T01:00:00Z skip: holiday 2026-03-29: start skipped',
      '2026-03-29T18:00:00Z stop',
    ]);
    const alone = await wukong('plan --schedule FILE --json', withHolidays);
    expect([alone.code, alone.err]).toEqual([
      0,
      'note: FILE: dev/office: ConfigMap days is not in the files, so its holidays are not known\n',
    ]);
  });

  test('goes on with the holidays that it can read, says what is wrong with the others, and quotes no ConfigMap', async () => {
    const days =
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: days, namespace: dev, labels: {lifecycle.novasphere.dev/holidays: "true"}}\ndata: {holidays: "2026-03-28 a Saturday\\nhunter2"}\n';
    const { code, out, err } = await wukong(
      'plan --schedule FILE --to 2026-03-30 --json',
      `${office}  holidays: {configMapRef: {name: days}}\n---\n${days}`,
    );
    expect([code, err]).toEqual([
      1,
      'error: FILE: dev/office: spec.holidays.configMapRef: ConfigMap days, holidays, line 2: expected a date, YYYY-MM-DD\n',
    ]);
    expect(brief(out)).toContain('2026-03-28T01:30:00Z skip: holiday 2026-03-28: start skipped');
    expect(brief(out)).toContain('2026-03-29T18:00:00Z stop');
  });

  test('notes that either day is enough, and refuses what crons do not agree on', async () => {
    const both = (start: string) => office.replace(/start: .*/, `start: "${start}"`);
    const noted = await wukong('plan --schedule FILE --json', both('0 8 1-7 * 1'));
    expect([noted.code, noted.err]).toEqual([0, expect.stringContaining('the first Monday alone is MON#1')]);
    const refused = await wukong('plan --schedule FILE --json', both('0 8 */2 * 3'));
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('crons do not agree on */2')]);
  });

  test('marks the Wukongs of the file that are overruled, and when that ends', async () => {
    const machine = (name: string, key: string, value: string) =>
      `---\n${head}Wukong\nmetadata: {name: ${name}, namespace: dev, labels: {env: dev}, annotations: {lifecycle.novasphere.dev/${key}: "${value}"}}\n`;
    const { out } = await wukong(
      'plan --schedule FILE --to 2026-03-28 --json',
      office +
        machine('db', 'keep-running-until', '2026-03-27T22:00:00Z') +
        machine('ci', 'protected', 'true') +
        machine('app', 'skip-next', 'true'),
    );
    expect(brief(out)).toEqual([
      '2026-03-27T19:00:00Z stop: Wukong db: stop held back (keep-running-until 2026-03-27T22:00:00Z); Wukong ci: stop skipped (protected); Wukong app: stop skipped (skip-next)',
      '2026-03-27T22:00:00Z stop: only Wukong db: keep-running-until ends',
    ]);
  });

  test('shows a freeze, and what is done at its end', async () => {
    const freeze =
      '---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: wukong-lifecycle}\ndata: {freezeUntil: "2026-03-27T19:30:00Z"}\n';
    const { out } = await wukong('plan --schedule FILE --to 2026-03-28 --json', office + freeze);
    expect(brief(out)).toEqual([
      '2026-03-27T19:00:00Z skip: frozen until 2026-03-27T19:30:00Z: stop skipped',
      '2026-03-27T19:30:00Z stop: the freeze ends: stop of 2026-03-27 20:00 is done now',
    ]);
  });

  test('names every problem of a bad schedule, plans the others, and answers 1', async () => {
    const bad = `---\napiVersion: v1\nkind: List\nitems:\n- ${head.replace('\n', '\n  ')}WukongSchedule\n  metadata: {name: bad}\n  spec: {start: "0 8 * *", timeZone: nope, selector: {}}\n- {apiVersion: apps/v1, kind: Deployment, metadata: {name: web}}\n`;
    const { code, out, err } = await wukong('plan --schedule FILE --json', `${office}${bad}---\na: [\n`);
    expect(code).toBe(1);
    expect(lines(out)).toHaveLength(14);
    expect(err.split('\n')).toEqual([
      'note: FILE: Deployment web is ignored',
      expect.stringMatching(/^error: FILE: document at line \d+: /),
      'error: FILE: bad: spec.timeZone: "nope" is no IANA time zone, such as Europe/Berlin',
      'error: FILE: bad: spec.start: "0 8 * *" has 4 fields: expected five, such as "0 8 * * 1-5"',
      'error: FILE: bad: spec.selector: is empty, which would mean every Wukong: expected at least one label',
      '',
    ]);
  });

  test('leaves a suspended schedule out, and says so', async () => {
    const { code, out, err } = await wukong('plan --schedule FILE --json', `${office}  suspend: true\n`);
    expect([code, out, err]).toEqual([0, '', 'note: FILE: dev/office is suspended: it does nothing\n']);
  });

  test('is pleasant to read', async () => {
    const { out } = await wukong('plan --schedule FILE --from 2026-03-28 --to 2026-03-30', office);
    expect(out).toBe(
      [
        'Saturday, 28 March 2026',
        '  02:30  start  dev/office',
        '  20:00  stop   dev/office',
        '',
        'Sunday, 29 March 2026',
        '  03:00  start  dev/office  gap: 02:30 does not exist, happens at 03:00',
        '  20:00  stop   dev/office',
        '',
        '2 start, 2 stop from 2026-03-28 01:00 to 2026-03-30 02:00.',
        `Times of Europe/Berlin, by the tz database ${tzVersion}.`,
        '',
      ].join('\n'),
    );
    expect((await wukong('plan --schedule FILE', office, true)).out).toContain('\x1b[32mstart\x1b[0m');
    expect((await wukong('plan --schedule FILE --to 2026-03-27T12:01:00Z', office)).out).toBe(
      `Nothing is planned from 2026-03-27 12:00 to 2026-03-27 12:01.\nTimes of UTC, by the tz database ${tzVersion}.\n`,
    );
  });

  test('shows one clock: the zone of most schedules, or that of --zone, in notes too', async () => {
    const other = office.replace('office', 'tokyo').replace('Europe/Berlin', 'Asia/Tokyo');
    const freeze = `---\n${head.replace('vm.novasphere.dev/v1alpha1', 'v1')}ConfigMap\nmetadata: {name: wukong-lifecycle}\ndata: {freezeUntil: "2026-03-28T12:00:00Z"}\n`;
    const all = `${office}---\n${office.replace('office', 'late')}---\n${other}${freeze}`;
    const { out } = await wukong('plan --schedule FILE --from 2026-03-28 --to 2026-03-29', all);
    expect(out).toContain('  12:00  skip   dev/tokyo   frozen until 2026-03-28 13:00: stop skipped');
    expect(out.match(/Europe\/Berlin|Asia\/Tokyo|UTC|T\d\d:/g)).toEqual(['Europe/Berlin']);
    const asked = await wukong('plan -f FILE --from 2026-03-28 --to 2026-03-29 --zone Asia/Tokyo', all);
    expect(asked.out).toContain('  20:00  skip   dev/tokyo   frozen until 2026-03-28 21:00: stop skipped');
  });

  test.each([
    ['plan -A --schedule FILE', 'expected either --schedule FILE, or the namespaces of a cluster'],
    ['plan --schedule /none.yaml', '--schedule /none.yaml: cannot be read (ENOENT)'],
    [
      'plan --schedule FILE --from soon',
      '--from soon: expected a time such as 2026-03-29T01:00:00Z, or a date such as 2026-03-29',
    ],
    [
      'plan --schedule FILE --from 2026-02-30',
      '--from 2026-02-30: expected a time such as 2026-03-29T01:00:00Z, or a date such as 2026-03-29',
    ],
    ['plan --schedule FILE --to 2026-03-01', '--to 2026-03-01T00:00:00Z: expected a time after 2026-03-27T12:00:00Z'],
    ['plan --schedule FILE --zone Berlin', '--zone: "Berlin" is no IANA time zone: did you mean Europe/Berlin?'],
    ['plan --schedule FILE --jsn', 'there is no option --jsn; did you mean --json?'],
    ['plan FILE', 'Unexpected argument'],
    ['paln', 'wukong: "paln" is no command: expected start, stop, state, plan,'],
  ])('%s is wrong usage: it answers 2 and says what was expected', async (args, message) => {
    const { code, out, err } = await wukong(args, office);
    expect([code, out]).toEqual([2, '']);
    expect(err.replace(/^wukong plan: /, '').slice(0, message.length)).toBe(message);
  });

  test('has help', async () => {
    expect((await wukong('--help')).out).toMatch(/^ {2}plan {9}shows what schedules will do/m);
    expect((await wukong('plan --help')).out).toMatch(/^Usage: wukong plan \[--schedule FILE …\]/);
  });
});
