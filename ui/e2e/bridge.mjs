// Drives the real page over the real bridge: `node e2e/bridge.mjs ADDRESS [FOLDER]`.
// ADDRESS is what `floorctl serve` printed; screenshots go to FOLDER. What is saved in the configuration is
// taken out again.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { argv, exit } from 'node:process';

import { launch, openPage, violations } from './browser.mjs';

const [, , address, folder] = argv;
if (!address) {
  console.error('usage: node e2e/bridge.mjs ADDRESS [FOLDER]');
  exit(2);
}
// A page that never answers must not hold a build for ever.
setTimeout(() => {
  console.error('bridge: not finished after 4 minutes');
  exit(1);
}, 240_000).unref();
if (folder) await mkdir(folder, { recursive: true });

const browser = await launch();
let failed = 0;

async function check(name, work) {
  try {
    await work();
    console.log(`ok   ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAIL ${name}\n     ${String(error.message ?? error).replaceAll('\n', '\n     ')}`);
  }
}

const id = (name) => `[data-testid="${name}"]`;
const shot = (page, name) => (folder ? page.screenshot({ path: join(folder, `${name}.png`) }) : undefined);
const live = (page) => page.waitForSelector(`${id('status-line')}[data-mode="live"]`, { timeout: 40_000 });
const row = (page) => page.waitForSelector(id('queue-row'), { timeout: 40_000 });

const { page, faults, close } = await openPage(browser, address, { colorScheme: 'light' });

await check('the floor is live and shows its queues', async () => {
  await live(page);
  await row(page);
  const first = page.locator(id('queue-row')).first();
  assert.match((await first.getAttribute('data-need')) ?? '', /^(critical|warning|stale|normal)$/);
  assert.match((await first.getAttribute('data-key')) ?? '', /\u001f/);
  assert.match(await page.locator(id('status-line')).innerText(), /LIVE/);
});

await check('queues stand in the order of their need', async () => {
  const needs = await page.locator(id('queue-row')).evaluateAll((rows) => rows.map((one) => one.dataset.need));
  const rank = { critical: 0, warning: 1, stale: 2, normal: 3 };
  assert.deepEqual(needs, [...needs].sort((a, b) => rank[a] - rank[b]));
});

await check('a running wait ticks without a reload', async () => {
  const clock = page.locator('header .clock');
  const before = await clock.innerText();
  await page.waitForFunction((text) => document.querySelector('header .clock')?.innerText !== text, before, { timeout: 5_000 });
});

await check('the keyboard alone reaches a queue, its drawer and back', async () => {
  await page.mouse.move(0, 0);
  await page.keyboard.press('j');
  await page.waitForFunction(() => document.activeElement?.tagName === 'TR', undefined, { timeout: 5_000 });
  await page.keyboard.press('Enter');
  await page.waitForSelector(id('drawer'), { timeout: 5_000 });
  await shot(page, 'drawer-light');
  await page.keyboard.press('Escape');
  await page.waitForSelector(id('drawer'), { state: 'detached', timeout: 5_000 });
  await page.keyboard.press('?');
  await page.waitForSelector(id('keys'), { timeout: 5_000 });
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+k');
  await page.waitForSelector(id('palette'), { timeout: 5_000 });
  await page.keyboard.press('Escape');
  await page.waitForSelector(id('palette'), { state: 'detached', timeout: 5_000 });
  await page.keyboard.press('/');
  assert.equal(await page.evaluate(() => document.activeElement?.dataset.testid), 'queue-filter');
  await page.keyboard.press('Escape');
});

await check('the add form is made from the vendors’ descriptions', async () => {
  await page.click(id('nav-sources'));
  await page.waitForSelector(id('source-row'), { timeout: 10_000 });
  await page.click(id('source-add'));
  const vendors = page.locator('[data-testid^="vendor-"]');
  await vendors.first().waitFor({ timeout: 5_000 });
  const count = await vendors.count();
  assert.ok(count >= 2, `only ${count} vendors`);
  for (let index = 0; index < count; index++) {
    await vendors.nth(index).click();
    await page.waitForSelector(id('source-form'), { timeout: 5_000 });
    assert.ok((await page.locator('[data-testid^="field-"]').count()) >= 4);
    assert.equal(await page.locator(id('field-secret')).getAttribute('type'), 'password');
    assert.equal(await page.locator(id('field-secret')).inputValue(), '');
    if (index === 0) await shot(page, 'source-form-light');
    await page.click(id('source-save'));
    await page.waitForSelector('[aria-invalid="true"]', { timeout: 5_000 });
    await page.getByRole('button', { name: 'Back' }).click();
    await vendors.first().waitFor({ timeout: 5_000 });
  }
  await page.keyboard.press('Escape');
});

await check('every place opens', async () => {
  for (const place of ['agents', 'conversations', 'alerts', 'settings', 'floor']) {
    await page.click(id(`nav-${place}`));
    await page.waitForSelector(`main[data-place="${place}"]`, { timeout: 5_000 });
    await page.waitForTimeout(300);
    await shot(page, `${place}-light`);
  }
});

/** Opens a part of the alerts, and a rule of the list by its name. */
async function part(name) {
  await page.click(id('nav-alerts'));
  await page.click(id(`part-${name}`));
}
async function rule(name) {
  await page.click(`${id('rule-row')}[data-rule="${name}"] .open`);
  await page.waitForSelector(id('rule-editor'), { timeout: 10_000 });
}

await check('a rule is written, seen to fire, marked where it is wrong, saved and taken out again', async () => {
  await part('rules');
  await page.waitForSelector(id('rule-row'), { timeout: 10_000 });
  assert.ok((await page.locator(id('rule-row')).count()) >= 8);
  await page.click(id('rule-new'));
  await page.waitForSelector(id('rule-form'), { timeout: 10_000 });
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'rule-name');
  await page.keyboard.type('Walked through');
  await page.locator(`${id('rule-when')} ${id('metric')}`).click();
  assert.ok((await page.getByRole('listbox').getByRole('option').count()) > 20);
  await shot(page, 'rule-metrics-light');
  await page.keyboard.type('longest');
  await page.keyboard.press('Escape');
  await page.fill(id('rule-when-value-1'), '0');
  await page.waitForSelector(`${id('rule-when')} ${id('rule-fault')}`, { timeout: 10_000 });
  await shot(page, 'rule-fault-light');
  await page.fill(id('rule-when-value-1'), '1s');
  await page.fill(id('rule-critical-value-1'), '30m');
  await page.waitForSelector(`${id('rule-save')}:not(:disabled)`, { timeout: 10_000 });
  await page.waitForFunction(() => !document.querySelector('[data-testid="rule-now"]')?.textContent?.includes('mended'), undefined, { timeout: 10_000 });
  await page.click(id('rule-view-text'));
  assert.match(await page.inputValue(id('rule-text')), /name = "Walked through"/);
  await page.click(id('rule-save'));
  await page.waitForSelector(`${id('rule-row')}[data-rule="Walked through"]`, { timeout: 10_000 });
  await shot(page, 'rule-saved-light');
  await page.click(id('rule-remove'));
  await page.click(id('rule-remove-sure'));
  await page.waitForSelector(`${id('rule-row')}[data-rule="Walked through"]`, { state: 'detached', timeout: 10_000 });
});

await check('the keyboard alone reaches a rule and back', async () => {
  await page.keyboard.press('Control+k');
  await page.waitForSelector(id('palette'), { timeout: 5_000 });
  await page.keyboard.type('alert rules');
  await page.keyboard.press('Enter');
  await page.waitForSelector(id('rule-row'), { timeout: 10_000 });
  await page.evaluate(() => document.activeElement?.blur());
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.waitForSelector(id('rule-editor'), { timeout: 5_000 });
  await page.keyboard.press('Escape');
  await page.waitForSelector(id('rule-editor'), { state: 'detached', timeout: 5_000 });
});

await check('a rule is tried on the past, or the page says why not', async () => {
  await rule('Long wait');
  await page.waitForSelector(`${id('rule-try')}:not(:disabled)`, { timeout: 10_000 });
  await page.click(id('rule-try'));
  await page.waitForSelector(`${id('rule-past-sum')}, ${id('rule-past-failed')}`, { timeout: 60_000 });
  await page.locator(id('rule-past')).scrollIntoViewIfNeeded();
  await shot(page, 'rule-past-light');
});

await check('the history tells what happened, and a note is kept', async () => {
  await part('history');
  await page.waitForSelector(id('history-row'), { timeout: 30_000 });
  await page.locator(id('history-row')).first().click();
  await page.waitForSelector(id('alert-panel'), { timeout: 5_000 });
  await page.fill(id('note-text'), 'Walked by.');
  await page.click(id('note-write'));
  await page.getByText('Walked by.').first().waitFor({ timeout: 10_000 });
  await shot(page, 'history-light');
  await page.keyboard.press('Escape');
});

for (const scheme of ['light', 'dark']) {
  await check(`no accessibility violation, ${scheme}`, async () => {
    await page.emulateMedia({ colorScheme: scheme });
    const found = [];
    for (const place of ['floor', 'agents', 'conversations', 'alerts', 'sources', 'settings']) {
      await page.click(id(`nav-${place}`));
      await page.waitForTimeout(400);
      for (const one of await violations(page)) found.push(`${place}: ${one}`);
    }
    for (const name of ['history', 'rules', 'active']) {
      await part(name);
      if (name === 'rules') {
        await page.waitForSelector(id('rule-row'), { timeout: 10_000 });
        await rule('Long wait');
        await page.click(id('rule-add-override'));
      }
      await page.waitForTimeout(500);
      for (const one of await violations(page)) found.push(`alerts, ${name}: ${one}`);
      await shot(page, `alerts-${name}-${scheme}`);
      if (name === 'rules') {
        await page.click(id('rule-view-text'));
        await page.waitForTimeout(500);
        for (const one of await violations(page)) found.push(`alerts, rule as text: ${one}`);
        await page.click(id('rule-close'));
        await page.click(id('rule-discard'));
      }
    }
    await page.click(id('nav-floor'));
    await row(page);
    await shot(page, `floor-${scheme}`);
    assert.deepEqual(found, []);
  });
}

await check('nothing is cut off at 200 %', async () => {
  const zoomed = await openPage(browser, address, { colorScheme: 'light', viewport: { width: 720, height: 450 }, deviceScaleFactor: 2 });
  await live(zoomed.page);
  await row(zoomed.page);
  const overflow = await zoomed.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  await shot(zoomed.page, 'floor-200');
  await zoomed.close();
  assert.ok(overflow <= 0, `${overflow} px too wide`);
});

await check('the page had no fault', () => assert.deepEqual(faults, []));

await close();
await browser.close();
console.log(failed === 0 ? 'the bridge page is well' : `${failed} checks failed`);
exit(failed === 0 ? 0 : 1);
