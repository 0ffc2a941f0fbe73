import type { Annotations, KubeObject } from '../domain/model.ts';
import { leaseKey } from '../domain/operation.ts';
import { zoneKey } from '../schedule/defaultZone.ts';
import { overrideKeys } from '../schedule/override.ts';
import { waveKey } from '../schedule/wave.ts';

const ownKeys = new Set<string>([...Object.values(overrideKeys), leaseKey, waveKey, zoneKey]);
const ours = (annotations: Annotations = {}): Annotations =>
  Object.fromEntries(Object.entries(annotations).filter(([key]) => ownKeys.has(key)));

/**
 * What schedules depend on, of one of them, a Wukong or a namespace: as long as it is the same, nothing is to be decided
 * anew. A Wukong's generation, which also counts what is declared on it, is none of it; a schedule has its kind.
 */
export function weightOf(object: KubeObject | undefined): string {
  const { uid, generation, labels, annotations } = object?.metadata ?? {};
  return JSON.stringify(object && [uid, object.kind && generation, labels, ours(annotations)]);
}

/** Of a namespace what overrides and chooses it; other annotations may be large and change all the time. */
export const ownPart = ({ metadata: { name, labels, annotations } }: KubeObject): KubeObject => ({
  metadata: { name, ...(labels && { labels }), annotations: ours(annotations) },
});
