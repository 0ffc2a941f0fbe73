import { HTTP } from 'cloudevents';

import { invalid, requestedType } from '../domain/command.ts';
import type { Action } from '../domain/outcome.ts';

/** The types of CloudEvents that are understood; their data is a Command. */
export const eventTypes: Record<string, Action> = {
  'dev.novasphere.wukong.start': 'start',
  'dev.novasphere.wukong.stop': 'stop',
};

const idLength = 256;

/**
 * One CloudEvent of an HTTP request, binary or structured, as the event of a bus that `parseTrigger` reads. Source and
 * id together name it, so that a second delivery is the same request.
 * @throws LifecycleError InvalidAction for what is none, a batch, or of a type that nobody knows.
 */
export function eventIn(headers: Record<string, string | string[] | undefined>, body: string): EventRead {
  let read: unknown;
  try {
    read = HTTP.toEvent({ headers, body });
  } catch (wrong) {
    throw invalid([
      `event: expected a CloudEvent 1.0, binary or structured: ${(wrong as Error).message.slice(0, 200)}`,
    ]);
  }
  if (Array.isArray(read)) throw invalid(['event: expected one CloudEvent, not a batch']);
  const { type, source, id, time, data, specversion } = read as Record<string, unknown>;
  const action = typeof type === 'string' && Object.hasOwn(eventTypes, type) ? eventTypes[type] : undefined;
  const problems = [
    ...(specversion === '1.0' ? [] : ['specversion: expected 1.0']),
    ...(typeof id === 'string' && id !== '' ? [] : ['id: expected one']),
    ...(typeof source === 'string' && source !== '' ? [] : ['source: expected one']),
    ...(action
      ? []
      : [`type: expected ${Object.keys(eventTypes).join(' or ')}, not ${JSON.stringify(type)?.slice(0, 100)}`]),
  ];
  if (problems.length > 0 || !action) throw invalid(problems);
  const identity = `${String(source)}#${String(id)}`;
  if (identity.length > idLength) throw invalid([`id: expected at most ${idLength} characters together with source`]);
  return { action, event: { 'detail-type': requestedType[action], id: identity, time, detail: data } };
}

export interface EventRead {
  action: Action;
  event: object;
}
