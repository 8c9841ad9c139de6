// From the test card's glass to the player's picture over HLS, read out of the pixels: low latency and plain; no stall.
// WEIR_SOAK_SECONDS=1800 makes it long.
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { launch, open } from './browser.mjs';
import { openBundled } from './bundle.mjs';
import { quantile, watchGlass } from './glass.mjs';
import { parseMedia } from './hls_playlist.mjs';
import { Service, until } from './service.mjs';

const SECONDS = Number(process.env.WEIR_SOAK_SECONDS ?? 30);
const SETTLE_S = 8;
const hlsJs = resolve(import.meta.dirname, '../../web/node_modules/hls.js/dist/hls.min.js');
let service;
let browser;

before(async () => {
    service = await Service.start({ WEIR_DEMO: '1' });
    browser = await launch();
    await until('the demo plays', 30000, async () => (await edgeAge()) !== null);
});

after(async () => {
    await browser?.close();
    assert.equal(await service?.stop(), 0, 'the service ends cleanly');
});

/** Seconds from the sender's clock to the newest part that is to be had: what encoders and the machine take. */
async function edgeAge(room = 'demo') {
    const r = await fetch(`${service.url}/live/${room}/v0.m3u8`);
    if (!r.ok) return null;
    const list = parseMedia(await r.text(), () => {});
    const last = list.open ?? list.segments.at(-1);
    const length = list.open ? last.parts.reduce((sum, p) => sum + p.duration, 0) : last.duration;
    return (Date.now() - last.wall) / 1000 - length;
}

/** Figures of a page that plays, over SECONDS. */
async function measure(page, room) {
    const ages = [];
    await until('pictures', 30000, () => page.evaluate(() => document.querySelector('video')?.readyState > 2));
    await sleep(SETTLE_S * 1000);
    await page.evaluate(watchGlass);
    const end = Date.now() + SECONDS * 1000;
    while (Date.now() < end) {
        ages.push(await edgeAge(room));
        await sleep(400);
    }
    const glass = await page.evaluate(() => window.__glass);
    const delays = glass.delays.map(([, s]) => s);
    return {
        frames: delays.length,
        unreadable: glass.unreadable,
        median: quantile(delays, 0.5),
        p99: quantile(delays, 0.99),
        stalls: glass.stalls.length,
        longestGap: Math.round(glass.longestGap),
        edge: Number(quantile(ages, 0.5).toFixed(2)),
        edgeWorst: Number(Math.max(...ages).toFixed(2)),
    };
}

// What is promised holds on a machine with time to spare: there the newest part is at most half a second old. Where encoders
// come later than that, the limits grow by as much; a stall is the service's only if the parts were there.
const EDGE_S = 0.5;
function judge(f, median, p99) {
    const text = JSON.stringify(f);
    assert.ok(f.frames > SECONDS * 5, `frames are shown: ${text}`);
    assert.ok(f.unreadable < f.frames * 0.02, `and read: ${text}`);
    assert.ok(f.median <= median + Math.max(0, f.edge - EDGE_S), `median: ${text}`);
    assert.ok(f.p99 <= p99 + Math.max(0, f.edgeWorst - EDGE_S), `p99: ${text}`);
    assert.ok(f.stalls === 0 || f.edgeWorst > 2 * EDGE_S, `stalls: ${text}`);
}

test(`the watch page plays the picture at most 2 s old at the median, 3 s at p99, over ${SECONDS} s, without a stall`, async (t) => {
    const page = await open(browser, `${service.url}/watch/demo?mode=hls`);
    const figures = await measure(page);
    t.diagnostic(JSON.stringify(figures));
    judge(figures, 2.0, 3.0);
    assert.deepEqual(page.problems, []);
    await page.context().close();
});

/** A page with a plain player. */
async function playPlain(room) {
    const page = await open(browser, `${service.url}/healthz`, { bypassCSP: true });
    await page.addScriptTag({ path: hlsJs });
    await page.evaluate((src) => {
        const video = document.createElement('video');
        video.muted = true;
        document.body.append(video);
        const hls = new window.Hls({ lowLatencyMode: false });
        hls.loadSource(src);
        hls.attachMedia(video);
        void video.play();
    }, `${service.url}/live/${room}/index.m3u8`);
    return page;
}

test('plain HLS shows it at most 6 s old', async (t) => {
    const page = await playPlain('demo');
    const figures = await measure(page);
    t.diagnostic(JSON.stringify(figures));
    judge(figures, 6.0, 7.0);
    await page.context().close();
});

test('H.264 that passes through, too, on plain HLS', async (t) => {
    const studio = await openBundled(browser, service, 'hls_modes_page.js');
    await studio.evaluate(async (url) => {
        const peer = await globalThis.page.Client.join(url, 'glass', 'studio', 'Studio', 'broadcaster');
        await peer.showClock('video/H264');
        await peer.sound(440);
    }, `${service.url.replace('http', 'ws')}/ws`);
    await until('it is live', 60000, async () => (await edgeAge('glass')) !== null);
    const page = await playPlain('glass');
    const figures = await measure(page, 'glass');
    t.diagnostic(JSON.stringify(figures));
    const list = parseMedia(await (await fetch(`${service.url}/live/glass/v0.m3u8`)).text(), () => {});
    t.diagnostic(`target ${list.target}, segments of ${list.segments.map((s) => s.duration.toFixed(2)).join(' ')} s`);
    judge(figures, 6.0, 7.0);
    await page.context().close();
    await studio.context().close();
});
