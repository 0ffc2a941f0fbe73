import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { simulate, type Simulated } from './simulated.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
let sim: Simulated;
beforeAll(async () => {
  sim = await simulate();
});
afterAll(() => sim.close());

const own = '/apis/vm.novasphere.dev/v1alpha1/namespaces/demo-a';
const prefix = 'lifecycle.novasphere.dev/';
const annotationsOf = async (name: string) => {
  const { body } = await sim.api('GET', `${own}/wukongs/${name}`);
  const { annotations = {} } = (body as { metadata: { annotations?: Record<string, string> } }).metadata;
  return Object.fromEntries(Object.entries(annotations).map(([key, value]) => [key.replace(prefix, ''), value]));
};

/** A ConfigMap that schedules may use. */
const labels = { 'lifecycle.novasphere.dev/holidays': 'true' };

describe('wukong keep, skip-next and protect', () => {
  it('writes the annotation, and takes the other one away', async () => {
    const until = new Date(Date.now() + 86_400_000).toISOString().replace(/\.\d+Z/, 'Z');
    expect(await sim.wukong(`keep web batch running --until ${until} -n demo-a`)).toEqual({
      code: 0,
      out: expect.stringMatching(`^demo-a/web: kept running until ${until} \\(.*\\)\ndemo-a/batch: kept running`),
      err: 'note: no schedule selects demo-a/batch, demo-a/web: this holds back only what people and events ask for\n',
    });
    expect(await annotationsOf('batch')).toMatchObject({ 'keep-running-until': until });
    await sim.wukong('keep -l start=on-demand -A stopped --for 3h');
    const kept = await annotationsOf('batch');
    expect(kept).not.toHaveProperty('keep-running-until');
    expect(Date.parse(kept['keep-stopped-until'] ?? '') - Date.now()).toBeGreaterThan(3_500_000);
    expect((await sim.wukong('start batch -n demo-a')).out).toMatch(/^demo-a\/batch +Skipped \(Override\)/);
    await sim.wukong('keep web batch --clear -n demo-a');
    expect(await annotationsOf('batch')).not.toHaveProperty('keep-stopped-until');
  });

  it('says of one that is off now how it is switched on, as keeping switches nothing', async () => {
    await sim.wukong('reconcile --once');
    const { out } = await sim.wukong('keep web batch running --for 1h -n demo-a');
    expect(out).toMatch(
      /^demo-a\/web: .*\(1h\)\ndemo-a\/batch: .*\(1h\); it is Stopped now: wukong start batch -n demo-a\n$/,
    );
    await sim.wukong('keep web batch --clear -n demo-a');
  });

  it('marks and unmarks', async () => {
    await Promise.all([sim.wukong('protect import -n demo-a'), sim.wukong('skip-next import -n demo-a')]);
    expect(await annotationsOf('import')).toMatchObject({ protected: 'true', 'skip-next': 'true' });
    expect((await sim.wukong('stop import -n demo-a')).code).toBe(4);
    const [json, wide] = await Promise.all([
      sim.wukong('state import -n demo-a -o json'),
      sim.wukong('state -n demo-a -o wide'),
    ]);
    expect(JSON.parse(json.out)).toMatchObject({ overrides: { protected: 'true', 'skip-next': 'true' } });
    expect(wide.out).toMatch(/^import .* skip-next, protected /m);
    await Promise.all([sim.wukong('protect import --off -n demo-a'), sim.wukong('skip-next import --off -n demo-a')]);
    expect(Object.keys(await annotationsOf('import'))).not.toEqual(expect.arrayContaining(['protected', 'skip-next']));
  });

  it('minds an override on the namespace', async () => {
    const annotate = (value: string | null) =>
      sim.api('PATCH', '/api/v1/namespaces/demo-a', { metadata: { annotations: { [`${prefix}protected`]: value } } });
    await annotate('true');
    expect((await sim.wukong('stop web -n demo-a')).out).toMatch(
      /^demo-a\/web +Skipped \(Protected\) .*on the namespace/,
    );
    await annotate(null);
  });
});

describe('wukong freeze', () => {
  const configMap = (namespace: string, name: string) => `/api/v1/namespaces/${namespace}/configmaps/${name}`;
  const remove = (namespace: string, name: string) => sim.api('DELETE', configMap(namespace, name));
  const install = (namespace: string, data: Record<string, string>) =>
    sim.api('POST', `/api/v1/namespaces/${namespace}/configmaps`, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'wukong-lifecycle-config', labels: { 'app.kubernetes.io/name': 'wukong-lifecycle' } },
      data,
    });

  it('works where nothing was made for it, says who obeys, and lets go', async () => {
    const obeyed = 'Obeyed by functions and by wukong reconcile where LIFECYCLE_NAMESPACE is wukong-lifecycle';
    expect((await sim.wukong('freeze')).out).toMatch(`Not frozen.\n${obeyed}`);
    expect((await sim.wukong('freeze --for 2d')).out).toMatch(/^Frozen until 2\S+Z \(2d\)\.\nObeyed by functions/);
    expect((await sim.wukong('freeze')).out).toMatch(/^Frozen until 2\S+Z\.\n/);
    expect((await sim.api('GET', configMap('wukong-lifecycle', 'wukong-lifecycle'))).status).toBe(200);
    const shorter = await sim.wukong('freeze --for 1h');
    expect(shorter.err).toMatch(/^note: it was frozen until 2\S+Z before$/m); // of somebody else, perhaps
    const lifted = await sim.wukong('freeze --off');
    expect(lifted.out).toMatch(/^Schedules act again\.\n/);
    expect(lifted.err).toMatch(/^note: it was frozen until 2\S+Z before$/m);
    expect((await sim.wukong('freeze')).out).toMatch(/^Not frozen\.\n/);
  });

  it('fails for a namespace that no tick reads, and writes nothing', async () => {
    const { code, err, out } = await sim.wukong('freeze --for 1h -n default');
    expect([code, out, err]).toEqual([1, '', expect.stringContaining('no tick reads a freeze in namespace default')]);
    expect((await sim.api('GET', configMap('default', 'wukong-lifecycle'))).status).toBe(404);
    // Functions elsewhere that are told to look there do.
    const told = await sim.wukong('freeze --for 1h', { LIFECYCLE_NAMESPACE: 'default' });
    expect([told.code, told.out]).toEqual([0, expect.stringContaining('where LIFECYCLE_NAMESPACE is default')]);
    await remove('default', 'wukong-lifecycle');
  });

  it('goes where the installation of a team looks, and so does a plan by hand', async () => {
    await install('demo-b', { LIFECYCLE_NAMESPACE: 'demo-b', WATCH_NAMESPACES: 'demo-b' });
    const { out } = await sim.wukong('freeze --for 2d');
    expect(out).toContain('Obeyed by the installation in demo-b, which looks at demo-b.');
    expect((await sim.api('GET', configMap('demo-b', 'wukong-lifecycle'))).status).toBe(200);
    expect((await sim.wukong('freeze')).out).toMatch(/^Frozen until/);
    const schedules = '/apis/vm.novasphere.dev/v1alpha1/namespaces/demo-b/wukongschedules';
    const spec = { stop: '0 20 * * *', selector: { matchLabels: { no: 'one' } } };
    const [apiVersion, kind] = ['vm.novasphere.dev/v1alpha1', 'WukongSchedule'];
    await sim.api('POST', schedules, { apiVersion, kind, metadata: { name: 'night' }, spec });
    expect((await sim.wukong('plan -n demo-b --json')).out).toMatch(/"skip","note":"frozen until/);
    await sim.api('DELETE', `${schedules}/night`);
    expect((await sim.wukong('freeze -n demo-b --off')).code).toBe(0);
  });

  it('takes the default where several installations are there, and names the others; else asks', async () => {
    await install('demo-a', { LIFECYCLE_NAMESPACE: 'wukong-lifecycle' });
    const both = await sim.wukong('freeze --for 2d');
    expect(both.out).toContain('Obeyed by the installation in demo-a, which looks at all namespaces.');
    expect(both.err).toContain('note: the installation in demo-b reads demo-b, so this is not for it');
    await remove('demo-a', 'wukong-lifecycle-config');
    await install('demo-a', { LIFECYCLE_NAMESPACE: 'demo-a' });
    const unclear = await sim.wukong('freeze --for 2d');
    expect([unclear.code, unclear.err]).toEqual([1, expect.stringContaining('more than one place may be meant')]);
    for (const namespace of ['demo-a', 'demo-b']) await remove(namespace, 'wukong-lifecycle-config');
    await sim.wukong('freeze --off');
  });
});

describe('a bad schedule', () => {
  it('has a line in doctor, state and reconcile', async () => {
    const bad = {
      apiVersion: 'vm.novasphere.dev/v1alpha1',
      kind: 'WukongSchedule',
      metadata: { namespace: 'demo-a', name: 'six' },
      spec: {
        timeZone: 'Europe/London',
        stop: '0 20 * * 1-5',
        selector: { matchLabels: { start: 'on-demand' } },
        holidays: { configMapRef: { name: 'free' } },
      },
    };
    const metadata = { name: 'free', namespace: 'demo-a', labels };
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata };
    const text = { holidays: '2026-12-25 Christmas\nsecret\n' };
    await sim.api('POST', '/api/v1/namespaces/demo-a/configmaps', { ...map, data: text });
    await sim.api('POST', `${own}/wukongschedules`, bad);
    const line = 'schedule demo-a/six: InvalidHoliday: spec.holidays.configMapRef: ConfigMap free, holidays, line 2';
    const [doctor, state, tick] = [
      await sim.wukong('doctor -A'),
      await sim.wukong('state -n demo-a'),
      await sim.wukong('reconcile --once'),
    ];
    expect(doctor.out).toMatch(new RegExp(`^WARN +schedules +${line}`, 'm'));
    expect(doctor.out).toMatch(/^(OK|WARN) +time zones +.*2026f/m);
    expect([state.err, tick.err, tick.code]).toEqual([expect.stringContaining(line), expect.stringContaining(line), 0]);
    const json = await sim.wukong('reconcile --once -o json');
    expect(JSON.parse(json.out)).toMatchObject({ problems: [], schedules: [expect.stringContaining(line)] });
    expect([doctor, state, tick, json].map(({ out, err }) => out + err).join('')).not.toContain('secret');
    await sim.api('DELETE', `${own}/wukongschedules/six`);
  });
});

describe('wukong plan and reconcile on a cluster', () => {
  const schedule = {
    apiVersion: 'vm.novasphere.dev/v1alpha1',
    kind: 'WukongSchedule',
    metadata: { namespace: 'demo-a', name: 'night' },
    spec: {
      timeZone: 'Europe/Berlin',
      stop: '0 20 * * *',
      selector: { matchLabels: { start: 'on-demand' } },
      holidays: { configMapRef: { name: 'feasts' } },
    },
  };

  it('shows what its schedules will do', async () => {
    const data = { holidays: '2026-12-25\n' };
    const metadata = { name: 'feasts', namespace: 'demo-a', labels };
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
    expect((await sim.api('POST', '/api/v1/namespaces/demo-a/configmaps', map)).status).toBe(201);
    expect((await sim.api('POST', `${own}/wukongschedules`, schedule)).status).toBe(201);
    const span = '--from 2027-03-27 --to 2027-03-29 --json';
    const [here, all, elsewhere] = await Promise.all([
      sim.wukong(`plan -n demo-a ${span}`),
      sim.wukong(`plan -A ${span}`),
      sim.wukong(`plan -n demo-b ${span}`),
    ]);
    expect(here.err).toBe('');
    expect(
      here.out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as object),
    ).toMatchObject([
      { at: '2027-03-27T19:00:00Z', action: 'stop', schedule: 'demo-a/night' },
      { at: '2027-03-28T18:00:00Z', action: 'stop', schedule: 'demo-a/night' },
    ]);
    expect([all.out, elsewhere.out]).toEqual([here.out, '']);
    expect(elsewhere.err).toBe('note: there is no WukongSchedule in namespace demo-b; -A looks at all\n');
  });

  it('does what a tick of reconcileState does', async () => {
    await sim.api('PATCH', `${own}/wukongs/web`, { spec: { lifecycleAction: { action: 'stop' } } });
    const { code, out, err } = await sim.wukong('reconcile --once -n demo-a');
    expect([code, out]).toEqual([0, expect.stringMatching(/^demo-a\/web +Stopped/)]);
    expect(err).toMatch(/ 5 Wukongs: 1 outcome, /);
    const next = JSON.parse((await sim.wukong('state batch -n demo-a -o json')).out) as object;
    expect(next).toMatchObject({
      nextAction: 'stop',
      nextActionTime: expect.stringMatching(/T1[89]:00:00Z$/) as string,
    });
    const quiet = JSON.parse((await sim.wukong('reconcile --once -o json')).out) as object;
    expect(quiet).toMatchObject({ wukongs: 8, problems: [] });
  });

  it('ticks every minute without --once, until Ctrl-C', async () => {
    const ticking = sim.start('reconcile');
    await ticking.says(/8 Wukongs: /);
    ticking.child.kill('SIGINT');
    expect((await ticking.done).code).toBe(130);
  });
});

describe('wukong events', () => {
  it('shows what was told, and follows', async () => {
    const following = sim.start('events -n demo-a --follow');
    await following.says(/^AGO +TYPE +REASON/);
    await sim.wukong('stop import -n demo-a');
    await following.says(/Normal +Stopped +import +stop \(cli, request cli:/);
    following.child.kill('SIGINT');
    expect((await following.done).code).toBe(130);
    const { out } = await sim.wukong('events import -n demo-a');
    expect(out.split('\n').filter((line) => / import /.test(line)).length).toBeGreaterThan(0);
    expect((await sim.wukong('events -n default')).err).toBe(
      'No Events on Wukongs in namespace default; -A looks in all.\n',
    );
    const [line = ''] = (await sim.wukong('events -A -o json')).out.split('\n');
    expect(JSON.parse(line)).toMatchObject({ involvedObject: { kind: 'Wukong' } });
  });
});
