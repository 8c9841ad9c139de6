// A phone that is turned: HLS shows it upright, whether its pictures are encoded or pass through.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './browser.mjs';
import { openBundled } from './bundle.mjs';
import { HlsMedia } from './hls_media.mjs';
import { Service, until } from './service.mjs';

const LIMIT = 60000;
let service;
let media;
let browser;
let page;

before(async () => {
    service = await Service.start({ WEIR_HLS_PRESET: 'ultrafast', WEIR_HLS_NAMES: '0' });
    media = new HlsMedia(service.url);
    browser = await launch();
    page = await openBundled(browser, service, 'hls_modes_page.js');
});

after(async () => {
    await browser?.close();
    assert.equal(await service?.stop(), 0, `the service ends cleanly\n${service?.log}`);
});

async function join(room, role, mime) {
    await page.evaluate(async ([url, ...args]) => {
        const c = await globalThis.page.Client.join(url, args[0], 'phone', 'Phone', args[1]);
        globalThis.phone = c;
        await c.sound(440);
        await c.phone(args[2]);
    }, [`${service.url.replace('http', 'ws')}/ws`, room, role, mime]);
}
const turn = (degrees) => page.evaluate((d) => globalThis.phone.turn(d), degrees);
const leave = () => page.evaluate(() => globalThis.phone.leave());

const UPRIGHT = [[0.5, 0.2], [0.5, 0.8]];
// Held upright, its picture is a third of the canvas's width: left and right of the middle, and beside it.
const SIDES = [[0.42, 0.5], [0.58, 0.5], [0.2, 0.5], [0.8, 0.5]];

test('what is encoded is turned', async () => {
    await join('vp8', 'broadcaster', 'video/VP8');
    await media.shows('vp8', 'v0', UPRIGHT, 'rb');
    await turn(90);
    await media.shows('vp8', 'v0', SIDES, 'br--');
    await turn(180);
    await media.shows('vp8', 'v0', UPRIGHT, 'br');
    await turn(270);
    await media.shows('vp8', 'v0', SIDES, 'rb--');
    await leave();
});

test('what passes through is turned by players, in the same run', async () => {
    await join('h264', 'broadcaster', 'video/H264');
    await media.shows('h264', 'v0', UPRIGHT, 'rb');
    const transcoders = service.children('pipe:0');
    for (const [degrees, size, places, expected] of [[90, '180x320', [[0.2, 0.5], [0.8, 0.5]], 'br'], [180, '320x180', UPRIGHT, 'br'],
        [270, '180x320', [[0.2, 0.5], [0.8, 0.5]], 'rb'], [0, '320x180', UPRIGHT, 'rb']]) {
        await turn(degrees);
        await media.shows('h264', 'v0', places, expected);
        await until(`RESOLUTION=${size}`, LIMIT, async () => (await media.text('h264/index.m3u8')).includes(`RESOLUTION=${size}`));
        const { bytes, list } = await media.newest('h264', 'v0');
        assert.match(list, /#EXT-X-DISCONTINUITY\n/);
        assert.equal(await page.evaluate((b) => globalThis.page.shownSize(b), bytes.toString('base64')), size, 'as Chromium shows it');
    }
    assert.deepEqual(service.children('pipe:0'), transcoders);
    assert.equal(service.log.match(/hls\.active .*room=h264 /g).length, 1);
    await leave();
});

test('in a composite it is turned in its place', async () => {
    await fetch(`${service.url}/api/rooms/meet/hls`, { method: 'PUT', body: JSON.stringify({ composite: true }), headers: { 'content-type': 'application/json' } });
    await join('meet', 'participant', 'video/H264');
    await media.shows('meet', 'composite-video', UPRIGHT, 'rb');
    await turn(90);
    await media.shows('meet', 'composite-video', SIDES, 'br--');
    await leave();
});
