import type { LifecycleState } from '../../shared/domain/model.ts';
import type { WukongState } from '../../shared/entry/state.ts';
import type { Happening } from '../page/happening.ts';
import { verdictText } from '../page/reasons.ts';
import { type Gravity, gravityOf } from '../page/troubles.ts';

/** A VM as its line shows it. */
export interface LiveRow {
  namespace: string;
  name: string;
  state: string;
  /** How it is drawn, and where: what failed comes first, then what is under way. */
  tone: 'bad' | 'busy' | '';
  /** The three columns beside its name. */
  is: string;
  came: string;
  coming: string;
}

const glyphs: Record<string, string> = {
  ...{ Running: '●', Stopped: '○', Starting: '◔', Stopping: '◕' },
  ...{ Paused: '‖', Failed: '✕', Unknown: '?' },
};

/** Milliseconds of a text that anybody may have written; undefined where it is no time. */
export const instantOf = (text: string | undefined): number | undefined => {
  const instant = Date.parse(text ?? '');
  return Number.isNaN(instant) ? undefined : instant;
};

const local = new Intl.DateTimeFormat('en-GB', {
  ...{ weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
});

/** `Mon 23 Nov, 20:00` as on every page, of the clock of whoever looks: page and browser are on one machine. */
export const liveTime = (instant: number): string => local.format(instant);

const at = (text: string | undefined): string => {
  const instant = instantOf(text);
  return instant === undefined ? '' : liveTime(instant);
};

const happeningOf = ({ outcome, reason, forceReason, observed }: LifecycleState): Happening =>
  ({ outcome, reason: reason ?? forceReason, observed }) as Happening;

/** How grave what became of it last is, by the rule of the report; what its VM is in by itself counts too. */
export function gravityNow({ state, last }: WukongState): Gravity | undefined {
  const gravity = last && gravityOf(happeningOf(last));
  return state === 'Failed' ? 'failed' : gravity;
}

/** `failed: Stuck`. */
export const gravityText = (verdict: Gravity, last: LifecycleState | undefined): string =>
  verdictText({ verdict, happening: happeningOf(last ?? {}) });

export function rowOf(one: WukongState): LiveRow {
  const { namespace, name, state, operation, last } = one;
  const failed = gravityNow(one) === 'failed';
  const doing = operation ? `, ${operation.action} since ${at(operation.startedAt)}` : '';
  return {
    ...{ namespace, name, state },
    tone: failed ? 'bad' : operation ? 'busy' : '',
    is: `${glyphs[state] ?? '?'} ${state}${doing}`,
    came: cameOf(last, failed),
    coming: comingOf(one),
  };
}

function cameOf(last: LifecycleState | undefined, failed: boolean): string {
  if (!last?.outcome) return '–';
  const why = last.reason ? `${last.outcome}: ${last.reason}` : last.outcome;
  const when = at(last.finishedAt);
  return `${why}${when && `, ${when}`}${failed && last.message ? `. ${last.message}` : ''}`;
}

function comingOf({ nextAction, nextActionTime, overrides }: WukongState): string {
  const next = at(nextActionTime);
  const planned = next ? `${nextAction} ${next}` : '–';
  const running = overrides?.['keep-running-until'];
  const kept = running ?? overrides?.['keep-stopped-until'];
  return kept ? `${planned}, kept ${running ? 'running' : 'stopped'} until ${at(kept) || kept}` : planned;
}
