/** Escape sequences of terminals (ECMA-48): strings such as a window's title, CSI, and the rest. Bounded, so that no text is scanned twice. */
const sequence =
  /(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u0080-\u009f]{0,256}(?:\u0007|\u001b\\|\u009c)|(?:\u001b\[|\u009b)[0-?]{0,64}[ -/]{0,8}[@-~]|\u001b[ -/]{0,8}[0-~]/g;
/** Control characters of both sets, line and paragraph separators: what begins a new line somewhere. */
const breaking = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;
/** What turns the direction of writing, and what takes no place: bidi marks, zero-width and invisible characters. */
const invisible = /[\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]+/gu;
/** Each of them, and half a character. */
export const eachForging = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/gu;

/** What could make one text look like several lines, or like another text, is in it. */
export const isForging = (text: string): boolean => text.search(eachForging) >= 0;

/** The text on one line, in the order in which it is written, with nothing in it that is not seen; at most so long. */
export function oneLine(text: string, most: number): string {
  const some = text.length > 8 * most ? text.slice(0, 8 * most) : text;
  const clean = isForging(some)
    ? some.replace(sequence, '').replace(breaking, ' ').replace(invisible, '').toWellFormed()
    : some;
  return clean.length > most ? `${clean.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…` : clean;
}
