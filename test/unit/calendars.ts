import { parseZone } from '../../shared/time/parseZone.ts';

export const window = { from: Date.UTC(2026, 0, 1), to: Date.UTC(2028, 0, 1) };
export const berlin = parseZone('Europe/Berlin');
/** A calendar file with these events. */
export const file = (...events: string[]) =>
  [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    ...events.flatMap((one) => ['BEGIN:VEVENT', ...one.split('\n'), 'END:VEVENT']),
    'END:VCALENDAR',
    '',
  ].join('\r\n');
