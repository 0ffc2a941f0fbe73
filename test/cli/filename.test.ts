import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { namesIn, simulate, type Simulated } from './simulated.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
let sim: Simulated;
beforeAll(async () => {
  sim = await simulate();
});
afterAll(() => sim.close());

describe('-f', () => {
  const kind = (apiVersion: string, name: string, what: string, namespace = 'demo-a') =>
    `apiVersion: ${apiVersion}\nkind: ${what}\nmetadata: {name: ${name}, namespace: ${namespace}}\n`;
  const wukong = (name: string) => kind('vm.novasphere.dev/v1alpha1', name, 'Wukong');
  const vm = (name: string, what = 'VirtualMachine') => kind('kubevirt.io/v1', name, what);
  const item = (name: string) =>
    `{apiVersion: vm.novasphere.dev/v1alpha1, kind: Wukong, metadata: {name: ${name}, namespace: demo-a}}`;
  const given = (files: Record<string, string>) => {
    const folder = mkdtempSync(join(sim.folder, 'given-'));
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(folder, dirname(name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    return folder;
  };

  it.each<[string, string, string[], string?]>([
    [
      'several documents, empty ones too',
      `---\n# of ours\n---\n${wukong('web')}---\n${wukong('db')}...\n`,
      ['db', 'web'],
    ],
    [
      'lines that end as Windows ends them',
      `${wukong('web')}---\n${wukong('db')}`.replaceAll('\n', '\r\n'),
      ['db', 'web'],
    ],
    [
      'other kinds between them',
      `${kind('v1', 'web', 'Pod')}---\n${wukong('web')}---\n${kind('v1', 'x', 'ConfigMap')}`,
      ['web'],
    ],
    ['a List', `{apiVersion: v1, kind: List, items: [${item('web')}, ${item('db')}]}`, ['db', 'web']],
    [
      'a List in which something is nothing',
      `{apiVersion: v1, kind: List, items: [${item('web')}, null]}`,
      ['web'],
      'found null',
    ],
    [
      'a WukongList',
      `{apiVersion: vm.novasphere.dev/v1alpha1, kind: WukongList, items: [{metadata: {name: db, namespace: demo-a}}]}`,
      ['db'],
    ],
    ['a VM, which stands for its Wukong', vm('web-vm'), ['web']],
    ['the instance of a VM', vm('web-vm', 'VirtualMachineInstance'), ['web']],
    ['a Wukong and its VM, which are one', `${wukong('web')}---\n${vm('web-vm')}---\n${wukong('web')}`, ['web']],
    [
      'a VM of nobody',
      `${vm('lone-vm')}---\n${wukong('web')}`,
      ['web'],
      'no Wukong in namespace demo-a has a VM lone-vm',
    ],
    ['a document that is no YAML', `a: [\n---\n${wukong('web')}`, ['web'], 'FILE: document at line 1: '],
    [
      'a document that is text',
      `hello\n---\n${wukong('web')}`,
      ['web'],
      'FILE: expected Kubernetes objects, found "hello"',
    ],
    [
      'a Wukong without a name',
      `${wukong('web').replace('name: web, ', 'generateName: we-, ')}---\n${wukong('db')}`,
      ['db'],
      'a Wukong: expected metadata.name',
    ],
    ['a name that is a number', `${wukong('7')}---\n${wukong('db')}`, ['db'], 'found {"name":7,"namespace":"demo-a"}'],
    [
      'a namespace that is a path',
      `${kind('vm.novasphere.dev/v1alpha1', 'web', 'Wukong', 'demo-b/wukongs')}---\n${wukong('db')}`,
      ['db'],
      'found {"name":"web","namespace":"demo-b/wukongs"}',
    ],
  ])('takes %s', async (_what, text, names, problem) => {
    const file = join(given({ 'given.yaml': text }), 'given.yaml');
    const { code, out, err } = await sim.wukong(`state -f ${file} -o name`);
    expect([code, namesIn(out)]).toEqual([problem === undefined ? 0 : 1, names]);
    if (problem === undefined) expect(err).toBe('');
    else expect(err.replaceAll(file, 'FILE')).toContain(problem);
    const stopped = await sim.wukong(`stop -f ${file} -o name --dry-run`);
    expect([stopped.code, namesIn(stopped.out)]).toEqual([code, names]);
  });

  it.each([
    ['nothing', '', 'expected a Wukong or its VirtualMachine, found none'],
    ['other kinds alone', kind('v1', 'web', 'Pod'), 'found none (FILE: Pod web is ignored)'],
    [
      'what another API calls a Wukong',
      kind('example.com/v1', 'web', 'Wukong'),
      'found none (FILE: Wukong web is ignored)',
    ],
    [
      'what another API calls a VM',
      kind('example.com/v1', 'web-vm', 'VirtualMachine'),
      'found none (FILE: VirtualMachine web-vm is ignored)',
    ],
  ])('refuses %s', async (_what, text, message) => {
    const file = join(given({ 'given.yaml': text }), 'given.yaml');
    const { code, err } = await sim.wukong(`start -f ${file}`);
    expect([code, err.replaceAll(file, 'FILE')]).toEqual([2, expect.stringContaining(message)]);
  });

  it('quotes no control character of a file that is none', async () => {
    const file = join(given({ 'given.yaml': 'a: "\u001b[2J\n\u0000: [\u0007' }), 'given.yaml');
    const { code, err } = await sim.wukong(`stop -f ${file}`);
    expect([code, err]).toEqual([1, expect.stringMatching(/^[^\p{Cc}]{1,400}\n$/u)]);
  });

  it('takes the manifests of a directory, and none of those below it', async () => {
    const folder = given({
      'b.yaml': wukong('web'),
      'a.yml': wukong('db'),
      'c.json': item('shop').replaceAll(/([a-zA-Z][\w.-]*(?:\/\w+)?)/g, '"$1"'),
      'README.md': 'a: [',
      'below/d.yaml': wukong('import'),
      'none/README.md': 'no manifest',
    });
    expect(namesIn((await sim.wukong(`state -f ${folder} -o name`)).out)).toEqual(['db', 'shop', 'web']);
    const none = await sim.wukong(`state -f ${join(folder, 'none')}`);
    expect([none.code, none.err]).toEqual([
      2,
      expect.stringContaining('expected files that end in .json, .yaml, .yml'),
    ]);
    const address = await sim.wukong('state -f https://example.com/web.yaml');
    expect([address.code, address.err]).toEqual([2, expect.stringContaining('pipe it in, with --filename -')]);
  });

  it('takes standard input, beside files', async () => {
    const file = join(given({ 'given.yaml': wukong('db') }), 'given.yaml');
    const piped = vi.spyOn(process, 'stdin', 'get');
    piped.mockReturnValue(Readable.from([wukong('web'), '---\n', vm('shop-vm')]) as never);
    const { code, out } = await sim.wukong(`start -f - -f ${file} -o name --dry-run`);
    piped.mockRestore();
    expect([code, namesIn(out).toSorted()]).toEqual([0, ['db', 'shop', 'web']]);
  });
});
