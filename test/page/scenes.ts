import { type Asked, type PageModel, pageModel } from '../../cli/page/model.ts';
import { sourcesOf } from '../../cli/page/sources.ts';
import { boundaryId } from '../../shared/schedule/calendar.ts';
import { fleet, happeningsOf } from './fleet.ts';

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
