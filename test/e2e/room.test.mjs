// Conversations: many peers in a room see each other; displays follow who comes and goes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, moving, open } from './browser.mjs';
import { Service, until } from './service.mjs';

let service;
let browser;
const peers = [];

async function join(name) {
    const page = await open(browser, `${service.url}/room/talk`);
    const field = page.getByTestId('display-name');
    await field.waitFor({ timeout: 5000 });
    await field.fill(name);
    await page.getByTestId('join').click();
    await page.getByTestId('local-tile').waitFor({ timeout: 8000 });
    return page;
}

const tiles = (page) => page.getByTestId('tile').count();

before(async () => {
    service = await Service.start({ WEIR_HLS_ENABLED: '0' });
    browser = await launch();
    for (const name of ['Ann', 'Ben', 'Cleo']) peers.push(await join(name));
});

after(async () => {
    await browser?.close();
    assert.equal(await service?.stop(), 0, 'the service ends cleanly');
});

test('three peers see each other', async () => {
    for (const page of peers) {
        await until('two tiles', 10000, async () => (await tiles(page)) === 2);
        for (let i = 0; i < 2; i++) {
            const id = await page.getByTestId('tile').nth(i).getAttribute('data-peer-id');
            await moving(page, `[data-testid=tile][data-peer-id="${id}"] video`, 15000);
        }
    }
    const text = await peers[0].getByTestId('tile').allInnerTexts();
    assert.deepEqual(text.map((t) => /Ben|Cleo/.exec(t)?.[0]).sort(), ['Ben', 'Cleo']);
});

test('a conversation is not listed as a live stream', async () => {
    assert.deepEqual((await service.json('/api/livestream/active')).streams, []);
    assert.deepEqual(await service.json('/producers'), []);
});

test('one leaves and the tiles of the others follow', async () => {
    await peers[2].getByTestId('leave').click();
    for (const page of peers.slice(0, 2)) {
        await until('one tile', 5000, async () => (await tiles(page)) === 1);
        const id = await page.getByTestId('tile').first().getAttribute('data-peer-id');
        await moving(page, `[data-testid=tile][data-peer-id="${id}"] video`, 8000);
    }
});

test('one whose tab dies is gone too', async () => {
    const dora = await join('Dora');
    await until('two tiles', 8000, async () => (await tiles(peers[0])) === 2);
    await dora.context().close();
    await until('one tile', 5000, async () => (await tiles(peers[0])) === 1);
});

test('the camera goes off and on again for the others', async () => {
    const selector = '[data-testid=tile] video';
    await moving(peers[1], selector, 8000);
    await peers[0].getByTestId('camera').click();
    await until('picture gone', 6000, async () => {
        const before = await peers[1].evaluate((s) => document.querySelector(s)?.currentTime ?? -1, selector);
        await new Promise((r) => setTimeout(r, 400));
        const now = await peers[1].evaluate((s) => document.querySelector(s)?.currentTime ?? -1, selector);
        return before === now;
    });
    await peers[0].getByTestId('camera').click();
    await moving(peers[1], selector, 10000);
});

test('nothing was complained about in any console', () => {
    for (const page of peers) assert.deepEqual(page.problems, []);
});
