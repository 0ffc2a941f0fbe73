import { eachForging, oneLine } from '../domain/oneLine.ts';

/** The one place that makes text safe to be shown: for people, terminals, logs, statuses, Events and pages. */

const tokens = /(bearer\s+|X-Amz-(?:Signature|Security-Token|Credential)=)[\w.~+/=%-]+|\bk8s-aws-v1\.[\w-]+/gi;
const withUser = /:\/\/[^\s/@?#]+@/g;
/** Words with dots between them, each looked at once: a pattern that begins at every `eyJ` would look again and again. */
const dotted = /(?<![\w-])[\w-]+(?:\.[\w-]*)+/g;

/** The text without tokens, signatures, and names and passwords in a URL. */
export const redact = (text: string): string =>
  text
    .replace(tokens, (_all, kept?: string) => `${kept ?? ''}[secret]`)
    .replace(withUser, '://[secret]@')
    .replace(dotted, withoutJwt);

function withoutJwt(words: string): string {
  const parts = words.split('.');
  for (const [i, part] of parts.entries()) {
    const at = part.indexOf('eyJ');
    if (at < 0 || part.length - at < 11 || !parts[i + 1]) continue;
    return [...parts.slice(0, i), `${part.slice(0, at)}[secret]`].join('.');
  }
  return words;
}

/** Longer than any message that says what happened, why, and what to do. */
const longest = 4_096;

/** Text that came from outside, as it may be shown: on one line, as it is written, without secrets, of bounded length. */
export function plain(text: string, most = longest): string {
  const given = typeof text === 'string' ? text : (JSON.stringify(text) ?? '');
  return redact(oneLine(given, most));
}

const secretKey = /password|secret|token|authorization|credential|private|kubeconfig/i;
const bounds = { depth: 6, entries: 100, text: 8_192 };

/** The fields of a log line, however deep: each text as `plain`, what is named like a secret left out, sizes bounded. */
export function plainFields(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return plain(value, bounds.text);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) {
    const { name, message, stack, cause } = value;
    return plainFields({ name, message, stack, ...(cause === undefined ? {} : { cause }) }, depth + 1);
  }
  if (value instanceof Date) return value.toJSON();
  if (depth >= bounds.depth) return '…';
  if (Array.isArray(value)) return value.slice(0, bounds.entries).map((one) => plainFields(one, depth + 1));
  const entries = Object.entries(value).slice(0, bounds.entries);
  return Object.fromEntries(
    entries.map(([key, one]) => [
      plain(key, 256),
      secretKey.test(key) && typeof one === 'string' ? '[secret]' : plainFields(one, depth + 1),
    ]),
  );
}

/** Colours, as cli/terminal paints them. What else a terminal obeys is not for text. */
const colours = /^\u001b\[(?:0|1|2|22|3[1-6]|39|90)m$/;
const printed = new RegExp(`\\u001b\\[\\d{1,2}m|[${eachForging.source}--[\\n\\t]]+`, 'gv');

/**
 * All that a command prints, at the last moment before it is: lines and colours stay; what else a terminal would obey or
 * not show is written as its escape in JSON, so that in JSON it stays what it was.
 */
export const printable = (text: string): string =>
  text.replace(printed, (one) => (colours.test(one) ? one : escaped(one)));

function escaped(text: string): string {
  const escapes = new Map<number, string>();
  let written = '';
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    let escape = escapes.get(code);
    if (escape === undefined) escapes.set(code, (escape = `\\u${code.toString(16).padStart(4, '0')}`));
    written += escape;
  }
  return written;
}
