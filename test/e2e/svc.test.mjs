// SVC: one stream with layers inside, of which a viewer gets those that it prefers; the picture goes on over every change.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './browser.mjs';
import { Room, call, receives } from './layers.mjs';
import { Service, until } from './service.mjs';

const [WIDTH, HEIGHT] = [960, 540];
const FPS = 10; // AV1 in three sizes is work
const RAMP_MS = 60000; // until the browser's estimate of its uplink is enough for all layers
const FOLLOW_MS = 30000;
const PICTURES = 40; // ten periods of three temporal layers
let service;
let browser;

before(async () => {
    // The line is not what is tested here: it carries everything, also where a busy machine delays what it carries.
    service = await Service.start({ WEIR_HLS_ENABLED: '0', WEIR_RTC_INITIAL_BITRATE: '5M', WEIR_RTC_MIN_BITRATE: '5M' });
    browser = await launch();
});

after(async () => {
    await browser?.close();
    assert.equal(await service?.stop(), 0, 'the service ends cleanly');
});

const width = (spatial) => WIDTH >> (2 - spatial);

/**
 * The part of the sender's pictures that come to the viewer, over some time. After a large key frame an encoder leaves out
 * upper layers for a while: then it is less.
 */
async function share(sender, viewer) {
    const count = async () => [(await call(viewer, 'received')).received, (await call(sender, 'sent'))[0].frames / 3]; // each layer counts
    const from = await count();
    let now;
    await until('pictures are sent', FOLLOW_MS, async () => { now = await count(); return now[1] - from[1] >= PICTURES; }, 200);
    return (now[0] - from[0]) / (now[1] - from[1]);
}

for (const [mimeType, mode] of [['video/VP9', 'L3T3_KEY'], ['video/VP9', 'L3T3'], ['video/AV1', 'L3T3_KEY']]) {
    test(`${mimeType} ${mode}: the picture follows the preferred layers without a gap`, async (t) => {
        const room = await Room.open(browser, service, mode.toLowerCase() + mimeType.slice(-3).toLowerCase());
        try {
            const encodings = [{ scalabilityMode: mode, maxBitrate: 1500000 }];
            const sender = await room.broadcast({ mimeType, encodings, video: { width: WIDTH, height: HEIGHT, frameRate: FPS } }, RAMP_MS);
            assert.equal((await call(sender, 'sent'))[0].mode, mode);
            const viewer = await room.watch('ben');
            assert.equal(await viewer.evaluate(() => globalThis.client.type), 'svc');
            const follow = async (spatial, temporal) => {
                await call(viewer, 'prefer', spatial, temporal);
                return receives(viewer, `layers ${spatial}, ${temporal}`, FOLLOW_MS,
                    (s) => s.layer?.[0] === spatial && s.layer[1] === temporal && s.width === width(spatial));
            };
            const first = await receives(viewer, 'the top layer', RAMP_MS, (s) => s.width === WIDTH && s.layer?.[0] === 2 && s.layer[1] === 2);
            await call(sender, 'takeLongestGap');
            await call(viewer, 'takeLongestGap');
            for (const spatial of [1, 0, 2, 0, 1, 2]) await follow(spatial, 2);
            const shares = [];
            for (const [temporal, part] of [[2, 1], [0, 1 / 4], [1, 1 / 2], [2, 1]]) {
                await follow(2, temporal);
                await until(`${part} of the pictures`, FOLLOW_MS * 2, async () => {
                    shares.push(await share(sender, viewer));
                    return Math.abs(shares.at(-1) - part) < 0.3 * part;
                });
            }
            const gap = await call(viewer, 'takeLongestGap');
            const pause = await call(sender, 'takeLongestGap');
            const last = await call(viewer, 'received');
            t.diagnostic(JSON.stringify({ shares, gap, pause, first, last }));
            assert.equal(last.lost, first.lost, 'numbers are missing');
            assert.ok(gap < 2000 + 2 * pause, `no picture for ${gap} ms, none sent for ${pause} ms`);
        } finally {
            await room.close();
        }
    });
}
