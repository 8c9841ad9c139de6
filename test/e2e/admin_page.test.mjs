// The administrator's page: log in with the password that the first start prints, see the service, end streams, look after accounts.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, open } from './browser.mjs';
import { Service, until } from './service.mjs';

let service;
let browser;
let page;

before(async () => {
    service = await Service.start({ WEIR_DEMO: '1' });
    browser = await launch();
    page = await open(browser, `${service.url}/admin`);
});

after(async () => {
    await browser?.close();
    assert.equal(await service?.stop(), 0, 'the service ends cleanly');
});

const field = (name) => page.getByLabel(name, { exact: true });

test('the one-time password leads to a password of one\'s own, and then to the page', async () => {
    const once = await until('the password', 10000, () => /password[^\n]*?[:\s]+([A-Za-z0-9_-]{12,})\s/i.exec(service.log)?.[1]);
    await page.waitForURL('**/login?next=/admin');
    await field('User name').fill('admin');
    await field('Password').fill(once);
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    await page.waitForURL('**/account');
    await page.getByText('Choose a password of your own').waitFor();
    await field('Current password').fill(once);
    await field('New password').fill('my own words 9');
    await page.getByTestId('password-form').getByRole('button').click();
    await page.getByRole('link', { name: 'Administration' }).click();
    await page.waitForURL('**/admin');
});

test('it shows workers with their load, and graphs that grow', async () => {
    await page.getByText('Well', { exact: true }).waitFor();
    assert.ok((await page.getByTestId('worker').count()) >= 1);
    await until('load is told', 15000, async () => /[1-9]\d* transports and tracks/.test(await page.getByTestId('worker').first().innerText()));
    await until('a line is drawn', 15000, async () => (await page.locator('.graph polyline').count()) === 2);
});

test('an account is made, promoted and disabled; nobody changes the own rights', async () => {
    await page.getByText('New account').first().click();
    await field('User name').fill('bob');
    await field('First password').fill('first words 1');
    await page.getByTestId('new-user-form').getByRole('button', { name: 'New account' }).click();
    const bob = page.getByTestId('admin-user').filter({ hasText: 'bob' });
    await bob.waitFor();
    await page.getByLabel('Role of bob').selectOption('moderator');
    await until('he is moderator', 5000, async () => (await page.getByLabel('Role of bob').inputValue()) === 'moderator');
    await bob.getByRole('button', { name: 'Disable' }).click();
    await bob.getByText('disabled', { exact: true }).waitFor();
    assert.ok(await page.getByLabel('Role of admin').isDisabled());
    const login = await fetch(`${service.url}/api/account/login`, { method: 'POST', headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ username: 'bob', password: 'first words 1' }) });
    assert.ok(login.status === 401 || login.status === 403, `${login.status}`);
    if (process.env.WEIR_SCREENSHOTS) await page.screenshot({ path: `${process.env.WEIR_SCREENSHOTS}/admin.png`, fullPage: true });
    await field('Name begins with').fill('zz');
    await until('nobody of that name', 5000, async () => (await page.getByTestId('admin-user').count()) === 0);
});

test('who is no moderator is told so', async () => {
    const guest = await open(browser, `${service.url}/login?new&next=/admin`);
    await guest.getByLabel('User name', { exact: true }).fill('carl');
    await guest.getByLabel('Password', { exact: true }).fill('some words 2');
    await guest.getByRole('button', { name: 'Create account' }).click();
    await guest.getByText('This page is for moderators and administrators.').waitFor();
    assert.deepEqual(guest.problems, []);
    await guest.context().close();
});

test('the console is silent', () => assert.deepEqual(page.problems, []));
