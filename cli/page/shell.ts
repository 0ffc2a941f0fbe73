import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Html, markup } from './markup.ts';

/** In the head of each page: a file without it is somebody else's. */
export const generator = 'wukong-lifecycle';

/** A file beside the pages: `page.css`. */
export const part = (file: string): string => readFileSync(join(import.meta.dirname, file), 'utf8');
/** As it is, to the letter: its hash is in the policy. */
const element = (name: string, text: string): Html => new Html(`<${name}>${text}</${name}>`);
const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

export interface Shell {
  title: string;
  style: string;
  script: string;
  body: Html;
  /** Whether it may ask its own server; a page in a file may ask nobody. */
  asks?: boolean;
}

/** A page around its body. Style and script are named by their hashes; its policy refuses all else. */
export function shell({ title, style, script, body, asks = false }: Shell): string {
  const connect = asks ? "; connect-src 'self'" : '';
  const policy = `default-src 'none'; style-src ${hash(style)}; script-src ${hash(script)}; img-src data:; base-uri 'none'; form-action 'none'${connect}`;
  return markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="generator" content="${generator}" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
        <title>${title}</title>
        <link rel="icon" href="data:," />
        ${element('style', style)}
      </head>
      <body>
        ${body} ${element('script', script)}
      </body>
    </html>`.text;
}
