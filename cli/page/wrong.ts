import { type Html, markup } from './markup.ts';
import type { PageModel } from './model.ts';
import { lineList, type Links, toldLine } from './told.ts';
import type { Told, Trouble } from './troubles.ts';
import { count } from './words.ts';

/** What went wrong, the gravest first: what a reader of a report came for. */
export function wrong(model: PageModel, troubles: Trouble[], links: Links): Html {
  const judged = model.groups.flatMap(({ rows }) => rows.flatMap(({ happened }) => happened?.judged ?? []));
  const fine = judged.filter(({ verdict }) => verdict === 'onTime').length;
  return markup`<section class="wrong" aria-labelledby="h-wrong">
    <h2 id="h-wrong" tabindex="-1">What went wrong</h2>
    ${
      troubles.length > 0
        ? lineList(troubles.map(toldLine(model.zone, links)), 'What went wrong, the gravest first')
        : markup`<p>
            ${fine > 0 ? `Nothing that is recorded went wrong: ${count(fine, 'planned switch', 'planned switches')} on time.` : 'Nothing that is recorded went wrong.'}
          </p>`
    }
  </section>`;
}

/** What nobody need look at: it is there to be found. */
export function others(model: PageModel, told: Told[], links: Links): Html {
  return told.length === 0
    ? markup``
    : markup`<section aria-labelledby="h-others">
        <h2 id="h-others">By hand, by event, or left alone on purpose</h2>
        <p class="quiet">None of it is wrong: somebody asked for it.</p>
        ${lineList(told.map(toldLine(model.zone, links)), 'By hand, by event, or left alone on purpose')}
      </section>`;
}
