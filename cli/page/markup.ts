import { eachForging } from '../../shared/domain/oneLine.ts';

/** Text that is HTML already. Everything else is escaped where it is put into a template. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Part = Html | string | number | undefined | false | Part[];

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** For text and for quoted attributes. What no page may hold (control characters, bidi marks, what is not seen, lone surrogates) becomes U+FFFD. */
export const escape = (text: string): string =>
  text
    .toWellFormed()

    .replace(eachForging, (one) => (/[\t\n\r]/.test(one) ? one : '\uFFFD'))
    .replace(/[&<>"']/g, (char) => entities[char]!);

const partText = (part: Part): string => {
  if (part instanceof Html) return part.text;
  if (Array.isArray(part)) return part.map(partText).join('');
  return part === undefined || part === false ? '' : escape(String(part));
};

/** Line breaks of the source are there for whoever reads it: between tags they go, within one they are a space. */
const joined = (string: string): string =>
  string.replace(/\s*\n\s*/g, (_all, at: number, whole: string) => {
    const rest = whole.slice(at).trimStart();
    const edge = at === 0 || rest === '' || /[<>]/.test(rest.charAt(0));
    return edge || whole.charAt(at - 1) === '>' ? '' : ' ';
  });

const known = new WeakMap<TemplateStringsArray, string[]>();

/** A template whose values are escaped unless they are Html; lists are joined, undefined and false are nothing. */
export function markup(strings: TemplateStringsArray, ...parts: Part[]): Html {
  let pieces = known.get(strings);
  if (!pieces) known.set(strings, (pieces = strings.map(joined)));
  return new Html(pieces.reduce((text, piece, i) => text + partText(parts[i - 1]) + piece));
}

/** A name from outside: its direction of writing cannot reach what stands around it. */
export const name = (text: string): Html => markup`<bdi>${text}</bdi>`;
