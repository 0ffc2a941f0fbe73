import type { KubeObject, Wukong } from '../../shared/domain/model.ts';
import type { Action } from '../../shared/domain/outcome.ts';
import { boundaries, type Boundary, compare, wishAt } from '../../shared/schedule/calendar.ts';
import { defaultZoneIn } from '../../shared/schedule/defaultZone.ts';
import { due } from '../../shared/schedule/due.ts';
import type { FindText } from '../../shared/schedule/holiday.ts';
import { countsFrom } from '../../shared/schedule/observed.ts';
import { freezeConfigMap, freezeFrom, overrideFor } from '../../shared/schedule/override.ts';
import { claimantsOf, namespaceLabels, ruling, whyRules } from '../../shared/schedule/ruling.ts';
import { checkSchedule, type Schedule } from '../../shared/schedule/schedule.ts';
import { rfc3339 } from '../../shared/time/clock.ts';
import { type Manifests, textIn } from './manifest.ts';

/** One line of a plan. */
export interface Item {
  at: number;
  schedule: Schedule;
  action: Action | 'skip';
  note?: string;
}

export interface Foreseen {
  items: Item[];
  problems: string[];
  warnings: string[];
}

/** What the schedules will do in [from, to), in the order of time. */
export function foresee(manifests: Manifests, from: number, to: number): Foreseen {
  const problems: string[] = [];
  const warnings: string[] = [];
  const schedules = readSchedules(manifests, from, problems, warnings);
  const freeze = freezeFrom(manifests.configMaps.find(({ metadata }) => metadata?.name === freezeConfigMap.name)?.data);
  if (freeze.problem) warnings.push(freeze.problem);
  const rulers = rulersIn(manifests, schedules, warnings);
  const machines = manifests.wukongs.map((wukong) => machineOf(wukong, rulers(wukong), { manifests, from, warnings }));
  const regular = schedules.flatMap((schedule) => boundaries(schedule, from - 1, to - 1)).sort(compare);
  const items = [
    ...regular.map((boundary) => itemFor(boundary, machines, freeze.until)),
    ...thaw(schedules, freeze.until, from, to),
    ...machines.flatMap((machine) => resumptions(machine, freeze.until, from, to)),
  ];
  return { items: items.sort((a, b) => a.at - b.at), problems, warnings };
}

/** Those that can be evaluated and are not suspended, as they count from `now` on. */
function readSchedules(
  { schedules, configMaps, findText: known, namespaces, defaultZone }: Manifests,
  now: number,
  problems: string[],
  warnings: string[],
): Schedule[] {
  const find: FindText = known ?? textIn(configMaps);
  const zoneIn = (namespace: string | undefined) =>
    defaultZoneIn(namespaces.find(({ metadata }) => metadata?.name === namespace)?.metadata.annotations, defaultZone);
  return schedules.flatMap(({ object, from }) => {
    const { name = '(no name)', namespace } = object.metadata ?? {};
    const key = namespace ? `${namespace}/${name}` : name;
    const findText: FindText = (ref) => {
      const text = find(ref);
      if (text !== undefined || known) return text;
      warnings.push(`${from}: ${key}: ConfigMap ${ref.name} is not in the files, so its holidays are not known`);
      return '';
    };
    const { schedule, problems: found = [] } = checkSchedule(object, findText, zoneIn(namespace));
    if (schedule?.zoneFrom)
      warnings.push(`${from}: ${key} names no timeZone: ${schedule.zone.name}, by ${schedule.zoneFrom}`);
    for (const { field, message } of found) problems.push(`${from}: ${key}: ${field}: ${message}`);
    for (const cron of [schedule?.start, schedule?.stop])
      if (cron?.either)
        warnings.push(
          `${from}: ${key}: "${cron.text}" is each of these dates, and each of these weekdays besides; the first Monday alone is MON#1`,
        );
    if (schedule?.suspended) warnings.push(`${from}: ${key} is suspended: it does nothing`);
    return schedule && !schedule.suspended
      ? [{ ...schedule, createdAt: countsFrom(object, now, schedule.zone.name) }]
      : [];
  });
}

/** The schedules that rule each Wukong; where others select it too, the notes say which do, and why. */
function rulersIn({ schedules: objects, namespaces }: Manifests, schedules: Schedule[], warnings: string[]) {
  const byKey = new Map(schedules.map((schedule) => [schedule.key, schedule]));
  const claimants = claimantsOf(
    objects.map(({ object }) => object),
    schedules,
  );
  const known = new Map(namespaces.filter(({ metadata }) => metadata?.name).map((one) => [one.metadata.name, one]));
  return (wukong: Wukong): Schedule[] => {
    const { namespace = '' } = wukong.metadata ?? {};
    const here = known.get(namespace);
    const found = ruling(wukong, claimants, here && namespaceLabels(here));
    const why = whyRules(found);
    const rules = found.rules.map(({ key }) => key);
    const note = `${namespace}: schedule ${rules.join(', ')} rules: ${why}`;
    if (why && !warnings.includes(note)) warnings.push(note);
    return rules.flatMap((key) => byKey.get(key) ?? []);
  };
}

/** A Wukong of the files, with what overrules its schedules. */
interface Machine {
  name: string;
  schedules: Schedule[];
  override: (now: number) => ReturnType<typeof overrideFor>;
  /** The boundary that skip-next is for. */
  skipped: Boundary | undefined;
}

function machineOf(
  wukong: Wukong,
  own: Schedule[],
  { manifests, from, warnings }: { manifests: Manifests; from: number; warnings: string[] },
): Machine {
  const { name, namespace, annotations } = wukong.metadata ?? ({} as KubeObject['metadata']);
  const around = manifests.namespaces.find(({ metadata }) => metadata?.name === namespace);
  const override = (now: number) =>
    overrideFor({ wukongAnnotations: annotations, namespaceAnnotations: around?.metadata.annotations, now });
  const first = override(from);
  for (const { message } of first.problems) warnings.push(`Wukong ${name}: ${message}`);
  const horizon = from + 366 * 86_400_000;
  const skipped =
    first.skipNext &&
    own.flatMap((one) => boundaries(one, from - 1, horizon).find((each) => !each.skippedBecause) ?? []);
  return { name, schedules: own, override, skipped: skipped?.sort(compare)[0] };
}

function itemFor(boundary: Boundary, machines: Machine[], frozenUntil = -Infinity): Item {
  const { at, schedule, action } = boundary;
  if (boundary.skippedBecause) return { at, schedule, action: 'skip', note: boundary.skippedBecause };
  const notes = boundary.note ? [boundary.note] : [];
  if (at < frozenUntil) {
    const until = frozenUntil === Infinity ? '' : ` until ${rfc3339(frozenUntil)}`;
    return { at, schedule, action: 'skip', note: [...notes, `frozen${until}: ${action} skipped`].join('; ') };
  }
  for (const machine of machines) {
    const why = machine.schedules.includes(schedule) && exception(machine, boundary);
    if (why) notes.push(`Wukong ${machine.name}: ${why}`);
  }
  return { at, schedule, action, ...(notes.length > 0 ? { note: notes.join('; ') } : {}) };
}

/** Why this boundary does not happen for one Wukong. */
function exception(machine: Machine, { at, action, schedule }: Boundary): string | undefined {
  const override = machine.override(at);
  if (machine.skipped?.at === at && machine.skipped.schedule === schedule) return `${action} skipped (skip-next)`;
  if (action === 'stop' && override.protected) return 'stop skipped (protected)';
  const hold = override.holds[action];
  if (!hold) return undefined;
  const until = hold.until === Infinity ? 'unreadable' : rfc3339(hold.until);
  return `${action} held back (${hold.key.replace(/.*\//, '')} ${until})`;
}

/** Where an override ends, the schedule rules again: for that Wukong alone. */
function resumptions(
  { name, schedules, override, skipped }: Machine,
  frozenUntil = -Infinity,
  from: number,
  to: number,
): Item[] {
  const { holds } = override(from);
  return Object.values(holds).flatMap((hold): Item[] => {
    const wish =
      hold.until >= from && hold.until < to && hold.until >= frozenUntil ? wishAt(schedules, hold.until) : undefined;
    const { ended, holds: still, protected: kept } = override(hold.until);
    if (!wish || ended[wish.action]?.until !== hold.until || still[wish.action] || wish.at === hold.until) return [];
    if ((wish.action === 'stop' && kept) || wish.at === skipped?.at) return [];
    const note = `only Wukong ${name}: ${hold.key.replace(/.*\//, '')} ends`;
    return [{ at: hold.until, schedule: wish.schedule, action: wish.action, note }];
  });
}

/** What is still due when a freeze ends is done then. */
function thaw(schedules: Schedule[], frozenUntil: number | undefined, from: number, to: number): Item[] {
  if (frozenUntil === undefined || frozenUntil < from || frozenUntil >= to) return [];
  return schedules.flatMap((schedule): Item[] => {
    const answer = due(schedule, { now: frozenUntil });
    if (answer.kind !== 'due' || answer.boundary.at === frozenUntil) return [];
    const { action, wall } = answer.boundary;
    return [
      {
        at: frozenUntil,
        schedule,
        action,
        note: `the freeze ends: ${action} of ${wall.replace('T', ' ')} is done now`,
      },
    ];
  });
}
