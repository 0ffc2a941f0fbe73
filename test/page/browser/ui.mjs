// Opens the live page in a real browser: .ci/page.sh runs it. Screenshots go to the folder that is given.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { livePage } from '../../../cli/ui/livePage.ts';
import { serveUi } from '../../../cli/ui/uiServer.ts';
import { runsScene } from '../liveScenes.ts';
import { launch, open, phone, scrollsOneWay, violations, wide } from './browser.mjs';

const folder = process.argv[2] ?? mkdtempSync(join(tmpdir(), 'ui-'));
mkdirSync(folder, { recursive: true });
const vms = 1_000;
const tonight = new Date(Date.now() + 3 * 3_600_000).toISOString();

const wishes = [];
const act = async (wish) => (wishes.push(wish), `${wish.namespace}/${wish.name} Stopped`);
const server = await serveUi({ page: livePage('https://cluster.example'), token: 'token', port: 0, act });
const vm = (i, more = {}) => ({
  namespace: `team-${i % 10}`,
  name: `vm-${i}`,
  state: i % 3 ? 'Running' : 'Stopped',
  vm: { name: `vm-${i}-vm` },
  last: {
    outcome: i % 3 ? 'Started' : 'Stopped',
    lastAction: i % 3 ? 'start' : 'stop',
    finishedAt: '2026-11-23T20:00:04Z',
  },
  nextAction: 'stop',
  nextActionTime: tonight,
  ...more,
});
const failed = {
  lastAction: 'stop',
  outcome: 'Failed',
  reason: 'Stuck',
  message: 'The guest <b>does not</b> end on node01',
  finishedAt: '2026-11-23T20:02:00Z',
};
const all = Array.from({ length: vms }, (_, i) => vm(i));
all[700] = vm(700, { last: failed, state: 'Stopping' });
all[701] = vm(701, {
  state: 'Stopping',
  operation: { action: 'stop', requestId: 'r', step: 'asked', startedAt: '2026-11-23T20:00:00Z' },
});
server.show(all, []);

server.showRuns(runsScene(Date.now()));

const browser = await launch();

/** Milliseconds from the server's word to the screen. */
async function untilShown(page, state) {
  const at = Date.now();
  server.show([...all.slice(0, 5), vm(5, { state }), ...all.slice(6)], []);
  await page.waitForFunction(
    (wanted) =>
      [...document.querySelectorAll('#rows tr')].some(
        (row) => row.children[0].textContent === 'team-5/vm-5' && row.children[1].textContent.includes(wanted),
      ),
    state,
    { polling: 20, timeout: 10_000 },
  );
  return Date.now() - at;
}

/** What failed is on the first screen and leads to its VM; runs that ended badly come before those that went well. */
async function failuresAndRuns(page, { height }) {
  const wrong = page.locator('#wrong li');
  assert.equal(await wrong.count(), 1);
  assert.match(await wrong.textContent(), /team-0\/vm-700.*failed: Stuck.*<b>does not<\/b>/);
  const { y, height: tall } = await wrong.boundingBox();
  assert.ok(y + tall <= height, 'failures are on the first screen');
  await wrong.locator('a').click();
  assert.equal(
    await page.evaluate(() => document.activeElement.getAttribute('aria-label')),
    'Switch or keep team-0/vm-700',
  );
  const runs = await page.locator('#runs li .verdict').allTextContents();
  assert.deepEqual(
    runs.map((one) => one.trim().split(':')[0]),
    ['Incomplete', 'Missed', 'Running', 'Succeeded'],
  );
  await page.evaluate(() => (document.activeElement.blur(), scrollTo({ top: 0, behavior: 'instant' })));
}

/** The longest time between two frames while all VMs are scrolled through. */
const longestFrame = (page) =>
  page.evaluate(
    () =>
      new Promise((done) => {
        let [last, longest, top] = [performance.now(), 0, 0];
        const end = document.documentElement.scrollHeight - innerHeight;
        const step = (now) => {
          longest = Math.max(longest, now - last);
          last = now;
          scrollTo({ top: (top += 300), behavior: 'instant' });
          if (top < end) requestAnimationFrame(step);
          else done(Math.round(longest));
        };
        requestAnimationFrame(step);
      }),
  );

/** Without a VM, and without the right to read runs, the page says what to do. */
async function nothingThere() {
  const empty = await serveUi({ page: livePage('https://cluster.example'), token: 'token', port: 0, act });
  empty.show([], []);
  empty.showRuns({ runs: [], problem: 'wukongruns is forbidden' });
  const { page, said, close } = await open(browser, empty.url, { viewport: phone });
  await page.waitForSelector('#advice .notes');
  assert.match(await page.textContent('#advice'), /wukong ui -A.*wukong adopt/);
  assert.match(await page.textContent('#runs'), /cannot be read: wukongruns is forbidden/);
  assert.deepEqual(await violations(page), [], 'axe-core, empty');
  await page.screenshot({ path: join(folder, 'ui-empty.png') });
  assert.deepEqual(said, []);
  await close();
  await empty.close();
}

try {
  const figures = [];
  for (const [viewport, colorScheme] of [
    [wide, 'light'],
    [wide, 'dark'],
    [phone, 'light'],
  ]) {
    const { width } = viewport;
    const { page, said, close } = await open(browser, server.url, {
      viewport,
      colorScheme,
      hasTouch: viewport === phone,
    });
    await page.waitForFunction((n) => document.querySelectorAll('#rows tr').length === n, vms);
    assert.ok(!page.url().includes('token'), 'the token is not where a screenshot shows it');
    const names = await page.evaluate(() =>
      [...document.querySelectorAll('#rows th')].slice(0, 3).map((e) => e.textContent),
    );
    assert.deepEqual(
      names,
      ['team-0/vm-700', 'team-1/vm-701', 'team-0/vm-0'],
      'failures first, then what is under way',
    );
    assert.match(await page.textContent('#rows tr'), /<b>does not<\/b>/, 'what others wrote is text');
    assert.match(await page.textContent('#plan'), /stop 1,000 VMs/);
    await failuresAndRuns(page, viewport);
    await scrollsOneWay(page, `the live page at ${width}`);
    await page.screenshot({ path: join(folder, `ui-${width}-${colorScheme}.png`) });
    const shownMs = Math.max(await untilShown(page, 'Starting'), await untilShown(page, 'Running'));
    assert.ok(shownMs < 1_000, `a state was shown after ${shownMs} ms`);
    let frameMs = await longestFrame(page);
    for (let more = 2; frameMs > 100 && more > 0; more--) frameMs = Math.min(frameMs, await longestFrame(page));
    assert.ok(frameMs < 500, `a frame of ${frameMs} ms while scrolling`);
    await page.evaluate(() => scrollTo({ top: 0, behavior: 'instant' }));
    assert.deepEqual(await violations(page), [], 'axe-core');
    // By keyboard alone: find, go down, open, choose.
    await page.focus('#find');
    await page.keyboard.type('team-5/');
    assert.match(await page.textContent('#count'), /^100 of 1,000 VMs$/);
    await page.keyboard.press('Tab');
    if ((await page.evaluate(() => document.activeElement.tagName)) !== 'BUTTON')
      await page.focus('#rows tr:not([hidden]) button');
    const first = await page.evaluate(() => document.activeElement.getAttribute('aria-label'));
    await page.keyboard.press('ArrowDown');
    const second = await page.evaluate(() => document.activeElement.getAttribute('aria-label'));
    assert.notEqual(second, first);
    await page.keyboard.press('Enter');
    assert.ok(await page.evaluate(() => document.getElementById('dialog').open));
    assert.deepEqual(await violations(page), [], 'axe-core, with the dialog');
    await page.screenshot({ path: join(folder, `ui-${width}-${colorScheme}-dialog.png`) });
    await page.keyboard.press('Enter'); // once more, by mistake: nothing has the focus that would switch
    assert.ok(await page.evaluate(() => document.getElementById('dialog').open));
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Stop');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.getElementById('said').textContent.endsWith('Stopped'));
    const wish = wishes.at(-1);
    assert.equal(`Switch or keep ${wish.namespace}/${wish.name}`, second);
    assert.equal(wish.action, 'stop');
    assert.deepEqual(said, [], 'nothing on the console');
    figures.push(`${width} ${colorScheme}: shown after ${shownMs} ms, longest frame ${frameMs} ms`);
    await close();
  }
  await nothingThere();
  console.log(`the live page, ${vms} VMs: ${figures.join('; ')}; axe-core finds nothing; by keyboard`);
} finally {
  await browser.close();
  await server.close();
}
