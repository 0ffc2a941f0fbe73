import { expect, it } from 'vitest';

import { silence } from '../../shared/cluster/silence.ts';
import type { LifecycleError } from '../../shared/domain/errors.ts';
import type { Clock } from '../../shared/time/clock.ts';
import { VirtualClock } from '../../sim/clock.ts';

const start = 1_000_000;

function listening() {
  const clock = new VirtualClock(start);
  const outer = new AbortController();
  const quiet = silence(clock, outer.signal);
  const at = (ms: number) => clock.jumpTo(start + ms);
  return { clock, outer, quiet, at };
}
const reasonOf = ({ signal }: { signal: AbortSignal }) => signal.reason as LifecycleError;

it('a stream that nobody answers is given up after fifteen seconds, and not before', () => {
  const { quiet, at } = listening();
  at(14_999);
  expect(quiet.signal.aborted).toBe(false);
  at(15_000);
  expect(reasonOf(quiet)).toMatchObject({ code: 'Unreachable', message: 'the watch fell silent' });
});

it('one that was heard may be silent for ninety seconds from then on', () => {
  const { quiet, at } = listening();
  at(10_000);
  quiet.heard();
  at(60_000);
  quiet.heard();
  at(149_999);
  expect(quiet.signal.aborted).toBe(false);
  at(150_000);
  expect(reasonOf(quiet).code).toBe('Unreachable');
});

it('is looked at when it may have fallen silent, not again and again', () => {
  const { clock, quiet, at } = listening();
  quiet.heard();
  let looks = 0;
  const { after } = clock;
  clock.after = (ms, run) => (looks++, after.call(clock, ms, run));
  at(89_999);
  expect(looks).toBe(1);
  at(90_000);
  expect(quiet.signal.aborted).toBe(true);
});

it('a look that comes a moment early is repeated a millisecond later', () => {
  let now = 0;
  const looks: { ms: number; run: () => void }[] = [];
  const clock: Clock = { now: () => now, after: (ms, run) => (looks.push({ ms, run }), () => {}) };
  const quiet = silence(clock, new AbortController().signal);
  now = 14_999.5;
  looks[0]!.run();
  expect(looks.map(({ ms }) => ms)).toEqual([15_000, 1]);
  expect(quiet.signal.aborted).toBe(false);
});

it('ends with what it belongs to, for its reason, also where that had ended before', () => {
  const { outer, quiet } = listening();
  outer.abort(new Error('closed'));
  expect(reasonOf(quiet).message).toBe('closed');
  expect(reasonOf(silence(new VirtualClock(start), outer.signal)).message).toBe('closed');
});

it('leaves nothing behind when its stream is done: no timer, no listener, and the connection is let go', () => {
  const { clock, outer, quiet } = listening();
  const gone: string[] = [];
  const { removeEventListener } = outer.signal;
  outer.signal.removeEventListener = (type: string, ...rest: [never]) => {
    gone.push(type);
    removeEventListener.call(outer.signal, type, ...rest);
  };
  quiet.done();
  expect([clock.pending, gone, quiet.signal.aborted]).toEqual([0, ['abort'], true]);
  outer.abort(new Error('closed'));
  expect(reasonOf(quiet).message).not.toBe('closed');
});
