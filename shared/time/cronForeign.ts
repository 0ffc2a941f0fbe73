const example = 'such as "0 8 * * 1-5"';
const names = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/** AWS counts the days of the week from 1, Sunday, and calls the last Friday 6L. */
const weekdayOf = (part: string): string =>
  part
    .replace(/^\?$/, '*')
    .replace(/^L$/i, 'SAT')
    .replace(/(?<![#/\w])[1-7](?!\d)/g, (digit) => names[Number(digit) - 1]!)
    .replace(/(?<=[A-Z])L$/i, '#L');

/** The first five of AWS's six fields, as they are written here. */
const fromAws = ([minute, hour, day = '', month, weekday = '']: string[]): string =>
  [minute, hour, day.replace(/^\?$/, '*'), month, weekdayOf(weekday)].join(' ');

/** Without the seconds before and the year behind; `?` is Quartz', whose Monday is 2, so that no number is sure. */
const withoutSeconds = (parts: string[]): string => {
  const five = parts.slice(1, 6);
  if (five.includes('?') && /\d/.test(five[4] ?? '')) return '';
  return five.map((part) => part.replace(/^\?$/, '*')).join(' ');
};

/**
 * What to write in the place of an expression that has not five fields, or that other programs write in another form:
 * a nickname, a zone before it, AWS's six fields, seconds. `fine` says whether this program takes a text.
 * @returns undefined for five fields.
 */
export function foreignForm(text: string, fine: (text: string) => boolean): string | undefined {
  const instead = (better: string) => (fine(better) ? `write "${better}"` : `expected five fields, ${example}`);
  if (text.startsWith('@')) return `is a nickname: expected its five fields, ${example}`;
  const [, zone, rest = ''] = /^(?:CRON_)?TZ=(\S*)(?:\s+(.*))?$/is.exec(text) ?? [];
  if (zone !== undefined) return `names its zone: ${instead(rest)}, and the zone as timeZone: ${zone || 'UTC'}`;
  const aws = /^(cron|rate|at)\((.*)\)$/is.exec(text);
  const parts = (aws?.[2] ?? text).trim().split(/\s+/);
  if (aws || (parts.length === 6 && (parts[2] === '?' || parts[4] === '?')))
    return `is as AWS writes it: ${instead(parts.length === 6 ? fromAws(parts) : '')}`;
  if (parts.length === 5) return undefined;
  const fields = `has ${parts.length} field${parts.length === 1 ? '' : 's'}: expected five`;
  const better = withoutSeconds(parts);
  if ((parts.length === 6 || parts.length === 7) && fine(better))
    return `${fields}, without seconds: write "${better}"`;
  return `${fields}, ${example}`;
}
