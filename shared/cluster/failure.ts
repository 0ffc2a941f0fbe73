import { LifecycleError } from '../domain/errors.ts';
import type { Answer } from './transport.ts';

/** The text of an answer that is not a success: a Status' message, or the first line of plain text. */
export function messageOf(answer: Answer): string {
  const body = answer.body as { message?: unknown } | string | undefined;
  if (typeof body === 'string') return body.split('\n')[0]?.slice(0, 500) ?? '';
  return typeof body?.message === 'string' ? body.message.slice(0, 1000) : `HTTP ${answer.status}`;
}

/** An answer that ends the command, as an error of the closed set. */
export function answerFailure(answer: Answer, doing: string): LifecycleError {
  const { status } = answer;
  const text = `${doing}: ${messageOf(answer)}`;
  const fail = (code: LifecycleError['code'], message = text) => new LifecycleError(code, message, { status });
  if (status === 401) return fail('Denied', `${doing}: the token is not accepted (401); renew the credentials`);
  if (status === 403) return fail('Denied');
  if (status === 404) return fail('NotFound');
  if (status === 408 || status === 429 || status >= 500) return fail('Unreachable', `${text} (${status})`);
  return fail('Refused');
}

/** The body of a success. @throws LifecycleError for any other answer. */
export function bodyOf<T>(answer: Answer<T>, doing: string): T {
  if (answer.status >= 200 && answer.status < 300) return answer.body;
  throw answerFailure(answer, doing);
}
