import { describe, expect, it } from 'vitest';

import { eventLines } from '../../shared/schedule/calendarLines.ts';

/** The events of these lines: of each where it begins, and what of it is read. */
function read(...lines: string[]) {
  const { events, problems } = eventLines(lines.join('\n'));
  const shown = events.map(([first, ...rest]) => [
    first?.number,
    ...rest.map(({ number, text }) => `${number} ${text}`),
  ]);
  return { events, shown, problems };
}
const ends = 'the file ends within what it began';

describe('the lines of a calendar file', () => {
  it('are those of its events that say when', () => {
    const mine = [
      'DTSTART:a',
      'DTEND;X=y:b',
      'DURATION:c',
      'RRULE:d',
      'RDATE:e',
      'EXDATE:f',
      'RECURRENCE-ID:g',
      'STATUS:h',
      'UID:i',
    ];
    const others = ['SUMMARY:x', 'nonsense', '', 'DTSTARTS:x', `${'A'.repeat(33)}:x`];
    const { events, problems } = read(
      'BEGIN:VCALENDAR',
      'UID:0',
      'BEGIN:VEVENT',
      ...mine,
      ...others,
      'END:VEVENT',
      'UID:0',
      'END:VCALENDAR',
    );
    const lines = mine.map((text, i) => ({ name: text.split(/[:;]/)[0], number: i + 4, text }));
    expect([events, problems]).toEqual([[[{ name: '', number: 3, text: '' }, ...lines]], []]);
  });

  it('are read however they are written, after a byte order mark too', () => {
    const { events, problems } = eventLines('\uFEFFbegin:vevent\r\ndtstart:a\r\nend: vevent \r\n');
    expect([events.flat().map(({ name }) => name), problems]).toEqual([['', 'DTSTART'], []]);
  });

  it('are not those of alarms within an event', () => {
    expect(
      read(
        'BEGIN:VCALENDAR',
        'BEGIN:VEVENT',
        'BEGIN:VALARM',
        'UID:a',
        'END:VALARM',
        'UID:b',
        'END:VEVENT',
        'END:VCALENDAR',
      ),
    ).toMatchObject({
      shown: [[2, '6 UID:b']],
      problems: [],
    });
  });

  it('of an event within an event are those of the inner one', () => {
    const { shown, problems } = read(
      'BEGIN:VEVENT',
      'UID:a',
      'BEGIN:VEVENT',
      'UID:b',
      'END:VEVENT',
      'UID:c',
      'END:VEVENT',
    );
    expect([shown, problems]).toEqual([[[3, '4 UID:b']], []]);
  });

  it('are 499 of an event, and 200,000 of a file', () => {
    expect(read('BEGIN:VEVENT', ...Array<string>(600).fill('UID:a'), 'END:VEVENT').events[0]).toHaveLength(500);
    expect(eventLines('\n'.repeat(199_999)).problems).toEqual([]);
    expect(eventLines(`${'\n'.repeat(200_000)}BEGIN:X`).problems).toEqual([
      { line: 200_000, message: 'what is behind this line is not read' },
    ]);
  });

  it('that are folded are one, of 20,000 characters', () => {
    const folded = (first: number) => {
      const { events } = read(
        'BEGIN:VEVENT',
        `UID:${'x'.repeat(first - 4)}`,
        ...Array<string>(300).fill(` ${'x'.repeat(99)}`),
        'END:VEVENT',
      );
      return events[0]![1]!.text.length;
    };
    expect([folded(100), folded(101)]).toEqual([100 + 199 * 99, 101 + 198 * 99]);
    expect(read('BEGIN:VEVENT', `UID:${'x'.repeat(30_000)}`, 'END:VEVENT').events[0]![1]!.text).toHaveLength(20_000);
    expect(read('BEGIN:VEVENT', 'UI', '\tD:a', 'STATUS:b', 'END:VEVENT').shown).toEqual([[1, '2 UID:a', '4 STATUS:b']]);
  });

  it.each([' BEGIN:VEVENT', '\n BEGIN:VEVENT'])('that go on from nothing are none: %j', (text) =>
    expect(read(text)).toMatchObject({ events: [], problems: [] }),
  );
});

describe('a calendar file that is broken', () => {
  const one = ['BEGIN:VEVENT', 'UID:a', 'END:VEVENT'];

  it('is read as far as it goes', () => {
    expect(read(...one, 'BEGIN:VEVENT', 'UID:b')).toMatchObject({
      shown: [[1, '2 UID:a']],
      problems: [{ line: 5, message: ends }],
    });
    const wrong = [{ line: 4, message: 'an END without its BEGIN' }];
    expect(read(...one, 'END:VEVENT')).toMatchObject({ shown: [[1, '2 UID:a']], problems: wrong });
    expect(read('BEGIN:VEVENT', 'END:VALARM', ...one).problems).toEqual([{ ...wrong[0], line: 2 }]);
  });

  it('is a hundred deep at the most', () => {
    const deep = (count: number) => read(...one, ...Array<string>(count).fill('BEGIN:X'));
    expect(deep(100)).toMatchObject({ shown: [[1, '2 UID:a']], problems: [{ line: 103, message: ends }] });
    expect(deep(101)).toMatchObject({ shown: [[1, '2 UID:a']], problems: [{ line: 104, message: 'too deep' }] });
  });

  it('is known by the first 64 characters of what begins and ends', () => {
    const [begin, end] = ['a', 'b'].map((last) => 'X'.repeat(64) + last);
    expect(read(`BEGIN:${begin}`, `END:${end}`).problems).toEqual([]);
    expect(read(`BEGIN:${'X'.repeat(63)}a`, `END:${'X'.repeat(63)}b`).problems).toHaveLength(1);
  });
});
