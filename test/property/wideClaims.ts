import type { Action } from '../../shared/domain/outcome.ts';
import type { Asked } from './wideActs.ts';
import type { WideHistory } from './wideHistory.ts';
import { boundariesOf, type Due, rulersOf, type Span, type Version } from './wideModel.ts';
import type { WideTale } from './wideStory.ts';

const minuteMs = 60_000;
const settlingMs = 3 * minuteMs;
/** So long after a boundary it may still be carried out: waves wait for each other. */
export const lastingMs = 45 * minuteMs;

export const isHarmed = ({ steps }: WideHistory): boolean =>
  steps.some((step) => step.do === 'fault' || step.do === 'away' || step.do === 'tick' || step.do === 'kill');
/** Version 0.1.0 acts too: it knows neither runs nor schedules of a cluster, and takes an edit for a boundary. */
export const isMixed = ({ older }: WideHistory): boolean => older !== undefined;
/** Messages come late, or never. */
export const isSlow = ({ bus, fates }: WideHistory): boolean =>
  bus && fates.some(({ times, afterSeconds }) => times === 0 || afterSeconds > 60);

/** A boundary for one Wukong. `sure`: nothing else is near that could have a say in it. */
export interface DueFor extends Due {
  span: Span;
  sure: boolean;
}

/** All that falls due for a Wukong, in order of time. */
export function duesFor(history: WideHistory, tale: WideTale, index: number): DueFor[] {
  const spans = tale.spans.filter((span) => span.index === index);
  const near = versionsFor(history, tale, index);
  const all = near
    .flatMap((version) => boundariesOf(tale.begin, version))
    .filter(({ version }) => !version.spec.suspend);
  return all
    .flatMap((due): DueFor[] => {
      const span = spans.find(({ from, to }) => from <= due.at && due.at < to);
      if (!span) return [];
      const sure =
        !isMixed(history) &&
        rulersOf(history, tale.versions, span, due.at).includes(due.version) &&
        !due.exceptional &&
        !near.some((version) => isNear(version, due.at)) &&
        !isNear(span, due.at) &&
        !all.some((other) => other !== due && Math.abs(other.at - due.at) < lastingMs) &&
        !(due.action === 'stop' && history.wukongs[index]!.protected) &&
        !tale.asked.some(({ step, whom }) => (step.do === 'keep' || step.do === 'skipNext') && whom.includes(index));
      return [{ ...due, span, sure }];
    })
    .sort((a, b) => a.at - b.at);
}

const isNear = ({ from, to }: { from: number; to: number }, at: number): boolean =>
  [from, to].some((edge) => edge > at - settlingMs && edge < at + lastingMs);

/** Schedules that may ever have ruled it. */
const versionsFor = ({ wukongs }: WideHistory, { versions }: WideTale, index: number): Version[] =>
  versions.filter(({ spec }) => spec.space === 'cluster' || spec.space === wukongs[index]!.space);

/** Wanted on or off, some time between `low` and `high`. What is weak may hold, and need not. */
export interface Claim {
  action: Action;
  low: number;
  high: number;
  weak: boolean;
  what: string;
}

const ever = Infinity;
const weakly = (action: Action, low: number, what: string): Claim => ({ action, low, high: ever, weak: true, what });
const surely = (action: Action, at: number, what: string): Claim => ({ action, low: at, high: at, weak: false, what });

/** Whatever was wished for one Wukong since it was made. */
export function claimsFor(history: WideHistory, tale: WideTale, index: number): Claim[] {
  const one = history.wukongs[index]!;
  const made = tale.spans.filter((span) => span.index === index);
  const newest = made.at(-1)!;
  const born = made.find(({ uid }) => uid === newest.uid)!.from;
  const dues = duesFor(history, tale, index);
  const claims = [surely(one.on ? 'start' : 'stop', born, 'as it was made')];
  for (const { action, at, sure, version } of dues)
    claims.push(
      sure && !isSlow(history)
        ? surely(action, at, `plan-${version.index}`)
        : weakly(action, at, `plan-${version.index}`),
    );
  const mine = tale.asked.filter(({ whom }) => whom.includes(index));
  for (const asked of mine) claims.push(...claimOf(history, asked, { index, mine, dues }));
  const later = claims.filter(({ low }) => low >= born);
  const enforcing = versionsFor(history, tale, index).filter(
    ({ spec }) => spec.policy === 'Enforce' || isMixed(history),
  );
  if (enforcing.length === 0) return later;
  // What should be so by a boundary of the day before, or before it was made, counts too.
  const always = enforcing.flatMap(({ spec, from, index: plan }) =>
    (['start', 'stop'] as const).flatMap((action) =>
      spec[action] === undefined ? [] : [weakly(action, from, `plan-${plan} enforces it`)],
    ),
  );
  return [...later.map((claim) => ({ ...claim, high: ever, weak: true })), ...always];
}

function claimOf(
  history: WideHistory,
  { step, at }: Asked,
  { index, mine, dues }: { index: number; mine: Asked[]; dues: DueFor[] },
): Claim[] {
  const one = history.wukongs[index]!;
  const kept = mine.some((other) => other.step.do === 'keep' || other.step.do === 'skipNext');
  switch (step.do) {
    case 'ask':
    case 'fleet': {
      if (step.action === 'stop' && one.protected) return [];
      // A fleet that finds a VM as it wants it writes nothing (docs/decisions/0012): what waits for its jitter or wave goes on.
      const meets =
        step.do === 'fleet' &&
        dues.some((due) => due.action !== step.action && due.at <= at && due.at > at - lastingMs);
      const unsure =
        isHarmed(history) || kept || meets || mine.some((other) => other.step !== step && isClose(other.at, at));
      return [unsure ? weakly(step.action, at, step.do) : surely(step.action, at, step.do)];
    }
    case 'keep':
      return [weakly(step.state === 'running' ? 'start' : 'stop', at, 'keep')];
    case 'hand': {
      const action = step.strategy === 'Always' ? 'start' : 'stop';
      const fought =
        isHarmed(history) ||
        isSlow(history) ||
        kept ||
        mine.some((other) => other.step !== step && isClose(other.at, at)) ||
        dues.some((due) => due.at <= at + minuteMs && due.at > at - lastingMs);
      return [fought ? weakly(action, at, 'by hand') : surely(action, at, 'by hand')];
    }
    default:
      return [];
  }
}

const isClose = (a: number, b: number): boolean => Math.abs(a - b) < 12 * minuteMs;
