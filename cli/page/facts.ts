import { lifecycleStateOf } from '../../shared/domain/lifecycleState.ts';
import type { Annotations, Wukong } from '../../shared/domain/model.ts';
import { leaseKey } from '../../shared/domain/operation.ts';
import type { Facts } from '../../shared/schedule/decide.ts';
import { overrideKeys } from '../../shared/schedule/override.ts';
import type { Period } from './course.ts';
import { type Sources } from './sources.ts';

const keys: string[] = [...Object.values(overrideKeys), leaseKey];

const only = (annotations: Annotations = {}): Annotations =>
  Object.fromEntries(keys.flatMap((key) => (annotations[key] === undefined ? [] : [[key, annotations[key]]])));

const createdAtOf = ({ metadata }: Wukong): number => Date.parse(metadata.creationTimestamp ?? '') || 0;

/** When the page is made, and when what it shows begins. */
type Beginning = Pick<Period, 'from'> & { now: number };

/** A plan that begins now begins with what is so, where the status tells it. */
const powerOf = (wukong: Wukong, { from, now }: Beginning): Facts['power'] =>
  from === now ? ({ Running: 'on', Stopped: 'off' } as const)[lifecycleStateOf(wukong)?.state as 'Running'] : undefined;

export const factsOf = (wukong: Wukong, { namespaces, freezeUntil }: Sources, asked: Beginning): Facts => ({
  name: `${wukong.metadata.namespace}/${wukong.metadata.name}`,
  createdAt: createdAtOf(wukong),
  wukongAnnotations: only(wukong.metadata.annotations),
  namespaceAnnotations: only(namespaces.get(wukong.metadata.namespace ?? '')),
  freezeUntil,
  power: powerOf(wukong, asked),
});

/** Today's overrides say nothing of last week: what they held back then is in the records. */
export const pastFactsOf = (wukong: Wukong): Facts => ({
  name: `${wukong.metadata.namespace}/${wukong.metadata.name}`,
  createdAt: createdAtOf(wukong),
});
