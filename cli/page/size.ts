import type { Wukong } from '../../shared/domain/model.ts';

/** What a VM takes while it is on; undefined where the Wukong does not say, or says it in a way nobody can read. */
export interface Size {
  vcpus?: number;
  gib?: number;
}

const binary = 'KMGTPE';
/** As the CRD has it: `^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|Pi|Ei|K|M|G|T|P|E)?$`. */
const quantity = /^(\d+(?:\.\d+)?)(?:([KMGTPE])(i?))?$/;

/** Bytes of a memory quantity: `8Gi`, `4G`, `1.5Ti`, or plain bytes. Undefined when it is none. */
export function readBytes(text: unknown): number | undefined {
  const parts = typeof text === 'string' ? quantity.exec(text) : null;
  if (!parts) return undefined;
  const [, amount, letter, i] = parts;
  const power = letter ? binary.indexOf(letter) + 1 : 0;
  const bytes = Number(amount) * (i ? 1024 : 1000) ** power;
  return Number.isFinite(bytes) ? bytes : undefined;
}

export function sizeOf({ spec }: Wukong): Size {
  const vcpus = typeof spec?.cpu === 'number' && Number.isFinite(spec.cpu) && spec.cpu > 0 ? spec.cpu : undefined;
  const bytes = readBytes(spec?.memory);
  return { ...(vcpus === undefined ? {} : { vcpus }), ...(bytes === undefined ? {} : { gib: bytes / 1024 ** 3 }) };
}
