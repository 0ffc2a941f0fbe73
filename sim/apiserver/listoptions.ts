import type { Scope } from './call.ts';
import { forbidden, unsupported } from './fielderror.ts';
import { at } from './object.ts';
import { badRequest, type FieldError, invalid, Refusal } from './refusal.ts';

/** A resourceVersion of the future is refused; real servers wait for it first, three seconds in vain. */
export function checkRevision({ cluster }: Scope, value: string | null): void {
  if (!value) return;
  if (!/^\d+$/.test(value)) throw badRequest(`invalid resource version ${JSON.stringify(value)}`);
  const current = cluster.store.revision;
  if (Number(value) <= current) return;
  throw new Refusal(504, 'Timeout', `Timeout: Too large resource version: ${value}, current: ${current}`, {
    details: {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    },
    retryAfterSeconds: 1,
  });
}

/** @throws Refusal 422 for options of a list or watch that do not go together (apimachinery's ValidateListOptions). */
export function checkMatch(query: URLSearchParams, watching: boolean): void {
  const match = query.get('resourceVersionMatch') ?? '';
  const initial = query.get('sendInitialEvents') !== null;
  const revision = query.get('resourceVersion') ?? '';
  const errors: FieldError[] = [];
  const forbid = (message: string, when: boolean, field = 'resourceVersionMatch') => {
    if (when) errors.push(forbidden(field, message));
  };
  const supports = (...values: string[]) => {
    if (match !== '' && !values.includes(match)) errors.push(unsupported('resourceVersionMatch', match, values));
  };
  const continues = () =>
    forbid(
      'resourceVersionMatch is forbidden when continue is provided',
      match !== '' && Boolean(query.get('continue')),
    );
  if (watching) {
    forbid(
      'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
      initial && match !== 'NotOlderThan',
    );
    forbid(
      'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
      match !== '' && !initial,
    );
    supports('NotOlderThan');
    continues();
  } else {
    forbid('resourceVersionMatch is forbidden unless resourceVersion is provided', match !== '' && revision === '');
    continues();
    supports('Exact', 'NotOlderThan', '');
    forbid('resourceVersionMatch "exact" is forbidden for resourceVersion "0"', match === 'Exact' && revision === '0');
    forbid('sendInitialEvents is forbidden for list', initial, 'sendInitialEvents');
  }
  if (errors.length > 0)
    throw invalid({ group: 'meta.k8s.io', plural: 'listoptions', kind: 'ListOptions' }, '', errors);
}

interface Token {
  start: string;
  id?: string;
}

/** @throws Refusal 400 for what is no continue token (apiserver's DecodeContinue). */
export function readToken(token: string): Token {
  const wrong = (why: string) => badRequest(`invalid continue token: continue key is not valid: ${why}`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(token, 'base64url').toString());
  } catch (error) {
    throw wrong((error as Error).message);
  }
  if (at(parsed, 'v') !== 'meta.k8s.io/v1')
    throw wrong(`server does not recognize this encoded version ${JSON.stringify(at(parsed, 'v') ?? '')}`);
  if (typeof at(parsed, 'start') !== 'string' || at(parsed, 'start') === '')
    throw wrong('encoded start key empty (version meta.k8s.io/v1)');
  return parsed as Token;
}
