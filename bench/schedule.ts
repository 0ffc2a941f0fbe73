import { Cron } from 'croner';

import { parseCron } from '../shared/cron.ts';
import { nextAfter } from '../shared/wallclock.ts';
import { parseZone } from '../shared/zone.ts';
import { type Row, row } from './row.ts';

const zones = ['Europe/Berlin', 'America/Santiago', 'Australia/Lord_Howe', 'Asia/Kathmandu'];
const text = '30 2 * * 1-5';
const rounds = 5_000;

/** Evaluations of "when is the next boundary" a second, beside croner with the same questions. */
export async function evaluations(): Promise<Row[]> {
  const from = Date.UTC(2026, 0, 1);
  const cron = parseCron(text);
  const ours = zones.map((name) => parseZone(name));
  const theirs = zones.map((timezone) => new Cron(text, { timezone }));
  const hour = 3_600_000;
  const mine = rate((i) => nextAfter(cron, ours[i % ours.length]!, from + i * hour));
  const rivals = rate((i) => theirs[i % theirs.length]!.nextRun(new Date(from + i * hour)));
  return [row('schedule/evaluations', mine, 'a second', { rival: 'croner', rivalValue: rivals })];
}

function rate(evaluate: (i: number) => unknown): number {
  for (let i = 0; i < rounds / 10; i++) evaluate(i);
  const begin = performance.now();
  for (let i = 0; i < rounds; i++) evaluate(i);
  return (rounds / (performance.now() - begin)) * 1000;
}
