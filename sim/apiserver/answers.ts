import type { Harm } from '../faults.ts';
import type { Answer } from './call.ts';
import { Refusal } from './refusal.ts';

/** What was thrown, as an answer: a Status, or plain text. */
export function refused(error: unknown): Answer {
  const refusal =
    error instanceof Refusal
      ? error
      : new Refusal(
          500,
          'InternalError',
          `Internal error occurred: ${error instanceof Error ? error.stack : String(error)}`,
        );
  const headers: Record<string, string> = refusal.retryAfterSeconds
    ? { 'Retry-After': String(refusal.retryAfterSeconds) }
    : {};
  if (refusal.plain)
    return { status: refusal.status, type: 'text/plain; charset=utf-8', body: refusal.message, headers };
  return { status: refusal.status, type: 'application/json', body: JSON.stringify(refusal.body()), headers };
}

const plainTexts: Record<number, string> = {
  429: 'Too many requests, please try again later.\n',
  503: 'service unavailable\n',
  504: 'gateway timeout\n',
};

/** The answer of a fault; 429 is plain text with Retry-After, as priority and fairness writes it. */
export function injected({ status, retryAfterSeconds, message }: Extract<Harm, { kind: 'status' }>): Answer {
  const again = retryAfterSeconds ?? (status === 429 ? 1 : undefined);
  const headers: Record<string, string> = again === undefined ? {} : { 'Retry-After': String(again) };
  if (status === 429 || status === 503 || status === 502)
    return {
      status,
      type: 'text/plain; charset=utf-8',
      body: message ?? plainTexts[status] ?? 'bad gateway\n',
      headers,
    };
  const [reason, said] = statusTexts[status] ?? ['InternalError', 'Internal error occurred: injected fault'];
  return { ...refused(new Refusal(status, reason, message ?? said)), headers };
}

const statusTexts: Record<number, [string, string]> = {
  401: ['Unauthorized', 'Unauthorized'],
  403: ['Forbidden', 'forbidden'],
  404: ['NotFound', 'the server could not find the requested resource'],
  409: [
    'Conflict',
    'Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest version and try again',
  ],
  410: ['Expired', 'too old resource version'],
  422: ['Invalid', 'the server rejected our request due to an error in our request'],
  500: ['InternalError', 'Internal error occurred: injected fault'],
  504: ['Timeout', 'Timeout: request did not complete within the allotted timeout'],
};
