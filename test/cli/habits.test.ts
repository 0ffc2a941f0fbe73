import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { main } from '../../cli/main.ts';
import { namesIn, simulate, type Simulated } from './simulated.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
let sim: Simulated;
beforeAll(async () => {
  sim = await simulate();
});
afterAll(() => sim.close());

const own = '/apis/vm.novasphere.dev/v1alpha1/namespaces/demo-a';
const a = ['batch', 'db', 'import', 'shop', 'web'];
const b = ['crashy', 'deaf', 'huge'];
describe('arguments are read as kubectl reads them', () => {
  it.each([
    ['-n=demo-a', a],
    ['-ndemo-a', a],
    ['-n demo-a', a],
    ['--namespace=demo-a', a],
    ['--namespace demo-a', a],
    ['-A', [...a, ...b]],
    ['-A=true', [...a, ...b]],
    ['--all-namespaces=1', [...a, ...b]],
    ['-A=false -n demo-b', b],
    ['-Al demo=yes', [...a, ...b]],
    ['-Aldemo=yes', [...a, ...b]],
    ['-Al=start=on-demand', ['batch']],
    ['-l start=on-demand,demo=yes -ndemo-a', ['batch']],
    ['-n demo-b -n demo-a', a],
    ['web -n demo-a', ['web']],
    ['-n demo-a -- web', ['web']],
    ['-n demo-a web db', ['web', 'db']],
    ['-n demo-a --field-selector=metadata.name=web', ['web']],
    ['-n demo-a --field-selector metadata.name!=web', ['batch', 'db', 'import', 'shop']],
    ['-n demo-a --request-timeout=5s', a],
    ['-n demo-a --request-timeout 5', a],
    ['-n demo-a --request-timeout=0', a],
  ])('%s', async (typed, names) => {
    const { code, out, err } = await sim.wukong(`state -o name ${typed}`);
    expect([code, err, namesIn(out).toSorted()]).toEqual([0, '', names.toSorted()]);
    if (process.env['KUBECTL_ROWS'] !== 'yes') return;
    const args = ['--kubeconfig', sim.kubeconfig, 'get', 'wukongs', '-o', 'name', ...typed.split(' ')];
    const theirs = spawnSync('kubectl', args, { encoding: 'utf8' });
    expect(namesIn(theirs.stdout).toSorted()).toEqual(names.toSorted());
  });

  it.each(['-n demo-b state -o name', '-n=demo-b -oname state', '--namespace demo-b -v state --output=name'])(
    'before the command too: %s',
    async (typed) => expect(namesIn((await sim.wukong(typed)).out)).toEqual(b),
  );

  it('takes -v as a switch and as a level', async () => {
    for (const typed of ['-v', '-v=6', '--verbose', '-v=0'])
      expect(namesIn((await sim.wukong(`state -n demo-a -o name ${typed}`)).out)).toEqual(a);
  });
});

describe('forms of output', () => {
  it.each([
    ['jsonpath={.items[*].name}', 'batch db import shop web'],
    ['jsonpath={.items[0].name}{","}{.items[-1].name}', 'batch,web'],
    ['jsonpath={range .items[1:3]}{.name}{"\\t"}{.vm.name}{"\\n"}{end}', 'db\tdb-vm\nimport\timport-vm\n'],
    ['jsonpath={.items[?(@.name=="web")].vm.name}', 'web-vm'],
    ["jsonpath={.items[?(@.name!='web')]['name']}", 'batch db import shop'],
    ['jsonpath={..vm.name}', 'batch-vm db-vm import-vm shop-vm web-vm'],
    ['jsonpath={.nothing}', ''],
    ['jsonpath=.items[2].name', 'import'],
    ['jsonpath={.items[0,2].name}', 'batch import'],
    ['custom-columns=NAME:.name,VM:.vm.name,NO:.no', 'NAME     VM          NO\nbatch    batch-vm    <none>\n'],
  ])('-o %s', async (form, expected) => {
    const { code, out, err } = await sim.wukong(`state -n demo-a -o ${form.replaceAll(' ', '_')}`);
    expect([code, err]).toEqual([0, '']);
    expect(form.startsWith('custom') ? out.slice(0, expected.length) : out).toBe(expected);
  });

  it('leaves headings out, and sorts', async () => {
    const { out } = await sim.wukong('state -n demo-a --no-headers --sort-by=.vm.strategy');
    expect(out).not.toContain('NAME');
    const strategies = (
      await sim.wukong('state -n demo-a --sort-by {.vm.strategy} -o jsonpath={.items[*].vm.strategy}')
    ).out;
    expect(strategies.split(' ')).toEqual(strategies.split(' ').toSorted());
    const paths = join(sim.folder, 'columns');
    writeFileSync(paths, 'N V\n.name .vm.name\n');
    const file = await sim.wukong(`state web -n demo-a --no-headers -o custom-columns-file=${paths}`);
    expect(file.out).toBe('web   web-vm\n');
    const template = join(sim.folder, 'template');
    writeFileSync(template, '{.name}={.state}\n');
    expect((await sim.wukong(`state db -n demo-a -o jsonpath-file=${template}`)).out).toBe('db=Running');
  });
});

describe('forms of output of what is told line by line', () => {
  const schedule = { apiVersion: 'vm.novasphere.dev/v1alpha1', kind: 'WukongSchedule' };
  const spec = { timeZone: 'UTC', start: '0 8 * * *', stop: '0 20 * * *', selector: { matchLabels: { demo: 'yes' } } };
  const plan = () => `plan -f ${join(sim.folder, 'office.json')} --from 2026-05-04 --to 2026-05-05`;
  beforeAll(async () => {
    const office = { ...schedule, metadata: { name: 'office', namespace: 'demo-a' }, spec };
    const wukong = { apiVersion: 'vm.novasphere.dev/v1alpha1', kind: 'Wukong' };
    const web = { ...wukong, metadata: { name: 'web', namespace: 'demo-a', labels: { demo: 'yes' } }, spec: {} };
    writeFileSync(join(sim.folder, 'office.json'), JSON.stringify(office));
    writeFileSync(join(sim.folder, 'all.json'), JSON.stringify({ kind: 'List', items: [office, web] }, undefined, 2));
    for (const verb of ['stop', 'start']) await sim.wukong(`${verb} -l start=on-demand -n demo-a --yes`);
  });
  const out = async (words: string) => {
    const done = await sim.wukong(words);
    expect([words, done.code, done.err]).toEqual([words, 0, '']);
    return done.out;
  };

  it('plan', async () => {
    expect(await out(`${plan()} -o jsonpath={.items[*].action}`)).toBe('start stop');
    expect(await out(`${plan()} -o custom-columns=WHAT:.action --sort-by=.action --no-headers`)).toBe('start\nstop\n');
    expect(await out(`${plan()} -o json`)).toBe(await out(`${plan()} --json`));
    expect(await out(`${plan()} -o yaml`)).toMatch(/^items:\n {2}- at: /);
    for (const wrong of ['--sort-by=.at', '--no-headers', '-o yaml --html x', '-o yaml --json', '-o name'])
      expect([wrong, (await sim.wukong(`${plan()} ${wrong}`)).code]).toEqual([wrong, 2]);
  });

  it('report', async () => {
    const report = `report --from-file ${join(sim.folder, 'all.json')} --from 2026-05-04 --to 2026-05-05`;
    expect(await out(`${report} -o jsonpath={.items[*].action}`)).toBe('start stop');
    expect(await out(`${report} -o custom-columns=VM:.vm --no-headers`)).toBe('demo-a/web\ndemo-a/web\n');
    expect(await out(`${report} -o yaml`)).toMatch(/^items:\n {2}- at: /);
  });

  it('events', async () => {
    expect(await out('events batch -n demo-a -o name')).toMatch(/^(event\/\S+\n)+$/);
    expect(await out('events batch -n demo-a -o yaml')).toMatch(/^items:\n/);
    expect((await sim.wukong('events -n demo-a --follow -o yaml')).code).toBe(2);
  });
});

describe('names', () => {
  it('of the kind are short for kubectl: wk, wks', async () => {
    const { body } = await sim.api('GET', '/apis/vm.novasphere.dev/v1alpha1');
    const { resources } = body as { resources: { name: string; shortNames?: string[] }[] };
    const short = (plural: string) => resources.find(({ name }) => name === plural)?.shortNames;
    expect([short('wukongs'), short('wukongschedules')]).toEqual([['wk'], ['wks']]);
  });

  it('are those of VMs too, or hinted at', async () => {
    for (const typed of ['vm/web-vm', 'vmi/web-vm', 'virtualmachines.kubevirt.io/web-vm', 'wk/web', 'wukongs/web'])
      expect(namesIn((await sim.wukong(`state ${typed} -n demo-a -o name`)).out)).toEqual(['web']);
    const bare = await sim.wukong('stop web-vm -n demo-a');
    expect([bare.code, bare.out]).toEqual([1, '']);
    expect(bare.err).toContain('that is the VM of Wukong web: write web or vm/web-vm');
    expect((await sim.wukong('stop vm/wbe-vm -n demo-a')).err).toContain('did you mean web-vm?');
  });

  it('that are wrong keep none of the others from being done, whatever is done', async () => {
    for (const verb of ['stop --dry-run', 'state', 'events', 'skip-next --off', 'protect --off', 'keep --clear']) {
      const { code, err } = await sim.wukong(`${verb} web nix db -n demo-a`);
      const events = verb === 'events'; // an Event may be of a Wukong that has gone
      expect([verb, code, err.includes('error: there is no Wukong nix in namespace demo-a')]).toEqual([
        verb,
        events ? 0 : 1,
        !events,
      ]);
    }
    const stopped = await sim.wukong('stop nix shop -n demo-a');
    expect([stopped.code, stopped.out]).toEqual([1, expect.stringMatching(/^demo-a\/shop +Stopped/)]);
  });

  it('come from manifests, and --all means all of the namespace', async () => {
    const file = join(sim.folder, 'two.yaml');
    const wukong = (name: string) =>
      `apiVersion: vm.novasphere.dev/v1alpha1\nkind: Wukong\nmetadata: {name: ${name}, namespace: demo-a}\n---\n`;
    writeFileSync(file, wukong('web') + wukong('gone') + wukong('import'));
    const { code, out, err } = await sim.wukong(`stop -f ${file} --dry-run -o name`);
    expect([code, namesIn(out)]).toEqual([1, ['web', 'import']]);
    expect(err).toContain('error: there is no Wukong gone in namespace demo-a');
    expect((await sim.wukong(`state --filename=${file} -n demo-b`)).err).toContain(
      'is in namespace demo-a, and -n says demo-b',
    );
    expect((await sim.wukong(`stop -f ${file}x`)).code).toBe(2);
    expect(namesIn((await sim.wukong('start --all -n demo-b --dry-run -o name')).out).toSorted()).toEqual(b);
  });
});

describe('wukong restart', () => {
  it('proves that another guest is up; what was off stays off', async () => {
    const uid = async () =>
      (
        (await sim.api('GET', '/apis/kubevirt.io/v1/namespaces/demo-a/virtualmachineinstances/web-vm')).body as {
          metadata: { uid: string };
        }
      ).metadata.uid;
    await sim.wukong('stop shop -n demo-a');
    const before = await uid();
    const { code, out, err } = await sim.wukong('restart web shop -n demo-a');
    const after = await uid();
    expect(after).not.toBe(before);
    expect(out).toMatch(/^demo-a\/shop +AlreadyOff .*a restart leaves it so/m);
    expect(out).toMatch(
      new RegExp(
        `^demo-a/web +Started .*The guest shut down by itself.* Another guest is up and ready \\(VMI uid ${after}\\)`,
        'm',
      ),
    );
    expect([code, err]).toEqual([4, '2 VMs: 1 AlreadyOff, 1 Started\n']);
    // The old guest was stopped and did not die: nobody waits ten seconds for the new one to stay up.
    expect(Number(/Started +([\d.]+) s/.exec(out)?.[1])).toBeLessThan(10);
  });

  it('forces a guest that does not listen, and starts it all the same', async () => {
    const { code, out } = await sim.wukong('restart deaf -n demo-b -o json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      outcomes: [{ outcome: 'Started', message: expect.stringMatching(/within 4 s.* Another guest is up/) as string }],
    });
  });

  it('stops nobody who must not be started', async () => {
    await sim.wukong('keep import stopped --for 1h -n demo-a');
    const { code, out } = await sim.wukong('restart import -n demo-a');
    expect([code, out]).toEqual([4, expect.stringMatching(/^demo-a\/import +Skipped \(Override\)/)]);
    expect((await sim.wukong('state import -n demo-a -o jsonpath={.state}')).out).toBe('Running');
    expect((await sim.wukong('state -n demo-b -o jsonpath={.items[*].metadata.name}')).out).toBe('crashy deaf huge');
    await sim.wukong('keep import --clear -n demo-a');
  });

  it('leaves at Ctrl-C what comes back by whoever goes on', async () => {
    const restarting = sim.start('restart deaf -n demo-b --grace 30s');
    const watching = sim.start('state deaf -n demo-b -w -o json');
    await watching.says(/"state":"Stopping"/);
    watching.child.kill('SIGINT');
    restarting.child.kill('SIGINT');
    const { code, out, err } = await restarting.done;
    expect([code, out]).toEqual([3, expect.stringMatching(/^demo-b\/deaf +InProgress/)]);
    expect(err).toContain('What is in progress goes on by reconcileState');
    const { operation } = JSON.parse((await sim.wukong('state deaf -n demo-b -o json')).out) as { operation: object };
    expect(operation).toMatchObject({ action: 'stop' });
    await sim.wukong('stop deaf -n demo-b --force');
  });

  it('leaves a start in progress at Ctrl-C, which reconcileState goes on with', async () => {
    const restarting = sim.start('restart import -n demo-a');
    const watching = sim.start('state import -n demo-a -w -o json');
    await watching.says(/"state":"Starting"/);
    watching.child.kill('SIGINT');
    restarting.child.kill('SIGINT');
    expect((await restarting.done).code).toBe(3);
    await sim.wukong('start import -n demo-a');
  });
});

describe('words for times', () => {
  it('--grace 0 is force, and is told as such', async () => {
    const { code, out } = await sim.wukong('stop import --grace 0 -n demo-a');
    expect([code, out]).toEqual([0, expect.stringMatching(/^demo-a\/import +ForcedOff \(Requested\)/)]);
  });

  it("--until 18:00 is the next one in the schedule's zone", async () => {
    const spec = { timeZone: 'Asia/Kathmandu', stop: '0 20 * * *', selector: { matchLabels: { start: 'on-demand' } } };
    const [apiVersion, kind] = ['vm.novasphere.dev/v1alpha1', 'WukongSchedule'];
    await sim.api('POST', `${own}/wukongschedules`, { apiVersion, kind, metadata: { name: 'night' }, spec });
    const { code, out, err } = await sim.wukong('keep batch web running --until 18:00 -n demo-a');
    expect(code).toBe(1);
    expect(out).toMatch(/^demo-a\/batch: kept running until \d{4}-\d\d-\d\dT18:00:00\+05:45, Asia\/Kathmandu \(/);
    expect(err).toContain(
      'error: demo-a/web: --until 18:00 has no time zone, as no schedule that can be read selects it; add --zone ZONE',
    );
    const read = await sim.wukong('state batch -n demo-a -o jsonpath={.overrides.keep-running-until}');
    expect(read.out).toMatch(/T12:15:00Z$/);
    const zoned = await sim.wukong('keep web running --until 2099-12-24T18:00 --zone Europe/Berlin -n demo-a');
    expect(zoned.out).toContain('2099-12-24T18:00:00+01:00, Europe/Berlin');
    await sim.wukong('keep batch web --clear -n demo-a');
  });

  it('a freeze takes a time of a zone too', async () => {
    const { code, out } = await sim.wukong('freeze --until 18:00 --zone Asia/Kathmandu');
    expect([code, out]).toEqual([0, expect.stringMatching(/^Frozen until \S+T12:15:00Z \(/)]);
    await sim.wukong('freeze --off');
  });

  it('skip-next and keep say where no schedule selects a VM, and are quiet where one does', async () => {
    const skipped = await sim.wukong('skip-next batch web -n demo-a');
    expect([skipped.code, skipped.err]).toEqual([
      0,
      'note: no schedule selects demo-a/web, so there is nothing to skip until one does\n',
    ]);
    const kept = await sim.wukong('keep batch web running --for 1h -n demo-a');
    expect(kept.err).toBe(
      'note: no schedule selects demo-a/web: this holds back only what people and events ask for\n',
    );
    expect((await sim.wukong('skip-next batch web --off -n demo-a')).err).toBe('');
    expect((await sim.wukong('keep batch web --clear -n demo-a')).err).toBe('');
  });
});

describe('completion', () => {
  const complete = async (words: string[], kubeconfig = sim.kubeconfig) => {
    let [out, err] = ['', ''];
    const env = { HOME: sim.folder, KUBECONFIG: kubeconfig };
    const print = { out: (text: string) => void (out += text), err: (text: string) => void (err += text) };
    const code = await main(['__complete', ...words], { ...print, now: Date.now(), colour: false, env });
    return { code, out, err };
  };
  const offered = async (...words: string[]) =>
    (await complete(words)).out
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t')[0]);

  it('offers commands, options, and what the cluster and the kubeconfig have', async () => {
    expect(await offered('sta')).toEqual(['start', 'state', ':4']);
    expect(await offered('stop', '--for')).toEqual(['--force', ':4']);
    expect(await offered('stop', '-n', 'demo-')).toEqual(['demo-a', 'demo-b', ':4']);
    expect(await offered('stop', '-n=demo-')).toEqual(['demo-a', 'demo-b', ':4']);
    expect(await offered('stop', '--namespace=demo-')).toEqual(['demo-a', 'demo-b', ':4']);
    expect(await offered('state', '--context', 's')).toEqual(['sim', ':4']);
    expect(await offered('state', '--user', '')).toEqual(['sim', ':4']);
    expect(await offered('stop', '-n', 'demo-a', 'w')).toEqual(['web', ':4']);
    expect(await offered('-n', 'demo-b', 'stop', 'd')).toEqual(['deaf', ':4']);
    expect(await offered('stop', '-n', 'demo-a', 'web', 'w')).toEqual([':4']);
    expect(await offered('keep', 'web', '-n', 'demo-a', 'r')).toEqual(['running', ':4']);
    expect(await offered('crd', 'p')).toEqual(['patch', ':4']);
    expect(await offered('help', 'res')).toEqual(['restart', ':4']);
    expect(await offered('plan', '--schedule', 'x')).toEqual([':0']);
    expect(await offered('nothing', 'x')).toEqual([':4']);
  });

  it('is no error where there is no cluster', async () => {
    const { code, out, err } = await complete(['stop', '-n', 'demo'], '/nowhere');
    expect([code, out, err]).toEqual([0, ':4\n', '']);
  });

  const bin = () => {
    const folder = join(sim.folder, 'bin');
    mkdirSync(folder, { recursive: true });
    for (const name of ['wukong', 'kubectl-wukong', 'kubectl_complete-wukong'])
      try {
        symlinkSync(resolve('cli/wukong.mjs'), join(folder, name));
      } catch {
        // made before
      }
    return { ...process.env, PATH: `${folder}:${process.env['PATH']}`, KUBECONFIG: sim.kubeconfig };
  };

  it.each([
    ['wukong sta', 1, 'state start'],
    ['wukong stop -n demo-', 3, 'demo-a demo-b'],
    ['wukong stop --namespace = demo-', 4, 'demo-a demo-b'],
    ['wukong stop -n demo-a sh', 4, 'shop'],
    ['wukong state --kubeconfig package.j', 3, 'package.json'],
  ])('bash offers for %j', async (line, at, expected) => {
    const script = (await sim.wukong('completion bash')).out;
    const words = line.split(' ').map((word) => `'${word}'`);
    const ask = `COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${at}; _wukong; printf '%s ' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', `${script}\n${ask}`], { encoding: 'utf8', env: bin() });
    expect([stdout.trim().split(' ').toSorted(), stderr]).toEqual([expected.split(' ').toSorted(), '']);
  });

  it('serves kubectl under the name that it looks for', () => {
    const file = join(sim.folder, 'bin', 'kubectl_complete-wukong');
    const env = bin();
    const { stdout, stderr } = spawnSync(file, ['stop', '-n', 'demo-a', 'sh'], { encoding: 'utf8', env });
    expect([stdout, stderr]).toEqual(['shop\n:4\n', '']);
  });
});
