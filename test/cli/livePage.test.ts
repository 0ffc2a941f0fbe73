import { describe, expect, it } from 'vitest';

import { partsOf } from '../../cli/ui/liveParts.ts';
import { liveTime, rowOf } from '../../cli/ui/liveRows.ts';
import { lastRuns, runLine } from '../../cli/ui/liveRuns.ts';
import type { WukongState } from '../../shared/entry/state.ts';
import { runOf, runsScene } from '../page/liveScenes.ts';

const now = Date.parse('2026-11-23T21:00:00Z');
const hourMs = 3_600_000;
const state = (name: string, more: Partial<WukongState> = {}): WukongState => ({
  ...{ namespace: 'dev', name, state: 'Running', vm: { name } },
  ...more,
});
const last = (outcome: string, more: object = {}) => ({
  last: { outcome, lastAction: 'stop', finishedAt: '2026-11-23T20:00:00Z', message: 'As told.', ...more },
});
const plain = (html: string) =>
  html
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
const parts = (states: WukongState[], runs = runsScene(now)) => {
  const found = partsOf(states, runs, now);
  return { html: found, text: Object.fromEntries(Object.entries(found).map(([id, html]) => [id, plain(html)])) };
};

const some = [
  state('fine', last('Stopped')),
  state('forced', last('ForcedOff', { forceReason: 'GracePeriodExceeded', forced: true })),
  state('wished', last('ForcedOff', { forceReason: 'Requested', forced: true })),
  state('stuck', last('Failed', { reason: 'Stuck', message: 'It <b>hangs</b>.' })),
  state('broken', { state: 'Failed' }),
  state('busy', { state: 'Stopping', operation: { action: 'stop', requestId: 'r', step: 's', startedAt: 'soon' } }),
];

describe('the live page', () => {
  it('begins with what failed, by the rule of the report, and leads to each VM', () => {
    const { html, text } = parts(some);
    expect([...html.wrong.matchAll(/<a href="#vm\/([^"]*)"/g)].map(([, key]) => key)).toEqual([
      'dev/stuck',
      'dev/broken',
      'dev/forced',
    ]);
    expect(html.wrong).toContain('It &lt;b&gt;hangs&lt;/b&gt;.');
    expect(text['wrong']).toContain('forced off: its grace period was over');
    expect(text['figures']).toMatch(/failed 2 forced off 1 under way 1 running 4 stopped 0 VMs 6/);
    expect(text['news']).toBe('2 VMs failed.');
  });

  it('says of each VM what it is, what came last and what comes next, whatever its status says', () => {
    expect(rowOf(some[3]!)).toMatchObject({
      ...{ tone: 'bad', is: '● Running', coming: '–' },
      came: `Failed: Stuck, ${liveTime(Date.parse('2026-11-23T20:00:00Z'))}. It <b>hangs</b>.`,
    });
    expect(rowOf(some[5]!)).toMatchObject({ tone: 'busy', is: '◕ Stopping, stop since ' });
    const odd = { outcome: 'Exploded', finishedAt: 'never', nextActionTime: 'x' };
    expect(rowOf(state('odd', { last: odd, nextAction: 'stop', nextActionTime: 'x' }))).toMatchObject({
      ...{ tone: '', came: 'Exploded', coming: '–' },
    });
    const kept = { overrides: { 'keep-running-until': '2026-11-24T08:00:00Z' } };
    expect(rowOf(state('kept', kept)).coming).toBe(`–, kept running until ${liveTime(now + 11 * hourMs)}`);
    expect(() => parts([state('odd', { last: { ...odd, outcome: 'Failed' } })])).not.toThrow();
  });

  it('tells what the next day brings, together where it comes together', () => {
    const at = (hours: number) => new Date(now + hours * hourMs).toISOString();
    const next = (name: string, hours: number) => state(name, { nextAction: 'stop', nextActionTime: at(hours) });
    const { text } = parts([next('a', 1), next('b', 1), next('c', 2), next('d', 25), next('old', -1)]);
    expect(text['plan']).toBe(`${liveTime(now + hourMs)} : stop 2 VMs ${liveTime(now + 2 * hourMs)} : stop 1 VM`);
    expect(parts([state('a')]).text['plan']).toContain('Nothing is planned within a day. wukong plan shows a week');
  });

  it('shows the runs of a day, what went wrong first, then what is under way, then the newest', () => {
    const phases = (runs: ReturnType<typeof runOf>[]) => lastRuns(runs, now).map(({ status }) => status?.phase);
    expect(phases(runsScene(now).runs)).toEqual(['Incomplete', 'Missed', 'Running', 'Succeeded']);
    const old = Array.from({ length: 30 }, (_, i) => runOf('Succeeded', now - (30 + i) * hourMs));
    expect(phases([...old, runOf('Succeeded', now - hourMs), runOf('Incomplete', now - 40 * hourMs)])).toEqual([
      'Succeeded',
    ]);
    expect(phases(old)).toHaveLength(10);
  });

  it('says what came of a run, and of which VMs it failed', () => {
    const incomplete = runsScene(now).runs[3]!;
    expect(runLine(incomplete)).toMatchObject({
      ...{ who: 'dev/long-days', what: 'stop', glyph: 'failed' },
      text: 'Incomplete: 38 of 40 VMs off, 1 forced, 2 failed',
      message: 'web: Stuck, It <b>hangs</b>.',
    });
    const fleet = { ...incomplete, spec: { action: 'start' as const, dueAt: incomplete.spec.dueAt, requestId: 'r' } };
    expect(runLine({ ...fleet, status: { skipped: { Override: 3 }, done: 'many' } as never })).toMatchObject({
      who: 'a fleet in dev',
      text: 'Unknown: 0 of 0 VMs on, 3 left alone or too late',
    });
  });

  it('says what to do where there is nothing', () => {
    const { text } = parts([], { runs: [] });
    expect(text['advice']).toMatch(/There is nothing to show yet.*wukong ui -A.*wukong adopt/);
    expect(text['runs']).toMatch(/There is none yet.*wukong doctor/);
    expect(parts([], { runs: [], problem: 'wukongruns is <forbidden>' }).html.runs).toContain('&lt;forbidden&gt;');
    expect(parts([state('a')]).text['wrong']).toBe('The last start or stop of every VM went well.');
  });
});
