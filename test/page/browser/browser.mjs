// What the browser tests share: Chromium, pages of it, axe-core.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });

export const wide = { width: 1280, height: 900 };
export const phone = { width: 360, height: 740 };

/** A fresh page, and what it asked for and complained about. */
export async function open(browser, url, { viewport = wide, ...more } = {}) {
  const context = await browser.newContext({ viewport, ...more });
  const page = await context.newPage();
  const asked = [];
  const said = [];
  page.on('request', (request) => asked.push(request.url()));
  page.on('console', (message) => said.push(message.text()));
  page.on('pageerror', (error) => said.push(error.message));
  page.on('dialog', (dialog) => (said.push(`dialog: ${dialog.message()}`), dialog.dismiss()));
  await page.goto(url);
  return { page, asked, said, close: () => context.close() };
}

export async function violations(page) {
  await page.evaluate(axe);
  const { violations: found } = await page.evaluate(() => globalThis.axe.run({ resultTypes: ['violations'] }));
  return found.map(({ id, nodes }) => `${id}: ${nodes.length} × ${nodes[0].html.slice(0, 120)}`);
}

/** The page is as wide as its window, and nothing in it scrolls both down and across. */
export async function scrollsOneWay(page, name) {
  const both = await page.evaluate(() => {
    const found = [...document.querySelectorAll('*')].filter((element) => {
      const { overflowX, overflowY } = getComputedStyle(element);
      const moves = (overflow) => overflow === 'auto' || overflow === 'scroll';
      const across = moves(overflowX) && element.scrollWidth > element.clientWidth + 1;
      return across && moves(overflowY) && element.scrollHeight > element.clientHeight + 1;
    });
    const wider = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    return [...(wider > 0 ? [`the page, by ${wider} px`] : []), ...found.map(({ className }) => className)];
  });
  assert.deepEqual(both, [], `${name}: scrolls in two directions`);
}
