/** What may be in a message of somebody else's and must not be in a log. */
const secret =
  /(bearer\s+|X-Amz-(?:Signature|Security-Token|Credential)=)[\w.~+/=%-]+|\bk8s-aws-v1\.[\w-]+|\beyJ[\w-]{8,}\.[\w.-]+/gi;
export const redact = (text: string): string =>
  text.replace(secret, (_all, bearer?: string) => `${bearer ?? ''}[secret]`);

/** What could make one text look like several lines, or like another text: control characters, separators, bidi marks. */
const forging = /[\p{Cc}\u2028\u2029\p{Bidi_Control}]+/gu;

/** Text that came from outside, as it may be shown: on one line, in the order in which it is written, without secrets. */
export const plain = (text: string): string => redact(text.replace(forging, ' '));
