import { instantText } from '../../shared/domain/instant.ts';
import { type Glyph, icon } from './glyphs.ts';
import { type Html, markup, name } from './markup.ts';
import type { Row } from './model.ts';
import type { Told } from './troubles.ts';
import { count, shortTime } from './words.ts';

/** One thing that happened to a VM, as every page shows it: its own words are text, whoever wrote them. */
export interface Line {
  /** RFC 3339; what it says to people is `time`. */
  datetime: string;
  time: string;
  /** Undefined where it is the zone of the page. */
  zone?: string | undefined;
  what: string;
  /** False: no schedule had planned it. */
  planned: boolean;
  who: string;
  /** Where the VM stands on the same page: `#v1`. */
  href?: string | undefined;
  /** None where all went well. */
  glyph?: Glyph | undefined;
  text: string;
  message: string;
}

/** So many are read at a glance; the others are a click away. */
const atOnce = 10;
/** More is no list any more. */
const most = 1_000;
const longestText = 300;

/** Text of others as a page shows it: the beginning says what it is about. */
export const short = (text: string): string => (text.length > longestText ? `${text.slice(0, longestText)}…` : text);

const lineOf = ({ datetime, time, zone, what, planned, who, href, glyph, text, message }: Line): Html =>
  markup`<li${planned ? '' : markup` data-extra`}>
    <p class="who">${href ? markup`<a href="${href}">${name(who)}</a>` : name(who)}</p>
    <p class="verdict">${glyph && icon(glyph)} ${short(text)}</p>
    <p class="when">
      <time datetime="${datetime}">${time}</time>${zone && markup` <small>${zone}</small>`}<span>, ${what}</span>
    </p>
    <p class="message">${short(message)}</p>
  </li>`;

/** A list of them, in the order given: the first in sight, the others to be opened. */
export function lineList(lines: Line[], label: string): Html {
  const rest = lines.slice(atOnce, most);
  const left = lines.length - most;
  return markup`<ol class="told" aria-label="${label}">
      ${lines.slice(0, atOnce).map(lineOf)}
    </ol>
    ${
      rest.length > 0 &&
      markup`<details class="more">
        <summary>${count(rest.length, 'more line')}</summary>
        <ol class="told" start="${atOnce + 1}" aria-label="${label}, continued">
          ${rest.map(lineOf)}
        </ol>
      </details>`
    }${left > 0 && markup`<p class="quiet">${count(left, 'further line')} left out.</p>`}`;
}

/** The id that each line of the timeline is linked by, of those that something links to. */
export type Links = Map<Row, string>;

export function linksTo(told: Told[]): Links {
  const links: Links = new Map();
  for (const { row } of told) if (!links.has(row)) links.set(row, `v${links.size + 1}`);
  return links;
}

/** Of a static page, whose times are of `zone` unless a line names another. */
export const toldLine =
  (zone: Row['zone'], links: Links) =>
  ({ at, row, namespace, what, planned, glyph, text, message }: Told): Line => ({
    ...{ what, planned, glyph, text, message },
    datetime: instantText(at),
    time: shortTime(row.zone, at),
    zone: row.zone === zone ? undefined : row.zone.name,
    who: namespace ? `${namespace}/${row.name}` : row.name,
    href: links.has(row) ? `#${links.get(row)}` : undefined,
  });
