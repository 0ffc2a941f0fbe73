import { type Cell, play } from './cell.ts';
import { explained, type Explanation, explanations } from './explained.ts';
import { type Misfortune, misfortunes } from './harms.ts';
import { manyStories } from './manyStories.ts';
import { stories, type Story } from './stories.ts';
import { faultsOf } from './verdict.ts';

export interface Judged {
  story: string;
  nth: number;
  call: string;
  fault: Misfortune;
  /** Absent: green. */
  explanation?: Explanation;
  wrong: string[];
}

/**
 * Plays the cells of the matrix one after the other: each story, each of the calls that it makes without faults, each
 * fault. `every`: only each such cell, for a sample; it should have no factor in common with the number of faults.
 */
export async function playMatrix(every = 1, among = stories): Promise<Judged[]> {
  const all: Judged[] = [];
  let count = 0;
  for (const story of among) {
    const plain = await play(story);
    const wrong = faultsOf(story, plain, plain);
    if (wrong.length > 0) throw new Error(`${story.name}, without faults: ${wrong.join('; ')}`);
    for (const [index, call] of plain.calls.entries())
      for (const fault of misfortunes) {
        if (count++ % every !== 0) continue;
        all.push(await judge(story, plain, index + 1, call, fault));
      }
  }
  return all;
}

/** One cell by its names, for one that was wrong once. */
export async function playOne(name: string, nth: number, short: string): Promise<Judged> {
  const story = stories.find((one) => one.name === name);
  const fault = misfortunes.find((one) => one.short === short);
  if (!story || !fault) throw new Error(`there is no ${name} with ${short}`);
  const plain = await play(story);
  return judge(story, plain, nth, plain.calls[nth - 1] ?? '', fault);
}

async function judge(story: Story, plain: Cell, nth: number, call: string, fault: Misfortune): Promise<Judged> {
  const at = { story: story.name, nth, call, fault };
  const cell = await play(story, fault, nth);
  const wrong = faultsOf(story, cell, plain);
  if (wrong.length === 0) return { ...at, wrong };
  const explanation = explained(story, call, fault);
  if (!explanation) return { ...at, wrong: [`answered ${cell.answer}`, ...wrong] };
  return { ...at, explanation, wrong: explanation.check(story, cell, plain) };
}

const signOf = ({ wrong, explanation }: Judged): string => (wrong.length > 0 ? 'X' : (explanation?.letter ?? '·'));

/** stories × calls × faults, with the explanations below. */
export function tableOf(all: Judged[]): string {
  const width = Math.max(...all.map(({ call }) => call.length)) + 4;
  const lines: string[] = [];
  for (const story of new Set(all.map((one) => one.story))) {
    lines.push('', story, `  ${' '.repeat(width)}${misfortunes.map(({ short }) => short.padEnd(8)).join('')}`);
    const mine = all.filter((one) => one.story === story);
    for (const nth of new Set(mine.map((one) => one.nth))) {
      const row = mine.filter((one) => one.nth === nth);
      const signs = misfortunes.map((fault) => {
        const judged = row.find((one) => one.fault === fault);
        return (judged ? signOf(judged) : ' ').padEnd(8);
      });
      lines.push(`  ${`${nth} ${row[0]?.call}`.padEnd(width)}${signs.join('')}`.trimEnd());
    }
  }
  lines.push('', '·  the same end as without the fault');
  for (const { letter, because } of explanations) lines.push(`${letter}  ${because}`);
  lines.push('X  wrong');
  return lines.join('\n');
}

/** `1397 cells: 1297 green, 100 explained, 0 wrong` */
export function countsOf(all: Judged[]): string {
  const wrong = all.filter((one) => one.wrong.length > 0).length;
  const told = all.filter((one) => one.wrong.length === 0 && one.explanation).length;
  return `${all.length} cells: ${all.length - wrong - told} green, ${told} explained, ${wrong} wrong`;
}

export const wordsOf = ({ story, nth, call, fault, explanation, wrong }: Judged): string =>
  `${story}, call ${nth} (${call}), ${fault.name}${explanation ? ` [${explanation.letter}]` : ''}: ${wrong.join('; ')}`;

/** Lets the process of each story of many die before and after each of its calls; `every` as above. Answers what is wrong. */
export async function playDeaths(every = 1): Promise<{ deaths: number; wrong: string[] }> {
  const wrong: string[] = [];
  let count = 0;
  let deaths = 0;
  for (const story of manyStories) {
    const plain = await play(story);
    for (const [index, call] of plain.calls.entries())
      for (const when of ['before', 'after'] as const) {
        if (count++ % every !== 0) continue;
        deaths++;
        const cell = await play(story, { nth: index + 1, when });
        // An end may be told twice, and is never left untold (decision 2).
        const isTwice = (fault: string) => cell.told > plain.told && /outcomes on the bus/.test(fault);
        const faults = faultsOf(story, cell, plain).filter((fault) => !isTwice(fault));
        if (faults.length > 0)
          wrong.push(`${story.name}, dies ${when} call ${index + 1} (${call}): ${faults.join('; ')}`);
      }
  }
  return { deaths, wrong };
}
