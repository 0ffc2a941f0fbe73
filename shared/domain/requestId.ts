import { createHash } from 'node:crypto';

/**
 * Who may give a request its id: the id is `<source>:<id>`, and the source is put before it by whoever received the
 * request, so that nobody can give an id that looks like another source's.
 */
const sources = ['schedule', 'event', 'http', 'declared', 'cli', 'direct', 'queue', 'tick'] as const;
export type Source = (typeof sources)[number];

/** `:` inside a principal would let one caller's key look like another's; ARNs and service accounts have it in known places. */
const plainPrincipal = /^(arn:[^:]*:[^:]*:[^:]*:[^:]*:[^:]+|system:serviceaccount:[^:]+:[^:]+|[^:%]+)$/;
const longestPrincipal = 160;
/** Names that with an id behind them would look like others: like those of ARNs, service accounts, nobody, or a hash. */
const ambiguous = /^(arn|system|anyone|sha256-.*)$/s;

/**
 * What is before the ids of one caller over HTTP; of a name that is long, ambiguous, or no text, a hash, so that no two
 * are alike.
 */
export function httpSource(principal: string | undefined): string {
  if (!principal) return 'http:anyone';
  const clear = principal.isWellFormed() && !ambiguous.test(principal);
  const encoded = !clear ? undefined : plainPrincipal.test(principal) ? principal : encodeURIComponent(principal);
  if (encoded !== undefined && encoded.length <= longestPrincipal) return `http:${encoded}`;
  return `http:sha256-${createHash('sha256').update(JSON.stringify(principal)).digest('hex')}`;
}

/** An id of the very source stays as it is: a part of a fleet is the request that the whole was. */
export const requestIdOf = (source: string, id: string): string =>
  id.startsWith(`${source}:`) ? id : `${source}:${id}`;

/** Version 0.1.0 gave ids without a source. */
export const hasSource = (id: string): boolean => sources.some((source) => id.startsWith(`${source}:`));

/**
 * Whether a record is of this request. What version 0.1.0 recorded without a source is known again, whichever source
 * delivers it once more; whoever writes records now writes the source.
 */
export function isSameRequest(recorded: string, requestId: string): boolean {
  if (recorded === requestId) return true;
  return recorded !== '' && !hasSource(recorded) && hasSource(requestId) && requestId.endsWith(`:${recorded}`);
}
