import { lifecycleStateOf } from '../../shared/domain/lifecycleState.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import { nextBoundary, wishAt } from '../../shared/schedule/calendar.ts';
import type { Facts } from '../../shared/schedule/decide.ts';
import { overrideFor } from '../../shared/schedule/override.ts';
import type { Schedule } from '../../shared/schedule/schedule.ts';
import { waves } from '../../shared/schedule/wave.ts';
import { parseZone } from '../../shared/time/parseZone.ts';
import { tzWarning } from '../../shared/time/tzData.ts';
import { type Zone } from '../../shared/time/zone.ts';
import { type Course, foreseeCourse, type Period } from './course.ts';
import { factsOf, pastFactsOf } from './facts.ts';
import { byMachine, fromWukong } from './happening.ts';
import { rulersIn } from './rulers.ts';
import { type Prices, type Saved, savedBy, sum } from './saved.ts';
import { countsOf, type ScheduleView, viewOf } from './scheduleView.ts';
import { sizeOf } from './size.ts';
import { readSchedules, type Sources } from './sources.ts';
import { type Happened, judge } from './verdict.ts';
import { shortTime } from './words.ts';

/** One line of the timeline: a machine, or a schedule where no machines are known. */
export interface Row {
  name: string;
  /** Its place in the order of start; undefined for a schedule. */
  wave?: number;
  zone: Zone;
  schedules: Schedule[];
  /** Shared, as the same object, by all rows with the same course. */
  course: Course;
  /** What overrules its schedules now: `protected`, `keep-running-until`, … */
  overrides: { key: string; level: string; until?: number }[];
  happened?: Happened;
  saved: Saved;
}

export interface Group {
  namespace: string;
  rows: Row[];
  saved: Saved;
}

export interface PageModel extends Period {
  kind: 'plan' | 'report';
  /** When the page was made. */
  now: number;
  /** The zone of the axis and of all times that name no other. */
  zone: Zone;
  groups: Group[];
  schedules: ScheduleView[];
  saved: Saved;
  prices?: Prices;
  lateAfterMs: number;
  problems: string[];
  notes: string[];
}

export interface Asked extends Period {
  now: number;
  zone: Zone | undefined;
  prices?: Prices;
  lateAfterMs?: number;
}

const lateAfterMs = 5 * 60_000;

/** Everything the page shows, in numbers; the words are the renderer's. */
export function pageModel(kind: PageModel['kind'], sources: Sources, asked: Asked): PageModel {
  const schedules = readSchedules(sources, kind === 'plan' ? asked.now : undefined);
  const zone = asked.zone ?? commonZone(schedules);
  const late = asked.lateAfterMs ?? lateAfterMs;
  const rows = sources.wukongs.length > 0 ? machineRows(kind, sources, schedules, { ...asked, zone, late }) : [];
  const shown = rows.length > 0 ? rows : scheduleRows(schedules, sources.freezeUntil, asked);
  const groups = [...Map.groupBy(shown, ({ namespace }) => namespace)]
    .sort(([a, these], [b, those]) => Number(idle(these)) - Number(idle(those)) || (a < b ? -1 : 1))
    .map(([namespace, all]): Group => {
      const inOrder = all.sort((a, b) => (a.wave ?? 0) - (b.wave ?? 0) || (a.name < b.name ? -1 : 1));
      return { namespace, rows: inOrder, saved: sum(inOrder.map(({ saved }) => saved)) };
    });
  const counts = countsOf(shown);
  const views = schedules.map((schedule) => viewOf(schedule, counts.get(schedule.key) ?? 0, asked));
  const { from, to, now, prices } = asked;
  const { problems, notes } = sources;
  const old = tzWarning(now);
  if (old) notes.push(old);
  if (sources.freezeUntil !== undefined && sources.freezeUntil > now) notes.push(frozenNote(sources.freezeUntil, zone));
  const told = { problems: [...new Set(problems)], notes: [...new Set(notes)] };
  const saved = sum(groups.map((group) => group.saved));
  return { kind, from, to, now, zone, groups, schedules: views, saved, prices, lateAfterMs: late, ...told };
}

/** No schedule has anything to do with them: shown last. */
const idle = (rows: Row[]): boolean => rows.every(({ schedules }) => schedules.length === 0);

const frozenNote = (until: number, zone: Zone): string =>
  `All schedules are frozen${until === Infinity ? '' : ` until ${shortTime(zone, until)} (${zone.name})`}.`;

/** The zone that most schedules use. */
export function commonZone(schedules: Schedule[]): Zone {
  const counts = [...Map.groupBy(schedules, ({ zone }) => zone)].sort(([, a], [, b]) => b.length - a.length);
  return counts[0]?.[0] ?? parseZone('UTC');
}

type NamedRow = Row & { namespace: string };

type Given = Asked & { zone: Zone; late: number };

function machineRows(kind: PageModel['kind'], sources: Sources, schedules: Schedule[], given: Given): NamedRow[] {
  const shared = new Map<string, Course>();
  const known = [...sources.wukongs.flatMap(fromWukong), ...sources.happenings];
  const records = kind === 'report' ? byMachine(known) : new Map<string, never[]>();
  const rulers = rulersIn(sources, schedules);
  return sources.wukongs.map((wukong) => {
    const { name, namespace = '' } = wukong.metadata;
    const own = rulers(wukong);
    const facts = kind === 'plan' ? factsOf(wukong, sources, given) : pastFactsOf(wukong);
    const course = sharedCourse(own.map(still), facts, given, shared);
    const state = lifecycleStateOf(wukong)?.state;
    const overrides = overridesOf(wukong, sources, given.now);
    const kept = overrides.some(({ key }) => key === 'protected');
    const jitterMs = own.reduce((most, { jitterSeconds }) => Math.max(most, jitterSeconds * 1000), 0);
    const judging = { ...given, lateAfterMs: given.late + jitterMs, state, kept };
    const happened = kind === 'report' ? judge(course, records.get(`${namespace}/${name}`) ?? [], judging) : undefined;
    return {
      namespace,
      name,
      wave: waves([wukong], 'start').waves[0]?.wave ?? 0,
      zone: own[0]?.zone ?? given.zone,
      schedules: own,
      course,
      overrides,
      ...(happened ? { happened } : {}),
      saved: savedBy(happened?.stretches ?? course.stretches, sizeOf(wukong)),
    };
  });
}

/** Where only schedules are known, each has a line of its own: any machine that it selects. */
const scheduleRows = (schedules: Schedule[], freezeUntil: number | undefined, given: Asked): NamedRow[] =>
  schedules
    .filter(({ suspended }) => !suspended)
    .map((schedule) => {
      const course = foreseeCourse([still(schedule)], { name: schedule.key, createdAt: 0, freezeUntil }, given);
      const saved = { ...savedBy(course.stretches, {}), machines: 0, sizeless: 0 };
      const { namespace = '', name, zone } = schedule;
      return { namespace, name, zone, schedules: [schedule], course, overrides: [], saved };
    });

/** Drawn without its jitter: a few minutes cannot be seen, and would make every machine's course its own. */
const still = (schedule: Schedule): Schedule => ({ ...schedule, jitterSeconds: 0 });

/** Machines that differ in nothing that matters share one course: it is what keeps a page of many machines small. */
function sharedCourse(own: Schedule[], facts: Facts, period: Period, shared: Map<string, Course>): Course {
  const begins = wishAt(own, period.from - 1)?.at ?? period.from;
  const first = own.flatMap((schedule) => nextBoundary(schedule, facts.createdAt - 1)?.at ?? []);
  const key = JSON.stringify([
    own.map((schedule) => schedule.key),
    facts.wukongAnnotations,
    facts.namespaceAnnotations,
    facts.power,
    facts.createdAt > begins ? first.reduce((one, other) => Math.min(one, other), Infinity) : 0,
  ]);
  const found = shared.get(key) ?? foreseeCourse(own, facts, period);
  shared.set(key, found);
  return found;
}

function overridesOf({ metadata }: Wukong, { namespaces }: Sources, now: number): Row['overrides'] {
  const namespaceAnnotations = namespaces.get(metadata.namespace ?? '');
  const found = overrideFor({ wukongAnnotations: metadata.annotations, namespaceAnnotations, now });
  const short = (key: string) => key.replace(/.*\//, '');
  const { holds, protected: kept, skipNext } = found;
  return [
    ...Object.values(holds).map(({ key, level, until }) => ({ key: short(key), level, until })),
    ...(kept ? [{ key: 'protected', level: kept }] : []),
    ...(skipNext ? [{ key: 'skip-next', level: skipNext }] : []),
  ];
}
