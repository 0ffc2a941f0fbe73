import { type DueFor, duesFor, isHarmed, isMixed, isSlow, lastingMs } from './wideClaims.ts';
import type { WideHistory } from './wideHistory.ts';
import { keyOfWide, type WideTale } from './wideStory.ts';
import { isFinal } from './wideWitness.ts';

const minuteMs = 60_000;
/** From a boundary to the power call: a tick comes every minute. */
const lateMs = 90_000;
const longestWaveMs = 10 * minuteMs;

export const sureDues = (history: WideHistory, tale: WideTale): DueFor[] =>
  history.wukongs.flatMap((_, index) => duesFor(history, tale, index)).filter(({ sure }) => sure);

/** Boundaries are carried out when they are due: not before, not late because of a neighbour, and wave after wave. */
export function inTime(history: WideHistory, tale: WideTale): string[] {
  if (isHarmed(history) || isSlow(history) || isMixed(history)) return [];
  const alone = sureDues(history, tale).filter(
    ({ span, at }) =>
      !tale.asked.some(
        (one) => one.whom.includes(span.index) && one.at > at - 15 * minuteMs && one.at < at + lastingMs,
      ),
  );
  const from = { start: 'off', stop: 'on' } as const;
  const toDo = alone.filter(
    ({ at, action, span }) =>
      // One that KubeVirt starts again and again may be up when its turn comes.
      !(action === 'start' && history.wukongs[span.index]!.guest === 'crashes') &&
      (tale.sights.get(at)?.get(keyOfWide(history, span.index))?.power ?? 'off') === from[action],
  );
  const callOf = ({ span, at, action }: DueFor) =>
    tale.accepted.find(
      (call) =>
        call.key === keyOfWide(history, span.index) &&
        call.verb === action &&
        call.at >= at &&
        call.at < at + lastingMs,
    )?.at;
  const all = history.wukongs.flatMap((_, index) => duesFor(history, tale, index));
  const found: string[] = [];
  for (const due of toDo) {
    const { version, at, action, span } = due;
    const call = callOf(due);
    const what = `${keyOfWide(history, span.index)}: ${action} of plan-${version.index}`;
    if (call === undefined) found.push(`${what} was never asked for`);
    else if (
      !version.spec.waves &&
      call > at + lateMs + version.spec.jitterSeconds * 1000 &&
      !hasWaves(history, due, all)
    )
      found.push(`${what} was asked for ${(call - at) / 1000} s late`);
  }
  for (const same of Map.groupBy(toDo, ({ version, at, action }) => `${version.index} ${action} ${at}`).values())
    found.push(...waveByWave(history, tale, same, callOf));
  return found;
}

/** Others of the same boundary are in other waves: also one that is neither on nor off is waited for. */
const hasWaves = ({ wukongs }: WideHistory, due: DueFor, all: DueFor[]): boolean =>
  new Set(
    all
      .filter(({ version, at }) => version.index === due.version.index && at === due.at)
      .map(({ span }) => wukongs[span.index]!.wave),
  ).size > 1;

function waveByWave(
  history: WideHistory,
  { witness, accepted }: WideTale,
  dues: DueFor[],
  callOf: (due: DueFor) => number | undefined,
): string[] {
  const found: string[] = [];
  const [{ version, action, at }] = dues as [DueFor];
  const rankOf = ({ span }: DueFor) => history.wukongs[span.index]!.wave * (action === 'start' ? 1 : -1);
  const endOf = (due: DueFor) => {
    const key = keyOfWide(history, due.span.index);
    return witness.counted.find((told) => told.key === key && told.at >= at && isFinal(told))?.at ?? Infinity;
  };
  for (const due of dues)
    for (const other of dues) {
      const [call = Infinity, before = Infinity] = [callOf(due), callOf(other)];
      const key = keyOfWide(history, due.span.index);
      if (rankOf(other) < rankOf(due) && call < Math.min(endOf(other), before + longestWaveMs) - 1_000)
        found.push(`${key}: ${action} of plan-${version.index} before its wave's time`);
    }
  const most = version.spec.waves?.maxInFlight ?? Infinity;
  for (const due of dues) {
    const call = callOf(due);
    const sight = witness.power.findLast(
      ({ key, at }) => call !== undefined && key === keyOfWide(history, due.span.index) && at <= call,
    )?.sight;
    if (call === undefined || !sight) continue;
    const loading = dues.filter((other) => {
      const key = keyOfWide(history, other.span.index);
      const vmi = sight.get(key);
      const begun =
        other !== due &&
        accepted.some((one) => one.key === key && one.verb === action && one.at >= at && one.at < call);
      if (!begun || endOf(other) < call) return false;
      return action === 'stop'
        ? vmi !== undefined && vmi.deletion === undefined
        : vmi?.power !== 'on' && isPlain(history, other);
    });
    if (loading.length >= most)
      found.push(`plan-${version.index} ${action}: ${loading.length + 1} at once, and ${most} may`);
  }
  return [...new Set(found)];
}

/** Others may be known to be going nowhere. */
const isPlain = ({ wukongs }: WideHistory, { span }: DueFor): boolean =>
  ['plain', 'slow', 'slowBoot', 'deaf', 'hangs'].includes(wukongs[span.index]!.guest);
