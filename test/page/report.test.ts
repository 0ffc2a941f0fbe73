import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { main } from '../../cli/main.ts';
import { scheduleOf, wukongOf } from './fleet.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'report-'));
});
afterAll(() => rm(folder, { recursive: true }));

const now = Date.parse('2026-05-06T12:00:00Z');
async function wukong(args: string) {
  let [out, err] = ['', ''];
  const io = {
    out: (text: string) => (out += text),
    err: (text: string) => (err += text),
    now,
    colour: false,
    env: {},
  };
  const code = await main(args.replaceAll('DIR', folder).split(' '), io);
  return { code, out, err: err.replaceAll(folder, 'DIR') };
}
const put = (file: string, text: string) => writeFile(join(folder, file), text);

const office = scheduleOf('office', 'dev', { start: '0 8 * * *', stop: '0 20 * * *' });
const detail = (action: string, at: string, more: object = {}) => ({
  namespace: 'dev',
  name: 'web',
  action,
  outcome: action === 'start' ? 'Started' : 'Stopped',
  message: 'Seen.',
  requestId: `dev/office@${at}`,
  trigger: 'schedule',
  startedAt: at,
  finishedAt: at,
  ...more,
});

describe('wukong report', () => {
  beforeAll(async () => {
    await put('cluster.json', JSON.stringify({ kind: 'List', items: [office, wukongOf('web', 'dev')] }, undefined, 2));
    const lines = [
      detail('start', '2026-05-04T08:00:00Z'),
      {
        source: 'novasphere.wukong-lifecycle',
        detail: detail('stop', '2026-05-04T20:00:00Z', { outcome: 'ForcedOff', forceReason: 'Requested' }),
      },
      { level: 'INFO', ...detail('start', '2026-05-05T08:00:00Z', { startedAt: '2026-05-05T08:30:00Z' }) },
    ];
    await put('outcomes.jsonl', `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`);
  });
  const files = '--from-file DIR/cluster.json --from-file DIR/outcomes.jsonl --from 2026-05-04';

  test('judges every planned switch, one a line', async () => {
    const { code, out, err } = await wukong(`report ${files} --json`);
    expect([code, err]).toEqual([0, '']);
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      {
        at: '2026-05-04T08:00:00Z',
        vm: 'dev/web',
        action: 'start',
        verdict: 'onTime',
        lateSeconds: 0,
        message: 'Seen.',
      },
      {
        at: '2026-05-04T20:00:00Z',
        vm: 'dev/web',
        action: 'stop',
        verdict: 'forced',
        lateSeconds: 0,
        reason: 'Requested',
        message: 'Seen.',
      },
      {
        at: '2026-05-05T08:00:00Z',
        vm: 'dev/web',
        action: 'start',
        verdict: 'late',
        lateSeconds: 1800,
        message: 'Seen.',
      },
      { at: '2026-05-05T20:00:00Z', vm: 'dev/web', action: 'stop', verdict: 'missed' },
      { at: '2026-05-06T08:00:00Z', vm: 'dev/web', action: 'start', verdict: 'onTime' },
    ]);
  });

  test('is a table for people, with savings and prices', async () => {
    const { out } = await wukong(`report ${files} --late-after 1h --price-vcpu-hour 1 --currency USD`);
    expect(out.split('\n')).toEqual([
      'From 2026-05-04T00:00:00Z to 2026-05-06T12:00:00Z',
      '',
      expect.stringMatching(
        /^NAMESPACE +VMS +ON TIME +LATE +FORCED OFF +FAILED +MISSED +SKIPPED +NO RECORD +HOURS OFF +VCPU-HOURS +GIB-HOURS +SAVED$/,
      ),
      expect.stringMatching(/^dev +1 +3 +0 +1 +0 +1 +0 +0 +12 +48 +96 +US\$48\.00$/),
      '',
      expect.stringMatching(/^PLANNED +VM +ACTION +WHAT CAME OF IT$/),
      expect.stringMatching(/^2026-05-04T20:00:00Z +dev\/web +stop +forced off: the command said so$/),
      expect.stringMatching(/^2026-05-05T20:00:00Z +dev\/web +stop +missed$/),
      '',
    ]);
  });

  test('writes a page', async () => {
    const { code, out, err } = await wukong(`report ${files} --html DIR/out.html`);
    expect([code, out]).toEqual([0, '']);
    expect(err).toMatch(/^DIR\/out\.html: 1 VM, \d+ KB\n$/);
    expect(await readFile(join(folder, 'out.html'), 'utf8')).toMatch(/^<!doctype html>.*<\/html>$/s);
    expect((await wukong(`report ${files} --html DIR/out.html`)).code).toBe(0); // its own page is written anew
    expect((await wukong(`report ${files} --html -`)).out).toMatch(/^<!doctype html>/);
  });

  test.each(['<!doctype html><title>of somebody else</title>', 'notes', '\n'])(
    'writes over no file that is no page of ours: %j',
    async (dear) => {
      await put('dear.html', dear);
      const { code, err } = await wukong(`report ${files} --html DIR/dear.html`);
      expect([code, err]).toEqual([
        2,
        expect.stringContaining('is no page of wukong; remove it, or name another file'),
      ]);
      expect(await readFile(join(folder, 'dear.html'), 'utf8')).toBe(dear);
    },
  );

  test('names what it cannot read, and goes on with the rest', async () => {
    await put('bad.jsonl', `${JSON.stringify(detail('start', '2026-05-04T08:00:00Z'))}\nnot json\n`);
    await put('none.json', '{"kind":"Pod","metadata":{"name":"x"}}');
    const { code, err } = await wukong(
      'report --from-file DIR/cluster.json --from-file DIR/bad.jsonl --from-file DIR/none.json',
    );
    expect(code).toBe(1);
    expect(err).toBe(
      'error: DIR/bad.jsonl: line 2: expected JSON\nerror: DIR/none.json: expected Wukongs, schedules, Events or outcome events, found none\n',
    );
  });

  test.each([
    ['--from-file DIR/nope', '--from-file DIR/nope: cannot be read (ENOENT)'],
    ['--from-file DIR/cluster.json -A', 'expected either --from-file FILE, or the namespaces of a cluster'],
    ['--from-file DIR/cluster.json --html x --json', 'expected either --html or --json, not both'],
    ['--from-file DIR/cluster.json --price-vcpu-hour free', '--price-vcpu-hour free: expected a number such as 0.04'],
    ['--from-file DIR/cluster.json --currency EUR', '--currency: expected a price with it'],
    [
      '--from-file DIR/cluster.json --price-gib-hour 1 --currency euro',
      '--currency euro: expected a code of ISO 4217, such as EUR',
    ],
    ['--from-file DIR/cluster.json --late-after soon', '--late-after soon: expected a duration'],
    ['--from-file DIR/cluster.json --html DIR/no/x.html', '--html DIR/no/x.html: cannot be written (ENOENT)'],
    [
      '--from-file DIR/cluster.json --html x.html --from 2026-01-01',
      '--html: expected at most 93 days from --from to --to',
    ],
  ])('%s is wrong usage', async (args, message) => {
    const { code, err } = await wukong(`report ${args}`);
    expect(code).toBe(2);
    expect(err).toContain(`wukong report: ${message}`);
  });
});

test('wukong plan --html writes a page of files', async () => {
  await put('office.json', JSON.stringify(office));
  const { code, out, err } = await wukong(
    'plan --schedule DIR/office.json --html DIR/plan.html --from 2026-05-04 --to 2026-06-04',
  );
  expect([code, out]).toEqual([0, '']);
  expect(err).toMatch(/^DIR\/plan\.html: 1 schedule, \d+ KB\n$/);
  const both = await wukong('plan --schedule DIR/office.json --html DIR/plan.html --json');
  expect(both).toMatchObject({
    code: 2,
    err: expect.stringContaining('expected either --html or --json, not both') as string,
  });
});
