import type { Wukong } from '../../shared/domain/model.ts';
import type { Action } from '../../shared/domain/outcome.ts';
import { outcomeType } from '../../shared/report/report.ts';
import type { CommandStep, History } from './history.ts';
import type { Raw, Story, Wish } from './life.ts';

/** What must be true of every history once quiet has returned; each sentence that is returned says what is not. */
export function verdict(history: History, story: Story): string[] {
  if (story.quietAfter === undefined) return [`never came to rest; last problems: ${story.problems.join('; ')}`];
  const always = [
    ...story.problems.filter((problem) => problem.startsWith('thrown:')),
    ...nothingLeft(story.after.wukong),
    ...othersUntouched(story),
    ...neverForcedEarly(history, story),
  ];
  // What version 0.1.0 told, and did with wishes of before the upgrade, is not judged.
  if (history.upgradeAfter !== undefined)
    return [...always, ...asWished(history, story), ...statusIsTrue(history, story)];
  return [...always, ...oneOutcomeEach(history, story), ...asWished(history, story), ...statusIsTrue(history, story)];
}

const prefix = 'lifecycle.novasphere.dev/';
const dies = ({ steps }: History): boolean => steps.some((step) => 'dies' in step && step.dies !== undefined);
const isHarmed = (history: History): boolean =>
  dies(history) || history.steps.some((step) => step.do === 'fault' || step.do === 'virtApi');

function nothingLeft({ metadata, spec }: Wukong): string[] {
  const left = [];
  if (metadata.annotations?.[`${prefix}operation`]) left.push('an operation record is left behind');
  if (spec?.lifecycleAction !== undefined) left.push('a declared action is left behind');
  return left;
}

function othersUntouched({ before, after }: Story): string[] {
  const own = ({ metadata, spec, status }: Wukong) => ({
    labels: metadata.labels,
    annotations: Object.entries(metadata.annotations ?? {}).filter(([key]) => key === 'owner.example/note'),
    protected: metadata.annotations?.[`${prefix}protected`],
    spec: { ...spec, lifecycleAction: undefined, startStrategy: { ...spec?.startStrategy, autoStart: undefined } },
    vmName: status?.vmName,
  });
  const ownOfVm = ({ metadata, spec }: Raw) => ({
    labels: metadata.labels,
    annotations: metadata.annotations,
    spec: { ...spec, running: 'running' in spec, runStrategy: 'runStrategy' in spec },
  });
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  return [
    ...(same(own(before.wukong), own(after.wukong)) ? [] : ["somebody else's fields of the Wukong were changed"]),
    ...(same(ownOfVm(before.vm), ownOfVm(after.vm)) ? [] : ["somebody else's fields of the VM were changed"]),
  ];
}

const stopsIn = ({ wishes }: Story) =>
  wishes.filter(({ kind, action }) => kind !== 'hand' && kind !== 'guest' && action === 'stop');
const isForce = ({ step }: Wish): boolean => 'force' in step && step.force;

function neverForcedEarly(history: History, story: Story): string[] {
  const found: string[] = [];
  for (const call of story.power.filter(({ verb, older }) => verb === 'stop' && !older)) {
    if (history.protected) found.push('a protected VM was asked to stop');
    const asked = stopsIn(story).filter(({ from }) => from <= call.at);
    if (asked.some(isForce) || call.grace === undefined || !call.vmi) continue;
    const graces = asked.flatMap(({ step }) => ('graceSeconds' in step ? (step.graceSeconds ?? []) : []));
    // One second less is what replaces a queued Start (KUBEVIRT §1).
    const least = Math.min(history.grace ?? 30, ...graces) - 1;
    const { deletion, grace } = call.vmi;
    if (call.grace === 0) {
      if (deletion === undefined) found.push('forced before it was asked to go');
      else if (call.at < deletion + Math.max(grace, least) * 1000)
        found.push(
          `forced ${(call.at - deletion) / 1000} s after its deletion, with a grace of ${Math.max(grace, least)} s`,
        );
    } else if (call.grace < least) found.push(`a grace of ${call.grace} s was given instead of ${least + 1} s`);
  }
  const mayDelete = story.wishes.some(({ step }) => step.do === 'command' && step.deletePod);
  if (story.podsDeleted > 0 && !mayDelete) found.push('a launcher pod was deleted and nobody had allowed it');
  return found;
}

interface Told {
  requestId: string;
  outcome: string;
  reason?: string;
  message: string;
}

function oneOutcomeEach(history: History, story: Story): string[] {
  const found: string[] = [];
  const told = Map.groupBy(
    story.told.flatMap(({ type, detail, time }) => (type === outcomeType ? [{ ...(detail as Told), time }] : [])),
    ({ requestId }) => requestId,
  );
  const words = ({ outcome, reason }: Told) => `${outcome}${reason ?? ''}`;
  for (const [id, tellings] of told) {
    // What never reached the cluster is delivered again, and then comes to something else.
    const final = tellings.filter((one) => words(one) !== 'FailedUnreachable');
    const kinds = new Set(final.map(words));
    if (kinds.size > 1) found.push(`${id} has several outcomes: ${[...kinds].join(', ')}`);
    // What was skipped may be told again, and so is an end that somebody wiped from the status: at least once.
    const wiped = history.operator || history.steps.some((step) => step.do === 'wipeStatus');
    const skipped = final[0]?.outcome === 'Skipped' || final[0]?.outcome === 'Superseded';
    // A tick that comes between an end and its telling tells it too: at least once.
    const apart = Math.max(...final.map(({ time }) => time)) - Math.min(...final.map(({ time }) => time)) > 5_000;
    if (!isHarmed(history) && !wiped && !skipped && final.length > 1 && apart)
      found.push(`${id} was told ${final.length} times: ${words(final[0]!)}`);
    // Delivered again because its process had died after it told that it was skipped, it may come to something else.
    const event = story.events.find(
      ({ message, reason }) =>
        message.includes(`request ${id})`) &&
        reason !== 'FailedUnreachable' &&
        !(reason.startsWith('Skipped') && dies(history)),
    );
    if (event && final[0] && event.reason !== words(final[0]))
      found.push(`${id} has the Event ${event.reason} and was told as ${words(final[0])}`);
  }
  for (const { kind, id } of story.wishes) {
    if (kind !== 'command') continue;
    const known =
      told.has(id) ||
      story.events.some(({ message }) => message.includes(`request ${id})`)) ||
      story.returned.some((one) => one.requestId === id && one.outcome === 'Skipped' && one.reason === 'Duplicate') ||
      // Where Events are dropped the record of a skip is all that says so (decision 112).
      story.after.wukong.metadata.annotations?.[`${prefix}last-skipped`]?.includes(`"${id}"`);
    if (!known) found.push(`${id} has no outcome`);
  }
  for (const { outcome, requestId, ...one } of story.returned)
    if (outcome === 'Failed' && !isHarmed(history) && !excused(history, 'reason' in one ? one.reason : ''))
      found.push(`${requestId} failed although nothing was wrong: ${one.message}`);
  return found;
}

const excused = ({ guest, steps }: History, reason: string): boolean =>
  (guest === 'hangs' && (reason === 'Stuck' || reason === 'TimedOut')) ||
  (reason === 'RestartedItself' && steps.some((step) => step.do === 'hand')) ||
  (reason === 'TimedOut' && steps.some((step) => step.do === 'hand' || step.do === 'guest'));

/** Wanted on or off, some time between `low` and `high`. What is weak may hold, and need not. */
interface Claim {
  action: Action;
  low: number;
  high: number;
  weak: boolean;
  id: string;
}

export const powerOf = ({ vmi }: Story['after']): 'on' | 'off' | 'between' => {
  const phase = vmi?.status?.['phase'];
  if (!vmi || phase === 'Succeeded' || phase === 'Failed') return 'off';
  const ready = (vmi.status?.['conditions'] as { type: string; status: string }[] | undefined)?.find(
    ({ type }) => type === 'Ready',
  );
  return phase === 'Running' && !vmi.metadata.deletionTimestamp && ready?.status === 'True' ? 'on' : 'between';
};

/** The newest valid wish holds. */
function asWished(history: History, story: Story): string[] {
  const is = powerOf(story.after);
  const claims = claimsOf(history, story);
  const possible = claims.filter((one) => !claims.some((other) => !other.weak && other.low > one.high));
  const allowed = new Set(possible.map(({ action }) => (action === 'start' ? 'on' : 'off')));
  if (possible.some(({ id }) => hasFailed(story, id))) return [];
  if (is !== 'between' && allowed.has(is)) return [];
  if (is === 'between' && history.guest === 'hangs') return [];
  const newest = possible.map(({ action, id }) => `${action} ${id}`).join(' or ');
  return [`the VM is ${is}, and the newest valid wish is ${newest}`];
}

const hasFailed = ({ returned, told }: Story, id: string): boolean =>
  id !== '' &&
  (returned.some((one) => one.requestId.startsWith(id) && one.outcome === 'Failed') ||
    told.some(({ detail }) => (detail as Told).requestId?.startsWith(id) && (detail as Told).outcome === 'Failed'));

const ever = Infinity;

const skewsOf = ({ steps }: History): number[] => steps.flatMap((step) => (step.do === 'tick' ? step.skewMs : []));
const slow = (history: History): number => Math.max(0, ...skewsOf(history).map((skew) => -skew));
const fast = (history: History): number => Math.max(0, ...skewsOf(history));

function claimsOf(history: History, story: Story): Claim[] {
  const { strategy, schedule, operator } = history;
  const atFirst = strategy === 'Halted' || strategy === 'Manual' || strategy === 'notRunning' ? 'stop' : 'start';
  const claims: Claim[] = [{ action: atFirst, low: -ever, high: -ever, weak: false, id: 'at first' }];
  // A Wukong without intent is to run: its operator may act on that at any change.
  if (operator) claims.push({ action: 'start', low: -ever, high: -ever, weak: true, id: 'the operator' });
  for (const wish of story.wishes) {
    const valid = validity(history, story, wish);
    if (valid === 'no') continue;
    const { kind, action, at, to, id, busy } = wish;
    if (kind === 'command') claims.push({ action, low: at, high: at, weak: valid === 'maybe', id });
    // Nothing says when it was declared: it counts from the clock of the tick that sees it, and clocks differ.
    if (kind === 'declared')
      claims.push({ action, low: at - slow(history), high: to + fast(history), weak: valid === 'maybe', id });
    if (kind === 'hand') {
      const later = story.wishes.some(
        (other) => other.kind !== 'guest' && other !== wish && other.to >= at && other.from <= at,
      );
      // Nothing says when a change by hand was made: what was asked for before it and is delivered after it is carried out.
      const overtaken = story.wishes.some((other) => other.kind === 'command' && other.at <= at && other.from >= at);
      const fought = busy || later || overtaken || operator || isDue(history, story, at);
      claims.push({ action, low: at, high: fought ? ever : at, weak: fought, id: 'by hand' });
    }
    const stays = strategy === 'Once' || strategy === 'Manual' || strategy === 'RerunOnFailure';
    if (kind === 'guest' && stays) claims.push({ action: 'stop', low: at, high: ever, weak: true, id: 'the guest' });
  }
  if (schedule) claims.push(...scheduled(history, story, claims));
  return claims.map((one) => (one.low < story.upgradedAt ? { ...one, high: ever, weak: true } : one));
}

/** A boundary was due before, and the tick that sees to it is still to come, or was there shortly before. */
function isDue({ schedule }: History, { begin, ticks }: Story, at: number): boolean {
  const hour = Math.floor(begin / 3_600_000) * 3_600_000;
  const boundaries = [schedule?.startMinute, schedule?.stopMinute].flatMap((minute) => minute ?? []);
  return boundaries.some((minute) => {
    const due = hour + minute * 60_000;
    const seen = Math.min(...ticks.filter((tick) => tick >= due));
    return due <= at && at < Math.max(due, seen) + 3 * 60_000;
  });
}

/** What the schedule wants: its boundaries, and what overrides and leases put off. */
function scheduled(history: History, story: Story, claims: Claim[]): Claim[] {
  const { schedule, protected: kept, keepRunningSeconds } = history;
  const hour = Math.floor(story.begin / 3_600_000) * 3_600_000;
  const leased = story.wishes.some(({ step }) => step.do === 'command' && step.action === 'start' && step.leaseSeconds);
  const found: Claim[] = [];
  for (const [action, minute] of [
    ['start', schedule?.startMinute],
    ['stop', schedule?.stopMinute],
  ] as const) {
    if (minute === undefined || (action === 'stop' && kept)) continue;
    const at = hour + minute * 60_000;
    const heldUntil = action === 'stop' && keepRunningSeconds ? hour + keepRunningSeconds * 1000 : at;
    // A stop that is held back or skipped is still the newest boundary: a start before it may not be made up for.
    const overtaken =
      action === 'start' && (kept || keepRunningSeconds !== undefined) && minute < (schedule?.stopMinute ?? 0);
    // A boundary that finds nothing to do writes nothing, so an older request that comes after it is carried out, and two
    // that meet within the same instant do not see each other (docs/decisions/0012): the instant of each tick's clock.
    const [first, last] = [at - 2_000 - fast(history), at + 2_000 + slow(history)];
    const meets = story.wishes.some((wish) => wish.kind === 'command' && wish.at < last && wish.to > first);
    // Nor is the record of an older one seen by a tick whose read is as old as that.
    const hidden = dies(history) && history.steps.some((step) => step.do === 'fault' && step.harm.kind === 'stale');
    const unsure = overtaken || meets || hidden || (action === 'stop' && (leased || heldUntil > at));
    found.push({ action, low: at, high: unsure ? ever : at, weak: unsure, id: 'daily' });
  }
  if (schedule?.policy !== 'Enforce') return found;
  // Under Enforce whatever else was wished is undone, and an override is enforced too while it holds.
  for (const one of claims) Object.assign(one, { weak: true });
  if (keepRunningSeconds) found.push({ action: 'start', low: -ever, high: ever, weak: true, id: 'the override' });
  return found.map((one) => ({ ...one, high: ever }));
}

function validity(history: History, story: Story, wish: Wish): 'yes' | 'no' | 'maybe' {
  const { step, from, action, to } = wish;
  if (wish.kind === 'hand' || wish.kind === 'guest') return 'yes';
  if (action === 'stop' && history.protected) return 'no';
  const until = story.begin - 5_000 + (history.keepRunningSeconds ?? -1e6) * 1000;
  if (action === 'stop' && from <= until + 11_000) return to < until - 11_000 ? 'no' : 'maybe';
  if (wish.replaced) return 'maybe';
  const { notAfterSeconds } = step as CommandStep;
  if (notAfterSeconds !== undefined) {
    const left = wish.at + notAfterSeconds * 1000 - from;
    return left > 60_000 || (left > 11_000 && !isHarmed(history)) ? 'yes' : 'maybe';
  }
  return 'yes';
}

function statusIsTrue(history: History, story: Story): string[] {
  const { status } = story.after.wukong;
  const said = status?.lifecycleState;
  const is = powerOf(story.after);
  const truth = { on: ['Running'], off: ['Stopped'], between: ['Stopping', 'Starting', 'Failed', 'Unknown'] }[is];
  const found: string[] = [];
  if (!truth.includes(said?.state ?? '')) found.push(`the status says ${said?.state}, and the VM is ${is}`);
  if (said?.outcome === 'InProgress') found.push('the status still says InProgress');
  const last = story.after.wukong.metadata.annotations?.[`${prefix}last-operation`];
  if (last && !history.operator) {
    const { requestId, outcome } = JSON.parse(last) as { requestId: string; outcome: string };
    // One that was told to nobody before the VM was switched by hand, or by its guest, is superseded (decision 101).
    const switches = history.steps.some((step) => step.do === 'hand' || step.do === 'guest');
    const overtaken = said?.outcome === 'Superseded' && switches;
    if (said?.requestId === requestId && said.outcome !== outcome && !overtaken)
      found.push(`the status says ${said.outcome} of ${requestId}, which came to ${outcome}`);
  }
  return found;
}
