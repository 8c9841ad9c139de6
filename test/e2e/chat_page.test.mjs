// Chat as people use it: a broadcaster in the studio, viewers on the watch page, in real browsers.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { goLive, launch, open } from './browser.mjs';
import { Service, until } from './service.mjs';

let service;
let browser;
let other;
let studio;
let anna;
let ben;
const ROOM = 'chatting';

before(async () => {
    service = await Service.start({ WEIR_CHAT_BAN_ADDRESSES: '0' });
    [browser, other] = await Promise.all([launch(), launch()]);
    studio = await goLive(browser, service, ROOM, 'Evening by the river');
    anna = await open(browser, `${service.url}/watch/${ROOM}`);
    ben = await open(other, `${service.url}/watch/${ROOM}`);
});

after(async () => {
    await browser?.close();
    await other?.close();
    assert.equal(await service?.stop(), 0, 'the service ends cleanly');
});

const messages = (page) => page.getByTestId('chat-message');
const withText = (page, text) => messages(page).filter({ hasText: text });

async function say(page, text) {
    await page.getByTestId('chat-input').fill(text);
    await page.getByTestId('chat-input').press('Enter');
    await withText(page, text).first().waitFor({ timeout: 5000 });
}

async function name(page, text) {
    await page.getByTestId('chat-name').fill(text);
    await page.getByTestId('chat-name-save').click();
    await page.getByTestId('chat-input').waitFor();
}

/** Buttons of a message show when it is pointed at. */
async function press(page, text, label) {
    const message = withText(page, text).first();
    await message.hover();
    await message.getByRole('button', { name: label }).click();
}

async function picture(page, file) {
    if (!process.env.WEIR_SCREENSHOTS) return;
    mkdirSync(process.env.WEIR_SCREENSHOTS, { recursive: true });
    await page.screenshot({ path: `${process.env.WEIR_SCREENSHOTS}/${file}.png` });
}

test('viewers choose a name and talk; all see the same; the broadcaster is marked', async () => {
    await name(anna, 'Anna');
    await name(ben, 'Ben');
    await say(anna, 'Good evening, all!');
    await say(ben, 'Hello <b>everyone</b> 🎉');
    await say(studio, 'Welcome to the river');
    for (const page of [anna, ben, studio]) {
        await withText(page, 'Welcome to the river').waitFor({ timeout: 5000 });
        const texts = (await messages(page).allInnerTexts()).map((s) => s.replace(/\s+/g, ' '));
        assert.equal(texts.length, 3, texts.join('|'));
        assert.ok(texts[0].includes('Good evening, all!') && texts[0].includes('Anna'));
        assert.ok(texts[1].includes('Hello <b>everyone</b> 🎉'), 'shown as text');
    }
    assert.equal(await withText(anna, 'Welcome').getByTestId('chat-role').innerText(), 'Host');
    assert.equal(await withText(anna, 'Hello').getByTestId('chat-role').count(), 0);
});

test('a reply shows what it answers, and is marked for whom it is meant', async () => {
    await press(ben, 'Good evening', 'Reply to Anna');
    await ben.getByTestId('chat-replying').waitFor();
    await say(ben, 'and to you, @Anna');
    const mine = withText(anna, 'and to you');
    await mine.waitFor({ timeout: 5000 });
    assert.match(await mine.innerText(), /Anna: Good evening, all!/);
    assert.match(await mine.getAttribute('class'), /chat-for-me/);
    assert.doesNotMatch(await withText(studio, 'and to you').getAttribute('class'), /chat-for-me/);
    assert.equal(await ben.getByTestId('chat-replying').count(), 0);
});

test('it works by keyboard alone, and the log is one for screen readers', async () => {
    const log = anna.getByRole('log', { name: 'Messages' });
    assert.equal(await log.count(), 1);
    await anna.getByTestId('chat-input').focus();
    await anna.keyboard.type('typed');
    await anna.keyboard.press('Tab');
    await anna.keyboard.press('Enter'); // emoji
    await anna.getByRole('group', { name: 'Emoji' }).getByRole('button').first().press('Enter');
    await anna.keyboard.press('Enter');
    await withText(ben, 'typed😀').waitFor({ timeout: 5000 });
    /* The buttons of a message are reached by Tab, though they show only then. */
    await log.focus();
    await anna.keyboard.press('Tab');
    const focused = await anna.evaluate(() => globalThis.document.activeElement.getAttribute('aria-label'));
    assert.match(focused, /Delete this message|Reply to/);
});

test('who joins later sees what was said', async () => {
    const late = await open(other, `${service.url}/watch/${ROOM}`);
    await withText(late, 'Good evening').first().waitFor({ timeout: 10000 });
    assert.equal(await messages(late).count(), await messages(ben).count());
    assert.deepEqual(late.problems, []);
    await late.context().close();
});

test('the broadcaster deletes, makes moderators, times out and ends it again', async () => {
    await picture(studio, 'studio');
    await say(ben, 'something rude');
    await withText(studio, 'something rude').waitFor();
    await press(studio, 'something rude', 'Delete this message');
    await until('gone everywhere', 5000, async () => (await withText(anna, 'something rude').count()) + (await withText(ben, 'something rude').count()) === 0);
    await press(studio, 'Good evening', 'Make Anna a moderator');
    await say(ben, 'still rude');
    await until('Anna may', 5000, async () => {
        await withText(anna, 'still rude').hover();
        return (await withText(anna, 'still rude').getByRole('button', { name: 'Time out Ben' }).count()) === 1;
    });
    await picture(anna, 'watch');
    await press(anna, 'still rude', 'Time out Ben for 10 minutes');
    await ben.getByTestId('chat-banned').waitFor({ timeout: 5000 });
    assert.match(await ben.getByTestId('chat-banned').innerText(), /timed out for another (10:00|9:5\d)/);
    await picture(ben, 'timed-out');
    await anna.getByTestId('chat-settings').click();
    await anna.getByRole('button', { name: 'Let Ben write again' }).click();
    await ben.getByTestId('chat-input').waitFor({ timeout: 5000 });
    await anna.getByTestId('chat-slow').selectOption('30');
    await picture(anna, 'rules');
    await anna.getByTestId('chat-save').click();
    await ben.getByTestId('chat-note').waitFor({ timeout: 5000 });
    await ben.getByTestId('chat-input').fill('sorry');
    await ben.getByTestId('chat-send').click();
    await ben.getByTestId('chat-problem').waitFor({ timeout: 5000 });
    assert.match(await ben.getByTestId('chat-problem').innerText(), /wait \d+ s/);
});

test('over HLS there is the same chat, as the same person', async () => {
    await anna.getByTestId('switch-hls').click();
    await until('over HLS', 20000, async () => (await anna.getByTestId('mode-badge').innerText()) === 'HLS');
    await say(anna, 'from HLS');
    await withText(ben, 'from HLS').waitFor({ timeout: 5000 });
    assert.equal(await withText(ben, 'from HLS').getByTestId('chat-role').innerText(), 'Mod');
});

test('a reload keeps the name and who one is; a phone has it below the picture', async () => {
    await anna.reload();
    await withText(anna, 'Good evening').first().waitFor({ timeout: 10000 });
    await anna.getByTestId('chat-input').waitFor({ timeout: 5000 });
    assert.equal(await anna.getByTestId('chat-settings').count(), 1, 'still a moderator');
    const own = withText(anna, 'from HLS').first();
    await own.hover();
    assert.equal(await own.getByRole('button', { name: 'Delete this message' }).count(), 1, 'its own message');
    const phone = await open(browser, `${service.url}/watch/${ROOM}`, { viewport: { width: 390, height: 844 } });
    await withText(phone, 'Good evening').first().waitFor({ timeout: 10000 });
    const box = await phone.getByTestId('chat').boundingBox();
    assert.ok(box.width <= 390 && box.x >= 0);
    await phone.getByTestId('chat').scrollIntoViewIfNeeded();
    await picture(phone, 'phone');
    for (const page of [studio, anna, ben, phone]) assert.deepEqual(page.problems, []);
});
