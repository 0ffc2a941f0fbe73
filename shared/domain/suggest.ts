/** The candidate that was probably meant; undefined when none is near. */
export function nearest(typed: string, candidates: Iterable<string>): string | undefined {
  let best: { word: string; away: number } | undefined;
  const limit = Math.max(1, Math.floor(typed.length / 3));
  for (const word of candidates) {
    const begins = word !== typed && word.startsWith(typed) && typed.length > 1;
    if (!begins && Math.abs(word.length - typed.length) > limit) continue; // it is as far away at least
    const away = begins ? 1 : distance(typed, word);
    if (!best || away < best.away) best = { word, away };
  }
  return best && best.away <= limit ? best.word : undefined;
}

/** ` (did you mean x?)`, or nothing. */
export function didYouMean(typed: string, candidates: Iterable<string>): string {
  const word = nearest(typed, candidates);
  return word === undefined ? '' : `; did you mean ${word}?`;
}

/** How many letters must be changed, added, dropped, or swapped with their neighbour. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, (before[j - 2] ?? 0) + 1);
      next.push(least);
    }
    [before, row] = [row, next];
  }
  return row[b.length] ?? 0;
}
