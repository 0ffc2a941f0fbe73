import { readFileSync } from 'node:fs';

import { afterEach, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';

import { parseCommand } from '../../shared/domain/command.ts';
import type { KubeObject, Wukong } from '../../shared/domain/model.ts';
import { performOne } from '../../shared/lifecycle/perform.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import { boundaries } from '../../shared/schedule/calendar.ts';
import { checkSchedule, type WukongSchedule } from '../../shared/schedule/schedule.ts';
import { wallToInstant } from '../../shared/time/zone.ts';
import { VirtualClock } from '../../sim/clock.ts';
import { type Sim, startSim } from '../../sim/sim.ts';
import { clientOf } from '../sim/client.ts';
import { worldOn } from './scene.ts';

/** The worked examples of the page: each yaml is applied as by kubectl, and each row of its table is lived through. */
const page = readFileSync('docs/schedules.md', 'utf8');
const section = page.slice(page.indexOf('## Examples'), page.indexOf('## `wukong plan`'));
const examples = section
  .split(/^### /m)
  .slice(1)
  .map((text) => ({
    title: text.slice(0, text.indexOf('\n')),
    objects: [...text.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].flatMap(([, yaml = '']) =>
      parseAllDocuments(yaml).map((one) => one.toJS() as KubeObject & { apiVersion: string; kind: string; spec: Spec }),
    ),
    rows: text
      .split('\n')
      .filter((line) => /^\| \d/.test(line))
      .map((line) => {
        const [time = '', before = '', state = ''] = line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim());
        return { time, before, state };
      }),
  }));

interface Spec {
  timeZone: string;
  selector?: { matchLabels: Record<string, string> };
}
const [namespace, name] = ['dev', 'db'];
const annotation = (key: string) => `lifecycle.novasphere.dev/${key}`;

const open: Sim[] = [];
afterEach(() => Promise.all(open.splice(0).map((sim) => sim.close())));

/** A cluster whose clock begins at this instant. */
async function ground(from: number) {
  const clock = new VirtualClock(from);
  const sim = await startSim({ clock });
  open.push(sim);
  const world = await worldOn(sim, clock);
  delete world.bus;
  const run = <T>(work: Promise<T> | (() => Promise<T>)) => clock.run(work, { sims: [sim] });
  const pass = (ms: number) =>
    clock.run(new Promise<void>((resolve) => clock.after(ms, resolve)), { sims: [sim], limitMs: ms + 1_000 });
  return { clock, sim, world, run, pass };
}
type Ground = Awaited<ReturnType<typeof ground>>;

/** What somebody does before a row, as the page writes it. */
async function doing(at: Ground, before: string): Promise<void> {
  const [, key = '', value] = /^`(keep-[\w-]+?|freezeUntil)(?:=(\S+)|-)`$/.exec(before) ?? [];
  const lease = /`leaseSeconds: (\d+)`/.exec(before)?.[1];
  if (key === 'freezeUntil') {
    const metadata = { namespace: 'wukong-lifecycle', name: 'wukong-lifecycle' };
    const data = { freezeUntil: value };
    if (at.sim.get('configmaps', metadata.namespace, metadata.name))
      at.sim.change<{ data: object }>('configmaps', metadata.namespace, metadata.name, (map) => (map.data = data));
    else at.sim.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data });
  } else if (key)
    at.sim.change<Wukong>('wukongs', namespace, name, ({ metadata }) => {
      metadata.annotations = { ...metadata.annotations, [annotation(key)]: value ?? '' };
      if (value === undefined) delete metadata.annotations[annotation(key)];
    });
  else if (lease) {
    const origin = {
      action: 'start',
      trigger: 'direct',
      requestId: `d-${at.clock.now()}`,
      requestedAt: at.clock.now(),
    } as const;
    const command = parseCommand({ target: { namespace, name }, leaseSeconds: Number(lease) }, origin);
    await performOne(command, { namespace, name }, at.world, { limits: { deadline: at.clock.now() + 50_000 } });
  } else if (/^`(start|stop)` by hand$/.test(before))
    at.sim.change<KubeObject & { spec: { runStrategy: string } }>('virtualmachines', namespace, `${name}-vm`, (vm) => {
      vm.spec.runStrategy = before.startsWith('`start') ? 'Always' : 'Halted';
    });
  else throw new Error(`nobody knows what "${before}" is`);
}

const pass = (at: Ground, until: number) =>
  until > at.clock.now() ? at.pass(until - at.clock.now()) : Promise.resolve();
/** Two, as VMs that change between two looks have their say at the second. */
async function ticks(at: Ground): Promise<void> {
  for (let i = 0; i < 2; i++) {
    await at.run(reconcile(at.world, { deadline: at.clock.now() + 25_000 }));
    await at.pass(5_000);
  }
}
const stateOf = (at: Ground) =>
  at.sim.get('virtualmachineinstances', namespace, `${name}-vm`) === undefined ? 'off' : 'on';

it('are on the page', () => {
  expect(examples.length).toBeGreaterThanOrEqual(15);
  for (const { title, objects, rows } of examples)
    expect([title, objects.length > 0, rows.length > 1]).toEqual([title, true, true]);
});

it.each(examples)('$title', { timeout: 60_000 }, async ({ objects, rows }) => {
  const zone = checkSchedule(objects[0] as WukongSchedule).schedule!.zone;
  const instant = (time: string) => wallToInstant(zone, Date.parse(`${time.replace(' ', 'T')}:00Z`)).at;
  const [first, ...rest] = rows;
  const at = await ground(instant(first!.time) - 120_000);
  const labels = Object.assign({}, ...objects.map(({ spec }) => spec.selector?.matchLabels ?? {})) as Record<
    string,
    string
  >;
  at.sim.createWukong({ namespace, name, labels, runStrategy: first!.state === 'on' ? 'Always' : 'Halted' });
  for (const object of objects) {
    const plural = `${object.kind.toLowerCase()}s`;
    const where = object.metadata.namespace ? `namespaces/${object.metadata.namespace}/${plural}` : plural;
    const { status } = await at.run(
      clientOf(at.sim).send('POST', `/apis/${object.apiVersion}/${where}`, { body: object }),
    );
    expect(status).toBe(201);
  }
  await pass(at, instant(first!.time));
  await ticks(at);
  for (const { time, before, state } of rest) {
    const to = instant(time);
    const away = before === 'the functions were away';
    const between = objects.flatMap((one) => {
      const { schedule } = checkSchedule(one as WukongSchedule);
      return schedule && !away ? boundaries(schedule, at.clock.now(), to - 60_000).map((boundary) => boundary.at) : [];
    });
    for (const boundary of [...new Set(between)].sort((a, b) => a - b)) {
      await pass(at, boundary);
      await ticks(at);
    }
    await pass(at, to);
    if (before && !away) {
      await at.run(() => doing(at, before));
      await at.pass(10_000);
    }
    await ticks(at);
    expect([time, stateOf(at)]).toEqual([time, state]);
  }
});
