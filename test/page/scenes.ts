import type { Happening } from '../../cli/page/happening.ts';
import { type Asked, type PageModel, pageModel } from '../../cli/page/model.ts';
import { sourcesOf } from '../../cli/page/sources.ts';
import { boundaryId } from '../../shared/schedule/calendar.ts';
import { fleet, happeningsOf, manifestsOf, scheduleOf, wukongOf } from './fleet.ts';

/** A Monday, six days before Berlin's clocks change. */
const from = Date.parse('2026-03-23T12:00:00Z');
const dayMs = 86_400_000;
const prices = { vcpuHour: 0.04, gibHour: 0.005, currency: 'EUR' };

export const planScene = (machines: number, days: number): PageModel => {
  const asked: Asked = { from, to: from + days * dayMs, now: from, zone: undefined, prices };
  return pageModel('plan', sourcesOf(fleet(machines, from)), asked);
};

/** The same plan, all but its last half day in the past, with records of what became of it. */
export function reportScene(machines: number, days: number): PageModel {
  const asked: Asked = { from, to: from + days * dayMs, now: from + (days - 0.6) * dayMs, zone: undefined, prices };
  const sources = sourcesOf(fleet(machines, from));
  const planned = pageModel('report', sources, asked).groups.flatMap(({ namespace, rows }) =>
    rows.flatMap(({ name, course }) =>
      course.switches
        .filter(({ happens, at }) => happens && at < asked.now)
        .map(({ action, at, boundary }) => ({ namespace, name, action, at, id: boundaryId(boundary) })),
    ),
  );
  const byHand = {
    namespace: 'dev',
    name: 'web-000',
    action: 'start' as const,
    requestId: 'by-hand',
    trigger: 'direct',
  };
  const started = { outcome: 'Started' as const, message: 'The guest is up.', finishedAt: from + 5.9 * dayMs };
  sources.happenings = [...happeningsOf(planned), { ...byHand, ...started }];
  return pageModel('report', sources, asked);
}

const office = scheduleOf('office', 'dev', { timeZone: 'Europe/Berlin', start: '0 8 * * 1-5', stop: '0 20 * * *' });
const weekOf = (machines: number, change: (all: Happening[]) => Happening[], manifests = officeOf(machines)) => {
  const asked: Asked = { from, to: from + 7 * dayMs, now: from + 7 * dayMs, zone: undefined };
  const sources = sourcesOf(manifests);
  const planned = pageModel('report', sources, asked).groups.flatMap(({ namespace, rows }) =>
    rows.flatMap(({ name, course }) =>
      course.switches
        .filter(({ happens }) => happens)
        .map(({ action, at, boundary }): Happening => {
          const outcome = action === 'start' ? 'Started' : 'Stopped';
          const told = { requestId: boundaryId(boundary), trigger: 'schedule', message: 'Seen.', outcome } as const;
          return { namespace, name, action, ...told, startedAt: at + 5_000, finishedAt: at + 20_000 };
        }),
    ),
  );
  return pageModel('report', { ...sources, happenings: change(planned) }, asked);
};
const officeOf = (machines: number) =>
  manifestsOf(
    [office],
    Array.from({ length: machines }, (_, i) => wukongOf(`vm-${String(i).padStart(3, '0')}`, 'dev')),
  );
const stuck = 'The guest does not end: its pod virt-launcher-vm-abcde on node worker-3 is held by a finalizer.';
const failed = (one: Happening): Happening => ({ ...one, outcome: 'Failed', reason: 'Stuck', message: stuck });

/** A week in which so many switches failed. */
export const failingScene = (machines: number, failures: number): PageModel =>
  weekOf(machines, (all) =>
    all.map((one, i) => ((i + 1) % Math.ceil(all.length / (failures + 1)) ? one : failed(one))),
  );

export const emptyScene = (kind: PageModel['kind']): PageModel =>
  pageModel(kind, sourcesOf(manifestsOf([], [])), { from, to: from + 7 * dayMs, now: from, zone: undefined });

/** A day of Berlin, of so many hours. */
export function oneDayScene(date: string, hours: number): PageModel {
  const begins = Date.parse(`${date}T00:00:00+0${hours === 23 ? 1 : 2}:00`);
  const asked: Asked = { from: begins, to: begins + hours * 3_600_000, now: begins, zone: undefined };
  return pageModel('plan', sourcesOf(officeOf(3)), asked);
}

/** Names and words as somebody may write them who means harm, or has no measure. */
export function hostileScene(): PageModel {
  const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)>'\u202e\u0000`;
  const places = [evil, 'n'.repeat(63)];
  const wukongs = places.map((place, i) => ({ ...wukongOf(i ? 'x'.repeat(253) : evil, place), spec: {} }));
  for (const { metadata } of wukongs) metadata.labels = { env: 'dev' };
  const spec = { start: '0 8 * * *', stop: '0 20 * * *', selector: { matchLabels: { env: 'dev' } } };
  const schedules = places.map((place, i) => scheduleOf(i ? 's'.repeat(200) : evil, place, spec));
  const problems = [evil, 'p'.repeat(3_000), evil, evil, evil];
  const manifests = manifestsOf(schedules, wukongs, { problems, warnings: problems });
  const message = `${evil}\u2066${'m'.repeat(3_000)}`;
  return weekOf(2, (all) => all.map((one, i) => (i % 3 ? one : { ...failed(one), message, reason: evil })), manifests);
}
