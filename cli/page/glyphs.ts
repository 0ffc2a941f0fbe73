import type { Mark } from './course.ts';
import { Html, markup } from './markup.ts';
import type { Verdict } from './verdict.ts';

/** The shapes on the timeline: each is known by its outline, in black and white too. Drawn around 0,0, 14 across. */
const shapes = {
  holiday: '<path class="disc" d="M-6-6h12v12h-12z"/><path class="ink" d="M-3-3.5v7M3-3.5v7M-3 0h6"/>',
  held: '<circle class="disc" r="6.5"/><path class="ink" d="M-2-3v6M2-3v6"/>',
  protected: '<path class="disc" d="M0-7 6-4.5C6 2 3.5 5 0 7-3.5 5-6 2-6-4.5z"/>',
  skip: '<circle class="disc" r="6.5"/><path class="ink" d="M-3-3 0 0-3 3M1-3 4 0 1 3"/>',
  frozen: '<circle class="disc" r="6.5"/><path class="ink" d="M0-4.5v9M-3.9-2.2l7.8 4.4M-3.9 2.2l7.8-4.4"/>',
  clock: '<circle class="disc" r="6.5"/><path class="ink" d="M0-4v4l3 1.5"/>',
  again: '<path class="disc" d="M-5-6.5 6.5 0-5 6.5z"/>',
  late: '<circle class="disc warn" r="6.5"/><path class="warn solid" d="M0-6.5a6.5 6.5 0 0 1 0 13z"/>',
  forced: '<path class="warn solid" d="M2-8-5.5 1.5H-1L-2 8 5.5-1.5H1z"/>',
  unseen:
    '<circle class="disc warn" r="6.5"/><path class="ink warn" d="M-2-1.5C-2-4.5 2-4.5 2-1.8 2 0 0-.2 0 1.5M0 3.8v.4"/>',
  failed: '<path class="bad solid" d="M-6.5-6.5h13v13h-13z"/><path class="cut" d="M-3.5-3.5l7 7M3.5-3.5l-7 7"/>',
  missed: '<circle class="disc bad dashed" r="6.5"/><path class="ink bad" d="M-3 0h6"/>',
  question:
    '<circle class="disc faint" r="6.5"/><path class="ink faint" d="M-2-1.5C-2-4.5 2-4.5 2-1.8 2 0 0-.2 0 1.5M0 3.8v.4"/>',
  extra: '<path class="disc" d="M0-6.5 6.5 0 0 6.5-6.5 0z"/>',
} as const;
export type Glyph = keyof typeof shapes;

/** All of them, to be used by name. */
export const glyphSymbols = (): Html =>
  markup`${Object.entries(shapes).map(([name, shape]) => markup`<g id="m-${name}">${new Html(shape)}</g>`)}`;

export const markGlyph: Record<Mark, Glyph> = {
  holiday: 'holiday',
  held: 'held',
  protected: 'protected',
  'skip-next': 'skip',
  frozen: 'frozen',
  stale: 'missed',
  gap: 'clock',
  overlap: 'clock',
  resumed: 'again',
  thawed: 'again',
  enforced: 'again',
};

/** What went as planned needs no mark. */
export const verdictGlyph: Partial<Record<Verdict, Glyph>> = {
  late: 'late',
  forced: 'forced',
  unseen: 'unseen',
  failed: 'failed',
  missed: 'missed',
  skipped: 'skip',
  unrecorded: 'question',
};

/** In the order of the legend. */
export const glyphWords: Record<Glyph, string> = {
  holiday: 'Holiday: start does not happen',
  held: 'Held back by an override',
  protected: 'Protected: stop does not happen',
  skip: 'Skipped on purpose',
  frozen: 'Frozen: no schedule acts',
  clock: 'Clock change',
  again: 'Done after an override or a freeze ended, or by Enforce',
  late: 'Late',
  forced: 'Forced off',
  unseen: 'Off, and nobody saw how its guest ended',
  failed: 'Failed',
  missed: 'Missed',
  question: 'No record',
  extra: 'By hand or by event, not by schedule',
};

/** One beside its words. */
export const icon = (glyph: Glyph): Html =>
  markup`<svg class="icon" viewBox="-8.5 -8.5 17 17" aria-hidden="true"><use href="#m-${glyph}" /></svg>`;
