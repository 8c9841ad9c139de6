// Simulcast in three sizes: a viewer on a slow line gets the small one and goes on; the others keep the large one.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './browser.mjs';
import { Room, call, receives } from './layers.mjs';
import { Service } from './service.mjs';
import { Throttle } from './udp_throttle.mjs';

const WIDTH = 960; // below, Chromium sends fewer than three sizes
const FPS = 15; // what a busy machine can do too
const RAMP_MS = 60000; // the browser's own estimate of its uplink begins low
const SLOW_BPS = 200000;
const bitrates = [100000, 400000, 1000000];
const vp8 = {
    mimeType: 'video/VP8',
    encodings: bitrates.map((maxBitrate, i) => ({ maxBitrate, scaleResolutionDownBy: 4 >> i, scalabilityMode: 'L1T2' })),
    video: { width: WIDTH, height: 540, frameRate: FPS },
};
let service;
let browser;

before(async () => {
    service = await Service.start({ WEIR_HLS_ENABLED: '0' });
    browser = await launch();
});

after(async () => {
    await browser?.close();
    assert.equal(await service?.stop(), 0, 'the service ends cleanly');
});

const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });
const top = (s) => s.layer?.[0] === 2 && s.width === WIDTH;

test('a viewer whose line gets slow comes down to the low layer, goes on, and is back on top when the line is', async (t) => {
    const room = await Room.open(browser, service, 'sizes');
    let line;
    try {
        const sender = await room.broadcast(vp8, RAMP_MS);
        const slow = await room.watch('ben', async (port) => (line = await Throttle.start(port)).port);
        const fast = await room.watch('cat');
        await receives(slow, 'the high layer before', RAMP_MS, top);
        await receives(fast, 'the high layer on a good line', RAMP_MS, top);
        const steady = await fast.evaluate(() => globalThis.client.layers.length);

        line.limit(SLOW_BPS);
        const began = Date.now();
        await call(slow, 'takeLongestGap');
        const low = await receives(slow, 'the low layer', 30000, (s) => s.layer?.[0] === 0 && s.width === WIDTH / 4);
        t.diagnostic(`down after ${Date.now() - began} ms, longest gap ${await call(slow, 'takeLongestGap')} ms, ${line.dropped} packets dropped`);
        await call(sender, 'takeLongestGap');
        await pause(8000); // what is to be seen takes its time: it goes on at this layer
        const later = await call(slow, 'received');
        const gap = await call(slow, 'takeLongestGap');
        const unsent = await call(sender, 'takeLongestGap');
        t.diagnostic(`then ${JSON.stringify({ low, later, gap, unsent, dropped: line.dropped })}`);
        assert.equal(later.width, WIDTH / 4);
        assert.ok(later.frames - low.frames > 8 * FPS / 3, `${later.frames - low.frames} frames in 8 s`);
        assert.ok(gap < 2000 + 2 * unsent, `no picture for ${gap} ms, none sent for ${unsent} ms`);
        const other = await call(fast, 'received');
        assert.ok(top(other), JSON.stringify(other));
        const changes = await fast.evaluate((n) => globalThis.client.layers.slice(n), steady);
        assert.ok(changes.every((l) => l?.[0] === 2), `the good line got ${JSON.stringify(changes)}`);

        line.limit(Infinity);
        const free = Date.now();
        const back = await receives(slow, 'the high layer again', 60000, top);
        t.diagnostic(`back after ${Date.now() - free} ms`);
        await receives(slow, 'frames of it', 10000, (s) => s.frames > back.frames + FPS);
    } finally {
        await room.close();
        await line?.close();
    }
});
