import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { eventually } from '../../src/testing/eventually.ts';
import { removeFolder } from '../../src/testing/remove-folder.ts';
import { Watchkeeper } from '../../src/testing/watchkeeper.ts';
import { noBrowser, TestBrowser } from './browser.ts';

const password = 'correct horse battery staple';
const hostile = '<img src=x onerror=alert(1)>';

/** A shop that can be closed. */
const shop = createServer((_request, response) => response.writeHead(shopStatus).end('x'));
let shopStatus = 200;

describe('the dashboard', { skip: noBrowser }, () => {
  let folder = '';
  let server: Watchkeeper;
  let browser: TestBrowser;
  let page: Page;
  let url = '';

  before(async () => {
    await new Promise<void>((resolve) => shop.listen(0, '127.0.0.1', resolve));
    const { port } = shop.address() as AddressInfo;
    folder = await mkdtemp(join(tmpdir(), 'watchkeeper-e2e-'));
    const config = join(folder, 'office.yaml');
    const target = `http://127.0.0.1:${port}/`;
    const monitors = [
      { name: 'shop', type: 'http', target, interval: '1s' },
      { name: hostile, type: 'tcp', target: `127.0.0.1:${port}`, interval: '1s' },
    ];
    const rooms = [
      {
        name: 'lab',
        seats: ['local', 'seat-7'],
        places: { 'seat-7': 'row 2' },
        policies: [{ name: 'exam', by: 'the lab' }],
      },
    ];
    await writeFile(config, JSON.stringify({ egress: { allow: ['127.0.0.0/8'] }, monitors, rooms }));
    const words = ['serve', '--config', config, '--data', join(folder, 'data'), '--listen', '127.0.0.1:0'];
    server = new Watchkeeper(words);
    const [, address = '', key = ''] = await eventually(
      'it says where',
      () => /In a browser:\s+(\S+)\/#setup=(\S+)/.exec(server.stderr) ?? undefined,
    );
    url = address;
    browser = await TestBrowser.open();
    page = await browser.page();
    await page.goto(`${url}/#setup=${key}`);
  });
  after(async () => {
    await browser?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
    shop.close();
    shop.closeAllConnections();
    await removeFolder(folder);
  });

  test('the link that the server printed makes the first account, and is used up', async () => {
    await page.getByLabel('Name').fill('Ada');
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Make your account' }).click();
    await page.getByRole('heading', { name: 'All is well.' }).waitFor();
    assert.equal(new URL(page.url()).hash, '');
    await assertNoViolations(page);
  });

  test('an outage is told in a sentence as it happens, and so is its end', async () => {
    shopStatus = 503;
    await page.getByRole('heading', { name: 'One thing is wrong.' }).waitFor();
    const incident = page.getByRole('article').filter({ hasText: 'shop' });
    assert.match(await incident.innerText(), /Down[\s\S]*503 Service Unavailable/);
    await assertNoViolations(page);
    await incident.getByRole('link', { name: 'shop' }).click();
    await page.getByRole('heading', { name: 'shop', level: 1 }).waitFor();
    await page.getByRole('img', { name: 'Answer time: shop' }).locator('canvas').waitFor();
    await assertNoViolations(page);
    await page.getByRole('link', { name: 'Incidents' }).click();
    await page.getByRole('article').getByRole('link', { name: 'shop' }).click();
    await page.getByRole('button', { name: 'I have it' }).click();
    await page.getByText('Ada has it').first().waitFor();
    await assertNoViolations(page);
    shopStatus = 200;
    await page.locator('.top .st.up').waitFor();
  });

  test('the address is the state: a filter can be sent to somebody else', async () => {
    await page.getByRole('link', { name: /^Monitors/ }).click();
    await page.getByRole('searchbox').fill('type:tcp');
    await page.waitForURL('**/monitors?q=type%3Atcp');
    const other = await browser.pageIn(page.context());
    await other.goto(page.url());
    await other.getByRole('link', { name: hostile }).waitFor();
    assert.equal(await other.getByRole('listitem').count(), 1);
    await assertNoViolations(other);
    await other.close();
  });

  test('a name with markup is text on every page, and no page says that anything is wrong with it', async () => {
    for (const path of ['/', '/monitors', '/incidents', '/agents', '/rooms', '/notices']) {
      await page.goto(`${url}${path}`);
      await page.getByRole('navigation').waitFor();
      assert.equal(await page.locator('img').count(), 0);
    }
    await page.goto(`${url}/monitors`);
    await page.getByRole('link', { name: hostile }).click();
    await page.getByRole('heading', { name: hostile, level: 1 }).waitFor();
    assert.deepEqual(browser.faults, []);
  });

  test('pause and resume are done from the page, by whoever may', async () => {
    await page.goto(`${url}/monitors/shop`);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.locator('.top .st.paused').waitFor();
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.locator('.top .st.up').waitFor();
  });

  test('a session is begun and ended on the wall of its room, by the person who is signed in', async () => {
    await page.goto(`${url}/rooms`);
    await page.getByRole('link', { name: /lab/ }).click();
    await page.getByRole('button', { name: 'Start the session' }).click();
    await page.getByText(/2 seats, 1 there/).waitFor();
    await page.locator('.seat.unknown').filter({ hasText: 'row 2' }).filter({ hasText: 'Not here' }).waitFor();
    await assertNoViolations(page);
    await page.getByRole('button', { name: 'End the session' }).click();
    await page.getByRole('button', { name: 'Really end it?' }).click();
    await page.getByText('No session now').waitFor();
  });

  test('a phone shows the same without scrolling sideways', async () => {
    const phone = await browser.page({
      viewport: { width: 390, height: 780 },
      storageState: await page.context().storageState(),
    });
    for (const path of [
      '/',
      '/monitors',
      '/monitors/shop',
      '/incidents',
      '/agents',
      '/rooms',
      '/rooms/lab',
      '/notices',
    ]) {
      await phone.goto(`${url}${path}`);
      await phone.getByRole('main').getByRole('heading', { level: 1 }).waitFor();
      const overflow = await phone.evaluate('document.documentElement.scrollWidth - innerWidth');
      assert.equal(overflow, 0, path);
      await assertNoViolations(phone);
    }
  });

  test('a page that has lost the server says so, and finds it again', async () => {
    await page.goto(`${url}/`);
    await page.getByRole('heading', { name: 'All is well.' }).waitFor();
    await page.context().setOffline(true);
    await page.getByRole('status').filter({ hasText: 'has not been heard since' }).waitFor();
    await page.context().setOffline(false);
    await page.getByRole('status').filter({ hasText: 'has not been heard since' }).waitFor({ state: 'detached' });
  });

  test('whoever signs out sees nothing more, and signs in with the password alone', async () => {
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Name').fill('ada');
    await page.getByLabel('Password').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').filter({ hasText: 'name or password is wrong' }).waitFor();
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.getByRole('link', { name: /^Monitors/ }).waitFor();
  });
});

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** WCAG 2.2 A and AA, as far as axe-core can tell. */
async function assertNoViolations(page: Page): Promise<void> {
  await page.evaluate(axe);
  const found: unknown = await page.evaluate(
    `axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })
      .then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')))`,
  );
  assert.deepEqual(found, []);
}
