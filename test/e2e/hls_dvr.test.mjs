// A live stream is rewound in Chromium: to what is on disk only, by the seek bar, and back to live. Times are read from the pixels.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { launch, open } from './browser.mjs';
import { watchGlass } from './glass.mjs';
import { parseMedia } from './hls_playlist.mjs';
import { Service, until } from './service.mjs';

const WINDOW = 60; // s
const MEMORY = 36; // s; what is older is on disk only
const BACK = 48;
let service;
let browser;
let page;

before(async () => {
    service = await Service.start({ WEIR_DEMO: '1', WEIR_HLS_WINDOW: `${WINDOW}s` });
    browser = await launch();
    await until('something to rewind', 120000, async () => (await length()) > BACK + 4, 1000);
    page = await open(browser, `${service.url}/watch/demo?mode=hls`);
});

after(async () => {
    await browser?.close();
    assert.equal(await service?.stop(), 0, 'the service ends cleanly');
});

async function list() {
    const r = await fetch(`${service.url}/live/demo/v0.m3u8`);
    return r.ok ? parseMedia(await r.text(), () => {}) : null;
}

async function length() {
    return (await list())?.segments.reduce((sum, s) => sum + s.duration, 0) ?? 0;
}

/** Waits until pictures of that age, s, are shown one after the other. */
async function shows(what, from, to) {
    await page.evaluate(() => { window.__glass.delays = []; });
    return until(what, 20000, async () => {
        const delays = await page.evaluate(() => window.__glass.delays.map(([, s]) => s));
        const last = delays.slice(-20);
        return last.length === 20 && last.every((s) => s > from && s < to);
    }, 200).catch(async (e) => assert.fail(`${e.message}: ${await page.evaluate(() => JSON.stringify(window.__glass.delays.slice(-5)))}`));
}

test('the seek bar rewinds to what is on disk only, and it plays', async () => {
    await until('the player plays', 20000, () => page.evaluate(() => document.querySelector('video').readyState > 2));
    await page.evaluate(watchGlass);
    await shows('live', 0, 6);
    const asked = [];
    page.on('response', (r) => asked.push([r.url(), r.status()]));
    await page.getByTestId('seek').fill(String(-BACK));
    await page.getByTestId('seek').blur();
    await shows('the past', BACK - 4, BACK + 8);
    const { next } = await list();
    const old = asked.filter(([url]) => Number(/v0-\w+-(\d+)\.m4s/.exec(url)?.[1] ?? Infinity) < next - MEMORY - 2);
    assert.ok(old.length > 0, JSON.stringify(asked.slice(0, 10)));
    assert.ok(asked.every(([, status]) => status === 200 || status === 206));
    assert.match(await page.getByTestId('seek-behind').innerText(), /^\u22120:[45]\d$/);
    assert.doesNotMatch(await page.getByTestId('live-state').getAttribute('class'), /badge-live/);
});

test('one touch goes back to live', async () => {
    await page.mouse.move(640, 400);
    await page.getByTestId('back-to-live').click();
    await shows('live', 0, 6);
    await page.getByTestId('back-to-live').waitFor({ state: 'detached' });
    assert.match(await page.getByTestId('live-state').getAttribute('class'), /badge-live/);
    assert.deepEqual(page.problems, []);
});

test('what leaves the window leaves the list and the disk', async () => {
    const { first } = await list();
    await until('the window moves on', 60000, async () => (await list()).first > first + 5, 500);
    const now = await list();
    assert.ok(await length() < WINDOW + 2 * now.target);
    const names = readdirSync(`${service.dir}/hls/demo`).filter((n) => /^v0-\w+-\d+\.m4s$/.test(n));
    assert.ok(names.every((n) => Number(/(\d+)\.m4s$/.exec(n)[1]) >= first), 'nothing older is on disk');
    assert.ok(names.length <= now.segments.length + 5, `${names.length} files, ${now.segments.length} segments`);
});
