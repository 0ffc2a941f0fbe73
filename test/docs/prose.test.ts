import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { commands } from '../../cli/commands.ts';
import { commandFirst, readArguments } from '../../cli/flags.ts';
import { leadingOptions } from '../../cli/main.ts';
import { pages } from './blocks.ts';

/** As a shell parts words, without what it does besides. */
const wordsOf = (line: string): string[] =>
  (line.replace(/\s#.*$/, '').match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? []).map((word) => word.replace(/['"]/g, ''));

/** Throws where the command is not there, or an option is refused. */
async function parse(line: string): Promise<void> {
  const typed = wordsOf(line).slice(line.startsWith('wukong') ? 1 : 2);
  const [name = '', ...rest] = commandFirst(typed, leadingOptions, Object.keys(commands));
  if (name.startsWith('-') || ['help', 'COMMAND', '…'].includes(name)) return;
  const load = commands[name];
  if (!load) throw new Error(`there is no command ${name}`);
  const given = rest.filter((word) => word !== '…' && word !== '&');
  const command = await load();
  const last = given.at(-1) ?? '';
  const named = Object.entries(command.options).find(([long, { short }]) => [`--${long}`, `-${short}`].includes(last));
  // A sentence may name an option alone.
  readArguments(named?.[1].type === 'string' ? [...given, named[1].choices?.[0] ?? 'x'] : given, command);
}

const problems = async (found: { where: string; line: string }[]) => {
  const said = await Promise.all(
    found.map(({ where, line }) =>
      parse(line).then(
        () => [],
        (thrown: Error) => [`${where}: ${line}: ${thrown.message}`],
      ),
    ),
  );
  return said.flat();
};

it('every command in a sentence of README and docs is there, with its options', async () => {
  const found = pages.flatMap((where) =>
    [...readFileSync(where, 'utf8').matchAll(/(?<!`)`((?:npx |kubectl )?wukong [^`\n]+)`/g)].map(([, line]) => ({
      where,
      line: line!,
    })),
  );
  expect(found.length).toBeGreaterThan(30);
  expect(await problems(found)).toEqual([]);
});

it('every example of a help is there, with its options', async () => {
  const helps = await Promise.all(
    Object.entries(commands).map(async ([where, load]) => ({ where, help: (await load()).help })),
  );
  const found = helps.flatMap(({ where, help }) =>
    [...help.matchAll(/^ {2}(wukong .*)$/gm)].map(([, line]) => ({ where, line: line! })),
  );
  expect(found.length).toBeGreaterThan(20);
  expect(await problems(found)).toEqual([]);
});

/** In capitals, or with a bar, as a usage line says what stands there. */
it('every option that a usage line of a help has is one of the command', async () => {
  const wrong: string[] = [];
  for (const [name, load] of Object.entries(commands)) {
    const { help, options } = await load();
    const usage = help.slice(0, help.indexOf('\n\n'));
    for (const [, long, short] of usage.matchAll(/(?:--([a-z][a-z-]*)|(?<= |\[)-([A-Za-z])\b)/g)) {
      const known = long ? Object.hasOwn(options, long) : Object.values(options).some((one) => one.short === short);
      if (!known) wrong.push(`${name}: ${long ?? short}`);
    }
    for (const option of Object.keys(options)) if (!help.includes(`--${option}`)) wrong.push(`${name} hides ${option}`);
  }
  expect(wrong).toEqual([]);
});
