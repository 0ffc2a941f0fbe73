import { type Html, markup, name } from './markup.ts';
import type { PageModel } from './model.ts';
import type { ScheduleView } from './scheduleView.ts';
import { count, cronText, dateText, durationText, longTime, offsetText } from './words.ts';

/** Each schedule in words. */
export function schedules(model: PageModel): Html {
  return markup`<section aria-labelledby="h-schedules">
    <h2 id="h-schedules">Schedules</h2>
    ${model.schedules.length === 0 ? markup`<p>There are none.</p>` : markup`<div class="cards">${model.schedules.map(card)}</div>`}
  </section>`;
}

function card({ schedule, matched, holidays, changes }: ScheduleView): Html {
  const { key, zone, start, stop, suspended, policy, waves, jitterSeconds, startingDeadlineMs } = schedule;
  const offset = (at: number) => offsetText(zone, at);
  const facts: [string, string][] = [
    ['Start', start ? cronText(start) : 'never'],
    ['Stop', stop ? cronText(stop) : 'never'],
    ['Zone', zone.name],
    ...(holidays.length > 0 ? [['Holidays', holidays.map(dateText).join(', ')] as [string, string]] : []),
    ...changes.map(({ at }): [string, string] => [
      'Clock change',
      `${longTime(zone, at)}: from ${offset(at - 1)} to ${offset(at)}`,
    ]),
    ['By hand', policy === 'Enforce' ? 'undone' : 'respected until the next switch'],
    ...(waves.delayMs > 0 ? [['Waves', `${durationText(waves.delayMs)} between them`] as [string, string]] : []),
    ...(jitterSeconds > 0
      ? [['Jitter', `starts spread over ${durationText(jitterSeconds * 1000)}`] as [string, string]]
      : []),
    ['Missed after', durationText(startingDeadlineMs)],
  ];
  return markup`<article class="card">
    <h3>${name(key)}</h3>
    <p class="quiet">${suspended ? 'Suspended' : count(matched, 'VM')}</p>
    <dl>
      ${facts.map(
        ([label, value]) =>
          markup`<div>
            <dt>${label}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
  </article>`;
}
