import { HTTP } from 'cloudevents';

import { invalid, requestedType } from '../domain/command.ts';
import { isForging } from '../domain/oneLine.ts';
import type { Action } from '../domain/outcome.ts';

/** The types of CloudEvents that are understood; their data is a Command. */
export const eventTypes: Record<string, Action> = {
  'dev.novasphere.wukong.start': 'start',
  'dev.novasphere.wukong.stop': 'stop',
};

type Headers = Record<string, string | string[] | undefined>;
type Attributes = Record<string, unknown>;

const idLength = 256;
const structured = 'application/cloudevents+json';
const binding = `a CloudEvent: headers ce-specversion, ce-id, ce-source and ce-type, or content-type ${structured}`;

export interface EventRead {
  action: Action;
  event: object;
}

/**
 * One CloudEvent of an HTTP request, binary or structured, as the event of a bus that `parseTrigger` reads. Source and
 * id together name it, so that a second delivery is the same request.
 * @throws LifecycleError InvalidAction for what is none, a batch, or of a type that nobody knows.
 */
export function eventIn(headers: Headers, body: string): EventRead {
  const type = String(headers['content-type'] ?? '').toLowerCase(); // the SDK takes it as it stands
  const isStructured = type.startsWith(structured);
  if (type.startsWith('application/cloudevents') && !isStructured)
    throw invalid([
      `event: expected ${structured}, not ${type.replace(/;.*/s, '').slice(0, 100)}: one event, no batch`,
    ]);
  const given = isStructured ? objectIn(body) : headersOf(headers);
  const { specversion, id, source, time } = given;
  const action =
    typeof given['type'] === 'string' && Object.hasOwn(eventTypes, given['type'])
      ? eventTypes[given['type']]
      : undefined;
  const expectedType = `type: expected ${Object.keys(eventTypes).join(' or ')}, not ${shown(given['type'])}`;
  // Looked at here: the SDK gives an event without an id one of its own, and one without a time that of now.
  const problems = [
    ...(specversion === '1.0' ? [] : [`specversion: expected 1.0, not ${shown(specversion)}`]),
    ...(isText(id) ? [] : [`id: expected a text, not ${shown(id)}`]),
    ...(isText(source) ? [] : [`source: expected a text, not ${shown(source)}`]),
    ...(action ? [] : [expectedType]),
    ...(time == null || (typeof time === 'string' && Date.parse(time) >= 0)
      ? []
      : [`time: expected RFC 3339, not ${shown(time)}`]),
  ];
  if (problems.length > 0 || !action) throw invalid(problems);
  const identity = `${String(source).replaceAll('#', '%23')}#${String(id)}`;
  if (identity.length > idLength) throw invalid([`id: expected at most ${idLength} characters together with source`]);
  const detail = commandIn({ ...headers, 'content-type': type }, body);
  return { action, event: { 'detail-type': requestedType[action], id: identity, time, detail } };
}

/** As the specification has it: no control characters. */
const isText = (given: unknown): boolean => typeof given === 'string' && given !== '' && !isForging(given);
const shown = (given: unknown): string => (given === undefined ? 'nothing' : JSON.stringify(given).slice(0, 100));

function headersOf(headers: Headers): Attributes {
  const own = Object.entries(headers).filter(([name]) => name.startsWith('ce-'));
  if (own.length === 0) throw invalid([`event: expected ${binding}`]);
  return Object.fromEntries(own.map(([name, value]) => [name.slice('ce-'.length), decoded(String(value))]));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function objectIn(text: string): Attributes {
  try {
    const read: unknown = JSON.parse(text);
    if (typeof read === 'object' && read !== null && !Array.isArray(read)) return read as Attributes;
  } catch {
    // said below
  }
  throw invalid(['event: expected one CloudEvent as a JSON object']);
}

/** The data, whatever type of JSON it is said to be: as it stands, as text, or as bytes. */
function commandIn(headers: Headers, body: string): unknown {
  try {
    const { data } = HTTP.toEvent<unknown>({ headers, body }) as { data?: unknown };
    const text = ArrayBuffer.isView(data) ? Buffer.from(data as Uint8Array).toString('utf8') : data;
    return typeof text === 'string' ? (JSON.parse(text) as unknown) : text;
  } catch {
    throw invalid(['data: expected a command as JSON']);
  }
}
