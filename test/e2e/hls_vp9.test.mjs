// VP9 over HLS: ffmpeg reads it from the first run on, with whatever layers a browser sends it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './browser.mjs';
import { openBundled } from './bundle.mjs';
import { HlsMedia } from './hls_media.mjs';
import { Service, until } from './service.mjs';

const LIMIT = 30000;
const SOON = 7000; // ffmpeg alone takes 2.5 s of it on two busy cores; a first run that fails takes 8.5 s
let service;
let media;
let browser;
let page;

before(async () => {
    service = await Service.start({ WEIR_HLS_PRESET: 'ultrafast', WEIR_LOG_LEVEL: 'debug' });
    media = new HlsMedia(service.url);
    browser = await launch();
    page = await openBundled(browser, service, 'hls_modes_page.js');
});

after(async () => {
    await browser?.close();
    assert.equal(await service?.stop(), 0, `the service ends cleanly\n${service?.log}`);
});

const simulcast = [4, 2, 1].map((by) => ({ scaleResolutionDownBy: by, scalabilityMode: 'L1T2' }));
for (const [name, encodings] of [['one stream', undefined], ['temporal layers', [{ scalabilityMode: 'L1T3' }]], ['simulcast', simulcast],
    ['spatial layers', [{ scalabilityMode: 'L3T3_KEY' }]]]) {
    test(`VP9 plays in its first run: ${name}`, async () => {
        const room = name.replace(' ', '-');
        await page.evaluate(async ([url, id, how]) => {
            const c = await globalThis.page.Client.join(url, id, 'caster', 'Caster', 'broadcaster');
            globalThis.caster = c;
            await c.sound(440);
            await c.vp9('#00c000', how ?? undefined);
        }, [`${service.url.replace('http', 'ws')}/ws`, room, encodings ?? null]);
        const { startedAt } = await until('it is live', LIMIT, async () => (await service.json('/api/livestream/active')).streams.find((s) => s.roomId === room));
        await until('a playlist', LIMIT, async () => (await media.text(`${room}/index.m3u8`)) !== null, 20);
        const took = Date.now() - startedAt;
        assert.ok(took < SOON, `${took} ms`);
        await media.shows(room, 'v0', [[0.3, 0.5], [0.7, 0.5]], 'gg');
        await until('three segments', LIMIT, async () => (await media.text(`${room}/v0.m3u8`)).match(/#EXTINF/g).length >= 3);
        assert.doesNotMatch(service.log, /Invalid frame marker|Error while decoding|No start|missing reference/);
        assert.equal(service.log.match(new RegExp(`hls\\.active .*room=${room} `, 'g')).length, 1);
        assert.match(service.log, new RegExp(`hls\\.active .*room=${room} run=1 `));
        await page.evaluate(() => globalThis.caster.leave());
    });
}
