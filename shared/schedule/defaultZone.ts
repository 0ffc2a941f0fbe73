import { annotationPrefix, type Annotations } from '../domain/model.ts';

/** On a namespace: the zone of its schedules that name none. */
export const zoneKey = `${annotationPrefix}time-zone`;

/** The zone of a schedule that names none, and whose word that is. */
export interface DefaultZone {
  name: string;
  from: string;
}

/** The namespace's annotation, else DEFAULT_TIME_ZONE; undefined: UTC. */
export function defaultZoneIn(
  annotations: Annotations | undefined,
  configured: string | undefined,
): DefaultZone | undefined {
  const own = annotations?.[zoneKey];
  if (own !== undefined) return { name: own, from: `annotation ${zoneKey} on the namespace` };
  return configured === undefined ? undefined : { name: configured, from: 'DEFAULT_TIME_ZONE' };
}
