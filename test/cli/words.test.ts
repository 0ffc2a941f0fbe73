import { spawnSync } from 'node:child_process';
import { readFileSync, symlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { describe, expect, it } from 'vitest';

import { cliPage } from '../../cli/cliPage.ts';
import { commonOptions } from '../../cli/command.ts';
import { commands } from '../../cli/commands.ts';
import { main } from '../../cli/main.ts';
import { spoken } from '../../cli/terminal/duration.ts';
import { failureCodes } from '../../shared/domain/errors.ts';
import { outcomeNames, skipReasons } from '../../shared/domain/outcome.ts';
import { nearest } from '../../shared/domain/suggest.ts';

async function wukong(typed: string) {
  let [out, err] = ['', ''];
  const io = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    now: Date.parse('2026-03-27T12:00:00Z'),
    colour: false,
    env: { KUBECONFIG: '/nowhere' },
  };
  const code = await main(typed === '' ? [] : typed.split(' '), io);
  return { code, out, err };
}

describe('wrong usage', () => {
  it.each([
    ['', 'Usage: wukong COMMAND'],
    ['stat', '"stat" is no command: expected start, stop, state'],
    ['stpo web', 'did you mean stop?'],
    ['stop', 'expected the name of a Wukong, or --selector SELECTOR'],
    ['stop web -l a=b', 'expected either names or --selector, not both'],
    ['stop web -A', '--all-namespaces: expected --selector with it'],
    ['stop -A -n dev -l a=b', 'expected either --namespace or --all-namespaces, not both'],
    ['stop Web', '"Web": expected the name of a Wukong, such as web'],
    ['stop web --forc', 'did you mean --force?'],
    ['stop web --force=maybe', '--force=maybe: expected true or false'],
    ['stop web --grace', '--grace: expected DURATION after it'],
    ['stop web --grace 5', '--grace 5: expected a duration such as 90s, 5m, 2h or 1d'],
    ['stop web --grace 2d', '--grace (in seconds): expected a whole number from 0 to 86400'],
    ['stop web --max-targets many', '--max-targets many: expected a whole number'],
    ['stop -l a=b=c', '--selector: "b=c" is no label value'],
    ['start web --force', 'there is no option --force\nTry: wukong start --help'],
    ['stop web --reason --dry-run', '--reason: expected TEXT after it'],
    ['stop web -x', 'there is no option -x\n'],
    ['stop -Ax', 'there is no option -x in -Ax'],
    ['stop web -force', 'there is no option -force; did you mean --force?'],
    ['state -n=', '--namespace: expected NAME, found nothing'],
    ['state -l=', '--selector: expected SELECTOR, found nothing'],
    ['state -o=', '--output: expected wide, json'],
    ['state --namespace= web', '--namespace: expected NAME, found nothing'],
    ['state -n -- web', '--namespace: expected NAME after it'],
    ['state -A=maybe', '--all-namespaces=maybe: expected true or false'],
    ['state -v=loud', '--verbose=loud: expected true, false or a level'],
    ['state -o jsonpath=', '--output jsonpath=: expected wide'],
    ['state -o jsonpath={.items', 'a { is not closed'],
    ['state -o jsonpath={.items[}', 'the [ is not closed'],
    ['state -o custom-columns=NAME', 'expected HEADING:PATH'],
    ['state -o custom-columns-file=/nowhere', '/nowhere cannot be read (ENOENT)'],
    ['state --sort-by=.a[b', 'the [ is not closed'],
    ['stop --all -l a=b', 'expected either --all or a selector, not both'],
    ['stop web --all', 'expected either names and files, or selectors and --all'],
    ['restart', 'expected the name of a Wukong'],
    ['restart web --lease 2h', 'there is no option --lease'],
    ['keep web running --until 25:00', '--until 25:00: expected a time such as'],
    ['keep web running --until 18:00 --zone Berlin', '--zone: '],
    ['freeze --until 18:00', '--until 18:00: expected --zone ZONE with it'],
    ['state --request-timeout soon', '--request-timeout soon: expected a duration'],
    ['get pods', 'did you mean state?'],
    ['-n dev', 'found -n and no command'],
    ['start web --lease -2h', '--lease -2h: expected a duration'],
    ['start web --lease --yes', '--lease: expected DURATION after it'],
    ['state -o', '--output: expected wide, json, yaml, name, '],
    ['start web --lease 5s', '--lease (in seconds): expected a whole number from 60'],
    ['state -o jsn', '; did you mean json?'],
    ['keep web', 'after the names: web: expected running or stopped'],
    ['keep web runing --for 2h', 'expected running or stopped; did you mean running?'],
    ['keep web running', 'expected either --until TIME or --for DURATION'],
    ['keep web running --until tomorrow', '--until tomorrow: expected a time such as'],
    ['keep web running --until 2026-03-27T11:00:00Z', 'expected a time that is still to come'],
    ['keep web --clear --for 2h', 'expected --clear without --for and --until'],
    ['freeze --off --for 2h', 'expected --off without --for and --until'],
    ['plan -A --schedule x', 'expected either --schedule FILE, or the namespaces of a cluster'],
    ['crd', 'expected one of install, patch, check'],
    ['crd instal', 'did you mean install?'],
    ['completion tcsh', 'found tcsh: expected bash, zsh or fish'],
    ['reconcile --timeout soon', '--timeout soon: expected a duration'],
    ['sim', 'expected --kubeconfig-out FILE'],
    ['sim --kubeconfig-out f --crd old', '--crd old: expected extended or original'],
    ['events a --follow --sort-by=.reason', '--follow: expected without --sort-by'],
    ['version now', "Unexpected argument 'now'"],
  ])('`wukong %s` answers 2 and says what was expected', async (typed, message) => {
    const { code, out, err } = await wukong(typed);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(message);
  });
});

describe('help', () => {
  it.each(Object.keys(commands))('of %s names every option it takes', async (name) => {
    const { code, out, err } = await wukong(`${name} --help`);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(new RegExp(`^Usage: wukong ${name} ?`));
    const command = await commands[name]?.();
    for (const option of Object.keys({ ...command?.options, ...commonOptions }))
      if (name !== 'plan' || option !== 'help') expect(out).toContain(`--${option}`);
    expect(await wukong(`help ${name}`)).toEqual({ code, out, err });
    expect(out.split('\n').filter((line) => line.length > 132)).toEqual([]);
  });

  it('docs/cli.md says what the commands say', async () => {
    expect(readFileSync('docs/cli.md', 'utf8'), 'run: npm run docs:cli').toBe(await cliPage());
  });

  it('docs/runbook.md has a chapter for every outcome and reason', () => {
    const titles = [...readFileSync('docs/runbook.md', 'utf8').matchAll(/^#{2,3} (\w+)/gm)].map(([, title]) => title);
    const all = [...outcomeNames, ...skipReasons, ...failureCodes].filter(
      (word) => word !== 'Skipped' && word !== 'Failed',
    );
    expect(all.filter((word) => !titles.includes(word))).toEqual([]);
  });
});

describe('words', () => {
  it('finds what was meant', () => {
    expect(nearest('wbe', ['db', 'web', 'shop'])).toBe('web');
    expect(nearest('xyz', ['db', 'web', 'shop'])).toBeUndefined();
  });

  it.each([
    [0, '0.0s'],
    [12, '12ms'],
    [2_140, '2.1s'],
    [61_000, '1m1s'],
    [93_784_000, '1d2h'],
  ])('says %i ms as %s', (ms, text) => expect(spoken(ms)).toBe(text));
});

describe('completion', () => {
  it('is a script that bash takes, and for zsh and fish too', async () => {
    const scripts = await Promise.all(['bash', 'zsh', 'fish'].map((shell) => wukong(`completion ${shell}`)));
    expect(scripts.map(({ code, err }) => [code, err])).toEqual(Array(3).fill([0, '']));
    const { status, stderr } = spawnSync('bash', ['-n'], { input: scripts[0]?.out, encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    expect(scripts[1]?.out).toContain('compdef _wukong wukong kubectl-wukong');
    expect(scripts[2]?.out).toContain("complete -c wukong -f -a '(__wukong_complete)'");
  });
});

describe('the wrapper', () => {
  it('prints what the commands themselves print', async () => {
    const typed = [process.execPath, ['cli/wukong.mjs', 'completion', 'fish']] as const;
    const { status, stdout, stderr } = spawnSync(...typed, { encoding: 'utf8' });
    expect([status, stderr, stdout]).toEqual([0, '', (await wukong('completion fish')).out]);
  });

  it('runs as a plugin of kubectl, by another name and from elsewhere', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    const folder = await mkdtemp(join(tmpdir(), 'plugin-'));
    symlinkSync(resolve('cli/wukong.mjs'), join(folder, 'kubectl-wukong'));
    const { status, stdout } = spawnSync(process.execPath, [join(folder, 'kubectl-wukong'), 'version', '-o', 'json'], {
      cwd: folder,
      encoding: 'utf8',
    });
    await rm(folder, { recursive: true });
    expect([status, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ version })]);
  });
});
