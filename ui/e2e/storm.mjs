// Ten thousand alerts in ten seconds on the page: `node e2e/storm.mjs FOLDER_OF_A_DESIGN_BUILD [SHOTS]`.
// Asserts what does not depend on the machine (the list is complete, the page draws a window of it, the
// keyboard is heard meanwhile) and prints what does (how long the page was busy at a stretch).

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { argv, exit } from 'node:process';

import { launch, openPage } from './browser.mjs';

const [, , folder, shots] = argv;
if (!folder) {
  console.error('usage: node e2e/storm.mjs FOLDER [SHOTS]');
  exit(2);
}
setTimeout(() => {
  console.error('storm: not finished after 2 minutes');
  exit(1);
}, 120_000).unref();

const KINDS = { '.js': 'text/javascript', '.css': 'text/css', '.html': 'text/html', '.svg': 'image/svg+xml', '.woff2': 'font/woff2' };
const server = createServer(async (request, response) => {
  try {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://127.0.0.1').pathname)).replace(/^(\.\.[/\\])+/, '');
    const file = path === '/' ? 'index.html' : path;
    const body = await readFile(join(folder, file));
    response.writeHead(200, { 'content-type': KINDS[extname(file)] ?? 'application/octet-stream' }).end(body);
  } catch {
    response.writeHead(404).end();
  }
}).listen(0, '127.0.0.1');
await new Promise((ready) => server.once('listening', ready));

const COUNT = 10_000;
const browser = await launch();
const { page, faults, close } = await openPage(browser, `http://127.0.0.1:${server.address().port}/?still&theme=light`);
await page.click('[data-testid="nav-alerts"]');
await page.waitForSelector('[data-testid="alert-row"]');
const before = await page.locator('[data-testid="alert-row"]').count();

const storm = page.evaluate(async (count) => {
  const busy = [];
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => busy.push(entry.duration))).observe({ type: 'longtask' });
  const frames = [];
  let last = performance.now();
  let on = true;
  const frame = (now) => {
    frames.push(now - last);
    last = now;
    if (on) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  const nodes = [];
  const watch = setInterval(() => nodes.push(document.querySelectorAll('*').length), 500);
  await window.fakeFloor.storm(count, 10_000);
  await new Promise((rest) => setTimeout(rest, 600));
  clearInterval(watch);
  on = false;
  frames.sort((a, b) => a - b);
  return { longest: Math.max(0, ...busy), total: busy.reduce((sum, one) => sum + one, 0), tasks: busy.length, frames: frames.length, p99: frames[Math.floor(frames.length * 0.99)], most: Math.max(...nodes) };
}, COUNT);

// Meanwhile somebody works: the palette opens, finds and closes.
await page.waitForTimeout(4_000);
const asked = Date.now();
await page.keyboard.press('Control+k');
await page.waitForSelector('[data-testid="palette"]');
const heard = Date.now() - asked;
await page.keyboard.press('Escape');
await page.waitForSelector('[data-testid="palette"]', { state: 'detached' });
const told = await storm;

const rows = Number(await page.getAttribute('table.grid', 'aria-rowcount')) - 1;
assert.equal(rows, COUNT + before, 'the list is complete');
const drawn = await page.locator('[data-testid="alert-row"]').count();
assert.ok(drawn < 120, `${drawn} rows are drawn`);
assert.ok(told.most < 4_000, `${told.most} elements on the page`);
assert.equal(await page.locator('[data-testid="nav-alerts"] .badge').innerText(), '99+');
await page.evaluate(() => document.querySelector('.scroller').scrollTo(0, 1e9));
// What is drawn last is the last of all; the order is critical first, then as they came.
const lastWarning = [...Array(COUNT).keys()].reverse().find((index) => index % 7 !== 0);
await page.waitForSelector(`[data-alert="storm-${lastWarning}"]`);
await page.evaluate(() => document.querySelector('.scroller').scrollTo(0, 0));
await page.waitForSelector('[data-alert="e1"]');
await page.locator('[data-alert="e1"] .act').first().click();
await page.waitForSelector('[data-alert="e1"][data-state="acked"]');
if (shots) await page.screenshot({ path: join(shots, 'storm.png') });
assert.deepEqual(faults, []);
console.log(`10,000 alerts in 10 s: longest stretch ${told.longest.toFixed(0)} ms, ${told.tasks} stretches over 50 ms, ${told.total.toFixed(0)} ms in all; ${told.frames} frames, p99 ${told.p99.toFixed(0)} ms; palette after ${heard} ms; ${drawn} of ${rows} rows drawn, ${told.most} elements at most`);
await close();
await browser.close();
server.close();
