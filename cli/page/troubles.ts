import { type Glyph, verdictGlyph } from './glyphs.ts';
import type { Happening } from './happening.ts';
import type { Group, Row } from './model.ts';
import { extraText, verdictText } from './reasons.ts';
import type { Judged, Verdict } from './verdict.ts';

/** What is wrong, the gravest first. What was skipped on purpose and what somebody did by hand is not. */
export const gravities = ['failed', 'missed', 'forced', 'unseen', 'late'] as const satisfies Verdict[];
export type Gravity = (typeof gravities)[number];

const isGravity = (verdict: Verdict): verdict is Gravity => (gravities as readonly Verdict[]).includes(verdict);

/** One line of a list of what happened to VMs. */
export interface Told {
  /** Instant. */
  at: number;
  row: Row;
  namespace: string;
  /** False: no schedule had planned it. */
  planned: boolean;
  /** What it was about: `stop`. */
  what: string;
  glyph: Glyph;
  /** What came of it. */
  text: string;
  message: string;
}

export interface Trouble extends Told {
  gravity: Gravity;
}

/** How grave what nobody had planned is; undefined for what went well, or as whoever asked for it wished. */
export function gravityOf({ outcome, reason, observed }: Happening): Gravity | undefined {
  if (outcome === 'Failed') return 'failed';
  if (outcome === 'ForcedOff') return reason === 'Requested' ? undefined : 'forced';
  return observed === false ? 'unseen' : undefined;
}

export const extraGlyph = (one: Happening): Glyph => verdictGlyph[gravityOf(one) ?? 'onTime'] ?? 'extra';

/** Of one line: planned switches and others alike. */
export function gravitiesIn({ happened }: Row): Gravity[] {
  const planned = (happened?.judged ?? []).map(({ verdict }) => verdict).filter(isGravity);
  return [...planned, ...(happened?.extra ?? []).flatMap((one) => gravityOf(one) ?? [])];
}

/** How often each thing went wrong. */
export function troubleCounts(rows: Row[]): Record<Gravity, number> {
  const counts = { failed: 0, missed: 0, forced: 0, unseen: 0, late: 0 };
  for (const row of rows) for (const gravity of gravitiesIn(row)) counts[gravity]++;
  return counts;
}

const unseen = 'Nothing tells that it was done, and it was not so before.';

const plannedLine = (row: Row, namespace: string, { verdict, planned, happening, ...rest }: Judged): Told => ({
  ...{ row, namespace, planned: true, at: planned.at, what: planned.action, glyph: verdictGlyph[verdict] ?? 'extra' },
  text: verdictText({ verdict, ...(happening ? { happening } : {}), ...rest }),
  message: happening?.message ?? (verdict === 'missed' ? unseen : ''),
});

const extraLine = (row: Row, namespace: string, one: Happening): Told => ({
  ...{
    row,
    namespace,
    planned: false,
    at: one.finishedAt,
    what: 'not planned',
    message: one.message,
    text: extraText(one),
  },
  glyph: extraGlyph(one),
});

/** What went wrong: the gravest first; of the same gravity the newest. */
export function troublesIn(groups: Group[]): Trouble[] {
  const all = groups.flatMap(({ namespace, rows }) =>
    rows.flatMap((row): Trouble[] => [
      ...(row.happened?.judged ?? []).flatMap((one) =>
        isGravity(one.verdict) ? [{ ...plannedLine(row, namespace, one), gravity: one.verdict }] : [],
      ),
      ...(row.happened?.extra ?? []).flatMap((one) => {
        const gravity = gravityOf(one);
        return gravity ? [{ ...extraLine(row, namespace, one), gravity }] : [];
      }),
    ]),
  );
  return all.sort((a, b) => gravities.indexOf(a.gravity) - gravities.indexOf(b.gravity) || b.at - a.at);
}

/** What is not the plan's and nothing wrong: left alone on purpose, or done by hand or by event. The newest first. */
export function othersIn(groups: Group[]): Told[] {
  const all = groups.flatMap(({ namespace, rows }) =>
    rows.flatMap((row): Told[] => [
      ...(row.happened?.judged ?? [])
        .filter(({ verdict }) => verdict === 'skipped')
        .map((one) => plannedLine(row, namespace, one)),
      ...(row.happened?.extra ?? []).filter((one) => !gravityOf(one)).map((one) => extraLine(row, namespace, one)),
    ]),
  );
  return all.sort((a, b) => b.at - a.at);
}
