import { parse } from 'yaml';

import type { Call, Target } from './call.ts';
import { duplicates } from './duplicates.ts';
import { coreEvent } from './events.ts';
import { type Fields, isFields, type Thing } from './object.ts';
import { unreadable } from './objectmeta.ts';
import { decodeProtobuf, isProtobuf } from './protobuf.ts';
import { badRequest, Refusal, unsupportedType } from './refusal.ts';
import { apiVersionOf } from './resources.ts';

/** Of a key that stands twice the last one counts, as in JSON. */
const yaml = { merge: true, uniqueKeys: false, logLevel: 'error' } as const;

/** The body as JSON, or YAML where a client sends that. @throws Refusal */
export function decoded(call: Call): unknown {
  if (call.body.length > 0 && isProtobuf(call.headers['content-type'])) return fromProtobuf(call.body);
  const text = call.body.toString('utf8');
  if (text.trim() === '') return undefined;
  try {
    return call.headers['content-type']?.includes('yaml') ? (parse(text, yaml) as unknown) : JSON.parse(text);
  } catch (error) {
    throw badRequest(`couldn't get version/kind; json parse error: ${(error as Error).message}`);
  }
}

function fromProtobuf(body: Buffer): Fields {
  try {
    return decodeProtobuf(body);
  } catch (error) {
    throw new Refusal(415, 'UnsupportedMediaType', (error as Error).message);
  }
}

export function decodedObject(target: Target, call: Call): Thing {
  const type = call.headers['content-type'] ?? 'application/json';
  if (!/json|yaml|protobuf|\*\/\*/.test(type)) throw unsupportedType(['application/json', 'application/yaml']);
  const body = decoded(call);
  const { resource, group, version } = target;
  if (!isFields(body))
    throw badRequest(
      `the object provided is unrecognized (must be of type ${resource.kind}): couldn't get version/kind`,
    );
  const apiVersion = apiVersionOf({ group, version });
  // Of a built-in kind both may be left out, as Python's client does: the path has said them.
  if (!resource.custom)
    Object.assign(body, { kind: body['kind'] ?? resource.kind, apiVersion: body['apiVersion'] ?? apiVersion });
  if (body['kind'] !== resource.kind || body['apiVersion'] !== apiVersion)
    throw badRequest(
      `${resource.kind} in version "${version}" cannot be handled as a ${String(body['kind'])}: the API version in the data (${String(body['apiVersion'])}) does not match the expected API version (${apiVersion})`,
    );
  const why = unreadable(body['metadata']);
  if (why) throw badRequest(`${resource.kind} in version "${version}" cannot be handled as a ${resource.kind}: ${why}`);
  const thing = { ...body, metadata: isFields(body['metadata']) ? body['metadata'] : {} } as unknown as Thing;
  return target.resource.alias?.group === group ? coreEvent(thing) : thing;
}

/** What a strict reading of the body finds fault with, whatever the kind; nothing where nobody wants to know. */
export function strictFaults(call: Call): string[] {
  const type = call.headers['content-type'];
  if (call.query.get('fieldValidation') === 'Ignore' || isProtobuf(type) || call.body.length === 0) return [];
  const text = call.body.toString('utf8');
  return isPlain(text) ? [] : duplicates(text, type?.includes('yaml') ?? false);
}

/** JSON as most clients write it says nothing twice: reading it once more, slowly, can be spared. */
function isPlain(text: string): boolean {
  try {
    return JSON.stringify(JSON.parse(text)) === text;
  } catch {
    return false;
  }
}

export function decodedApply(call: Call): Thing {
  try {
    return parse(call.body.toString('utf8'), yaml) as Thing;
  } catch (error) {
    throw badRequest(`error decoding YAML: ${(error as Error).message}`);
  }
}
