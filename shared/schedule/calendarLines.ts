/** What is wrong with a calendar, in words of ours: those of a parser may quote the file. */
export class CalendarError extends Error {}

/** One content line of an event that matters, unfolded, with the number of its first line in the file. */
export interface EventLine {
  /** Empty for the line that begins the event. */
  name: string;
  number: number;
  text: string;
}

const wanted = new Set(['DTSTART', 'DTEND', 'DURATION', 'RRULE', 'RDATE', 'EXDATE', 'RECURRENCE-ID', 'STATUS', 'UID']);
const longestLine = 20_000;
const mostLines = 200_000;
/** Of one event. */
const mostProperties = 500;

/**
 * The events of an iCalendar file as their lines; what stands in alarms and time zones, and descriptions of any length, is
 * passed over. Work is in proportion to the text.
 */
export function eventLines(text: string): { events: EventLine[][]; problems: { line: number; message: string }[] } {
  const events: EventLine[][] = [];
  const problems: { line: number; message: string }[] = [];
  const inside: string[] = [];
  let event: EventLine[] | undefined;
  for (const { number, text: line } of unfolded(text, problems)) {
    const [, name = ''] = /^([A-Za-z-]{1,32})(?=[:;])/.exec(line) ?? [];
    const upper = name.toUpperCase();
    const what = line
      .slice(name.length + 1)
      .trim()
      .toUpperCase()
      .slice(0, 64);
    if (upper === 'BEGIN') {
      inside.push(what);
      if (inside.length > 100) return { events, problems: [...problems, { line: number, message: 'too deep' }] };
      if (what === 'VEVENT') event = [{ name: '', number, text: '' }];
    } else if (upper === 'END') {
      if (inside.pop() !== what)
        return { events, problems: [...problems, { line: number, message: 'an END without its BEGIN' }] };
      if (what === 'VEVENT' && event) events.push(event);
      if (what === 'VEVENT') event = undefined;
    } else if (event && inside.at(-1) === 'VEVENT' && wanted.has(upper) && event.length < mostProperties)
      event.push({ name: upper, number, text: line });
  }
  if (inside.length > 0) problems.push({ line: number(text), message: 'the file ends within what it began' });
  return { events, problems };
}

const number = (text: string): number => text.split('\n', mostLines).length;

function* unfolded(text: string, problems: { line: number; message: string }[]) {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/, mostLines + 1);
  let parts: string[] = [];
  let first = 1;
  let length = 0;
  for (const [i, line] of lines.slice(0, mostLines).entries()) {
    if (/^[ \t]/.test(line) && parts.length > 0) {
      length += line.length;
      if (length <= longestLine) parts.push(line.slice(1));
      continue;
    }
    if (parts.length > 0) yield { number: first, text: parts.join('') };
    [parts, first, length] = [line === '' ? [] : [line.slice(0, longestLine)], i + 1, line.length];
  }
  if (parts.length > 0) yield { number: first, text: parts.join('') };
  if (lines.length > mostLines) problems.push({ line: mostLines, message: 'what is behind this line is not read' });
}
