import { type Glyph, glyphWords, icon, markGlyph, verdictGlyph } from './glyphs.ts';
import { type Html, markup } from './markup.ts';
import type { PageModel } from './model.ts';
import { extraGlyph } from './troubles.ts';

/** What the shapes mean: those that this page has, and no more. */
export function legend(model: PageModel): Html {
  const used = new Set<Glyph>();
  for (const { rows } of model.groups)
    for (const { course, happened } of rows) {
      for (const one of course.switches)
        if (model.kind === 'plan' || !one.happens)
          for (const mark of one.marks) if (mark !== 'gap' && mark !== 'overlap') used.add(markGlyph[mark]);
      for (const { verdict } of happened?.judged ?? []) if (verdictGlyph[verdict]) used.add(verdictGlyph[verdict]);
      for (const one of happened?.extra ?? []) used.add(extraGlyph(one));
    }
  if (model.schedules.some(({ changes }) => changes.length > 0)) used.add('clock');
  const held = model.groups.some(({ rows }) => rows.some(({ overrides }) => overrides.some(({ until }) => until)));
  const shapes: Record<string, string> = { on: 'M1 2h28v14h-28z', present: 'M15 1v16' };
  const sample = (kind: string, words: string) =>
    markup`<li>
      <svg class="sample" viewBox="0 0 30 18" aria-hidden="true">
        <path class="${kind}" d="${shapes[kind] ?? 'M1 9h28'}" /></svg
      >${words}
    </li>`;
  const present = model.now > model.from && model.now < model.to;
  return markup`<ul class="legend" aria-label="What the shapes mean">
    ${sample('on', 'On')}${sample('off', 'Off')}${sample('unknown', 'Not known')}${present && sample('present', 'Now')}${
      held && sample('hold', 'An override holds')
    }${Object.entries(glyphWords)
      .filter(([glyph]) => used.has(glyph as Glyph))
      .map(([glyph, words]) => markup`<li>${icon(glyph as Glyph)}${words}</li>`)}${
      model.kind === 'report' && markup`<li class="quiet">Above, hollow: planned. Below, solid: as it was.</li>`
    }
  </ul>`;
}
