import { type Outcome, reasonOf } from '../../shared/domain/outcome.ts';
import { rfc3339 } from '../../shared/time/clock.ts';
import { wrap } from '../terminal/help.ts';
import type { Voice } from './voice.ts';

const colours: Partial<Record<Outcome['outcome'], number>> = { Failed: 31, ForcedOff: 33, Skipped: 90 };
const green = 32;
const grey = 90;
const indent = ' '.repeat(6);
/** Below it messages stand under their outcomes, all of them: some beside and some below would be hard to read. */
const wide = 130;

/** What is shown beside it. */
interface Around {
  scene: string;
  requests?: number;
  /** So that columns stand below each other. */
  keyWidth?: number;
}

/** One outcome: a line for people, with its message below where the terminal is too narrow; or one of JSON. */
export function showOutcome(voice: Voice, outcome: Outcome, { scene, requests, keyWidth = 0 }: Around): void {
  if (voice.json) return voice.line(recordOf(scene, outcome, requests));
  const { namespace, name, message, startedAt, finishedAt } = outcome;
  const reason = reasonOf(outcome) ?? (outcome.outcome === 'ForcedOff' ? outcome.forceReason : undefined);
  const word = `${outcome.outcome}${reason ? ` (${reason})` : ''}`.padEnd(32);
  const took = `${((finishedAt - startedAt) / 1000).toFixed(1)} s`.padStart(6);
  const asked =
    requests === undefined ? '' : `  ${`${requests}`.padStart(2)} ${requests === 1 ? 'request ' : 'requests'}`;
  const head = `  ${`${namespace}/${name}`.padEnd(keyWidth)}  `;
  const room = voice.width() - (head.length + word.length + 1 + took.length + asked.length + 2);
  const fits = voice.width() >= wide && message.length <= room;
  const painted = voice.paint(word, colours[outcome.outcome] ?? green);
  voice.say(`${head}${painted} ${took}${asked}${fits ? `  ${message}` : ''}`.trimEnd());
  if (!fits)
    for (const line of wrap(message, voice.width() - indent.length - 1))
      voice.say(voice.paint(`${indent}${line}`, grey));
}

function recordOf(scene: string, outcome: Outcome, requests: number | undefined): object {
  const { namespace, name, action, forced, message, requestId, startedAt, finishedAt } = outcome;
  const reason = reasonOf(outcome);
  return {
    scene,
    namespace,
    name,
    action,
    outcome: outcome.outcome,
    ...(reason ? { reason } : {}),
    forced,
    message,
    requestId,
    startedAt: rfc3339(startedAt),
    finishedAt: rfc3339(finishedAt),
    ...(requests === undefined ? {} : { requests }),
  };
}
