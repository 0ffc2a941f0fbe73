// The states of the page: wide, on a phone, on paper, zoomed, pointed at, with nothing in it, with names that mean harm.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { renderPage } from '../../../cli/page/document.ts';
import { emptyScene, failingScene, hostileScene, oneDayScene, planScene, reportScene } from '../scenes.ts';
import { open, phone, scrollsOneWay, violations } from './browser.mjs';

const scenes = {
  report: () => reportScene(40, 7),
  plan: () => planScene(40, 7),
  month: () => reportScene(500, 31),
  fine: () => failingScene(1, 0),
  'one-failure': () => failingScene(20, 1),
  'many-failures': () => failingScene(100, 200),
  empty: () => emptyScene('plan'),
  'empty-report': () => emptyScene('report'),
  hostile: hostileScene,
  'spring-day': () => oneDayScene('2026-03-29', 23),
  'autumn-day': () => oneDayScene('2026-10-25', 25),
};

/** Smooth scrolling takes its time. */
const still = { reducedMotion: 'reduce' };

/** Data begin on the first screen, and a finger moves one way at a time. */
async function onAPhone(page, name) {
  await scrollsOneWay(page, `${name} on a phone`);
  const first = await page.evaluate(
    () => document.querySelector('.told li, .block .row, .advice')?.getBoundingClientRect().bottom,
  );
  // Names and problems of thousands of letters take more than a screen.
  assert.ok(first <= phone.height || name === 'hostile', `${name}: the first line ends ${first} px down`);
  const lane = page.locator('.block .lane').first();
  if ((await lane.count()) === 0) return;
  await inSight(page, lane);
  const { x, y, width, height } = await lane.boundingBox();
  const at = { x: x + Math.min(width, phone.width) / 2, y: y + height / 2 };
  await page.touchscreen.tap(at.x, at.y);
  await isBeside(page, at, `${name}, tapped`);
}

async function isBeside(page, { x, y }, name) {
  const box = await page.locator('#readout').boundingBox();
  const { width, height } = page.viewportSize();
  assert.notEqual(await page.textContent('#readout'), '', name);
  assert.ok(box.x >= 0 && box.y >= 0, `${name}: within the window`);
  assert.ok(box.x + box.width <= width && box.y + box.height <= height, `${name}: within the window`);
  const dx = Math.max(box.x - x, x - (box.x + box.width), 0);
  const dy = Math.max(box.y - y, y - (box.y + box.height), 0);
  assert.ok(Math.hypot(dx, dy) < 40, `${name}: ${Math.round(Math.hypot(dx, dy))} px from the pointer`);
}

/** Scrolled to, and told so: what is told later takes the details away. */
async function inSight(page, lane) {
  await lane.scrollIntoViewIfNeeded();
  await page.evaluate(() => new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(() => seen()))));
}

/** At each corner of a line the details stand next to the pointer, and go with it, or with Escape. */
async function pointedAt(page, name) {
  const lane = page.locator('.block .lane').first();
  await inSight(page, lane);
  const { x, y, width, height } = await lane.boundingBox();
  const right = Math.min(x + width, page.viewportSize().width) - 2;
  for (const at of [x + 2, (x + right) / 2, right]) {
    const point = { x: at, y: y + height / 2 };
    await page.mouse.move(point.x, point.y);
    await isBeside(page, point, name);
  }
  await page.mouse.move(2, 2);
  assert.equal(await page.textContent('#readout'), '', `${name}: the details go with the pointer`);
}

const hoursShown = (page) =>
  page.evaluate(() => [...document.querySelectorAll('.axis .hour')].filter((one) => one.checkVisibility()).length);

async function zoomed(page, name, atFirst) {
  const counts = [await hoursShown(page)];
  for (const zoom of ['2', '4']) {
    await page.check(`[name=zoom][value='${zoom}']`, { force: true });
    counts.push(await hoursShown(page));
  }
  assert.ok(atFirst ? counts[0] > 0 : counts[0] === 0, `${name}: ${counts[0]} hours at first`);
  assert.ok(counts[1] > 0 && counts[2] >= counts[1], `${name}: hours come when it is zoomed: ${counts.join(', ')}`);
  const close = await page.evaluate(() => {
    const boxes = [...document.querySelectorAll('.axis text')]
      .filter((one) => one.checkVisibility())
      .map((one) => one.getBoundingClientRect());
    const over = (a, b) => a.left < b.right && b.left < a.right && a.top + 2 < b.bottom && b.top + 2 < a.bottom;
    return boxes.filter((box, i) => boxes.slice(i + 1, i + 60).some((other) => over(box, other))).length;
  });
  assert.equal(close, 0, `${name}: no label lies on another`);
}

/** From a failure to its VM. */
async function linked(page, name) {
  const link = page.locator('.told a').first();
  const who = await link.textContent();
  await page.fill('#find', 'no such VM');
  await link.click();
  const found = await page.evaluate(() => {
    const row = document.activeElement.closest('.row');
    return { who: row?.dataset.find, hidden: row?.hidden };
  });
  assert.deepEqual(found, { who, hidden: false }, name);
}

/** Within a page of A4, landscape, without its margins of 12 mm. */
const paper = { width: Math.floor(((297 - 24) / 25.4) * 96), height: Math.floor(((210 - 24) / 25.4) * 96) };

async function onPaper(page, name, folder) {
  await page.setViewportSize(paper);
  await page.emulateMedia({ media: 'print' });
  const found = await page.evaluate(() => {
    const box = (selector) => document.querySelector(selector)?.getBoundingClientRect();
    const breaks = ['.wrong', '.chart'].map((one) => document.querySelector(one)).filter(Boolean);
    const timeline = document.getElementById('timeline');
    return {
      summary: box('.summary')?.bottom,
      order: ['.tiles', '.summary', '.wrong', '.chart'].map((one) => box(one)?.top).filter((top) => top !== undefined),
      breaks: breaks.map((one) => getComputedStyle(one).breakBefore),
      unseen: [...document.querySelectorAll('.wrong li')].filter((one) => one.getBoundingClientRect().height === 0)
        .length,
      cut:
        timeline &&
        timeline.scrollHeight - timeline.clientHeight > 1 &&
        getComputedStyle(timeline).overflow !== 'visible',
    };
  });
  assert.ok(found.summary <= paper.height, `${name}: the summary is one page, it ends ${found.summary} px down`);
  assert.deepEqual(
    found.order,
    [...found.order].sort((a, b) => a - b),
    `${name}: summary, failures, chart`,
  );
  assert.ok(
    found.breaks.every((one) => one === 'page'),
    `${name}: failures and chart begin on a page of their own`,
  );
  assert.equal(found.unseen, 0, `${name}: every failure is printed`);
  assert.ok(!found.cut, `${name}: the whole timeline is printed`);
  await page.pdf({ path: join(folder, `${name}.pdf`), preferCSSPageSize: true });
}

export async function statesLookRight(browser, folder, names = Object.keys(scenes)) {
  for (const name of names) {
    const make = scenes[name];
    const file = join(folder, `state-${name}.html`);
    writeFileSync(file, renderPage(make()));
    const url = pathToFileURL(file).href;
    const shot = (page, look) => page.screenshot({ path: join(folder, `state-${name}-${look}.png`) });
    const hasRows = !name.startsWith('empty');

    const small = await open(browser, url, { viewport: phone, hasTouch: true, isMobile: true, ...still });
    await shot(small.page, 'phone');
    await onAPhone(small.page, name);
    if (hasRows) await zoomed(small.page, `${name} on a phone`, name.endsWith('day'));
    await scrollsOneWay(small.page, `${name} on a phone, zoomed`);
    await shot(small.page, 'phone-zoomed');
    if (name !== 'month') assert.deepEqual(await violations(small.page), [], `${name} on a phone: axe-core`);

    const large = await open(browser, url, { colorScheme: 'dark', ...still });
    await shot(large.page, 'dark');
    if (name !== 'month') assert.deepEqual(await violations(large.page), [], `${name}: axe-core`);
    if (hasRows) {
      await pointedAt(large.page, name);
      await zoomed(large.page, name, name.endsWith('day'));
      await shot(large.page, 'zoomed');
    }
    if (['report', 'one-failure', 'many-failures', 'hostile'].includes(name)) await linked(large.page, name);
    if (hasRows) await onPaper(large.page, name, folder);
    for (const { said, asked, close } of [small, large]) {
      assert.deepEqual(said, [], `${name}: nothing on the console`);
      assert.deepEqual(
        [...new Set(asked)].filter((one) => !one.startsWith('data:')),
        [url],
        `${name}: asks for nothing`,
      );
      await close();
    }
  }
  return `${names.length} states: on a phone, zoomed, pointed at, on paper, in the dark`;
}
