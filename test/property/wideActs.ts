import type { KubeObject, Wukong } from '../../shared/domain/model.ts';
import { targets } from './history.ts';
import type { WideHistory, WideSchedule, WideStep } from './wideHistory.ts';
import { minuteMs, type WideLife } from './wideLife.ts';
import type { Span, Version } from './wideModel.ts';
import { edited, guests, specOf } from './wideSpec.ts';

const prefix = 'lifecycle.novasphere.dev/';
/** Somebody asked for it. */
export interface Asked {
  step: WideStep;
  at: number;
  /** Indices of Wukongs. */
  whom: number[];
  id?: string;
}

export const nameOf = (index: number): string => `vm-${index}`;

/** Makes what a history begins with, does what its steps say, and remembers what was so from when to when. */
export class WideActs {
  readonly asked: Asked[] = [];
  readonly versions: Version[] = [];
  readonly spans: Span[] = [];
  readonly #history: WideHistory;
  readonly #life: WideLife;
  readonly #begin: number;

  constructor(history: WideHistory, life: WideLife, begin: number) {
    this.#history = history;
    this.#life = life;
    this.#begin = begin;
  }

  furnish() {
    const { wukongs, schedules } = this.#history;
    wukongs.forEach((_, index) => this.#make(index, 'first'));
    schedules.forEach((spec, index) => this.#makeSchedule(index, spec));
  }

  #make(index: number, when: 'first' | 'again') {
    const { sim, clock } = this.#life;
    const one = this.#history.wukongs[index]!;
    const { env } = this.spans.findLast((span) => span.index === index) ?? one;
    const made = sim.createWukong<Wukong>({
      ...{ namespace: one.space, name: nameOf(index), runStrategy: one.on ? 'Always' : 'Halted' },
      ...{ guest: guests[one.guest], labels: { env }, terminationGracePeriodSeconds: 10 },
      annotations: {
        [`${prefix}wave`]: String(one.wave),
        ...(one.protected ? { [`${prefix}protected`]: 'true' } : {}),
      },
    });
    const from = when === 'first' ? -Infinity : clock.now();
    this.spans.push({ index, env, from, to: Infinity, uid: made.metadata.uid ?? '' });
  }

  #makeSchedule(index: number, spec: WideSchedule) {
    const { sim, clock } = this.#life;
    const { uid = '' } = sim.create<KubeObject>({
      apiVersion: 'vm.novasphere.dev/v1alpha1',
      kind: spec.space === 'cluster' ? 'ClusterWukongSchedule' : 'WukongSchedule',
      metadata: { name: `plan-${index}`, ...(spec.space === 'cluster' ? {} : { namespace: spec.space }) },
      spec: specOf(spec, this.#begin),
    }).metadata;
    this.versions.push({ index, spec, from: clock.now(), to: Infinity, made: true, uid });
  }

  act(step: WideStep) {
    const { sim, clock, witness } = this.#life;
    const now = clock.now();
    const whom = this.#whom(step);
    const asked: Asked = { step, at: now, whom };
    this.asked.push(asked);
    if ('of' in step && step.do !== 'edit' && whom.length === 0) return;
    const [index = 0] = whom;
    const [namespace, name] = [this.#history.wukongs[index]!.space, nameOf(index)];
    const change = (edit: (wukong: Wukong) => void) => sim.change('wukongs', namespace, name, edit);
    const annotate = (key: string, value: string) =>
      change(({ metadata }) => void (metadata.annotations = { ...metadata.annotations, [prefix + key]: value }));
    switch (step.do) {
      case 'ask':
        asked.id = this.#ask(step, index);
        return;
      case 'fleet': {
        const detail = { target: { selector: `env=${step.env}` }, maxInFlight: step.maxInFlight };
        const all = sim.list<Wukong>('wukongs').filter(({ metadata }) => metadata.labels?.['env'] === step.env);
        asked.id =
          step.via === 'cli' ? this.#life.cli(step.action, detail, all) : this.#life.event(step.action, detail);
        return;
      }
      case 'keep':
        annotate(`keep-${step.state}-until`, new Date(now + step.minutes * minuteMs).toISOString());
        return;
      case 'skipNext':
        annotate('skip-next', 'true');
        return;
      case 'edit':
        return this.#edit(step);
      case 'recreate':
        sim.remove('wukongs', namespace, name);
        this.#end(this.spans, index, now);
        this.#life.launch(this.#again(index));
        return;
      case 'relabel': {
        const env = this.spans.findLast((span) => span.index === index)!.env === 'dev' ? 'prod' : 'dev';
        this.#end(this.spans, index, now);
        const { metadata } = change(({ metadata }) => void (metadata.labels = { ...metadata.labels, env })) as Wukong;
        this.spans.push({ index, env, from: now, to: Infinity, uid: metadata.uid ?? '' });
        return;
      }
      case 'hand':
        sim.change<{ spec: object }>('virtualmachines', namespace, `${name}-vm`, (vm) => {
          vm.spec = { ...vm.spec, runStrategy: step.strategy };
        });
        return;
      case 'guest':
        if (witness.look().get(`${namespace}/${name}`)?.power === 'on')
          sim.change<{ status?: object }>('virtualmachineinstances', namespace, `${name}-vm`, (vmi) => {
            vmi.status = { ...vmi.status, phase: 'Failed' };
          });
        return;
      case 'fault': {
        const { target, nth, times, harm } = step;
        const watch = harm.kind === 'expireWatch' || harm.kind === 'cutWatch';
        sim.faults.add({ when: { path: targets[target], from: nth, ...(watch ? { watch } : {}) }, times, does: harm });
        return;
      }
      case 'away':
        if (step.what === 'apiServer') return sim.faults.restart(step.seconds * 1000);
        sim.faults.virtApiDown(true);
        clock.after(step.seconds * 1000, () => sim.faults.virtApiDown(false));
        return;
      case 'tick':
        return this.#life.launch(this.#life.tick({ dies: step.dies }));
      case 'kill':
        return this.#life.killServer();
      default:
        throw new Error(`unknown step ${JSON.stringify(step satisfies never)}`);
    }
  }

  /** Those that are there, of those it is for. */
  #whom(step: WideStep): number[] {
    const { wukongs } = this.#history;
    const there = (index: number) => {
      const { space } = wukongs[index]!;
      const wukong = this.#life.sim.get<Wukong>('wukongs', space, nameOf(index));
      const vm = this.#life.sim.get('virtualmachines', space, `${nameOf(index)}-vm`);
      return wukong !== undefined && wukong.metadata.deletionTimestamp === undefined && vm !== undefined;
    };
    if (step.do === 'fleet')
      return this.spans.flatMap(({ index, env, to }) =>
        to === Infinity && env === step.env && there(index) ? [index] : [],
      );
    if (!('of' in step) || step.do === 'edit') return [];
    const index = step.of % wukongs.length;
    return there(index) ? [index] : [];
  }

  #ask({ via, action, force }: Extract<WideStep, { do: 'ask' }>, index: number): string {
    const { sim } = this.#life;
    const { space: namespace } = this.#history.wukongs[index]!;
    const name = nameOf(index);
    const hard = action === 'stop' && force ? { force } : {};
    if (via === 'event') return this.#life.event(action, { target: { namespace, name }, ...hard });
    if (via === 'cli')
      return this.#life.cli(action, { target: { namespace, name } }, [sim.get<Wukong>('wukongs', namespace, name)!]);
    const { metadata } = sim.change<Wukong>('wukongs', namespace, name, (wukong) => {
      wukong.spec = { ...wukong.spec, lifecycleAction: { action, ...hard } };
    });
    return `declared:${metadata.uid}.${metadata.generation}`;
  }

  /** After two minutes, if what was there before is gone. */
  async #again(index: number) {
    await this.#life.sleep(2 * minuteMs);
    const { sim } = this.#life;
    const { space } = this.#history.wukongs[index]!;
    if (!sim.get('wukongs', space, nameOf(index)) && !sim.get('virtualmachines', space, `${nameOf(index)}-vm`))
      this.#make(index, 'again');
  }

  #edit({ of, edit }: Extract<WideStep, { do: 'edit' }>) {
    const { sim, clock } = this.#life;
    const now = clock.now();
    const version = this.versions.findLast(({ index, to }) => index === of && to === Infinity);
    if (!version) return;
    const { spec, uid } = version;
    const { space } = spec;
    const [plural, namespace, name] = [
      ...(space === 'cluster' ? (['clusterwukongschedules', ''] as const) : (['wukongschedules', space] as const)),
      `plan-${of}`,
    ];
    if (edit === 'delete' || edit === 'recreate') {
      sim.remove(plural, namespace, name);
      version.to = now;
      if (edit === 'recreate') clock.after(70_000, () => this.#makeSchedule(of, spec));
      return;
    }
    const changed = edited(spec, edit);
    if (JSON.stringify(changed) === JSON.stringify(spec)) return;
    sim.change<{ spec: object }>(
      plural,
      namespace,
      name,
      (object) => void (object.spec = specOf(changed, this.#begin)),
    );
    version.to = now;
    this.versions.push({ index: of, spec: changed, from: now, to: Infinity, made: false, uid });
  }

  #end(all: { index: number; to: number }[], index: number, at: number) {
    for (const one of all) if (one.index === index && one.to === Infinity) one.to = at;
  }
}
