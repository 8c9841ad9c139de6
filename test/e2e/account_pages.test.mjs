// Accounts in the browser: made, used for streams of one's own, changed, left; what a person sees when something is wrong.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, open } from './browser.mjs';
import { Service, until } from './service.mjs';

const PASSWORD = 'correct horse 7';
let service;
let browser;
let page;

before(async () => {
    service = await Service.start();
    browser = await launch();
    page = await open(browser, `${service.url}/`);
});

after(async () => {
    await browser?.close();
    assert.equal(await service?.stop(), 0, 'the service ends cleanly');
});

const field = (name) => page.getByLabel(name, { exact: true });
const button = (name) => page.getByRole('button', { name, exact: true });

/** For people who look at it: WEIR_SCREENSHOTS=folder. */
async function shot(name) {
    if (process.env.WEIR_SCREENSHOTS) await page.screenshot({ path: `${process.env.WEIR_SCREENSHOTS}/${name}.png` });
}

test('an account is made, with words at the field that is wrong', async () => {
    await page.getByTestId('account-link').click();
    await page.waitForURL('**/login');
    await button('No account yet? Create one').click();
    await field('User name').fill('not ok');
    await field('Password').fill(PASSWORD);
    await shot('register');
    await button('Create account').click();
    await page.getByText(/username may only have/).waitFor();
    assert.equal(await field('User name').getAttribute('aria-invalid'), 'true');
    await field('User name').fill('Ann');
    await button('Create account').click();
    await page.waitForURL('**/streams');
    await page.getByText('You have no streams yet.').waitFor();
    assert.match(await page.getByTestId('account-link').innerText(), /ann/i);
});

let roomId;

test('a stream is planned, with a link, a key that is hidden until asked for, and another key', async () => {
    await page.getByTestId('new-stream').click();
    await field('Title').fill('Evening concert');
    await field('Description').fill('Two sets, <b>no</b> break.');
    await field('Begins').fill('2031-05-04T20:15');
    await page.getByTestId('new-stream-form').getByRole('button', { name: 'New stream' }).click();
    const card = page.getByTestId('stream-card');
    await card.getByText('begins', { exact: false }).waitFor();
    await card.getByText('OBS and other encoders').click();
    const key = field('Stream key');
    assert.equal(await key.getAttribute('type'), 'password');
    await button('Show').click();
    assert.equal(await key.getAttribute('type'), 'text');
    const first = await key.inputValue();
    assert.match(first, /^\S{32}$/);
    assert.equal(await field('Server (WHIP)').inputValue(), `${service.url}/whip`);
    await shot('streams');
    page.once('dialog', (d) => d.accept());
    await button('New key').click();
    await until('another key', 5000, async () => (await key.inputValue()) !== first);
    roomId = (await card.getByRole('link', { name: 'Go live in the browser' }).getAttribute('href')).split('/').at(-1);
});

test('others see it announced, and who plans it; markup is only text', async () => {
    const guest = await open(browser, `${service.url}/`);
    await guest.getByText('Evening concert').waitFor();
    await guest.goto(`${service.url}/users/ann`);
    await guest.getByText('Two sets, <b>no</b> break.').waitFor();
    assert.equal(await guest.getByText('Stream key').count(), 0);
    await guest.goto(`${service.url}/users/nobody-here`);
    await guest.getByText('There is nobody of that name').waitFor();
    assert.deepEqual(guest.problems.filter((p) => !/404/.test(p)), []);
    await guest.context().close();
});

test('the owner goes live from it in three clicks, and it is in the list as live', async () => {
    await page.getByRole('link', { name: 'Go live in the browser' }).click();
    await page.waitForURL(`**/studio/${roomId}`);
    await page.getByTestId('go-live').click();
    await until('live', 15000, async () => (await service.json('/api/livestream/active')).streams.some((s) => s.roomId === roomId));
    await page.goto(`${service.url}/users/ann`);
    await page.getByText('Live now').waitFor();
    await shot('profile');
});

test('somebody without the account or the key cannot take its place', async () => {
    const guest = await open(browser, `${service.url}/studio/${roomId}`);
    await guest.getByTestId('go-live').click();
    await guest.getByRole('alert').first().waitFor();
    assert.match(await guest.getByRole('alert').first().innerText(), /does not allow|already|not accept|log in/i);
    await guest.context().close();
});

test('profile and password change; the old password is refused afterwards', async () => {
    await page.goto(`${service.url}/account`);
    await field('Display name').fill('Ann Example');
    await field('About').fill('Plays the viola.\nOn Sundays.');
    await page.getByTestId('profile-form').getByRole('button').click();
    await button('Saved').waitFor();
    assert.match(await page.getByTestId('account-link').innerText(), /Ann Example/);
    await shot('account');
    await field('Current password').fill('wrong one');
    await field('New password').fill('another one 8');
    await page.getByTestId('password-form').getByRole('button').click();
    await page.getByTestId('password-form').getByRole('alert').waitFor();
    await field('Current password').fill(PASSWORD);
    await page.getByTestId('password-form').getByRole('button').click();
    await page.getByText('You were logged out everywhere else', { exact: false }).waitFor();
    await page.getByTestId('log-out').click();
    await page.waitForURL('**/login?next=/account');
    await field('User name').fill('ann');
    await field('Password').fill(PASSWORD);
    await button('Log in').click();
    await page.getByRole('alert').waitFor();
    await field('Password').fill('another one 8');
    await button('Log in').click();
    await page.waitForURL('**/account');
});

test('a page of this site is gone to after log-in, never another', async () => {
    await page.getByTestId('log-out').click();
    await page.waitForURL('**/login?next=/account');
    await page.goto(`${service.url}/login?next=//example.org/`);
    await field('User name').fill('ann');
    await field('Password').fill('another one 8');
    await button('Log in').click();
    await page.waitForURL(`${service.url}/streams`);
});

test('on a phone the pages fit, and the console is silent', async () => {
    const phone = await open(browser, `${service.url}/login`, { viewport: { width: 360, height: 740 } });
    for (const path of ['/login', '/users/ann']) {
        await phone.goto(service.url + path);
        await phone.getByRole('heading', { level: 1 }).waitFor();
        assert.ok(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${path} is not wider than the screen`);
    }
    if (process.env.WEIR_SCREENSHOTS) await phone.screenshot({ path: `${process.env.WEIR_SCREENSHOTS}/profile-phone.png` });
    assert.deepEqual(phone.problems, []);
});
