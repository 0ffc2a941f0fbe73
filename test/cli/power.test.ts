import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { simulate, type Simulated } from './simulated.ts';

// Real processes and guests that take their time.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
let sim: Simulated;
beforeAll(async () => {
  sim = await simulate();
});
afterAll(() => sim.close());

interface State {
  name: string;
  state: string;
  operation?: { action: string };
  last?: { outcome: string; lastAction: string };
}
const stateOf = async (name: string, namespace: string) =>
  JSON.parse((await sim.wukong(`state ${name} -n ${namespace} -o json`)).out) as State;

describe('the embedded cluster of `wukong sim`', () => {
  it('has the eight Wukongs of the demo, those up that start by themselves', async () => {
    const { code, out, err } = await sim.start('state -A').done;
    expect([code, err]).toEqual([0, '']);
    const rows = out.split('\n').map((line) => line.split(/ {2,}/).slice(0, 3).join(' '));
    expect(rows[0]).toBe('NAMESPACE NAME STATE');
    expect(rows.slice(1, 6)).toEqual([
      'demo-a batch Stopped',
      'demo-a db Running',
      'demo-a import Running',
      'demo-a shop Running',
      'demo-a web Running',
    ]);
    expect(rows).toContain('demo-b deaf Running');
    expect(rows).toContain('demo-b huge Stopped');
    expect(out).not.toContain('\u001b');
  });
});

describe('wukong state', () => {
  it('takes a namespace, a selector and a form', async () => {
    const [names, yaml, wide] = await Promise.all([
      sim.wukong('state -n demo-a -l start=on-demand -o name'),
      sim.wukong('state db --namespace=demo-a -o yaml'),
      sim.wukong('-n demo-b state -o wide'),
    ]);
    expect(names.out).toBe('wukong.vm.novasphere.dev/batch\n');
    expect(yaml.out).toMatch(/^namespace: demo-a\nname: db\n(.*\n)*state: Running\n/);
    expect(wide.out).toMatch(/NAME .* VM .* STRATEGY .* NODE .* MESSAGE/);
    expect(wide.out).toMatch(/huge .* huge-vm +Halted/);
  });

  it('says that there are none, and that a name is wrong', async () => {
    const [none, wrong] = await Promise.all([sim.wukong('state -n default'), sim.wukong('state wbe -n demo-a')]);
    expect(none).toEqual({ code: 0, out: '', err: 'No Wukongs found in namespace default; -A looks in all.\n' });
    expect(wrong).toEqual({
      code: 1,
      out: '',
      err: 'wukong state: there is no Wukong wbe in namespace demo-a; did you mean web?\n',
    });
  });
});

describe('wukong stop and start', () => {
  it('stops by name and by selector, and tells each outcome and the worst in its exit code', async () => {
    const watching = sim.start('state -A -w');
    const dry = await sim.wukong('stop web -n demo-a --dry-run');
    expect([dry.code, dry.out]).toEqual([0, expect.stringMatching(/^demo-a\/web +Skipped \(DryRun\) .*Would stop/)]);
    const one = await sim.start('stop wukong/web shop -n demo-a --reason office_hours_are_over').done;
    expect(one.code).toBe(0);
    expect(one.out).toMatch(/^demo-a\/(web|shop) +Stopped +\d+\.\d s +The guest shut down by itself/);
    expect(one.err).toBe('2 VMs: 2 Stopped\n');
    await watching.says(/^demo-a +web +Stopped +stop +Stopped /);
    watching.child.kill('SIGINT');
    const watched = await watching.done;
    expect(watched.code).toBe(130);
    const seen = watched.out.split('\n').filter((line) => / crashy /.test(line));
    expect(seen.filter((line, i) => line === seen[i - 1])).toEqual([]); // it crashes all the time, and stays Starting
    const all = await sim.wukong('stop -A -l demo=yes');
    expect(all.code).toBe(4);
    expect(all.err).toContain('1 Skipped (Protected)');
    expect(all.out).toMatch(/demo-b\/deaf +ForcedOff \(GracePeriodExceeded\)/);
    expect(await stateOf('deaf', 'demo-b')).toMatchObject({ state: 'Stopped', last: { outcome: 'ForcedOff' } });
  });

  it('starts, and tells the cause and the next step of what failed', async () => {
    const all = await sim.wukong('start huge -n demo-b --timeout 2s');
    expect(all.code).toBe(1);
    expect(all.out).toMatch(/^demo-b\/huge +Failed \(Unschedulable\) .*Insufficient memory.*Free or add capacity/);
    const lease = await sim.wukong('start batch -n demo-a --lease 2h -o json');
    expect(lease.code).toBe(0);
    expect(JSON.parse(lease.out)).toMatchObject({
      action: 'start',
      counts: { Started: 1 },
      outcomes: [{ namespace: 'demo-a', name: 'batch', outcome: 'Started', trigger: 'cli', forced: false }],
    });
    const again = await sim.wukong('start batch -n demo-a -o name');
    expect(again).toEqual({ code: 0, out: 'wukong.vm.novasphere.dev/batch\n', err: '' });
  });

  it('does not wait with --wait=false; the same command again waits for that end', async () => {
    await sim.wukong('start web -n demo-a');
    const asked = await sim.wukong('stop web -n demo-a --wait=false');
    expect([asked.code, asked.out]).toEqual([3, expect.stringMatching(/^demo-a\/web +InProgress/)]);
    expect(asked.err).toContain('To wait for the end: the same command again.');
    const joined = await sim.wukong('stop web -n demo-a');
    expect([joined.code, joined.out]).toEqual([0, expect.stringMatching(/^demo-a\/web +Stopped/)]);
  });

  it('leaves a clean InProgress at Ctrl-C', async () => {
    await sim.wukong('start deaf -n demo-b');
    const stopping = sim.start('stop deaf -n demo-b --grace 30s');
    const watching = sim.start('state deaf -n demo-b -w -o json');
    await watching.says(/"state":"Stopping"/);
    watching.child.kill('SIGINT');
    stopping.child.kill('SIGINT');
    const { code, out, err } = await stopping.done;
    expect([code, out]).toEqual([3, expect.stringMatching(/^demo-b\/deaf +InProgress .*reconcileState goes on/)]);
    expect(err).toContain('To wait for the end: the same command again.');
    const left = await stateOf('deaf', 'demo-b');
    expect(left).toMatchObject({ operation: { action: 'stop' }, last: { lastAction: 'stop', outcome: 'InProgress' } });
    const forced = await sim.wukong('stop deaf -n demo-b --force');
    expect([forced.code, forced.out]).toEqual([0, expect.stringMatching(/^demo-b\/deaf +ForcedOff \(Requested\)/)]);
  });

  it('refuses more than --max-targets where nobody can be asked, unless --yes is given', async () => {
    const refused = await sim.start('stop -A -l demo=yes --max-targets 7').done;
    expect([refused.code, refused.out]).toEqual([2, '']);
    expect(refused.err).toContain('would stop 8 VMs in 2 namespaces, more than --max-targets 7: expected --yes');
    const agreed = await sim.wukong('stop -n demo-a -l start=on-demand --max-targets 0 --yes');
    expect([agreed.code, agreed.out]).toEqual([0, expect.stringMatching(/^demo-a\/batch +Stopped/)]);
  });

  it('finds no VM for a selector that matches none', async () => {
    const { code, out, err } = await sim.wukong('stop -A -l demo=never');
    expect([code, out, err]).toEqual([0, '', 'No Wukong matches; nothing was called.\n']);
  });
});
