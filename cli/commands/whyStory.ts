import { failures } from '../../shared/domain/errors.ts';
import { placeOf, type StateName } from '../../shared/domain/model.ts';
import { leaseKey, type Operation, operationOf } from '../../shared/domain/operation.ts';
import type { Action } from '../../shared/domain/outcome.ts';
import { stateOf } from '../../shared/domain/vm.ts';
import { plain } from '../../shared/report/plain.ts';
import { lastShown } from '../../shared/report/status.ts';
import type { Decision } from '../../shared/schedule/decide.ts';
import { type Hold, overrideFor, overrideKeys } from '../../shared/schedule/override.ts';
import { nextOf, troublesOf, troubleText } from '../../shared/schedule/timetable.ts';
import { rfc3339 } from '../../shared/time/clock.ts';
import type { Known } from './whyRead.ts';

/** One VM's story: what is so, what was done and why, what holds what back, what comes next, and what changes it. */
export function storyOf(known: Known): string[] {
  const facts = known.table.ruled.get(known.wukong)?.facts;
  const lines = [so(known), ...underWay(known), ...last(known), ...holding(known), ...schedules(known)];
  if (facts) lines.push(...now(known), ...next(known));
  lines.push(...byHand(known), ...known.unread.map((problem) => `Not known: ${problem}.`));
  return lines.map((line) => plain(line));
}

const words: Record<StateName, string> = {
  Running: 'runs',
  Stopped: 'is off',
  Starting: 'is starting',
  Stopping: 'is stopping',
  Paused: 'is paused: its guest stands still until it is unpaused',
  Failed: 'cannot run',
  Unknown: 'is in a state that nobody knows',
};

function so({ wukong, machine }: Known): string {
  const { vm, vmi } = machine;
  const { name } = placeOf(wukong);
  if (!vm) return `${name} has no VM: nothing can be switched.`;
  const state = stateOf(machine);
  const node = vmi?.node && state !== 'Stopped' ? ` on node ${vmi.node}` : '';
  const label = state === 'Failed' || state === 'Unknown' ? ` (${vm.printableStatus})` : '';
  return `${name} ${words[state]}${node}${label}.`;
}

const done: Record<Action, string> = { start: 'started', stop: 'stopped' };
const by: Record<string, string> = {
  event: 'an event',
  queue: 'a message',
  http: 'an HTTP call',
  direct: 'a direct call',
  declared: 'spec.lifecycleAction',
  cli: 'somebody with wukong',
  scheduler: 'a schedule in AWS',
};

/** Whose wish a request was. */
function wisher(trigger = '', requestId = ''): string {
  if (trigger !== 'schedule') return by[trigger] ?? trigger;
  return `schedule ${requestId.replace(/^schedule:/, '').split('@')[0]}${requestId.includes('/enforced') ? ' (Enforce)' : ''}`;
}

function underWay({ wukong }: Known): string[] {
  const { lifecycleAction } = wukong.spec ?? {};
  const asked =
    lifecycleAction === undefined || lifecycleAction === null
      ? []
      : [`spec.lifecycleAction asks for ${JSON.stringify(lifecycleAction)}; a tick carries it out within a minute.`];
  const op = operationOf(wukong);
  return op ? [...asked, operationText(op)] : asked;
}

function operationText({ action, startedAt, trigger, requestId, forceAt, deadline, step }: Operation): string {
  const forced = step === 'Forced' || step === 'PodDeleted';
  const rest = forced
    ? 'its guest was forced'
    : forceAt === undefined
      ? `it may take until ${rfc3339(deadline)}`
      : `its guest is forced at ${rfc3339(forceAt)}`;
  return `It is being ${done[action]} since ${rfc3339(startedAt)}, by ${wisher(trigger, requestId)}; ${rest}.`;
}

function last({ wukong, machine }: Known): string[] {
  const shown = lastShown(wukong, stateOf(machine));
  if (!shown?.outcome || shown.outcome === 'InProgress') return ['Nothing was done with it that is remembered.'];
  const { lastAction, outcome, reason, message = '', trigger, requestId, finishedAt, lastActionTime } = shown;
  const at = finishedAt ?? lastActionTime ?? 'a time that is not known';
  const what = `Last: ${lastAction} by ${wisher(trigger, requestId)}, ${at}: ${outcome}${reason ? ` (${reason})` : ''}. ${message}`;
  const isSo = stateOf(machine) === (lastAction === 'start' ? 'Running' : 'Stopped');
  const advice = outcome === 'Failed' && !isSo ? failures[reason as keyof typeof failures]?.next : undefined;
  return advice ? [what, `To mend it: ${advice}`] : [what];
}

function holding({ wukong, around, table }: Known): string[] {
  const { namespace, name } = placeOf(wukong);
  const namespaceAnnotations = around.namespaces.get(namespace);
  const given = { wukongAnnotations: wukong.metadata.annotations, namespaceAnnotations, now: table.at };
  const { holds, protected: level, skipNext, problems } = overrideFor(given);
  const clear = (at: string, key: string, own: string) =>
    at === 'Wukong' ? `wukong ${own} -n ${namespace}` : `kubectl annotate namespace ${namespace} ${key}-`;
  const held = (action: Action, hold: Hold) => {
    const until = hold.until === Infinity ? ', until its time can be read' : ` until ${rfc3339(hold.until)}`;
    const why = hold.key === leaseKey ? 'it was started on demand' : `${hold.key} on the ${hold.level}`;
    const end =
      hold.key === leaseKey
        ? `kubectl annotate wukong ${name} ${hold.key}- -n ${namespace}`
        : clear(hold.level, hold.key, `keep ${name} --clear`);
    return `Its ${action}s by schedules are held back${until}: ${why}. To end that: ${end}`;
  };
  const lines: string[] = [];
  if (holds.stop) lines.push(held('stop', holds.stop));
  if (holds.start) lines.push(held('start', holds.start));
  if (level)
    lines.push(
      `Nobody stops it: protected on the ${level}. To end that: ${clear(level, overrideKeys.protected, `protect ${name} --off`)}`,
    );
  if (skipNext)
    lines.push(
      `The next boundary of its schedules is skipped: skip-next on the ${skipNext}. To end that: ${clear(skipNext, overrideKeys.skipNext, `skip-next ${name} --off`)}`,
    );
  for (const { message } of problems) lines.push(`An override cannot be read, so it is left alone: ${message}.`);
  const { freezeUntil } = around;
  if (freezeUntil !== undefined && freezeUntil > table.at)
    lines.push(
      `All schedules are frozen${freezeUntil === Infinity ? '' : ` until ${rfc3339(freezeUntil)}`}. To end that: wukong freeze --off`,
    );
  return lines;
}

function schedules({ wukong, table }: Known): string[] {
  const mine = table.ruled.get(wukong)?.schedules ?? [];
  // Of the others it is not known that they select nothing: only this Wukong was read.
  const bad = troublesOf(table).filter(({ reason }) => reason !== 'NothingMatched');
  const lines = bad.map((trouble) => `${troubleText(trouble)}.`);
  if (mine.length === 0) lines.unshift('No schedule selects it.');
  for (const { key, suspended } of mine)
    if (suspended)
      lines.push(
        `Schedule ${key} is suspended. To resume it: kubectl patch wks ${key.split('/')[1]} -n ${key.split('/')[0]} --type=merge -p '{"spec":{"suspend":false}}'`,
      );
  return lines;
}

function now({ wukong, table }: Known): string[] {
  const decision = table.ruled.get(wukong)?.decision;
  return decision ? [nowText(decision)] : [];
}

function nowText(decision: Decision): string {
  if (decision.do === 'skip') return `Now: ${decision.message}`;
  if (decision.do === 'nothing') return `Now nothing is done: ${decision.because}.`;
  return `Now it is to be ${done[decision.do]}, and a tick does so within a minute: ${decision.because}.`;
}

function next({ wukong, table }: Known): string[] {
  const { namespace, name } = placeOf(wukong);
  const foreseen = nextOf(table, wukong);
  if (!foreseen) return ['Nothing comes next by its schedules.'];
  const { action, at, boundary } = foreseen;
  const local = `${boundary.wall.replace('T', ' ')} ${boundary.schedule.zone.name}`;
  const keep = action === 'stop' ? 'running' : 'stopped';
  return [
    `Next: ${action} at ${rfc3339(at)}, by schedule ${boundary.schedule.key} (${local}).`,
    `To prevent that: wukong keep ${name} ${keep} --until TIME -n ${namespace}, or wukong skip-next ${name} -n ${namespace}`,
  ];
}

function byHand({ wukong, machine }: Known): string[] {
  const { namespace, name } = placeOf(wukong);
  if (!machine.vm || operationOf(wukong)) return [];
  const state = stateOf(machine);
  if (state === 'Stopped') return [`To start it now: wukong start ${name} -n ${namespace}`];
  return state === 'Running' ? [`To stop it now: wukong stop ${name} -n ${namespace}`] : [];
}
