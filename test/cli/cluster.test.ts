import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { simulate, type Simulated } from './simulated.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
let sim: Simulated;
let bare: Simulated;
beforeAll(async () => {
  [sim, bare] = await Promise.all([simulate(), simulate('--empty', '--crd', 'original')]);
});
afterAll(() => Promise.all([sim.close(), bare.close()]));

const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const wukongs = `${crds}/wukongs.vm.novasphere.dev`;
interface Crd {
  spec: {
    versions: { additionalPrinterColumns: { name: string; type: string; jsonPath: string }[]; schema: object }[];
  };
}
const versionOf = async () => ((await bare.api('GET', wukongs)).body as Crd).spec.versions[0];
type Findings = { level: string; check: string; found: string }[];
const findings = (out: string) =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as object) as Findings;

describe('wukong crd', () => {
  it('extends the installed CRD and keeps everything else of it', async () => {
    const found = (await bare.api('GET', wukongs)).body as Crd;
    const [first] = found.spec.versions;
    if (first) first.additionalPrinterColumns = [{ name: 'Phase', type: 'string', jsonPath: '.status.phase' }];
    expect((await bare.api('PATCH', wukongs, { spec: found.spec })).status).toBe(200);
    const before = await versionOf();
    const lacking = await bare.wukong('crd check');
    expect(lacking.code).toBe(1);
    expect(lacking.out).toMatch(
      /^FAIL {3}wukongs\.vm\.novasphere\.dev +lacks spec\.lifecycleAction and status\.lifecycleState/,
    );
    const dry = await bare.wukong('crd patch --dry-run');
    expect(dry.out).toContain('would be extended by spec.lifecycleAction, status.lifecycleState');
    expect(await versionOf()).toEqual(before);
    expect((await bare.wukong('crd patch')).code).toBe(0);
    const after = await versionOf();
    expect(after?.additionalPrinterColumns).toEqual(before?.additionalPrinterColumns);
    expect(JSON.stringify(after?.schema)).toContain('"lifecycleState"');
    expect((await bare.wukong('crd patch')).out).toBe('wukongs.vm.novasphere.dev: is extended already\n');
    expect((await bare.wukong('crd check')).code).toBe(0);
  });

  it('adds its columns behind the own ones when asked to', async () => {
    const own = (await versionOf())?.additionalPrinterColumns.map(({ name }) => name) ?? [];
    expect((await bare.wukong('crd patch --columns')).code).toBe(0);
    const now = (await versionOf())?.additionalPrinterColumns.map(({ name }) => name) ?? [];
    expect(now.slice(0, own.length)).toEqual(own);
    expect(now).toEqual(expect.arrayContaining(['State', 'Last Action', 'Next']));
  });

  it('installs what is missing', async () => {
    await bare.api('DELETE', wukongs);
    await bare.api('DELETE', `${crds}/wukongschedules.vm.novasphere.dev`);
    expect((await bare.wukong('crd check')).out.match(/is not installed/g)).toHaveLength(2);
    expect((await bare.wukong('crd patch')).code).toBe(1);
    const { code, out } = await bare.wukong('crd install');
    expect([code, out]).toEqual([
      0,
      'wukongs.vm.novasphere.dev: applied\nwukongschedules.vm.novasphere.dev: applied\nclusterwukongschedules.vm.novasphere.dev: applied\nwukongruns.vm.novasphere.dev: applied\n',
    ]);
    expect((await bare.wukong('crd check')).code).toBe(0);
  });
});

describe('wukong doctor', () => {
  it('finds a cluster in order, and what will go wrong', async () => {
    const { code, out } = await sim.wukong('doctor -A --grace 5m -o json');
    const found = findings(out);
    expect(found.filter(({ level }) => level === 'FAIL')).toEqual([]);
    expect(code).toBe(0);
    const of = (check: string) =>
      found.filter((one) => one.check === check).map(({ level, found: text }) => `${level} ${text}`);
    expect(of('cluster')).toEqual([expect.stringMatching(/^OK https:\/\/127\.0\.0\.1:\d+ answers in [\d.]+m?s, v1\./)]);
    expect(of('clock')).toEqual(['OK the same as here']);
    expect(of('KubeVirt')).toEqual(['OK v1.9.0, Deployed']);
    expect(of('power calls')).toEqual(['OK start and stop are served']);
    expect(of('CRDs')).toHaveLength(4);
    expect(of('Wukongs')).toEqual([expect.stringMatching(/^OK 8 in all namespaces, of which \d running$/)]);
    expect(of('guest agents')).toEqual([expect.stringMatching(/^WARN none in \d of \d running guests: .*demo-a\/web/)]);
    expect(of('grace periods')).toEqual(['WARN shorter than 30 s: demo-b/deaf (4 s)']);
    expect(of('grace asked for')).toEqual([
      expect.stringContaining('WARN 300 s is capped by the launcher pods of demo-a/db (at most 60 s), '),
    ]);
  });

  it('says that the CRD is not extended', async () => {
    const original = await simulate('--empty', '--crd', 'original');
    const { code, out, err } = await original.wukong('doctor');
    await original.close();
    expect([code, err]).toEqual([1, 'Looked at namespace default; -A looks at all.\n']);
    expect(out).toMatch(
      /^WARN +Wukongs +none in namespace default, .*; name another with -n, or look at all with -A$/m,
    );
    expect(out).not.toMatch(/ 0 running guests/);
    expect(out).toMatch(/^FAIL +CRDs +wukongs\.vm\.novasphere\.dev lacks .*; wukong crd patch$/m);
  });
});

describe('finding the cluster', () => {
  it('takes context, namespace and files as kubectl does', async () => {
    const other = readFileSync(sim.kubeconfig, 'utf8')
      .replaceAll('name: sim', 'name: other')
      .replace('cluster: sim', 'cluster: other\n      namespace: demo-b')
      .replace('user: sim', 'user: other')
      .replace('current-context: sim', 'current-context: other');
    const file = join(sim.folder, 'other');
    writeFileSync(file, other);
    const [named, option, list, flag] = await Promise.all([
      sim.wukong('state -o name --context other', { KUBECONFIG: `/nowhere:${sim.kubeconfig}:${file}` }),
      sim.wukong(`--kubeconfig ${file} state -o name`),
      sim.wukong('state -n demo-b -o name', { KUBECONFIG: `${sim.kubeconfig}:${file}` }),
      sim.wukong('state --context othr', { KUBECONFIG: `${sim.kubeconfig}:${file}` }),
    ]);
    expect(named.out.split('\n')).toContain('wukong.vm.novasphere.dev/deaf');
    expect([option.out, list.out]).toEqual([named.out, named.out]);
    expect([flag.code, flag.err]).toEqual([2, expect.stringContaining('expected sim or other; did you mean other?')]);
  });

  it('says in a sentence why there is none, and where that comes from with --debug', async () => {
    const dead = join(sim.folder, 'dead');
    writeFileSync(dead, readFileSync(sim.kubeconfig, 'utf8').replace(/127\.0\.0\.1:\d+/, '127.0.0.1:9'));
    const home = { HOME: sim.folder };
    const [none, missing, refused, debugged, doctor] = await Promise.all([
      sim.wukong('state', { KUBECONFIG: '', ...home }),
      sim.wukong('stop web', { KUBECONFIG: '/nowhere' }),
      sim.wukong('freeze', { KUBECONFIG: dead }),
      sim.wukong('state --kubeconfig /nowhere --debug'),
      sim.wukong('doctor', { KUBECONFIG: dead }),
    ]);
    for (const { code, out, err } of [none, missing, refused]) {
      expect([code, out]).toEqual([1, '']);
      expect(err).not.toMatch(/^ +at /m);
    }
    expect(none.err).toContain('wukong state: no cluster is configured: no --kubeconfig, no $KUBECONFIG, no ');
    expect(missing.err).toContain('wukong stop: kubeconfig: $KUBECONFIG names /nowhere, which is not there');
    expect(refused.err).toContain('https://127.0.0.1:9: nothing listens there (ECONNREFUSED); check address and port');
    expect(debugged.err).toMatch(/^ +at /m);
    expect(debugged.err).toContain('kubeconfig: --kubeconfig names /nowhere, which is not there');
    expect([doctor.code, doctor.out]).toEqual([
      1,
      expect.stringMatching(/^FAIL +cluster +https:\/\/127\.0\.0\.1:9: nothing listens/),
    ]);
  });
});

describe('a password in the address of the server', () => {
  it.each(['doctor', 'doctor -o json', 'state', 'state -v'])('is not told by %s', async (command) => {
    const { server } = /server: (?<server>\S+)/.exec(readFileSync(sim.kubeconfig, 'utf8'))!.groups!;
    for (const address of [server!, 'https://127.0.0.1:1', 'https://no host'])
      for (const secret of ['admin:hunter2@', 'hunter2@']) {
        const { out, err } = await sim.wukong(
          `${command} -s ${address.replace('//', `//${secret}`).replace(' ', '_')}`,
        );
        expect(`${out}${err}`).not.toContain('hunter2');
        expect(`${out}${err}`).not.toBe('');
      }
  });
});
